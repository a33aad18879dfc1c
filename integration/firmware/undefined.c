/*
 * Texts in RAM that was never written, in a simulator with four states: unknown bytes are reported
 * inside of a text, and ignored behind its end.
 */
#include "check.h"

MB_CHANNEL(mailbox);

/* Behind the stack, where no code writes. */
#define UNWRITTEN ((volatile char *)0x18000)

/* A black box of the testbench. */
#define SCRATCH ((volatile char *)0x10000000)

static void put_in(volatile char *to, const char *text, unsigned len)
{
    unsigned i;
    for (i = 0; i < len; i++)
        to[i] = text[i];
}

static void put(unsigned at, const char *text, unsigned len)
{
    put_in(UNWRITTEN + at, text, len);
}

int main(void)
{
    mb_reset(&mailbox);

    put(0, "ends", 5);
    put(0x41, "has a NUL in the middle of a word", 34);
    mb_printf(&mailbox, "it %s, %s\n", UNWRITTEN, UNWRITTEN + 0x41);
    mb_printf(&mailbox, "cut: %.3s\n", UNWRITTEN + 0x41);
    CHECK(mb_write_text(&mailbox, (const char *)UNWRITTEN + 0x41, 9) == 0);
    mb_printf(&mailbox, "\nnow without its NUL:\n");
    mb_flush(&mailbox);

    put(0x100, "goes on", 7);
    mb_printf(&mailbox, "%s\n", UNWRITTEN + 0x100);
    mb_flush(&mailbox);
    put(0x205, "one byte", 8);
    CHECK(mb_write_text(&mailbox, (const char *)UNWRITTEN + 0x205, 9) == 0);

    put_in(SCRATCH, "black box", 10);
    mb_printf(&mailbox, "\n%s\n", SCRATCH);
    mb_flush(&mailbox);
    put_in(SCRATCH + 0x20, "one byte more", 13);
    CHECK(mb_write_text(&mailbox, (const char *)SCRATCH + 0x20, 14) == 0);

    mb_printf(&mailbox, "\n%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
