/* Firmware that uses every service of mailbox.h. Returns the line of the first answer that is wrong, or 0. */
#include "mailbox.h"

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

#define EXITS {3, 0, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xfffffffeu, MB_BY_WIDTH(0x80000000u, 0xffffffffu)}

MB_CHANNEL(mailbox);

/* What it prints: bytes, formats, and their arguments. */
#define PRINTED 10
#define FORMATS (27 + (sizeof(void *) == 8))
#define ARGS (4 + 1 + 2 * (sizeof(void *) == 8) + 17 + 20 + 2 + (sizeof(void *) == 4) + 5 + 2)

struct fields {
    unsigned low : 3;
    unsigned high : 9;
};

struct opaque;

enum color { RED, BLUE = 7 };

int firmware(void);

/* What mailbox_rs says of this layout. */
#ifdef CHANNEL_SIZE
MB_ASSERT(same_channel_size, sizeof mailbox == CHANNEL_SIZE);
MB_ASSERT(same_request, offsetof(mb_channel_layout, request) == REQUEST);
MB_ASSERT(same_request_idx_c, offsetof(mb_channel_layout, request.idx_c) == REQUEST_IDX_C);
MB_ASSERT(same_response, offsetof(mb_channel_layout, response) == RESPONSE);
MB_ASSERT(same_response_idx_c, offsetof(mb_channel_layout, response.idx_c) == RESPONSE_IDX_C);
#endif

#include "posix.h"

#if !__STDC_HOSTED__
/* What compilers expect of a freestanding program. */
void *memcpy(void *restrict dest, const void *restrict src, size_t len);

void *memcpy(void *restrict dest, const void *restrict src, size_t len)
{
    size_t i;
    for (i = 0; i < len; i++)
        ((char *)dest)[i] = ((const char *)src)[i];
    return dest;
}
#endif

int firmware(void)
{
    static const char text[] = "some text";
    struct fields fields = {5, 300};
    struct opaque *opaque = NULL;
    enum color color = BLUE;
    char buf[8] = {0};
    mb_sword fd;
    int once = 0;
    int wrong;
    int i;

    /* The host of the test has protocol 0.2 in the first handshake. */
    mb_reset(&mailbox);
    wrong = posix_services_are_missing();
    if (wrong)
        return wrong;
    mb_reset(&mailbox);

    CHECK(mb_exit_code(7) == 7 && mb_exit_code((mb_word)-1) == 0xffffffffu);
    CHECK(mb_exit_code(~(mb_word)0 << (sizeof(mb_word) * 8 - 1)) == MB_BY_WIDTH(0x80000000u, 0xffffffffu));
    CHECK(mb_print(&mailbox, "hello\n") == 0);
    CHECK(mb_write_text(&mailbox, text, 4) == 0);

    mb_printf(&mailbox, "no arguments\n");
    mb_printf(&mailbox, "%d %s %c %f\n", -1, "them", 'x', mb_float(1.5f));
    mb_printf(&mailbox, "%d\n", once++);
    CHECK(once == 1);
#if UINTPTR_MAX > 0xffffffffu
    mb_printf(&mailbox, "%lf %ld\n", mb_double(0.1), 1L << 40);
#endif
    mb_printf(&mailbox, "17", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
    /* Wide arguments are two words where a word has 32 bits. */
    mb_printf(&mailbox, "%llx %d\n", 0x123456789abcdefull, 1);
    /* Whatever an argument is, it is one word. */
    mb_printf(&mailbox, "%p %p %u %d %d\n", opaque, firmware, fields.high, color, (signed char)-1);
    mb_printf(&mailbox, "%d %d\n", mb_call(&mailbox, "add", mb_call(&mailbox, "add", fields.low, 1), 2), once);
    for (i = 0; i < 20; i++)
        mb_printf(&mailbox, "%d\n", i);
    mb_flush(&mailbox);

    CHECK(mb_memset(&mailbox, buf, 0xab, 8) == 0);
    CHECK(buf[0] == (char)0xab && buf[7] == (char)0xab);
    CHECK(mb_memmove(&mailbox, buf + 1, text, 3) == 0);
    CHECK(buf[1] == 's' && buf[3] == 'm' && buf[4] == (char)0xab);
    CHECK(mb_memcmp(&mailbox, buf + 1, text, 3) == 0);
    CHECK(mb_memcmp(&mailbox, "a", "c", 1) == -2);

    CHECK(mb_call(&mailbox, "add") == 0);
    CHECK(mb_call(&mailbox, "add", 1, 2, 3) == 6);
    CHECK(mb_call(&mailbox, "add", fields.low, color, 'a', opaque) == 5 + 7 + 'a');
    CHECK(mb_call(&mailbox, "add", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19) == 190);
    CHECK((mb_sword)mb_call(&mailbox, "none") == -MB_ENOSYS);
    CHECK(mb_custom(&mailbox, 5) == 5);
    CHECK(mb_custom(&mailbox, 5, 1, &mailbox) == 7);

    CHECK(mb_open(&mailbox, "absent", MB_OPEN_READ) == -MB_ENOENT);
    fd = mb_open(&mailbox, "f", MB_OPEN_READ | MB_OPEN_WRITE);
    CHECK(fd == 10);
    CHECK(mb_read(&mailbox, fd, buf, 0) == 0);
    CHECK(mb_read(&mailbox, fd, buf, 3) == 3 && buf[0] == 'f' && buf[2] == 'f' && buf[3] == 'm');
    CHECK(mb_read_rest(&mailbox, fd, buf) == 5 && buf[4] == 'r' && buf[5] != 'r');
    CHECK(mb_write(&mailbox, fd, text, 4) == 4);
    CHECK(mb_seek(&mailbox, fd, 2) == 2);
    mb_close(&mailbox, fd);

    wrong = posix_services();
    if (wrong)
        return wrong;

    /* Each code as one word of the host's. */
    mb_exit(&mailbox, 3);
    mb_exit(&mailbox, 0);
    mb_exit(&mailbox, -1);
    mb_exit(&mailbox, (signed char)-1);
    mb_exit(&mailbox, -1L);
    mb_exit(&mailbox, 0xffffffffu);
    mb_exit(&mailbox, (mb_sword)-2);
    mb_exit(&mailbox, (mb_word)1 << (sizeof(mb_word) * 8 - 1));
    mb_flush(&mailbox);
    return 0;
}
