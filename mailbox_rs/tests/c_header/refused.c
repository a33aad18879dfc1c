/* Calls that must not compile: REFUSED chooses one. With none, the file is in order. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

void refused(float number);

void refused(float number)
{
    mb_printf(&mailbox, "%f", mb_float(number));
#if REFUSED == 1
    mb_printf(&mailbox, "%f", number);
#elif REFUSED == 2
    mb_call(&mailbox, "name", 1.0);
#elif REFUSED == 3
    mb_printf(&mailbox, "18", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
#elif REFUSED == 4
    mb_call(&mailbox, "20", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
#endif
}
