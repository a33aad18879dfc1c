/* Has a mailbox, and never resets it. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    return (int)mailbox.request.idx_p;
}
