/*
 * How many words of memory the host reads and writes for one PRINT: at most 60. The testbench counts them; what the call
 * that asks it costs is what two of them in a row differ by.
 *
 * With a testbench that ticks when it is notified: others look at the mailbox meanwhile.
 */
#include "check.h"

MB_CHANNEL(mailbox);

static unsigned words_accessed(void)
{
    return (unsigned)mb_call(&mailbox, "words_accessed");
}

int main(void)
{
    unsigned before, between, after, call, print;

    mb_reset(&mailbox);
    before = words_accessed();
    between = words_accessed();
    CHECK(mb_print(&mailbox, "a line of some length, as they are\n") == 0);
    after = words_accessed();

    call = between - before;
    print = after - between - call;
    mb_printf(&mailbox, "PRINT: %u words, CALL: %u words\n", print, call);
    CHECK(print <= 60);
    mb_exit(&mailbox, 0);
    return 0;
}
