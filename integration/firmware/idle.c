/* Requests a handshake and then does nothing, with or without a host: the idle load of the
 * bench. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    volatile uint32_t rounds = 0;

    mb_start_reset(&mailbox);
    for (;;)
        rounds++;
}
