/* Every request, with the response that firmware expects. */
#include "cases.h"
#include "check.h"
#include "chip.h"
#include "firmware.h"

/* Error numbers of Linux. */
enum { ENOENT = 2, EIO = 5, EBADF = 9, EACCES = 13, EFAULT = 14, EINVAL = 22, ENOSYS = 38 };

static struct firmware cpu;

/* Starts the system and completes the handshake of `core0`. */
static void start(void) {
    CHECK_EQ(mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root), 0);
    CHECK_EQ(testbench.registered, 2);
    cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
    CHECK_EQ(mb_tick(), 2);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(firmware_state(&cpu), READY);
}

/* Takes the only response, which arrives after exactly `ticks` ticks. */
static int64_t answer_after(int ticks, uint32_t wanted_words) {
    uint32_t words;
    int64_t value;
    for (int i = 0; i < ticks; i++) {
        CHECK(!firmware_receive(&cpu, &words, &value));
        CHECK(mb_tick() > 0);
    }
    CHECK(firmware_receive(&cpu, &words, &value));
    CHECK_EQ(words, wanted_words);
    CHECK(!firmware_receive(&cpu, &words, &value));
    return value;
}

/* Sends one request that gets its response within the tick. */
#define ASK(words, action, ...) (CHECK(SEND(&cpu, action, __VA_ARGS__)), answer_after(1, words))

/* Sends one request without a response. */
#define TELL(action, ...)                                   \
    do {                                                    \
        uint32_t words_;                                    \
        int64_t value_;                                     \
        CHECK(SEND(&cpu, action, __VA_ARGS__));             \
        CHECK(mb_tick() >= 0);                              \
        CHECK(!firmware_receive(&cpu, &words_, &value_));   \
    } while (0)

static uint64_t text(const char *text) { return firmware_text(&cpu, text); }

static void print(void) {
    CHECK_EQ(ASK(0, PRINT, 6, text("hello ")), 0);
    printf("from the simulator\n");
    CHECK_EQ(ASK(0, PRINT, 12, text("world\nand so")), 0);
    CHECK_EQ(ASK(0, PRINT, 1, text("\n")), 0);
    TELL(CPRINT, text("%d %u %s|%-4c|%#x\n"), text("main.c"), 7, (uint64_t)-5, 5, text("text"), 'c', 0xbeef);
    TELL(CPRINT, text("left over"), text("main.c"), 8);
}

static void memory(void) {
    uint64_t a = text("0123456789"), b = text("0123456799");
    CHECK_EQ(ASK(0, MEMMOVE, a + 2, a, 8), 0);
    CHECK(memcmp(chip_at(a, 10), "0101234567", 10) == 0);
    CHECK_EQ(ASK(0, MEMSET, a, 0x1ff, 3), 0);
    CHECK(memcmp(chip_at(a, 4), "\xff\xff\xff\x31", 4) == 0);
    CHECK_EQ(ASK(1, MEMCMP, a, b, 10), 0xff - '0');
    CHECK_EQ(ASK(1, MEMCMP, b, a, 10), '0' - 0xff);
    CHECK_EQ(ASK(1, MEMCMP, a, a, 10), 0);
    /* Long texts, and the last bytes of the memory. */
    uint64_t end = memory_base[0] + MEMORY_SIZE;
    CHECK_EQ(ASK(0, MEMSET, end - 0x20000, 7, 0x10000), 0);
    CHECK_EQ(ASK(0, MEMMOVE, end - 0x10000, end - 0x20000, 0x10000), 0);
    CHECK_EQ(ASK(1, MEMCMP, end - 0x10000, end - 0x20000, 0x10000), 0);
    CHECK_EQ(*chip_at(end - 1, 1), 7);
    CHECK_EQ(ASK(0, MEMSET, 0, 0, 0), 0);
}

static void calls(void) {
    CHECK_EQ(ASK(1, CALL, text("add"), 1, 2, 3), 6);
    CHECK_EQ(ASK(1, CALL, text("strlen"), text("twelve chars")), 12);
    testbench.polls = 0;
    CHECK(SEND(&cpu, CALL, text("slow"), 40, 2));
    CHECK_EQ(answer_after(3, 1), 42);
    CHECK_EQ(testbench.polls, 3);
    CHECK_EQ(ASK(1, CALL, text("nobody")), -ENOSYS);
    CHECK_EQ(ASK(1, CALL, text("broken")), -EIO);
    CHECK_EQ(ASK(1, CALL, text("weird")), -EIO);
    CHECK_HAS(testbench.last_report, "77");
}

