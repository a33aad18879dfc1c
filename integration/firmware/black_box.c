/* Accesses the scratch memory, a black box of the testbench, by the CPU and by the host in turn. */
#include "check.h"

MB_CHANNEL(mailbox);

#define SCRATCH ((volatile uint8_t *)0x10000000)

int main(void)
{
    static uint8_t bytes[200];
    unsigned i;

    mb_reset(&mailbox);

    /* Odd addresses and more than one block of 64 bytes. */
    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    CHECK(mb_memmove(&mailbox, (void *)(SCRATCH + 3), bytes, sizeof bytes) == 0);
    for (i = 0; i < sizeof bytes; i++)
        CHECK(SCRATCH[3 + i] == bytes[i]);

    SCRATCH[100] ^= 0xff;
    CHECK(mb_memcmp(&mailbox, (void *)(SCRATCH + 3), bytes, sizeof bytes) != 0);
    CHECK(mb_memset(&mailbox, bytes, 0, sizeof bytes) == 0);
    CHECK(mb_memmove(&mailbox, bytes, (void *)(SCRATCH + 3), sizeof bytes) == 0);
    for (i = 0; i < sizeof bytes; i++)
        CHECK(SCRATCH[3 + i] == bytes[i]);

    /* The last byte, and the first one behind the memory. */
    CHECK(mb_memset(&mailbox, (void *)(SCRATCH + 4095), 0x5a, 1) == 0);
    CHECK(SCRATCH[4095] == 0x5a);
    CHECK(mb_memset(&mailbox, (void *)(SCRATCH + 4095), 0x5a, 2) == -MB_EFAULT);

    /* A string outside of the RAM. */
    for (i = 0; i < 9; i++)
        SCRATCH[61 + i] = (uint8_t)"scratched"[i];
    SCRATCH[70] = 0;
    mb_printf(&mailbox, "%s, %u checks passed\n", SCRATCH + 61, checks);
    mb_exit(&mailbox, 0);
    return 0;
}
