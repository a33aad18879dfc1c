/* Uses the command, method and file of the host program, and a method of the testbench. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

int main(void)
{
    static const char data[] = {1, 2, 3, 4, 5};
    char text[16] = {0};
    mb_sword file, len;

    mb_reset(&mailbox);
    mb_printf(&mailbox, "command: %u, then %u\n", (unsigned)mb_custom(&mailbox, 7, 1), (unsigned)mb_custom(&mailbox, 7, 41));
    mb_printf(&mailbox, "method in Rust: %u\n", (unsigned)mb_call(&mailbox, "checksum", data, sizeof data));
    mb_printf(&mailbox, "method in SystemVerilog: %u\n", (unsigned)mb_call(&mailbox, "capitals", "Read By Backdoor"));
    file = mb_open(&mailbox, "virtual/motd", MB_OPEN_READ);
    len = mb_read(&mailbox, file, text, sizeof text - 1);
    mb_close(&mailbox, file);
    mb_printf(&mailbox, "virtual file of %d bytes: %s\n", (int)len, text);
    mb_exit(&mailbox, 0);
    return 0;
}