static void files(void) {
    uint64_t path = text("out.txt"), data = text("some data"), buffer = text("..................");
    CHECK_EQ(ASK(1, FILES, OPEN, path, OPEN_READ), -ENOENT);
    int64_t fd = ASK(1, FILES, OPEN, path, OPEN_READ | OPEN_WRITE | OPEN_TRUNCATE);
    CHECK_EQ(fd, 10);
    CHECK_EQ(ASK(1, FILES, WRITE, fd, data, 9), 9);
    CHECK_EQ(ASK(1, FILES, SEEK, fd, 5), 5);
    CHECK_EQ(ASK(1, FILES, READ, fd, buffer, 100), 4);
    CHECK(memcmp(chip_at(buffer, 6), "data..", 6) == 0);
    CHECK_EQ(ASK(1, FILES, SEEK, fd, 0), 0);
    CHECK_EQ(ASK(1, FILES, READ, fd, buffer, 0), 9);
    TELL(FILES, CLOSE, fd);
    CHECK_EQ(ASK(1, FILES, READ, fd, buffer, 1), -EBADF);
    CHECK_EQ(ASK(1, FILES, OPEN, text("../out.txt"), OPEN_READ), -EACCES);
}

static void finish(uint32_t code) {
    CHECK(SEND(&cpu, EXIT, code));
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(testbench.exits, 1);
    CHECK_EQ(testbench.exit_code, code);
    /* The channel has exited: a reset is ignored. */
    firmware_reset(&cpu);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(firmware_state(&cpu), INIT);
    mb_shutdown();
}

void services(void) {
    start();
    print();
    memory();
    calls();
    files();
    finish(42);
}

/* Invalid requests get a response and are reported, and service continues. */
void malformed(void) {
    start();
    uint64_t high = setup.word == 4 ? 0xffffffff : UINT64_MAX;
    int reports = testbench.reports;
    CHECK(firmware_send(&cpu, PRINT, 0, (uint64_t[]){0}));
    CHECK_EQ(answer_after(1, 1), -EINVAL);
    CHECK_EQ(++reports, testbench.reports);
    CHECK_EQ(testbench.last_severity, 2);
    CHECK_HAS(testbench.last_id, "core0");
    /* One word too few is reported. The request is served with the slot's words, whose pointer is
     * unmapped. */
    CHECK_EQ(ASK(1, PRINT, 1), -EFAULT);
    CHECK_EQ(reports += 2, testbench.reports);
    CHECK_EQ(ASK(1, PRINT, 4, 0x10), -EFAULT);
    CHECK_EQ(ASK(1, MEMSET, memory_base[0] + MEMORY_SIZE - 1, 0, 2), -EFAULT);
    CHECK(ASK(1, MEMSET, memory_base[0], 0, high) < 0);
    CHECK(ASK(1, MEMMOVE, high, high, high) < 0);
    CHECK_EQ(ASK(1, CALL, high), -EFAULT);
    CHECK_EQ(ASK(1, OTHER, 99), -ENOSYS);
    CHECK_EQ(ASK(1, FILES, 5, 0, 0, 0), -EINVAL);
    CHECK(firmware_send(&cpu, FILES, 0, (uint64_t[]){OPEN}));
    CHECK_EQ(answer_after(1, 1), -EINVAL);
    CHECK_EQ(testbench.reports, reports + 8);
    CHECK_EQ(ASK(1, CALL, text("add"), 1), 1);
    mb_shutdown();
}

/* Keeps both queues as full as possible. */
static void exchange(int requests) {
    uint64_t add = text("add");
    int sent = 0, received = 0, idle = 0;
    while (received < requests) {
        uint32_t words;
        int64_t value;
        while (sent < requests && SEND(&cpu, CALL, add, sent))
            sent++;
        CHECK(mb_tick() > 0);
        /* Sometimes firmware takes no responses. */
        if (sent % 3 == 0 && idle++ % 4 != 3)
            continue;
        while (firmware_receive(&cpu, &words, &value)) {
            CHECK_EQ(words, 1);
            CHECK_EQ(value, received);
            received++;
        }
    }
}

void bursts(void) {
    uint32_t words;
    int64_t value;
    start();
    /* Without firmware taking responses, first the response queue fills, and then the request
     * queue. */
    int sent = 0;
    for (int tick = 0; tick < 10; tick++) {
        while (SEND(&cpu, CALL, text("add"), sent))
            sent++;
        CHECK(mb_tick() > 0);
    }
    CHECK(sent >= 2 * QUEUE);
    for (int received = 0; received < sent; received++) {
        if (!firmware_receive(&cpu, &words, &value)) {
            CHECK(mb_tick() > 0);
            CHECK(firmware_receive(&cpu, &words, &value));
        }
        CHECK_EQ(value, received);
    }
    exchange(1000);
    mb_shutdown();
}

/* Slots wrap at 8, and the bit that distinguishes full from empty at 16. */
void wraps(void) {
    start();
    exchange(5000);
    mb_shutdown();
}

