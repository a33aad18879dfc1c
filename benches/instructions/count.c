/*
 * One operation of the library, repeated: count OPERATION TIMES. Only instructions within the
 * functions of the C ABI are counted, by an outside tool, so that firmware and the setup add
 * nothing. The memory is a C model of `tests/c`.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "chip.h"
#include "firmware.h"

enum { BLOCK = 4096 };

static const uint64_t FROM = 0x80020000, TO = 0x80028000;

static struct firmware firmware;

/* `add` returns the sum, and any other method is pending. Instructions of a method count for the
 * testbench, not for the library. */
uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status) {
    (void)ch, (void)arg_len;
    *status = method[0] != 'a';
    return args[0] + args[1];
}

/* Number of ticks until firmware has the response. */
static int64_t answer(void) {
    for (int ticks = 0; ticks < 1000; ticks++) {
        uint32_t words;
        int64_t value;
        CHECK(mb_tick() >= 0);
        if (firmware_receive(&firmware, &words, &value))
            return value;
    }
    fail(__FILE__, __LINE__, mb_last_error());
}

#define ASK(action, ...) (SEND(&firmware, action, __VA_ARGS__), answer())

static void idle(unsigned times) {
    for (unsigned i = 0; i < times; i++)
        mb_tick();
}

static void print(unsigned times) {
    uint64_t text = firmware_text(&firmware, "hello, world 16\n");
    for (unsigned i = 0; i < times; i++)
        CHECK_EQ(ASK(PRINT, 16, text), 0);
}

static void call(unsigned times) {
    uint64_t method = firmware_text(&firmware, "add");
    for (unsigned i = 0; i < times; i++)
        CHECK_EQ(ASK(CALL, method, 41, 1), 42);
}

static void pending(unsigned times) {
    SEND(&firmware, CALL, firmware_text(&firmware, "never"), 41);
    idle(times);
}

static void move(unsigned times) {
    for (unsigned i = 0; i < times; i++)
        ASK(MEMMOVE, TO, FROM, BLOCK);
}

static void file(unsigned times) {
    uint64_t path = firmware_text(&firmware, "file.bin");
    int64_t fd = ASK(FILES, OPEN, path, OPEN_READ | OPEN_WRITE | OPEN_TRUNCATE);
    CHECK(fd >= 0);
    CHECK_EQ(ASK(FILES, WRITE, fd, FROM, BLOCK), BLOCK);
    for (unsigned i = 0; i < times; i++) {
        CHECK_EQ(ASK(FILES, SEEK, fd, 0), 0);
        CHECK_EQ(ASK(FILES, READ, fd, TO, BLOCK), BLOCK);
    }
}

static void read_word(unsigned times) {
    for (unsigned i = 0; i < times; i++) {
        uint32_t word;
        mb_backdoor_read_u32("core0", FROM + 4 * (i % 1024), &word);
    }
}

static void write_word(unsigned times) {
    for (unsigned i = 0; i < times; i++)
        mb_backdoor_write_u32("core0", FROM + 4 * (i % 1024), i);
}

static const struct {
    const char *name;
    void (*run)(unsigned times);
} operations[] = {
    {"idle", idle}, {"print", print},         {"call", call},           {"pending", pending},
    {"move", move}, {"file", file}, {"read_word", read_word}, {"write_word", write_word},
};

int main(int argc, char **argv) {
    CHECK(argc == 3);
    CHECK_EQ(mb_init(NULL, NULL, NULL), 0);
    firmware = firmware_at(memory_base[0], 8, 0);
    firmware_reset(&firmware);
    for (int i = 0; firmware_state(&firmware) != READY; i++) {
        CHECK(i < 10);
        mb_tick();
    }
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, argv[1]) == 0) {
            operations[i].run(strtoul(argv[2], NULL, 10));
            mb_shutdown();
            return 0;
        }
    fail(__FILE__, __LINE__, argv[1]);
}
