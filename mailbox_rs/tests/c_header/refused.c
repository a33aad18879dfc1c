/* Calls that must not compile, in C and in C++: REFUSED chooses one. With none, the file is in order. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

typedef long long wide;
#if UINTPTR_MAX == 0xffffffffu
typedef wide wider_than_a_word;
#else
typedef __int128 wider_than_a_word;
#endif

void refused(float number, wider_than_a_word value);

void refused(float number, wider_than_a_word value)
{
    (void)value;
    mb_printf(&mailbox, "%f", mb_float(number));
    mb_printf(&mailbox, "16 %lld", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, (wide)16);
#if REFUSED == 1
    mb_printf(&mailbox, "%f", number);
#elif REFUSED == 2
    mb_call(&mailbox, "name", 1.0);
#elif REFUSED == 3
    mb_printf(&mailbox, "18", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
#elif REFUSED == 4
    mb_call(&mailbox, "20", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
#elif REFUSED == 5
    mb_call(&mailbox, "name", 1, value);
#elif REFUSED == 6
    mb_custom(&mailbox, 1, value);
#elif REFUSED == 7
    mb_printf(&mailbox, "%d", (__int128)1);
#elif REFUSED == 8
    mb_printf(&mailbox, "17 %lld", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, (wide)17);
#elif REFUSED == 9
    mb_printf(&mailbox, "%f", (double)number);
#endif
}