void resets(void) {
    uint32_t words;
    int64_t value;
    start();
    for (int round = 0; round < 20; round++) {
        /* A reset during a burst, with a pending call behind some responses, part of which were
         * taken. */
        uint64_t add = text("add"), never = text("never");
        for (int i = 0; i < round % QUEUE; i++)
            CHECK(SEND(&cpu, CALL, add, i));
        SEND(&cpu, CALL, never);
        while (SEND(&cpu, CALL, add, 1000)) {
        }
        CHECK(mb_tick() > 0);
        for (int i = 0; i < round % 4 && i < round % QUEUE; i++) {
            CHECK(firmware_receive(&cpu, &words, &value));
            CHECK_EQ(value, i);
        }
        /* The pending call is dropped without another poll, which its method can detect. */
        testbench.polls = 0;
        firmware_reset(&cpu);
        CHECK(mb_tick() > 0);
        CHECK_EQ(firmware_state(&cpu), READY);
        CHECK_EQ(testbench.polls, 0);
        CHECK_EQ(ASK(1, CALL, text("add"), 7), 7);
    }
    /* Without a handshake nothing is served. */
    *chip_at(cpu.base + 4, 1) = 0;
    CHECK(mb_tick() > 0);
    SEND(&cpu, CALL, text("add"), 1);
    for (int i = 0; i < 3; i++)
        CHECK(mb_tick() > 0);
    CHECK(!firmware_receive(&cpu, &words, &value));
    CHECK_HAS(mb_status(), "core0");
    mb_shutdown();
}

/* Two channels of different pointer width at once; the library serves until both have exited. */
void two_cores(void) {
    uint32_t words, code = 7;
    int64_t value;
    start();
    struct firmware other = firmware_at(memory_base[1] + 0x1000, setup.word == 4 ? 8 : 4, 0);
    CHECK(SEND(&cpu, CALL, text("never")));
    firmware_reset(&other);
    CHECK_EQ(mb_tick(), 2);
    for (int i = 0; i < 50; i++) {
        uint64_t add = firmware_text(&other, "add");
        CHECK(SEND(&other, CALL, add, i, i));
        CHECK_EQ(mb_tick(), 2);
        CHECK(firmware_receive(&other, &words, &value));
        CHECK_EQ(value, 2 * i);
    }
    CHECK_EQ(mb_exit_code("core1", &code), 0);
    CHECK_EQ(code, 0);
    CHECK(SEND(&other, EXIT, 1));
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(mb_exit_code("core1", &code), 1);
    CHECK_EQ(code, 1);
    CHECK_EQ(mb_exit_code("core0", &code), 0);
    CHECK_EQ(mb_exit_code("", &code), 0);
    CHECK_EQ(code, 0);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 1);
    CHECK(SEND(&cpu, EXIT, 2));
    CHECK_EQ(mb_tick(), 0);
    CHECK_EQ(mb_tick(), 0);
    CHECK_EQ(testbench.exits, 2);
    CHECK_EQ(testbench.exit_code, 2);
    CHECK_EQ(mb_exit_code("core0", &code), 1);
    CHECK_EQ(code, 2);
    CHECK_EQ(mb_exit_code("", &code), 1);
    CHECK_EQ(code, 2);
    mb_shutdown();
    CHECK_EQ(mb_exit_code("", &code), 0);
}

/* Input from the testbench: bytes before and after a read, and the end. */
void standard_input(void) {
    uint32_t words;
    int64_t value;
    start();
    CHECK_EQ(ASK(1, FILES, READ, 0, text("...."), 4), -EBADF);
    /* Firmware offers protocol 0.3 in the word before the first index. */
    *chip_at(cpu.request.put - 4, 1) = 3;
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(*chip_at(cpu.base, 1), 3);

    uint64_t buffer = text("........");
    CHECK_EQ(mb_stdin_write("core0", "ab", 2), 2);
    CHECK_EQ(ASK(1, FILES, READ, 0, buffer, 8), 2);
    CHECK(memcmp(chip_at(buffer, 3), "ab.", 3) == 0);
    CHECK(SEND(&cpu, FILES, READ, 0, buffer, 3));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(mb_tick(), 2);
        CHECK(!firmware_receive(&cpu, &words, &value));
    }
    CHECK_HAS(mb_status(), "standard input");
    CHECK_EQ(mb_stdin_write("core0", "c\0d", 3), 3);
    CHECK(firmware_receive(&cpu, &words, &value));
    CHECK_EQ(value, 3);
    CHECK(memcmp(chip_at(buffer, 4), "c\0d.", 4) == 0);

    CHECK_EQ(mb_stdin_write("core0", NULL, 0), 0);
    CHECK_EQ(mb_stdin_write("core0", NULL, 1), -1);
    CHECK_HAS(mb_last_error(), "data");
    CHECK_EQ(mb_stdin_write(NULL, "x", 1), -1);
    CHECK_EQ(mb_stdin_write("core1", "x", 1), -1);
    CHECK_HAS(mb_last_error(), "stdin: testbench");
    CHECK_EQ(mb_stdin_write("core2", "x", 1), -1);
    CHECK_HAS(mb_last_error(), "no such channel");
    CHECK_EQ(mb_stdin_write_bytes("core0", NULL), -1);
    CHECK_EQ(mb_stdin_close("core1"), -1);
    CHECK_EQ(mb_stdin_close("core0"), 0);
    CHECK_EQ(ASK(1, FILES, READ, 0, buffer, 8), 0);
    CHECK_EQ(mb_stdin_write("core0", "x", 1), -1);
    CHECK_HAS(mb_last_error(), "was closed");
    mb_shutdown();
}
