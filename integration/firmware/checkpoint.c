/* Writes a file in many steps while another descriptor has it open for reading, and prints in
 * between. Exits with 0. */
#include "mailbox.h"
#include "check.h"

MB_CHANNEL(mailbox);

static char line[] = "line 00\n";
static char buf[8];

int main(void)
{
    mb_sword out, in, i;

    mb_reset(&mailbox);
    out = mb_open(&mailbox, "steps.txt", MB_OPEN_READ | MB_OPEN_WRITE | MB_OPEN_TRUNCATE);
    CHECK(out >= 10);
    in = mb_open(&mailbox, "steps.txt", MB_OPEN_READ);
    CHECK(in >= 10);
    for (i = 0; i < 40; i++) {
        line[5] = (char)('0' + i / 10);
        line[6] = (char)('0' + i % 10);
        CHECK(mb_write(&mailbox, (mb_word)out, line, 8) == 8);
        CHECK(mb_read(&mailbox, (mb_word)in, buf, 8) == 8);
        CHECK(buf[5] == line[5] && buf[6] == line[6]);
        if (i % 10 == 9)
            mb_print(&mailbox, line);
        else
            mb_print(&mailbox, ".");
    }
    mb_close(&mailbox, (mb_word)out);
    mb_close(&mailbox, (mb_word)in);
    mb_exit(&mailbox, 0);
    return 0;
}
