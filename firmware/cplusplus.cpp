// Firmware in C++, without a library: services with any number of arguments as templates, and a
// class for files.
//
// It exits with 0, or with the line of the first failed check. The testbench is that of selftest.c.
#include "mailbox.h"

MB_CHANNEL(mailbox);

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

namespace {

// File that is closed at the end of its scope.
class File {
public:
    File(const char *path, uint32_t flags) : fd(mb_open(&mailbox, path, flags)) {}
    ~File()
    {
        if (is_open())
            mb_close(&mailbox, fd);
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    bool is_open() const { return fd >= 10; }

    template <size_t N> mb_sword write(const char (&text)[N]) { return mb_write(&mailbox, fd, text, N - 1); }
    template <size_t N> mb_sword read(char (&text)[N]) { return mb_read(&mailbox, fd, text, N); }

private:
    mb_sword fd;
};

enum class Color : unsigned char { red = 3, blue = 7 };

struct Fields {
    unsigned low : 3;
    unsigned high : 9;
};

int format()
{
    const Fields fields = {5, 300};
    int evaluated = 0;

    mb_printf(&mailbox, "no arguments\n");
    mb_printf(&mailbox, "%d %u %s %c %.2f\n", -1, 2u, "text", 'c', mb_float(0.25f));
    mb_printf(&mailbox, "%d %d %d %d\n", Color::blue, fields.low, fields.high, true);
    mb_printf(&mailbox, "%lld %llx, then %d\n", -2ll, 0x123456789abcdefull, 5);
    mb_printf(&mailbox, "%p %d\n", nullptr, ++evaluated);
    CHECK(evaluated == 1);
    return 0;
}

int call()
{
    static char name[] = "firmware";

    CHECK(mb_call(&mailbox, "add") == 0);
    CHECK(mb_call(&mailbox, "add", 1, Color::red, 2l, 'a') == 6 + 'a');
    CHECK(mb_call(&mailbox, "greet", name) == 8);
    CHECK(name[0] == 'F' && name[7] == 'E');
    CHECK(static_cast<mb_sword>(mb_call(&mailbox, "no_such_method")) == -MB_ENOSYS);

    static uint8_t ramp[16];
    CHECK(mb_custom(&mailbox, 1, ramp, sizeof ramp) == sizeof ramp);
    CHECK(ramp[0] == 0 && ramp[15] == 15);
    return 0;
}

int files()
{
    char text[8];
    {
        File file("notes.txt", MB_OPEN_WRITE | MB_OPEN_TRUNCATE);
        CHECK(file.is_open());
        CHECK(file.write("in C++") == 6);
    }
    File file("notes.txt", MB_OPEN_READ);
    CHECK(file.read(text) == 6);
    CHECK(text[0] == 'i' && text[5] == '+');
    return 0;
}

} // namespace

// A freestanding main is a function like any other; the start-up code calls it by its C name.
extern "C" int main()
{
    mb_reset(&mailbox);
    int failed = format();
    if (failed == 0)
        failed = call();
    if (failed == 0)
        failed = files();
    mb_exit(&mailbox, static_cast<uint32_t>(failed));
    return 0;
}
