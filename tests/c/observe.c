/* Testbench that observes served requests, writes, exits and lines: observe MEM MAILBOX ROOT. */
#include "check.h"
#include "chip.h"
#include "firmware.h"

static struct firmware cpu;

/* ---- Notifications by the library ---- */

static int written;
static uint8_t before[MEMORIES][MEMORY_SIZE];

/* Repeats observed writes in a copy of memory. */
void mb_written(const char *space, uint64_t addr, uint32_t len, const uint8_t *data) {
    CHECK(strcmp(space, "core0") == 0 || strcmp(space, "core1") == 0);
    int core = space[4] - '0';
    CHECK(len > 0 && len <= 64);
    CHECK(addr >= memory_base[core] && addr - memory_base[core] <= MEMORY_SIZE - len);
    memcpy(before[core] + (addr - memory_base[core]), data, len);
    written++;
}

static struct {
    int count;
    uint32_t slot, action, words, ticks, answered;
    uint64_t args[20], result;
} served;

void mb_served(
    const char *ch, uint32_t slot, uint32_t action, uint32_t words, const uint64_t *args, uint32_t ticks,
    uint32_t answered, uint64_t result) {
    CHECK(strcmp(ch, "core0") == 0);
    served.count++;
    served.slot = slot, served.action = action, served.words = words, served.ticks = ticks;
    served.answered = answered, served.result = result;
    memcpy(served.args, args, sizeof served.args);
}

static char exited[512], lines[256];

void mb_exited(const char *ch, uint32_t code) {
    snprintf(exited, sizeof exited, "%s %u after %s", ch, code, lines);
}

void mb_print(const char *ch, const char *text) {
    size_t len = strlen(lines);
    snprintf(lines + len, sizeof lines - len, "[%s] %s;", ch, text);
}

/* ---- Actions ---- */

/* Copies memory before the library writes. */
static void copy(void) {
    for (int i = 0; i < MEMORIES; i++)
        memcpy(before[i], chip_at(memory_base[i], MEMORY_SIZE), MEMORY_SIZE);
}

/* Checks that the library has reported all of its writes. */
static void is_as_told(void) {
    for (int i = 0; i < MEMORIES; i++)
        CHECK(memcmp(before[i], chip_at(memory_base[i], MEMORY_SIZE), MEMORY_SIZE) == 0);
}

static void tick(int channels) {
    copy();
    CHECK_EQ(mb_tick(), channels);
    is_as_told();
}

static int64_t ask(void) {
    uint32_t words;
    int64_t value;
    tick(2);
    CHECK(firmware_receive(&cpu, &words, &value));
    return value;
}

/* Checks at the end of the process by mb_quit. */
static void last(void) { CHECK(strcmp(lines, "[core0] left;") == 0); }

int main(int argc, char **argv) {
    CHECK(argc == 4);

    /* Writes are observed during initialisation, too. */
    memset(chip_at(memory_base[0], MEMORY_SIZE), 0xee, MEMORY_SIZE);
    copy();
    mb_observe(VHOST_OBSERVE_WRITTEN);
    CHECK_EQ(mb_init(argv[1], argv[2], argv[3]), 0);
    CHECK(written > MEMORY_SIZE / 64);
    is_as_told();

    cpu = firmware_at(memory_base[0] + 0x1000, 4, 0);
    firmware_reset(&cpu);
    tick(2);
    CHECK_EQ(firmware_state(&cpu), READY);

    /* Requests are observed after the call of mb_observe only. */
    CHECK(SEND(&cpu, MEMSET, memory_base[0] + 0x20001, 0x5a, 200));
    CHECK_EQ(ask(), 0);
    CHECK_EQ(served.count, 0);
    mb_observe(VHOST_OBSERVE_SERVED);
    uint64_t text = firmware_text(&cpu, "one\ntwo");
    CHECK(SEND(&cpu, PRINT, 7, text));
    CHECK_EQ(ask(), 0);
    CHECK(strcmp(lines, "[core0] one;") == 0);
    CHECK(served.count == 1 && served.slot == 1 && served.action == PRINT && served.words == 2 && served.answered == 1);
    CHECK(served.args[0] == 7 && served.args[1] == text && served.result == 0);
    CHECK(SEND(&cpu, MEMMOVE, memory_base[0] + 0x21000, memory_base[0] + 0x20000, 300));
    CHECK_EQ(ask(), 0);
    CHECK(SEND(&cpu, MEMSET, 16, 0, 1));
    CHECK_EQ(ask(), -14);
    CHECK_EQ(served.result, 0xfffffff2);
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "slow"), 4));
    tick(2);
    tick(2);
    CHECK_EQ(served.count, 3);
    CHECK_EQ(ask(), 4);
    CHECK(served.count == 4 && served.action == CALL && served.ticks == 2 && served.result == 4);

    /* Writes by the testbench's backdoor are observed, too. */
    copy();
    written = 0;
    mb_backdoor_write_u32("core1", memory_base[1] + 0x20, 0x12345678);
    CHECK_EQ(written, 1);
    is_as_told();

    /* Invalid observations are an error, and change nothing. */
    mb_observe(4);
    CHECK_HAS(mb_last_error(), "0x4");

    /* Unfinished text is printed before the exit. */
    CHECK(SEND(&cpu, EXIT, 9));
    tick(1);
    CHECK(strcmp(exited, "core0 9 after [core0] one;[core0] two;") == 0);
    CHECK(testbench.exits == 1 && testbench.exit_code == 9);
    CHECK(served.action == EXIT && served.answered == 0);

    /* The next system is not observed. */
    mb_shutdown();
    written = 0;
    CHECK_EQ(mb_init(argv[1], argv[2], argv[3]), 0);
    CHECK_EQ(written, 0);
    /* Unfinished text is printed before the process ends. */
    cpu = firmware_at(memory_base[0] + 0x1000, 4, 0);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK(SEND(&cpu, PRINT, 4, firmware_text(&cpu, "left")));
    CHECK_EQ(mb_tick(), 2);
    lines[0] = 0;
    atexit(last);
    mb_quit(36);
    return 1;
}
