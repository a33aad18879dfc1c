/*
 * Firmware that uses every service of its host and checks each response.
 *
 * It exits with 0, or with the number of the first failed check. Comments at the requests say what
 * the testbench must provide; examples/quickstart is an example.
 *
 * A host program serves virtual files and custom commands. TESTBENCH_IS_SYSTEMVERILOG excludes them
 * if there is none.
 */
#include "check.h"
#include "mailbox.h"

/* Name of a file that it writes: unique where several of these programs run at the same time. */
#ifndef NOTES
#define NOTES "notes.txt"
#endif

/* Channel, in the section where the host finds it. */
MB_CHANNEL(mailbox);

static int same(const void *one, const void *other, size_t len)
{
    const char *a = one, *b = other;
    while (len > 0 && *a == *b)
        a++, b++, len--;
    return len == 0;
}

/* Unformatted text. */
static void print(void)
{
    CHECK(mb_print(&mailbox, "hello from firmware\n") == 0);
    CHECK(mb_print(&mailbox, "a line ") == 0);
    CHECK(mb_print(&mailbox, "in two parts, caf\xc3\xa9\n") == 0);
    CHECK(mb_write_text(&mailbox, "no more than this\nnot this", 18) == 0);
}

/* Formatted text. The host formats it: an argument is one word, or two for a wider type, and the
 * request is sent without a wait. */
static void format(void)
{
    int i;

    mb_printf(&mailbox, "integers: %d %i %u %+d %5d| %-5d| %05d %.3d\n", -1, 2, 3u, 4, -5, 6, -7, 8);
    mb_printf(&mailbox, "narrow: %hhd %hhu %hd %hu\n", 0x1ff, 0x1ff, 0x1ffff, 0x1ffff);
    mb_printf(&mailbox, "hexadecimal: %x %X %#x %#010x, octal: %o %#o\n", 0xbeef, 0xbeef, 0xbeef, 0xbeef, 8, 8);
    mb_printf(&mailbox, "text: %s %.3s %6s| %-6s| %c %%\n", "whole", "cut off", "right", "left", 'c');
    mb_printf(&mailbox, "reals: %f %.2f %e %g\n", mb_float(1.5f), mb_float(-0.125f), mb_float(12345.0f), mb_float(0.5f));
    mb_printf(&mailbox, "width and precision from arguments: %*d| %.*f\n", 6, 42, 1, mb_float(0.25f));
    mb_printf(&mailbox, "words: %lx %p\n", 0x1234ul, (void *)0x1000);
    mb_printf(&mailbox, "64 bits: %lld %#llx %ju, then %d\n", -2ll, 0x123456789abcdefull, (uintmax_t)-1, 5);

    /* More than eight entries of the queue: mb_printf waits only if the queue is full. */
    for (i = 0; i < 20; i++)
        mb_printf(&mailbox, i < 19 ? "%d " : "%d\n", i);
    mb_flush(&mailbox);
}

/* Memory operations of the host, without simulated time. */
static void memory(void)
{
    static char bytes[64];
    static const char word[] = "overlap";

    CHECK(mb_memset(&mailbox, bytes, 0x55, sizeof bytes) == 0);
    CHECK(bytes[0] == 0x55 && bytes[63] == 0x55);
    CHECK(mb_memset(&mailbox, bytes + 1, 0, 62) == 0);
    CHECK(bytes[0] == 0x55 && bytes[1] == 0 && bytes[62] == 0 && bytes[63] == 0x55);

    CHECK(mb_memmove(&mailbox, bytes, word, sizeof word) == 0);
    CHECK(same(bytes, "overlap", 8));
    CHECK(mb_memmove(&mailbox, bytes + 2, bytes, 7) == 0);
    CHECK(same(bytes, "ovoverlap", 9));
    CHECK(mb_memmove(&mailbox, bytes, bytes + 2, 7) == 0);
    CHECK(same(bytes, "overlapap", 9));

    CHECK(mb_memcmp(&mailbox, bytes, word, 7) == 0);
    CHECK(mb_memcmp(&mailbox, "abc", "abd", 3) == -1);
    CHECK(mb_memcmp(&mailbox, "\xff", "\x01", 1) == 0xfe);
}

