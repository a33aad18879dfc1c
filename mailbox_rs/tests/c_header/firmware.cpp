// Firmware in C++ that uses every service of mailbox.h. Returns the line of the first answer that
// is wrong, or 0.
#define A "not a name"
#define I "not a name"
#define P "not a name"
#define T "not a name"
#define L "not a name"

extern "C" {
#include "mailbox.h"
}

#undef A
#undef I
#undef P
#undef T
#undef L

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

// What it prints: bytes, formats, and their arguments.
#define PRINTED 10
#define FORMATS (6 + (sizeof(void *) == 8))
#define ARGS (4 + 1 + 2 * (sizeof(void *) == 8) + 17 + 2 + (sizeof(void *) == 4) + 7)

#define EXITS {3, 0, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xfffffffeu, MB_BY_WIDTH(0x80000000u, 0xffffffffu)}

MB_CHANNEL(mailbox);

int firmware();

#ifdef CHANNEL_SIZE
static_assert(sizeof mailbox == CHANNEL_SIZE, "as mailbox_rs says");
static_assert(offsetof(mb_channel_layout, request) == REQUEST, "as mailbox_rs says");
static_assert(offsetof(mb_channel_layout, response) == RESPONSE, "as mailbox_rs says");
#endif

#include "posix.h"

#if !__STDC_HOSTED__
// What compilers expect of a freestanding program.
extern "C" void *memcpy(void *dest, const void *src, size_t len);

extern "C" void *memcpy(void *dest, const void *src, size_t len)
{
    for (size_t i = 0; i < len; i++)
        static_cast<char *>(dest)[i] = static_cast<const char *>(src)[i];
    return dest;
}
#endif

namespace {

enum class Color : unsigned char { red, blue = 7 };

struct Fields {
    unsigned low : 3;
    unsigned high : 9;
};

struct Opaque;

// Members may have the names of services, and macros those of template parameters.
struct Channel {
    int mb_exit(int code) const { return code; }
    int mb_read(int fd) const { return fd; }
    int mb_printf(const char *format) const { return format[0]; }
    int mb_memset, mb_open, mb_close, mb_seek, mb_write, mb_memmove, mb_memcmp, mb_write_text, mb_read_rest;
};

template <typename T> int round_trip(T value)
{
    static T there, back;
    there = value;
    CHECK(mb_memmove(&mailbox, &back, &there, sizeof there) == 0);
    CHECK(back == value);
    return 0;
}

} // namespace

int firmware()
{
    static const char text[] = "some text";
    char buf[8] = {0};
    Fields fields = {5, 300};
    Opaque *opaque = nullptr;
    int once = 0;

    // The host of the test has protocol 0.2 in the first handshake.
    mb_reset(&mailbox);
    int wrong = posix_services_are_missing();
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
    // Wide arguments are two words where a word has 32 bits.
    mb_printf(&mailbox, "%llx %d\n", 0x123456789abcdefull, 1);
    // Whatever an argument is, it is one word.
    mb_printf(&mailbox, "%p %p %u %d %d %d %p\n", opaque, firmware, fields.high, Color::blue, true,
              static_cast<signed char>(-1), nullptr);
    mb_flush(&mailbox);

    CHECK(round_trip(0x1234) == 0);
    CHECK(round_trip(Color::blue) == 0);
    static const Channel channel = {};
    CHECK(channel.mb_exit(3) + channel.mb_read(4) + channel.mb_printf("") + channel.mb_memset == 7);
    CHECK(mb_memset(&mailbox, buf, 0xfful, 8) == 0 && buf[7] == static_cast<char>(0xff));
    CHECK(mb_memset(&mailbox, buf, static_cast<mb_word>(once), 8ul) == 0 && buf[7] == 1);
    CHECK(mb_memset(&mailbox, buf, 0xab, 8) == 0);
    CHECK(buf[0] == static_cast<char>(0xab) && buf[7] == static_cast<char>(0xab));
    CHECK(mb_memcmp(&mailbox, buf, buf, 3) == 0);
    CHECK(mb_memcmp(&mailbox, "a", "c", 1) == -2);

    CHECK(mb_call(&mailbox, "add") == 0);
    CHECK(mb_call(&mailbox, "add", 1, 2L, static_cast<short>(3)) == 6);
    CHECK(mb_call(&mailbox, "add", mb_call(&mailbox, "add", fields.low, Color::blue, 'a'), nullptr, opaque) ==
          5 + 7 + 'a');
    CHECK(mb_call(&mailbox, "add", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19) == 190);
    CHECK(mb_call(&mailbox, "add", -1) == static_cast<mb_word>(-1));
    CHECK(static_cast<mb_sword>(mb_call(&mailbox, "none")) == -MB_ENOSYS);
    CHECK(mb_custom(&mailbox, 5) == 5);
    CHECK(mb_custom(&mailbox, 5u, 1, &mailbox) == 7);

    CHECK(mb_open(&mailbox, "absent", MB_OPEN_READ) == -MB_ENOENT);
    mb_sword fd = mb_open(&mailbox, "f", static_cast<mb_word>(MB_OPEN_READ | MB_OPEN_WRITE));
    CHECK(fd == 10);
    CHECK(mb_read(&mailbox, fd, buf, 3) == 3 && buf[0] == 'f' && buf[2] == 'f');
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
    mb_exit(&mailbox, static_cast<signed char>(-1));
    mb_exit(&mailbox, -1L);
    mb_exit(&mailbox, 0xffffffffu);
    mb_exit(&mailbox, (mb_sword)-2);
    mb_exit(&mailbox, (mb_word)1 << (sizeof(mb_word) * 8 - 1));
    mb_flush(&mailbox);
    return 0;
}
