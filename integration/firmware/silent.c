/* Has a mailbox, and never begins a handshake. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    return (int)mailbox.request.idx_p;
}
