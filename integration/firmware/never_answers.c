/* Calls a method that is still pending when the watchdog reports. */
#include "check.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    CHECK(mb_call(&mailbox, "add", 1, 2) == 3);
    mb_call(&mailbox, "wait", 0xffffffffu);
    return 0;
}
