/* Start and end of systems. */
#include <pthread.h>
#include <unistd.h>

#include "cases.h"
#include "check.h"
#include "chip.h"
#include "firmware.h"

static struct firmware cpu;

static void set_environment(void) {
    setenv("MEM_CFG_FILE", setup.mem_cfg, 1);
    setenv("MAILBOX_CFG_FILE", setup.mailbox_cfg, 1);
    setenv("MAILBOX_FS_ROOT", setup.fs_root, 1);
}

static int init(void) { return mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root); }

/* Completes the handshake of `core0`. */
static void handshake(void) {
    cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
    firmware_reset(&cpu);
    CHECK(mb_tick() > 0);
    CHECK_EQ(firmware_state(&cpu), READY);
}

static void call(const char *method) { CHECK(SEND(&cpu, CALL, firmware_text(&cpu, method))); }

void from_environment(void) {
    const char *space = NULL;
    /* Functions that do not build the system. */
    mb_notify();
    CHECK(strcmp(mb_last_error(), "") == 0);
    CHECK_HAS(mb_status(), "not initialised");
    mb_shutdown();
    CHECK_EQ(testbench.reports, 0);

    set_environment();
    mb_get_space("core0", &space);
    CHECK(strcmp(space, "core0") == 0);
    CHECK_EQ(testbench.registered, 0);
    /* The arguments match the present system; channels are registered now. */
    CHECK_EQ(mb_init(NULL, "", NULL), 0);
    CHECK_EQ(testbench.registered, 2);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.registered, 2);
    CHECK_EQ(mb_init(NULL, NULL, NULL), -1);
    CHECK_HAS(mb_last_error(), "mb_shutdown");
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
    /* The first tick builds it again. */
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.registered, 4);
    CHECK_EQ(init(), -1);
    mb_shutdown();
    /* Variables are expanded in arguments as in the environment's values. */
    CHECK_EQ(mb_init("$MEM_CFG_FILE", "${MAILBOX_CFG_FILE}", "${MAILBOX_FS_ROOT}/."), 0);
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
    CHECK_EQ(mb_init("$MEM_CFG_FILE", "$NOWHERE/mailbox.yaml", ""), -1);
    CHECK_HAS(mb_last_error(), "`mailbox_cfg`: the environment variable `NOWHERE`");
    mb_shutdown();
}

void failed_init(void) {
    uint32_t word = 7;
    CHECK_EQ(mb_init("/no/such/file.yaml", setup.mailbox_cfg, setup.fs_root), -1);
    CHECK_HAS(mb_last_error(), "/no/such/file.yaml");
    CHECK_EQ(testbench.reports, 1);
    /* The system stays failed without further reports, although the environment is valid. */
    set_environment();
    CHECK_EQ(mb_tick(), -1);
    CHECK_EQ(mb_tick(), -1);
    mb_backdoor_read_u32("core0", memory_base[0], &word);
    CHECK_EQ(word, 0);
    CHECK_EQ(mb_server_run(), 0);
    CHECK_EQ(mb_load_elf("core0", "x.elf"), -1);
    CHECK_EQ(testbench.reports, 1);
    CHECK_HAS(mb_last_error(), "/no/such/file.yaml");
    CHECK_HAS(mb_status(), "/no/such/file.yaml");
    CHECK_EQ(init(), 0);
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();

    unsetenv("MEM_CFG_FILE");
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(testbench.last_report, "MEM_CFG_FILE");
    CHECK_EQ(mb_tick(), -1);
    CHECK_EQ(testbench.reports, 2);
    /* A shutdown clears the failure. */
    mb_shutdown();
    set_environment();
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
}

void again(void) {
    for (int round = 0; round < 5; round++) {
        CHECK_EQ(init(), 0);
        CHECK_EQ(testbench.registered, 2 * (round + 1));
        handshake();
        call("add");
        call("never");
        CHECK_EQ(mb_tick(), 2);
        mb_shutdown();
        mb_shutdown();
    }
}

static int steps;

