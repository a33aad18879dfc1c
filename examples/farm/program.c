/* Firmware of the regression: a stream of requests, whose kinds are the same for each seed, and
 * whose contents differ.
 *
 * One seed in a hundred has a bug: it fills unmapped memory. A late sample is a failure, too. */
#include "mailbox.h"

MB_CHANNEL(mailbox);

/* Number of ticks after which a sample is late. */
#define LATE 40

static uint8_t from[256], to[256];
static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

static void fail(uint32_t round, const char *what)
{
    mb_printf(&mailbox, "round %u: %s\n", round, what);
    mb_exit(&mailbox, 1);
    for (;;) {
    }
}

int main(void)
{
    mb_reset(&mailbox);
    uint32_t seed = mb_call(&mailbox, "seed");
    uint32_t rounds = mb_call(&mailbox, "rounds");
    uint32_t wrong = seed % 100 == 37 ? 1 + seed % (rounds - 1) : rounds;
    mb_sword log = mb_open(&mailbox, "log.txt", MB_OPEN_WRITE);
    state = seed * 2654435761u + 1;
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t len = 1 + draw(sizeof to);
        if (mb_memset(&mailbox, round == wrong ? (uint8_t *)0xffff0000u : from, round, len) != 0)
            fail(round, "memory can't be filled");
        mb_memmove(&mailbox, to, from, len);
        if (mb_memcmp(&mailbox, to, from, len) != 0)
            fail(round, "copies differ");
        if (mb_call(&mailbox, "sample", draw(4), round) >= LATE)
            fail(round, "the sample is late");
        mb_write(&mailbox, log, to, 1 + draw(32));
        if (round % 16 == 0)
            mb_printf(&mailbox, "round %u: %u bytes\n", round, len);
    }
    mb_close(&mailbox, log);
    mb_exit(&mailbox, 0);
    return 0;
}
