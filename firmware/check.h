/* Checks by firmware. The first failed check ends the run. */
#ifndef CHECK_H
#define CHECK_H

#include "mailbox.h"

extern mb_channel mailbox;

/* Number of checks so far. */
static unsigned checks;

/* Prints the failed check, and exits with its number. */
static __attribute__((noreturn, noinline)) void failed(const char *condition, unsigned line)
{
    mb_printf(&mailbox, "check %u failed, line %u: %s\n", checks, line, condition);
    mb_exit(&mailbox, checks);
    for (;;) {
    }
}

#define CHECK(condition)                  \
    do {                                  \
        checks++;                         \
        if (!(condition))                 \
            failed(#condition, __LINE__); \
    } while (0)

#endif