/* Acts as firmware while the testbench waits for clocks. */
static void step(void) {
    switch (++steps) {
    case 1:
        cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
        firmware_reset(&cpu);
        break;
    case 2:
        CHECK_EQ(firmware_state(&cpu), READY);
        call("slow");
        /* Another process of the testbench ticks, too. */
        CHECK(mb_tick() > 0);
        break;
    case 20:
        mb_shutdown();
        break;
    }
}

void server_run(void) {
    set_environment();
    chip_step = step;
    CHECK_EQ(mb_server_run(), 0);
    CHECK_EQ(steps, 20);
    CHECK_EQ(testbench.reports, 0);
}

/* A function that the library calls may use all functions of the library except four. */
static void hook(void) {
    const char *text;
    uint32_t word = 0, status = 77;
    mb_backdoor_write_u32("core0", memory_base[0] + 0x100, 0x12345678);
    mb_backdoor_read_u32("core0", memory_base[0] + 0x100, &word);
    CHECK_EQ(word, 0x12345678);
    mb_get_space("core1", &text);
    CHECK(strcmp(text, "core1") == 0);
    uint64_t args[] = {30, 12};
    CHECK_EQ(__mb_call("core0", "add", 2, args, &status), 42);
    CHECK_EQ(status, 0);
    CHECK_HAS(mb_status(), "core0");
    mb_notify();

    int reports = testbench.reports;
    CHECK_EQ(mb_tick(), -1);
    CHECK_EQ(testbench.reports, ++reports);
    CHECK_EQ(init(), -1);
    CHECK_EQ(testbench.reports, ++reports);
    CHECK_EQ(mb_server_run(), 0);
    CHECK_EQ(testbench.reports, ++reports);
    mb_shutdown();
    CHECK_EQ(testbench.reports, ++reports);
    CHECK_HAS(mb_last_error(), "mb_shutdown");
}

void reentry(void) {
    uint32_t words;
    int64_t value;
    chip_hook = hook;
    CHECK_EQ(init(), 0);
    handshake();
    call("hook");
    CHECK_EQ(mb_tick(), 2);
    CHECK(firmware_receive(&cpu, &words, &value));
    CHECK_EQ(value, 0);
    /* Also inside a call that the testbench polls. */
    uint32_t status = 77;
    __mb_call("core0", "hook", 0, NULL, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
}

static void fail_once(void) { CHECK_EQ(mb_load_elf("core0", NULL), -1); }

/* An error inside a report is not reported again. A report is a foreign call like any other. */
static void use_all_in_report(void) {
    uint32_t word = 7;
    int reports = testbench.reports;
    mb_status();
    mb_backdoor_read_u32("nowhere", 0, &word);
    CHECK_EQ(word, 0);
    CHECK_EQ(mb_load_elf("core0", NULL), -1);
    CHECK_HAS(mb_last_error(), "mb_load_elf: `file` is NULL");
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "mb_tick: it was called from inside a foreign call");
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "mb_init: it was called from inside a foreign call");
    CHECK_EQ(mb_server_run(), 0);
    CHECK_HAS(mb_last_error(), "mb_server_run: it was called from inside a foreign call");
    mb_shutdown();
    CHECK_HAS(mb_last_error(), "mb_shutdown: it was called from inside a foreign call");
    CHECK_EQ(testbench.reports, reports);
}

void reentry_by_report(void) {
    chip_report = use_all_in_report;
    CHECK_EQ(mb_init("/no/such/file.yaml", setup.mailbox_cfg, setup.fs_root), -1);
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(init(), 0);
    CHECK_EQ(mb_load_elf("core0", NULL), -1);
    CHECK_EQ(testbench.reports, 2);
    /* Also in a report of the system's own, and in one inside another foreign call. */
    handshake();
    call("weird");
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.reports, 3);
    chip_hook = fail_once;
    call("hook");
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.reports, 4);
    mb_shutdown();
}

static int contents, channels;

/* A memory model that uses the library during its initialisation, and during the first access for a
 * channel. */
