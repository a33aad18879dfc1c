/* Uses console, files, standard input and arguments by HTIF. Exits with 42. */
#include "htif.h"

static char buffer[256] __attribute__((aligned(64)));
static const char name[] = "out.txt";

/* The exit code is the line of the first check that fails. */
#define CHECK(condition) \
    do { \
        if (!(condition)) \
            return __LINE__; \
    } while (0)

int main(void)
{
    put_string("by the console device\n");
    CHECK(call(64, 1, ADDRESS("by a system call\n"), 17, 0, 0) == 17);
    long long fd = call(56, CWD, ADDRESS(name), sizeof name, 0102, 0644);
    CHECK(fd >= 3);
    CHECK(call(64, fd, ADDRESS("some text\n"), 10, 0, 0) == 10);
    CHECK(call(67, fd, ADDRESS(buffer), 4, 5, 0) == 4 && buffer[0] == 't' && buffer[3] == 't');
    CHECK(call(80, fd, ADDRESS(buffer), 0, 0, 0) == 0 && *(u64 *)(buffer + 48) == 10);
    CHECK(call(57, fd, 0, 0, 0, 0) == 0);
    CHECK(call(56, CWD, ADDRESS("missing"), 8, 0, 0) == -2);
    CHECK(call(12345, 0, 0, 0, 0, 0) == -38);
    CHECK(call(63, 0, ADDRESS(buffer), 100, 0, 0) == 6);
    CHECK(call(64, 1, ADDRESS(buffer), 6, 0, 0) == 6);
    CHECK(call(2011, ADDRESS(buffer), sizeof buffer, 0, 0, 0) == 0);
    u64 *vars = (u64 *)buffer;
    CHECK(vars[0] == 3 && vars[4] == 0);
    for (int at = 1; at < 3; at++) {
        put_string((const char *)(word)vars[1 + at]);
        put_char('\n');
    }
    return 42;
}
