/* Prints all the time, one line after the other: what the bench measures. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    for (;;)
        mb_print(&mailbox, "a line of some length, as they are\n");
}
