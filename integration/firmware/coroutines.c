/* Methods as coroutines: each yield responds to one call, and the next call resumes behind it. */
#include "check.h"

MB_CHANNEL(mailbox);

#define CLOCKS 100u
#define LONG 5000u

/* `session` returns 100000 times the number of calls in this run of execute(), plus the number of
 * counts of its forked process during the wait. */
static unsigned calls_of(mb_sword session)
{
    return (unsigned)session / 100000u;
}

static unsigned beats_of(mb_sword session)
{
    return (unsigned)session % 100000u;
}

int main(void)
{
    static const char method[] = "session";
    const mb_word call[] = {mb_lend_str(method), LONG};
    mb_sword answer;
    unsigned i;
    volatile unsigned spin;

    mb_reset(&mailbox);

    /* yield(10); yield(20); yield(30); and again. */
    for (i = 0; i < 7; i++)
        CHECK((unsigned)mb_call(&mailbox, "sequence") == 10 + 10 * (i % 3));

    /* A running total: the arguments of each call are parsed before execute() resumes. */
    CHECK(mb_call(&mailbox, "total", 1) == 1);
    CHECK(mb_call(&mailbox, "total", 2) == 3);
    CHECK(mb_call(&mailbox, "total", 39) == 42);

    CHECK(calls_of(mb_call(&mailbox, "session", CLOCKS)) == 1);
    answer = mb_call(&mailbox, "session", CLOCKS);
    CHECK(calls_of(answer) == 2);
    CHECK(beats_of(answer) >= CLOCKS - 1 && beats_of(answer) <= CLOCKS + 1);

    /* A reset while a call is pending ends execute() and its forked processes; the next call begins
     * it anew. */
    mb_send(&mailbox, MB_CALL, call, 2, NULL, 0);
    mb_flush(&mailbox);
    for (spin = 0; spin < 100; spin++) {
    }
    mb_reset(&mailbox);
    answer = mb_call(&mailbox, "session", CLOCKS);
    CHECK(calls_of(answer) == 1);
    CHECK(beats_of(answer) >= CLOCKS - 1 && beats_of(answer) <= CLOCKS + 1);

    /* The reset does not affect methods without a pending call. */
    CHECK(mb_call(&mailbox, "total", 8) == 50);
    CHECK(mb_call(&mailbox, "sequence") == 20);

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