static void use_all_in_access(uint64_t addr) {
    int content = addr == memory_base[1] && contents++ == 0;
    int channel = addr / 0x1000 == memory_base[0] / 0x1000 + 1 && channels++ == 0;
    if (!content && !channel)
        return;
    uint32_t word = 0, status = 77;
    const char *space;
    uint64_t args[] = {30, 12};
    mb_get_space("core1", &space);
    CHECK(strcmp(space, "core1") == 0);
    CHECK_EQ(__mb_call("core0", "add", 2, args, &status), 42);
    mb_backdoor_write_u32("core0", memory_base[0] + 0x100, 0x12345678);
    mb_backdoor_read_u32("core0", memory_base[0] + 0x100, &word);
    CHECK_EQ(word, 0x12345678);
    CHECK_HAS(mb_status(), content ? "being built" : "core0: ");
    mb_notify();

    int reports = testbench.reports;
    CHECK_EQ(mb_load_elf("core0", setup.mem_cfg), -1);
    CHECK_HAS(mb_last_error(), setup.mem_cfg);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "mb_tick: it was called from inside a foreign call");
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "mb_init: it was called from inside a foreign call");
    CHECK_EQ(mb_server_run(), 0);
    CHECK_HAS(mb_last_error(), "mb_server_run: it was called from inside a foreign call");
    mb_shutdown();
    CHECK_HAS(mb_last_error(), "mb_shutdown: it was called from inside a foreign call");
    CHECK_EQ(testbench.reports, reports + 5);
}

/* The library may be used while it writes the initial content of `core1`, and while it registers
 * its channels. */
void reentry_by_init(void) {
    chip_access = use_all_in_access;
    CHECK_EQ(init(), 0);
    CHECK(contents > 0 && channels > 0);
    CHECK_EQ(testbench.registered, 2);
    handshake();
    mb_shutdown();

    /* The same for a system built from the environment. */
    contents = channels = 0;
    set_environment();
    CHECK_EQ(mb_tick(), 2);
    CHECK(contents > 0 && channels > 0);
    mb_shutdown();
}

/* A failed start leaves no state behind. */
void failed_beginning(void) {
    chip_broken = 1;
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "initial content of a memory: ");
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "could not be built: initial content of a memory: ");
    CHECK_HAS(mb_status(), "could not be built: initial content of a memory: ");
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(testbench.registered, 0);
    chip_broken = 0;
    CHECK_EQ(init(), 0);
    handshake();
    mb_shutdown();
}

/* Polls until a condition holds; fails instead of hanging. */
#define UNTIL(wanted)                                                                                                  \
    for (long looks = 0; !(wanted); looks++)                                                                           \
    CHECK(looks < 1000)

static void in_thread(void *(*run)(void *)) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* ---- Life of a system with each call from another thread ---- */

static void *starts(void *unused) {
    CHECK_EQ(init(), 0);
    return unused;
}

static void *greets(void *unused) {
    handshake();
    return unused;
}

static void *fails(void *unused) {
    mb_backdoor_write_u8("nowhere", 0, 0);
    return unused;
}

static void *serves(void *unused) {
    int64_t value = -1;
    uint32_t words = 0;
    uint64_t from = firmware_text(&cpu, "moved by threads"), to = cpu.heap;
    CHECK(SEND(&cpu, MEMMOVE, to, from, 17));
    UNTIL((mb_tick(), firmware_receive(&cpu, &words, &value)));
    CHECK(strcmp((char *)chip_at(to, 17), "moved by threads") == 0);
    /* A method that the library polls, and that calls the library. */
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "add"), 20, 22));
    UNTIL((mb_tick(), firmware_receive(&cpu, &words, &value)));
    CHECK_EQ(value, 42);
    return unused;
}

static void *looks(void *unused) {
    const char *space = NULL;
    uint32_t word = 0;
    CHECK_HAS(mb_last_error(), "nowhere");
    mb_get_space("core0", &space);
    CHECK(strcmp(space, "core0") == 0);
    mb_backdoor_write_u32(space, memory_base[0], 0x1234);
    mb_backdoor_read_u32(space, memory_base[0], &word);
    CHECK_EQ(word, 0x1234);
    CHECK_HAS(mb_status(), "core0");
    CHECK_EQ(mb_watchdog(0, 2), 0);
    mb_notify();
    return unused;
}

static void *opens(void *unused) {
    void *skt = c_skt_open("uart", 0);
    CHECK(c_skt_port(skt) > 0);
    CHECK_EQ(c_skt_accept(skt), 0);
    return unused;
}

