/*
 * Four harts that request operations at the same time. Each keeps its registers, prints whole
 * lines, and has a file of its own. At the end all of them exit. Variables of different harts don't
 * share cache lines.
 */
#define HARTS 4
#include "semihosting.h"

#define ROUNDS 3
#define LINES 2
#define LINE 128

enum { REGISTERS = 1, RESULTS = 2, FILES = 4, ARGUMENTS = 8, TIMES = 16 };

static struct {
    char text[LINE];
    char back[LINE];
    char name[64];
    char other_name[64];
} own[HARTS] __attribute__((aligned(64)));

static struct {
    word value;
} failed __attribute__((aligned(64))), arrived __attribute__((aligned(64)));

static word length(const char *text)
{
    word len = 0;
    while (text[len])
        len++;
    return len;
}

static char *put(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    *to = 0;
    return to;
}

/* Makes a line whose content and length differ for each hart and number. */
static void make_line(char *to, word hart, word number)
{
    char *end = put(to, "hart x, line xx: ");
    to[5] = '0' + hart;
    to[13] = '0' + number / 10;
    to[14] = '0' + number % 10;
    for (word at = 0; at < 5 + (hart * 7 + number * 11) % 80; at++)
        *end++ = 'a' + (hart + number + at) % 26;
    put(end, "\n");
}

static int differ(const char *a, const char *b, word len)
{
    for (word at = 0; at < len; at++)
        if (a[at] != b[at])
            return 1;
    return 0;
}

static word work_with_file(word hart)
{
    char *text = own[hart].text, *back = own[hart].back;
    char *name = own[hart].name, *other_name = own[hart].other_name;
    put(name, "first-x.txt")[-5] = '0' + hart;
    put(other_name, "hart-x.txt")[-5] = '0' + hart;
    word file = call(OPEN, (word)name, 6, length(name)), total = 0;
    for (word number = 0; number < LINES; number++) {
        make_line(text, hart, number);
        total += length(text);
        if (call(WRITE, file, (word)text, length(text)) != 0)
            return FILES;
    }
    if (call(FLEN, file, 0, 0) != total || call(SEEK, file, 0, 0) != 0)
        return FILES;
    for (word number = 0; number < LINES; number++) {
        make_line(text, hart, number);
        if (call(READ, file, (word)back, length(text)) != 0 || differ(text, back, length(text)))
            return FILES;
    }
    if (call(READ, file, (word)back, LINE) != LINE || call(CLOSE, file, 0, 0) != 0)
        return FILES;
    volatile word names[4] = {(word)name, length(name), (word)other_name, length(other_name)};
    return semihost(RENAME, names) == 0 ? 0 : FILES;
}

static word work(word hart)
{
    word result = 0;
    for (word round = 0; round < ROUNDS; round++) {
        if (semihost_probe(CLOCK, hart << 24 | round << 16 | 0xa5a5))
            result |= REGISTERS;
        make_line(own[hart].text, hart, 50 + round);
        semihost(WRITE0, own[hart].text);
        volatile word status[1] = {(hart + round) % 2 ? (word)-1 : 5};
        if (semihost(ISERROR, status) != (hart + round) % 2)
            result |= RESULTS;
    }
    result |= work_with_file(hart);
    volatile word block[2] = {(word)own[hart].back, LINE};
    if (semihost(GET_CMDLINE, block) != 0 || block[1] != length(own[hart].back))
        result |= ARGUMENTS;
    put(put(put(own[hart].text, "hart x has "), own[hart].back), "\n");
    own[hart].text[5] = '0' + hart;
    semihost(WRITE0, own[hart].text);
    word before = semihost(CLOCK, 0), seconds = semihost(TIME, 0);
    if (semihost(CLOCK, 0) < before || semihost(TIME, 0) < seconds)
        result |= TIMES;
    return result;
}

int main(word hart)
{
    __sync_fetch_and_or(&failed.value, work(hart));
    __sync_fetch_and_add(&arrived.value, 1);
    while (*(volatile word *)&arrived.value != HARTS) {
    }
    word result = *(volatile word *)&failed.value;
    call(EXIT_EXTENDED, APPLICATION_EXIT, result ? result : 42, 0);
    for (;;) {
    }
}
