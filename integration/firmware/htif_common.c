/* Uses devices, and system calls whose results depend on no descriptor and no other file of the
 * host, so that Spike prints the same. */
#include "htif.h"

static char buffer[256] __attribute__((aligned(64)));
static const char digits[] = "0123456789abcdef";

static void put_number(u64 number)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        put_char(digits[number >> shift & 15]);
    put_char('\n');
}

static void identify(unsigned device, unsigned what)
{
    MB_CACHE_FLUSH();
    send((u64)device << 56 | 255ull << 48 | (u64)(word)buffer << 8 | what);
    take();
    MB_CACHE_FLUSH();
    put_string(buffer);
    put_char('\n');
}

int main(void)
{
    identify(0, 255);
    identify(0, 0);
    identify(1, 255);
    identify(1, 0);
    identify(1, 1);
    identify(2, 255);
    put_number(call(2011, ADDRESS(buffer), 8, 0, 0, 0));
    put_number(call(56, CWD, ADDRESS("missing"), 8, 0, 0));
    put_number(call(62, 99, 0, 0, 0, 0));
    put_number(call(57, 99, 0, 0, 0, 0));
    put_number(call(48, CWD, ADDRESS("missing"), 8, 0, 0));
    put_number(call(49, ADDRESS("missing"), 0, 0, 0, 0));
    long long fd = call(56, CWD, ADDRESS("spike.txt"), 10, 01102, 0644);
    put_number(call(64, fd, ADDRESS("hello"), 5, 0, 0));
    put_number(call(67, fd, ADDRESS(buffer), 5, 1, 0));
    put_number(call(68, fd, ADDRESS("J"), 1, 0, 0));
    put_number(call(62, fd, 0, 1, 0, 0));
    put_number(call(62, fd, (u64)-1, 0, 0, 0));
    put_number(call(25, fd, 3, 0, 0, 0));
    put_number(call(80, fd, ADDRESS(buffer), 0, 0, 0));
    put_number(*(u64 *)(buffer + 48));
    put_number(*(unsigned *)(buffer + 20));
    put_number(call(57, fd, 0, 0, 0, 0));
    return 7;
}
