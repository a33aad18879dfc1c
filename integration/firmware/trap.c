/* Executes an illegal instruction. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    mb_reset(&mailbox);
    mb_print(&mailbox, "and then\n");
    __asm__ volatile("unimp");
    return 0;
}
