/* Calls methods in Python that fail: each error fails one call. See integration/python/asyncio. */
#include "check.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);

    CHECK((mb_sword)mb_call(&mailbox, "raises", 1) == -5);
    CHECK((mb_sword)mb_call(&mailbox, "raises", 0) == -5);
    CHECK((mb_sword)mb_call(&mailbox, "nobody") == -38);
    CHECK(mb_call(&mailbox, "wait_ticks", 3) == 3);

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
