/*
 * Calls methods that use the testbench's backdoor while the call is in progress: an increment of a
 * byte and of words of two, four and eight bytes, and a reversal of a block of bytes.
 */
#include "check.h"

MB_CHANNEL(mailbox);

static struct {
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;
    uint8_t block[33];
} data = {0x00000000ffffffffu, 0x7fffffff, 0x00ff, 0x7f, {0}};

int main(void)
{
    unsigned i;

    mb_reset(&mailbox);

    CHECK(mb_call(&mailbox, "increment", &data.u8, 1) == 0);
    CHECK(mb_call(&mailbox, "increment", &data.u16, 2) == 0);
    CHECK(mb_call(&mailbox, "increment", &data.u32, 4) == 0);
    CHECK(mb_call(&mailbox, "increment", &data.u64, 8) == 0);
    CHECK(*(volatile uint8_t *)&data.u8 == 0x80);
    CHECK(*(volatile uint16_t *)&data.u16 == 0x0100);
    CHECK(*(volatile uint32_t *)&data.u32 == 0x80000000u);
    CHECK(*(volatile uint64_t *)&data.u64 == 0x0000000100000000u);

    /* An odd address: a block may begin at any byte. */
    for (i = 0; i < 33; i++)
        data.block[i] = (uint8_t)i;
    CHECK(mb_call(&mailbox, "reverse", data.block + 1) == 64);
    CHECK(data.block[0] == 0);
    for (i = 1; i < 33; i++)
        CHECK(*(volatile uint8_t *)&data.block[i] == 33 - i);

    /* Unmapped: no byte is moved. */
    CHECK((mb_sword)mb_call(&mailbox, "reverse", 0xfffffff0u) == -2);

    mb_printf(&mailbox, "%u checks passed\n", checks);
    mb_exit(&mailbox, 0);
    return 0;
}
