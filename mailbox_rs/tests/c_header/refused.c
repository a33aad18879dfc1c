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
    static char memory[8];
    mb_printf(&mailbox, "%f", mb_float(number));
    mb_exit(&mailbox, (uint32_t)value);
    mb_seek(&mailbox, mb_open(&mailbox, "name", MB_OPEN_READ), (mb_word)value);
    mb_memset(&mailbox, memory, 0xff, sizeof memory);
    /* A word for a byte or flags, as in C. */
    mb_memset(&mailbox, memory, (mb_word)value, sizeof memory);
    mb_memset(&mailbox, memory, 0xfful, sizeof memory);
    mb_memset(&mailbox, memory, -1l, sizeof memory);
    mb_open(&mailbox, "name", (mb_word)value);
    mb_open(&mailbox, "name", 3ul);
    mb_lseek(&mailbox, 3, (wide)1 << 40, MB_SEEK_SET);
    mb_ftruncate(&mailbox, 3, (wide)1 << 40);
    mb_posix_open(&mailbox, "name", (mb_word)value, 0644);
    mb_random(&mailbox, memory, sizeof memory);
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
#elif REFUSED == 10
    mb_exit(&mailbox, value);
#elif REFUSED == 11
    mb_exit(&mailbox, (wide)1);
#elif REFUSED == 12
    mb_seek(&mailbox, 3, value);
#elif REFUSED == 13
    mb_seek(&mailbox, value, 0);
#elif REFUSED == 14
    mb_memset(&mailbox, memory, 0, value);
#elif REFUSED == 15
    mb_memset(&mailbox, memory, value, 1);
#elif REFUSED == 16
    mb_memmove(&mailbox, memory, memory, value);
#elif REFUSED == 17
    mb_memcmp(&mailbox, memory, memory, value);
#elif REFUSED == 18
    mb_open(&mailbox, "name", value);
#elif REFUSED == 19
    mb_close(&mailbox, value);
#elif REFUSED == 20
    mb_read(&mailbox, 3, memory, value);
#elif REFUSED == 21
    mb_read(&mailbox, value, memory, 4);
#elif REFUSED == 22
    mb_read_rest(&mailbox, value, memory);
#elif REFUSED == 23
    mb_write(&mailbox, 3, memory, value);
#elif REFUSED == 24
    mb_write(&mailbox, value, memory, 4);
#elif REFUSED == 25
    mb_write_text(&mailbox, "text", value);
#elif REFUSED == 26
    mb_seek(&mailbox, 3, number);
#elif REFUSED == 27
    mb_memset(&mailbox, memory, 0x100000000ul, 1);
#elif REFUSED == 28
    mb_open(&mailbox, "name", 0x100000001ul);
#elif REFUSED == 29
    mb_open(&mailbox, "name", number);
#elif REFUSED == 30
    mb_lseek(&mailbox, 3, number, 0);
#elif REFUSED == 31
    mb_posix_open(&mailbox, "name", 0x100000000ul, 0);
#elif REFUSED == 32
    mb_access(&mailbox, "name", number);
#elif REFUSED == 33
    mb_checked_close(&mailbox, value);
#elif REFUSED == 34
    mb_lseek(&mailbox, value, 0, 0);
#elif REFUSED == 35
    mb_fstat(&mailbox, value, (mb_stat *)0);
#elif REFUSED == 36
    mb_readdir(&mailbox, 3, memory, value);
#elif REFUSED == 37
    mb_readdir(&mailbox, value, memory, 8);
#elif REFUSED == 38
    mb_ftruncate(&mailbox, value, 0);
#elif REFUSED == 39
    mb_fsync(&mailbox, value);
#elif REFUSED == 40
    mb_argv(&mailbox, memory, value);
#elif REFUSED == 41
    mb_env(&mailbox, memory, value);
#elif REFUSED == 42
    mb_random(&mailbox, memory, value);
#endif
}
