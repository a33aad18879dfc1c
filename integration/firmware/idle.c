/* Asks for a handshake and then does nothing, whether anybody answers or not: what the bench measures. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    volatile uint32_t rounds = 0;

    mb_start_reset(&mailbox);
    for (;;)
        rounds++;
}
