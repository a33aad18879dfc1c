/* Prints one line after the other: the busy load of the bench. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    for (;;)
        mb_print(&mailbox, "a line of some length, as they are\n");
}
