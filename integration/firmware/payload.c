/* Boots for nine tenths of its time, and then works on its payload: a number that the testbench
 * writes to memory, and to a file of this run. The exit code is 100 more than the number. */
#include "check.h"

MB_CHANNEL(mailbox);

static volatile uint32_t payload = 0xffffffff;

static void work(mb_word rounds)
{
    for (volatile mb_word left = rounds; left != 0; left--) {
    }
}

/* Returns the number in a file, -1 if there is none. */
static int number_in(const char *path)
{
    char text[4] = {0};
    int number = 0;
    mb_sword fd = mb_open(&mailbox, path, MB_OPEN_READ);

    if (fd < 0 || mb_read(&mailbox, fd, text, sizeof text) < 1)
        return -1;
    mb_close(&mailbox, fd);
    for (size_t i = 0; i < sizeof text && text[i] >= '0' && text[i] <= '9'; i++)
        number = 10 * number + text[i] - '0';
    return number;
}

int main(void)
{
    mb_word rounds, run;
    char text;
    mb_sword fd;

    mb_reset(&mailbox);
    rounds = mb_call(&mailbox, "rounds");
    work(9 * rounds);
    fd = mb_open(&mailbox, "shared.txt", MB_OPEN_READ);
    CHECK(fd >= 0);
    CHECK(mb_read(&mailbox, fd, &text, 1) == 1 && text == '0');

    run = mb_call(&mailbox, "booted", (mb_word)(uintptr_t)&payload);
    CHECK(payload == run);
    work(rounds);
    CHECK(number_in("payload.txt") == (int)run);
    /* Each run continues to read at the position of the boot. */
    CHECK(mb_read(&mailbox, fd, &text, 1) == 1 && text == '1');
    mb_printf(&mailbox, "run %d\n", (int)run);
    mb_exit(&mailbox, 100 + (uint32_t)run);
    return 0;
}