/* Files below the root directory of the host. */
static void files(void)
{
    static const char path[] = NOTES;
    char text[32];
    mb_sword fd;

    fd = mb_open(&mailbox, path, MB_OPEN_READ | MB_OPEN_WRITE | MB_OPEN_TRUNCATE);
    CHECK(fd >= 10);
    CHECK(mb_write(&mailbox, fd, "first line\n", 11) == 11);
    CHECK(mb_seek(&mailbox, fd, 6) == 6);
    CHECK(mb_read(&mailbox, fd, text, 4) == 4);
    CHECK(same(text, "line", 4));
    CHECK(mb_read(&mailbox, fd, text, sizeof text) == 1);
    CHECK(mb_read(&mailbox, fd, text, sizeof text) == 0);
    mb_close(&mailbox, fd);

    fd = mb_open(&mailbox, path, MB_OPEN_APPEND);
    CHECK(fd >= 10);
    CHECK(mb_write(&mailbox, fd, "second line\n", 12) == 12);
    mb_close(&mailbox, fd);

    fd = mb_open(&mailbox, path, MB_OPEN_READ);
    CHECK(fd >= 10);
    CHECK(mb_read_rest(&mailbox, fd, text) == 23);
    CHECK(same(text, "first line\nsecond line\n", 23));
    mb_close(&mailbox, fd);
}

#ifndef TESTBENCH_IS_SYSTEMVERILOG
/* A file of the testbench only: `virtual/stimulus` has the words 1, 2, 3 and 4. */
static void virtual_file(void)
{
    static uint32_t words[4];
    mb_sword fd = mb_open(&mailbox, "virtual/stimulus", MB_OPEN_READ);

    CHECK(fd >= 10);
    CHECK(mb_read(&mailbox, fd, words, sizeof words) == sizeof words);
    CHECK(words[0] == 1 && words[1] == 2 && words[2] == 3 && words[3] == 4);
    CHECK(mb_seek(&mailbox, fd, 4) == 4);
    CHECK(mb_read(&mailbox, fd, words, 4) == 4);
    CHECK(words[0] == 2);
    mb_close(&mailbox, fd);
}

/* Custom commands: requests of the testbench. Number 1 fills memory with 0, 1, 2, and so on. */
static void custom(void)
{
    static uint8_t ramp[16];

    CHECK(mb_custom(&mailbox, 1, mb_lend(ramp, sizeof ramp), sizeof ramp) == sizeof ramp);
    mb_take_back(ramp, sizeof ramp);
    CHECK(ramp[0] == 0 && ramp[1] == 1 && ramp[15] == 15);
}
#endif

/* Calls into the testbench. */
static void call(void)
{
    static char name[] = "firmware";

    /* `add` returns the sum of its arguments at once. */
    CHECK(mb_call(&mailbox, "add", 1, 2, 3) == 6);
    CHECK(mb_call(&mailbox, "add") == 0);

    /* `wait` returns after the number of ticks in its argument, which is its result. */
    CHECK(mb_call(&mailbox, "wait", 10) == 10);

    /* `greet` replaces the string at an address by a greeting, and returns its length. */
    CHECK(mb_call(&mailbox, "greet", mb_lend(name, sizeof name)) == 8);
    mb_take_back(name, sizeof name);
    CHECK(same(name, "FIRMWARE", 9));
}

/* Failed requests: each has a negated error number as its response, and is reported by the host. */
static void refusals(void)
{
    const mb_word unmapped[] = {(mb_word)-64, 0, 16};
    char byte;

    CHECK(mb_print(&mailbox, "six requests that are refused, and reported, on purpose:\n") == 0);
    CHECK(mb_open(&mailbox, "missing.txt", MB_OPEN_READ) == -MB_ENOENT);
    CHECK(mb_open(&mailbox, "../outside.txt", MB_OPEN_WRITE) == -MB_EACCES);
    CHECK(mb_read(&mailbox, 99, &byte, 1) == -MB_EBADF);
    /* Unmapped. Not by mb_memset, whose cache maintenance would access the memory. */
    CHECK((mb_sword)mb_ask(&mailbox, MB_MEMSET, unmapped, 3, NULL, 0).rets == -MB_EFAULT);
    CHECK((mb_sword)mb_call(&mailbox, "no_such_method") == -MB_ENOSYS);
    CHECK((mb_sword)mb_custom(&mailbox, 2) == -MB_ENOSYS);
}

int main(void)
{
    mb_reset(&mailbox);

    print();
    format();
    memory();
    files();
    call();
#ifndef TESTBENCH_IS_SYSTEMVERILOG
    virtual_file();
    custom();
#endif
    refusals();

    /* Firmware may begin a new session at any time. */
    mb_reset(&mailbox);
    CHECK(mb_print(&mailbox, "and again after a reset\n") == 0);

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