static void *ends(void *unused) {
    mb_shutdown();
    return unused;
}

/* Settings without a system apply to the next system, which any thread may build. */
static void *attaches(void *unused) {
    CHECK_EQ(mb_attach("check"), 0);
    return unused;
}

void threads(void) {
    set_environment();
    for (int round = 0; round < 2; round++) {
        in_thread(attaches);
        in_thread(starts);
        in_thread(greets);
        for (int i = 0; i < 20; i++)
            in_thread(serves);
        in_thread(fails);
        in_thread(looks);
        CHECK_EQ(mb_tick(), 2);
        in_thread(opens);
        in_thread(ends);
    }
}

/* ---- Overlapping calls ---- */

static void *overlaps(void *unused) {
    uint32_t word = 7, status = 7;
    const char *space = NULL;
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "another thread");
    CHECK_EQ(init(), -1);
    CHECK_EQ(mb_server_run(), 0);
    mb_shutdown();
    mb_notify();
    CHECK_EQ(mb_watchdog(1, 3), -1);
    CHECK_EQ(mb_attach("check"), -1);
    mb_backdoor_write_u32("core0", memory_base[0], 7);
    mb_backdoor_read_u32("core0", memory_base[0], &word);
    CHECK_EQ(word, 0);
    mb_get_space("core0", &space);
    CHECK(strcmp(space, "") == 0);
    CHECK_EQ(__mb_call("core0", "add", 0, NULL, &status), 0);
    CHECK_EQ(status, 3);
    CHECK(strcmp(mb_status(), "") == 0);
    CHECK(c_skt_open("uart", 0) == NULL);
    return unused;
}

static int overlapped;

static void overlap_once(void) {
    if (!overlapped++)
        in_thread(overlaps);
}

static void overlap_in_access(uint64_t address) {
    (void)address;
    overlap_once();
}

static void overlap_in_report(void) {
    overlap_once();
    CHECK_HAS(mb_last_error(), "nowhere");
}

static void call_hook(void) {
    int64_t value = -1;
    uint32_t words = 0;
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "hook")));
    UNTIL((mb_tick(), firmware_receive(&cpu, &words, &value)));
}

/* Calls of another thread are refused while this thread is inside a call. The next call reports the
 * first refusal to the testbench; the others are reported at the end. */
void overlap(void) {
    CHECK_EQ(init(), 0);
    handshake();
    chip_hook = overlap_once;
    call_hook();
    chip_hook = NULL;
    CHECK(overlapped);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(testbench.last_severity, 2);
    CHECK(strcmp(testbench.last_id, "mb_tick") == 0);
    CHECK_HAS(testbench.last_report, "another thread");
    CHECK_HAS(mb_last_error(), "another thread");
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.reports, 1);

    /* The same inside a memory access, which is not a message. */
    overlapped = 0;
    chip_access = overlap_in_access;
    CHECK_EQ(mb_tick(), 2);
    chip_access = NULL;
    CHECK(overlapped);
    in_thread(serves);
    CHECK_EQ(testbench.reports, 1);
    CHECK_HAS(mb_last_error(), "another thread");
    mb_shutdown();
    CHECK_EQ(testbench.reports, 2);
    CHECK(strcmp(testbench.last_id, "vhost") == 0);
    CHECK_HAS(testbench.last_report, " more calls were refused after the first one");

    /* The next system reports a first refusal again. A call that is refused during a report is
     * reported by the next call outside of the report. */
    CHECK_EQ(init(), 0);
    overlapped = 0;
    chip_report = overlap_in_report;
    mb_backdoor_write_u8("nowhere", 0, 0);
    chip_report = NULL;
    CHECK(overlapped);
    CHECK_EQ(testbench.reports, 3);
    CHECK_HAS(testbench.last_report, "nowhere");
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.reports, 4);
    CHECK_HAS(testbench.last_report, "another thread");
    mb_shutdown();
}

/* No thread is inside a call while simulated time passes. */
static void *ticks_once(void *unused) {
    CHECK_EQ(mb_tick(), 2);
    return unused;
}

