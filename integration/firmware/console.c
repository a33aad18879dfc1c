/* Prints the sum of the numbers in each line that is typed on its console. A line without numbers
 * ends it. */
#include "check.h"

MB_CHANNEL(mailbox);

static void put(const char *text)
{
    while (*text != 0)
        CHECK(mb_call(&mailbox, "console_put", *text++) == 0);
}

static char get(void)
{
    return (char)mb_call(&mailbox, "console_get");
}

static void put_number(unsigned number)
{
    char digits[12];
    char *first = digits + sizeof digits - 1;
    *first = 0;
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(first);
}

/* Returns how many numbers the line has, and their sum. */
static unsigned add_line(unsigned *sum)
{
    unsigned count = 0, number = 0;
    int in_number = 0;
    char c;
    *sum = 0;
    do {
        c = get();
        if (c >= '0' && c <= '9') {
            count += !in_number;
            in_number = 1;
            number = 10 * number + (unsigned)(c - '0');
        } else {
            *sum += number;
            number = 0;
            in_number = 0;
        }
    } while (c != '\n');
    return count;
}

int main(void)
{
    unsigned count, sum;

    mb_reset(&mailbox);
    put("numbers?\n> ");
    while ((count = add_line(&sum)) != 0) {
        mb_printf(&mailbox, "%u numbers, %u\n", count, sum);
        put_number(sum);
        put("\n> ");
    }
    put("bye\n");
    mb_exit(&mailbox, 0);
    return 0;
}
