/* Cache maintenance of memory that the host reads: the hooks note each range, and a host in the same process answers. Returns
 * the line of the first check that fails, or 0. C and C++. */
#include <stddef.h>
#include <stdint.h>

static void host_step(void);
static void note(const void *addr, size_t len);
static int flushed;

#define MB_WAIT() host_step()
#define MB_CACHE_CLEAN(addr, len) note((addr), (len))
#define MB_CACHE_FLUSH() ((void)flushed++)

#include "mailbox.h"

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

MB_CHANNEL(mailbox);

/* Buffers that share no line. */
MB_BUFFER(static, first, 1);
MB_BUFFER(static, second, MB_CACHE_LINE + 1);

#define RANGES 64
static struct {
    uintptr_t from, to;
} ranges[RANGES];
static unsigned noted;

static void note(const void *addr, size_t len)
{
    ranges[noted % RANGES].from = (uintptr_t)addr;
    ranges[noted++ % RANGES].to = (uintptr_t)addr + len;
}

/* True if exactly these bytes were written back, since the ranges were forgotten. */
static int is_clean(const void *addr, size_t len)
{
    unsigned i;
    for (i = 0; i < noted && i < RANGES; i++)
        if (ranges[i].from == (uintptr_t)addr && ranges[i].to == (uintptr_t)addr + len)
            return 1;
    return 0;
}

static int is_touched(const void *addr)
{
    unsigned i;
    for (i = 0; i < noted && i < RANGES; i++)
        if (ranges[i].from <= (uintptr_t)addr && (uintptr_t)addr < ranges[i].to)
            return 1;
    return 0;
}

/* Answers the handshake, and each request that has a response. */
static void host_step(void)
{
    if (mailbox.state == MB_STATE_INIT) {
        mailbox.state = MB_STATE_READY;
        return;
    }
    while (mailbox.request.idx_c.value != mailbox.request.idx_p) {
        if (mailbox.request.entries[mailbox.request.idx_c.value % 8].action != MB_CPRINT) {
            mailbox.response.entries[mailbox.response.idx_p % 8].rets = 7;
            mailbox.response.idx_p = mailbox.response.idx_p + 1;
        }
        mailbox.request.idx_c.value = mailbox.request.idx_c.value + 1;
    }
}

int main(void)
{
    static const char format[] = "%d %s\n";
    char text[8] = "abc", other[8] = "defg";
    const char *none = NULL;

    mb_reset(&mailbox);

    noted = 0;
    mb_printf(&mailbox, format, 1, text);
    CHECK(is_clean(format, sizeof format));
    CHECK(is_clean(text, 4));
    mb_flush(&mailbox);

    /* A precision ends a string that has no NUL. */
    noted = 0;
    mb_printf(&mailbox, "%.2s|%-9.*s", text, 3, other);
    CHECK(is_clean(text, 2));
    CHECK(is_clean(other, 3));
    mb_flush(&mailbox);

    noted = 0;
    mb_printf(&mailbox, "%*.s|%-*s|%.*s", 5, text, 6, other, -1, text + 1);
    CHECK(is_clean(text, 0) && is_clean(other, 5) && is_clean(text + 1, 3));
    mb_flush(&mailbox);

    /* Integers of 64 bits take one word or two. */
    noted = 0;
    mb_printf(&mailbox, "%lld %jx %s %hhd %ld %s", 1ll, (uintmax_t)2, text, 3, 4l, other);
    CHECK(is_clean(text, 4) && is_clean(other, 5));
    mb_flush(&mailbox);
    noted = 0;
    mb_printf(&mailbox, "%lld %s %d", 1, text, 1);
    CHECK(is_clean(text, 4));
    mb_flush(&mailbox);

    /* What is no string, or is missing, is not read. */
    noted = 0;
    mb_printf(&mailbox, "%p %%s %x %s", (void *)text, 1, none);
    mb_printf(&mailbox, "%s %", other);
    mb_printf(&mailbox, "%d %s", 1);
    CHECK(!is_touched(text) && !is_touched(text + 1) && is_clean(other, 5));
    mb_flush(&mailbox);

    noted = 0;
    CHECK(mb_call(&mailbox, "method") == 7 && flushed == 0);
    CHECK(mb_call(&mailbox, "method", text) == 7 && flushed == 2);
    CHECK(mb_custom(&mailbox, 1, text) == 7 && flushed == 4);
    CHECK(!is_touched(text));
    CHECK(mb_call(&mailbox, "method", mb_lend(text, sizeof text)) == 7 && is_clean(text, sizeof text));
    mb_take_back(text, sizeof text);

#if MB_CACHE_LINE > 0
    CHECK(sizeof first == MB_CACHE_LINE && sizeof second == 2 * MB_CACHE_LINE);
    CHECK((uintptr_t)first % MB_CACHE_LINE == 0 && (uintptr_t)second % MB_CACHE_LINE == 0);
#else
    CHECK(sizeof first == 1 && sizeof second == 1);
#endif
    CHECK(first[0] == 0 && second[0] == 0);
    return 0;
}
