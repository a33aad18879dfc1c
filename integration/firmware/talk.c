/* Program for several cores that use the host at the same time: each waits for a time that depends
 * on its number, and prints in between. */
#include "check.h"

MB_CHANNEL(mailbox);

int main(void)
{
    /* The program's address has the number of its core. */
    const unsigned core = (uintptr_t)&mailbox >> 16;
    unsigned i;

    mb_reset(&mailbox);
    for (i = 1; i <= 4; i++) {
        CHECK(mb_call(&mailbox, "wait", 100 * i * (core + 1)) == 100 * i * (core + 1));
        mb_printf(&mailbox, "core %u, round %u, sum %u\n", core, i, (unsigned)mb_call(&mailbox, "add", core, i));
    }
    CHECK(mb_call(&mailbox, "add", core, 40, 2) == core + 42);
    mb_exit(&mailbox, 0);
    return 0;
}