static void step_elsewhere(void) {
    static int steps;
    in_thread(ticks_once);
    if (++steps == 1)
        firmware_reset(&cpu);
    if (steps == 5)
        mb_shutdown();
}

void overlap_of_steps(void) {
    CHECK_EQ(init(), 0);
    handshake();
    chip_step = step_elsewhere;
    CHECK_EQ(mb_server_run(), 0);
    CHECK_EQ(testbench.reports, 0);
}

/* The process ends with a pending call, unfinished text and an open file. */
void exit_unannounced(void) {
    CHECK_EQ(init(), 0);
    handshake();
    uint64_t text = firmware_text(&cpu, "begun"), path = firmware_text(&cpu, "left.txt");
    CHECK(SEND(&cpu, PRINT, 5, text));
    CHECK(SEND(&cpu, FILES, OPEN, path, OPEN_WRITE));
    call("never");
    CHECK_EQ(mb_tick(), 2);
    exit(33);
}

static void leave(void) { exit(34); }

void exit_from_call(void) {
    chip_hook = leave;
    CHECK_EQ(init(), 0);
    handshake();
    call("hook");
    mb_tick();
    CHECK(0);
}

static void use_all(void) {
    uint32_t word;
    mb_tick();
    mb_backdoor_read_u32("core0", memory_base[0], &word);
    c_skt_port(c_skt_open("late", 0));
    mb_shutdown();
    init();
    mb_last_error();
}

/* Functions called by `exit` may still use the library, with any result. */
void exit_with_handler(void) {
    atexit(use_all);
    CHECK_EQ(init(), 0);
    handshake();
    call("never");
    CHECK_EQ(mb_tick(), 2);
    exit(35);
}

static void ticks(int count) {
    for (int i = 0; i < count; i++)
        CHECK_EQ(mb_tick(), 2);
}

/* `core1` is idle from the start; `core0` calls a method that stays pending. */
void watchdog(void) {
    CHECK_EQ(mb_watchdog(4, 4), -1);
    CHECK_HAS(mb_last_error(), "mb_watchdog: invalid severity 4");
    CHECK_EQ(mb_watchdog(4, -1), -1);
    CHECK_EQ(mb_watchdog(4, 2), 0);
    CHECK_HAS(mb_status(), "not initialised");
    CHECK_EQ(init(), 0);
    handshake();
    call("never");
    int reports = testbench.reports;
    ticks(2);
    CHECK_EQ(testbench.reports, reports);
    ticks(1);
    CHECK_EQ(testbench.reports, reports + 1);
    CHECK(strcmp(testbench.last_id, "watchdog") == 0 && testbench.last_severity == 2);
    CHECK_HAS(testbench.last_report, "no progress for 4 ticks: core1\n");
    CHECK_HAS(testbench.last_report, "core1: waits for firmware's handshake at 0x90001000 since tick 0");
    ticks(2);
    CHECK_EQ(testbench.reports, reports + 2);
    CHECK_HAS(testbench.last_report, "no progress for 4 ticks: core0\n");
    CHECK_HAS(testbench.last_report, "core0: waits for the testbench: method `never` is pending since tick 2");
    CHECK_HAS(mb_status(), "method `never` is pending");
    ticks(100);
    CHECK_EQ(testbench.reports, reports + 2);

    /* Disabled; later it ends service. */
    CHECK_EQ(mb_watchdog(0, 3), 0);
    ticks(100);
    CHECK_EQ(mb_watchdog(10, 3), 0);
    ticks(9);
    CHECK_EQ(testbench.reports, reports + 2);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "watchdog: no progress for 10 ticks: core0, core1\n");
    CHECK_EQ(mb_tick(), -1);
    mb_shutdown();

    /* The next system has no watchdog, unless the environment configures it. */
    CHECK_EQ(init(), 0);
    reports = testbench.reports;
    ticks(200);
    CHECK_EQ(testbench.reports, reports);
    mb_shutdown();
    setenv("VHOST_WATCHDOG", "often", 1);
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "VHOST_WATCHDOG is `often`");
    setenv("VHOST_WATCHDOG", "20", 1);
    CHECK_EQ(init(), 0);
    reports = testbench.reports;
    ticks(19);
    CHECK_EQ(testbench.reports, reports);
    ticks(1);
    CHECK_EQ(testbench.reports, reports + 1);
    CHECK_EQ(testbench.last_severity, 1);
    mb_shutdown();
}

