/* Has methods in Python drive the switches of its chip, and looks at them; see integration/cocotb. */
#include "check.h"

MB_CHANNEL(mailbox);

#define PORT (*(volatile uint32_t *)0x20000000)

static char name[] = "otto";

int main(void)
{
    unsigned i;

    mb_reset(&mailbox);
    CHECK(PORT == 0);

    /* What a callback drives, firmware sees. */
    for (i = 1; i < 256; i *= 2) {
        CHECK(mb_call(&mailbox, "flip", i) == i - 1);
        CHECK(PORT == 2 * i - 1);
    }
    /* And what firmware drives, a callback sees. */
    PORT = 0x5a;
    CHECK(mb_call(&mailbox, "look") == 0x5a);
    /* That fetches a string while it is being called. */
    CHECK(mb_call(&mailbox, "shout", name) == 4);
    CHECK(*(volatile char *)name == 'O');

    /* The testbench is asked next; nobody has the last one. */
    CHECK(mb_call(&mailbox, "twice", 21) == 42);
    CHECK((mb_sword)mb_call(&mailbox, "raises") == -5);
    CHECK((mb_sword)mb_call(&mailbox, "nobody") == -38);
    /* Ends when the test lets it. */
    CHECK(mb_call(&mailbox, "rendezvous", checks) == 7);
    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
