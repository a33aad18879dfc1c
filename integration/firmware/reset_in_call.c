/* Resets the channel while a call is pending. The same call in the next session is a new one, which
 * takes its time. */
#include "check.h"

MB_CHANNEL(mailbox);

#define CLOCKS 5000u

static uint32_t clocks(void)
{
    return (uint32_t)mb_call(&mailbox, "clocks");
}

int main(void)
{
    static const char method[] = "wait";
    const mb_word call[] = {mb_lend_str(method), CLOCKS};
    volatile unsigned spin;
    uint32_t begin;

    mb_reset(&mailbox);
    /* Without a wait for the response: the host takes the request, and the call is pending. */
    mb_send(&mailbox, MB_CALL, call, 2, NULL, 0);
    mb_flush(&mailbox);
    for (spin = 0; spin < 100; spin++) {
    }

    mb_reset(&mailbox);
    begin = clocks();
    CHECK(mb_call(&mailbox, "wait", CLOCKS) == CLOCKS);
    CHECK(clocks() - begin >= CLOCKS);

    /* The first request after a handshake. */
    mb_send(&mailbox, MB_CALL, call, 2, NULL, 0);
    mb_flush(&mailbox);
    mb_reset(&mailbox);
    CHECK(mb_call(&mailbox, "wait", 1) == 1);

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