/* A poll of an idle tick calls the library once. */
static int polls;
static void use_in_poll(uint64_t addr) {
    (void)addr;
    if (polls++ > 0)
        return;
    uint32_t word = 0, status = 77;
    uint64_t args[] = {30, 12};
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "mb_tick: it was called from inside a foreign call");
    mb_shutdown();
    CHECK_HAS(mb_last_error(), "mb_shutdown: it was called from inside a foreign call");
    CHECK_EQ(__mb_call("core0", "add", 2, args, &status), 42);
    mb_backdoor_write_u32("core0", memory_base[0] + 0x100, 0x12345678);
    mb_backdoor_read_u32("core0", memory_base[0] + 0x100, &word);
    CHECK_EQ(word, 0x12345678);
    /* If the poll has read the words already, the next one finds the request. */
    CHECK(SEND(&cpu, PRINT, 6, firmware_text(&cpu, "polled")));
}

/* Sends a request from another thread, which also uses the library. */
static void *send_from_thread(void *text) {
    CHECK(SEND(&cpu, PRINT, 5, *(uint64_t *)text));
    mb_backdoor_write_u32("core1", memory_base[1] + 0x100, 5);
    return NULL;
}

static void served_at_once(void) {
    uint32_t words;
    int64_t value;
    CHECK_EQ(mb_tick(), 2);
    CHECK(firmware_receive(&cpu, &words, &value));
    CHECK_EQ(value, 0);
}

/* A request is served in its tick, after any number of idle ticks and other calls. */
void settled_ticks(void) {
    CHECK_EQ(init(), 0);
    handshake();
    uint64_t text = firmware_text(&cpu, "text\n");
    for (int idle = 0; idle < 5; idle++) {
        for (int i = 0; i < idle; i++)
            CHECK_EQ(mb_tick(), 2);
        CHECK(SEND(&cpu, PRINT, 5, text));
        served_at_once();
    }

    /* Another thread ticks, too. */
    pthread_t thread;
    for (int idle = 0; idle < 3; idle++) {
        for (int i = 0; i < idle; i++)
            CHECK_EQ(mb_tick(), 2);
        CHECK_EQ(pthread_create(&thread, NULL, send_from_thread, &text), 0);
        pthread_join(thread, NULL);
        served_at_once();
    }

    /* A pending call is polled once in each tick. */
    call("never");
    CHECK_EQ(mb_tick(), 2);
    int before = testbench.polls;
    for (int i = 1; i <= 10; i++) {
        CHECK_EQ(mb_tick(), 2);
        CHECK_EQ(testbench.polls, before + i);
    }
    /* A reset drops the call, and is completed in its tick. */
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(firmware_state(&cpu), READY);
    CHECK_EQ(testbench.polls, before + 10);

    for (int idle = 0; idle < 5; idle++) {
        for (int i = 0; i < idle; i++)
            CHECK_EQ(mb_tick(), 2);
        polls = 0;
        chip_access = use_in_poll;
        CHECK_EQ(mb_tick(), 2);
        chip_access = NULL;
        CHECK(polls > 0);
        uint32_t words;
        int64_t value;
        if (!firmware_receive(&cpu, &words, &value))
            served_at_once();
    }

    /* The watchdog reports in its tick. */
    CHECK_EQ(mb_watchdog(50, 2), 0);
    int reports = testbench.reports;
    for (int i = 1; i < 50; i++)
        CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.reports, reports);
    CHECK_EQ(mb_tick(), 2);
    CHECK(testbench.reports > reports);

    /* After an exit, ticks continue. */
    mb_shutdown();
    CHECK_EQ(init(), 0);
    handshake();
    CHECK_EQ(mb_tick(), 2);
    CHECK(SEND(&cpu, EXIT, 3));
    for (int i = 0; i < 5; i++)
        CHECK_EQ(mb_tick(), 1);
    mb_shutdown();
}
