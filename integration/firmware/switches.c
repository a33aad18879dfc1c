/* Calls methods in Python that drive the chip's switches, and reads the switches; see
 * integration/cocotb. */
#include "check.h"

MB_CHANNEL(mailbox);

#define PORT (*(volatile uint32_t *)0x20000000)

static char name[] = "otto";

int main(void)
{
    unsigned i;

    mb_reset(&mailbox);
    CHECK(PORT == 0);

    /* Firmware reads the values that a callback drives. */
    for (i = 1; i < 256; i *= 2) {
        CHECK(mb_call(&mailbox, "flip", i) == i - 1);
        CHECK(PORT == 2 * i - 1);
    }
    /* A callback reads the values that firmware drives. */
    PORT = 0x5a;
    CHECK(mb_call(&mailbox, "look") == 0x5a);
    /* The callback reads a string during the call. */
    CHECK(mb_call(&mailbox, "shout", name) == 4);
    CHECK(*(volatile char *)name == 'O');

    /* Methods that Python does not have: one of the testbench, and a missing one. */
    CHECK(mb_call(&mailbox, "twice", 21) == 42);
    CHECK((mb_sword)mb_call(&mailbox, "raises") == -5);
    CHECK((mb_sword)mb_call(&mailbox, "nobody") == -38);
    /* Ends when the test allows it. */
    CHECK(mb_call(&mailbox, "rendezvous", checks) == 7);
    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
