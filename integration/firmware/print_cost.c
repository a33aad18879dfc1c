/*
 * Checks that the host accesses at most 60 words of memory for one PRINT. The testbench counts
 * them. The difference of two calls in a row is the cost of the call that gets the count.
 *
 * For a testbench that ticks on notification: others poll the mailbox in between.
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
