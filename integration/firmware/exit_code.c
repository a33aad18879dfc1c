/* Fails a check of its own. */
#include "check.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    CHECK(1 + 1 == 2);
    CHECK(1 + 1 == 3);
    return 0;
}
