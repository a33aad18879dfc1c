/* Puts several calls of one method into the queue: each begins when the previous one has its
 * response. */
#include "check.h"

MB_CHANNEL(mailbox);

#define CALLS 3u
#define CLOCKS 1000u

int main(void)
{
    static const char method[] = "wait";
    mb_response_entry response;
    mb_word call[] = {mb_lend_str(method), 0};
    unsigned i;

    mb_reset(&mailbox);
    for (i = 0; i < CALLS; i++) {
        call[1] = CLOCKS + i;
        mb_send(&mailbox, MB_CALL, call, 2, NULL, 0);
    }
    for (i = 0; i < CALLS; i++) {
        while (!mb_try_receive(&mailbox, &response)) {
        }
        CHECK(response.rets == CLOCKS + i);
    }

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
