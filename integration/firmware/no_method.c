/* Calls a missing method, and exits with the error number. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    mb_exit(&mailbox, -mb_call(&mailbox, "launch", 1, 2));
    return 0;
}
