/* Texts and paths in memory that the CPU has just written, mostly buffers on the stack: they are in
 * its cache only. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

/* Formats a text with a number in the caller's buffer. */
static const char *name_of(char *buffer, unsigned number)
{
    char *at = buffer;
    const char *text = "number ";
    while (*text != '\0')
        *at++ = *text++;
    *at++ = (char)('0' + number / 10);
    *at++ = (char)('0' + number % 10);
    *at = '\0';
    return buffer;
}

static void print(unsigned number)
{
    char first[16], second[16];
    name_of(first, number);
    name_of(second, 99 - number);
    mb_printf(&mailbox, "%s, %s, %.6s\n", first, second, first);
}

int main(void)
{
    unsigned number;
    mb_reset(&mailbox);
    /* The same addresses each time: stale bytes would be printed again. */
    for (number = 0; number < 10; number++)
        print(number);
    mb_exit(&mailbox, 0);
    for (;;) {
    }
}
