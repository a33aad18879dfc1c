/* Requests a handshake in version 1.7 of the protocol. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_publish(&mailbox.version, 1u << 16 | 7);
    mb_publish(&mailbox.state, MB_STATE_INIT);
    return 0;
}
