/* One of two cores that talk to the host at once: each waits as long as its number says, and prints in between. */
#include "check.h"

MB_CHANNEL(mailbox);

int main(void)
{
    /* Where the program is tells which core runs it. */
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
