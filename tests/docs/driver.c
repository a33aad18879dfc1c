/* Accesses the model of docs/migrating.md through the library. */
#include "vhost.h"

int main(void)
{
    const uint64_t args[] = {40, 2};
    uint32_t status = 9, word = 0;

    if (mb_init("mem.yaml", "mailbox.yaml", ".") != 0)
        return 1;
    mb_backdoor_write_u32("cpu", 0x100000fc, 0xa5a5a5a5);
    mb_backdoor_read_u32("cpu", 0x100000fc, &word);
    if (word != 0xa5a5a5a5)
        return 2;
    if (__mb_call("cpu", "total", 1, args, &status) != 40 || status != 0)
        return 3;
    if (__mb_call("cpu", "total", 1, args + 1, &status) != 42 || status != 0)
        return 4;
    __mb_call("cpu", "other", 0, args, &status);
    if (status != 2)
        return 5;
    /* An access beyond the model's bytes moves none. */
    if (mb_backdoor_read_mem("cpu", 0x100000fe, &word, 4) != -1)
        return 6;
    return 0;
}
