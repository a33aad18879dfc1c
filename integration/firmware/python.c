/* Calls methods in Python that asyncio runs; see integration/python/asyncio. */
#include "check.h"

MB_CHANNEL(mailbox);

static char name[] = "otto";
static uint32_t squares[64];

int main(void)
{
    mb_word endless[2];
    unsigned i;

    mb_reset(&mailbox);

    /* The testbench has an `add`, too; Python's multiplies. The other method is only in the
     * testbench. */
    CHECK(mb_call(&mailbox, "add", 6, 7) == 42);
    CHECK(mb_call(&mailbox, "wait", 5) == 5);

    /* At once, and after some ticks, many times. */
    for (i = 0; i < 20; i++) {
        CHECK(mb_call(&mailbox, "wait_ticks", 0) == 0);
        CHECK(mb_call(&mailbox, "wait_ticks", i) == i);
    }
    /* Several tasks. */
    CHECK(mb_call(&mailbox, "gather", 3, 4, 5) == 12);

    /* Backdoor accesses during the call. */
    CHECK(mb_call(&mailbox, "shout", name) == 4);
    CHECK(*(volatile char *)name == 'O');
    CHECK(mb_call(&mailbox, "square", squares, 64) == 64);
    for (i = 0; i < 64; i++)
        CHECK(*(volatile uint32_t *)&squares[i] == i * i);

    /* A reset during a call cancels it. */
    endless[0] = mb_lend_str("wait_ticks");
    endless[1] = 1000000;
    mb_send(&mailbox, MB_CALL, endless, 2, NULL, 0);
    for (i = 0; i < 200; i++)
        (void)*(volatile char *)name;
    mb_reset(&mailbox);
    CHECK(mb_call(&mailbox, "cancelled") == 1);

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
