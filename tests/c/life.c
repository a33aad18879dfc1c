/* How a system comes and goes. */
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

/* Brings firmware of `core0` to where it may send. */
static void handshake(void) {
    cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
    firmware_reset(&cpu);
    CHECK(mb_tick() > 0);
    CHECK_EQ(firmware_state(&cpu), READY);
}

static void call(const char *method) { CHECK(SEND(&cpu, CALL, firmware_text(&cpu, method))); }

void from_environment(void) {
    const char *space = NULL;
    /* These build nothing. */
    mb_notify();
    CHECK(strcmp(mb_last_error(), "") == 0);
    CHECK_HAS(mb_status(), "not initialised");
    mb_shutdown();
    CHECK_EQ(testbench.reports, 0);

    set_environment();
    mb_get_space("core0", &space);
    CHECK(strcmp(space, "core0") == 0);
    CHECK_EQ(testbench.registered, 0);
    /* What is there is what this asks for; channels are told now. */
    CHECK_EQ(mb_init(NULL, "", NULL), 0);
    CHECK_EQ(testbench.registered, 2);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.registered, 2);
    CHECK_EQ(mb_init(NULL, NULL, NULL), -1);
    CHECK_HAS(mb_last_error(), "mb_shutdown");
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
    /* And once more by the first tick. */
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(testbench.registered, 4);
    CHECK_EQ(init(), -1);
    mb_shutdown();
}

void failed_init(void) {
    uint32_t word = 7;
    CHECK_EQ(mb_init("/no/such/file.yaml", setup.mailbox_cfg, setup.fs_root), -1);
    CHECK_HAS(mb_last_error(), "/no/such/file.yaml");
    CHECK_EQ(testbench.reports, 1);
    /* It stays failed, in silence, though the environment would do. */
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
    /* A shutdown forgets it. */
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

/* Firmware that runs while the testbench waits for clocks. */
static void step(void) {
    switch (++steps) {
    case 1:
        cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
        firmware_reset(&cpu);
        break;
    case 2:
        CHECK_EQ(firmware_state(&cpu), READY);
        call("slow");
        /* Another process of the testbench ticks as well. */
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

/* A foreign call may use the library, all but four functions. */
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
    /* And from a call of the testbench's own. */
    uint32_t status = 77;
    __mb_call("core0", "hook", 0, NULL, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
}

static void fail_once(void) { CHECK_EQ(mb_load_elf("core0", NULL), -1); }

/* What fails inside a report is not reported again, and a report is a foreign call like any other. */
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
    /* And from a report of the system's own, and from one inside another foreign call. */
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

/* A model of a memory that uses the library, when it is first given its content, and when it is first asked for a channel. */
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

/* While the library writes the first content of `core1`, and while it takes its channels, it may be used. */
void reentry_by_init(void) {
    chip_access = use_all_in_access;
    CHECK_EQ(init(), 0);
    CHECK(contents > 0 && channels > 0);
    CHECK_EQ(testbench.registered, 2);
    handshake();
    mb_shutdown();

    /* The same where the environment is used first. */
    contents = channels = 0;
    set_environment();
    CHECK_EQ(mb_tick(), 2);
    CHECK(contents > 0 && channels > 0);
    mb_shutdown();
}

/* What can't begin is as if it had never been built. */
void failed_beginning(void) {
    chip_broken = 1;
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "init: ");
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "could not be built: init: ");
    CHECK_HAS(mb_status(), "could not be built: init: ");
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(testbench.registered, 0);
    chip_broken = 0;
    CHECK_EQ(init(), 0);
    handshake();
    mb_shutdown();
}

static void *other_thread(void *unused) {
    uint32_t word = 7, status = 7;
    const char *space = NULL;
    int reports = testbench.reports;
    CHECK(strcmp(mb_last_error(), "") == 0);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "thread");
    CHECK_EQ(init(), -1);
    CHECK_EQ(mb_server_run(), 0);
    mb_shutdown();
    mb_notify();
    CHECK_EQ(mb_watchdog(1, 3), -1);
    mb_backdoor_read_u32("core0", memory_base[0], &word);
    CHECK_EQ(word, 0);
    mb_get_space("core0", &space);
    CHECK(strcmp(space, "") == 0);
    CHECK_EQ(__mb_call("core0", "add", 0, NULL, &status), 0);
    CHECK_EQ(status, 3);
    CHECK(strcmp(mb_status(), "") == 0);
    /* The testbench must not be called from here. */
    CHECK_EQ(testbench.reports, reports);
    return unused;
}

static void *whole_life(void *unused) {
    CHECK_EQ(init(), 0);
    handshake();
    mb_shutdown();
    return unused;
}

static void in_thread(void *(*run)(void *)) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void *refused(void *unused) {
    (void)unused;
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "thread");
    return NULL;
}

/* Whoever asks for something of a system that is to come says whose it will be. */
static void *ask_and_leave(void *unused) {
    (void)unused;
    CHECK_EQ(mb_attach("check"), 0);
    in_thread(refused);
    mb_shutdown();
    return NULL;
}

void threads(void) {
    set_environment();
    in_thread(ask_and_leave);
    CHECK_EQ(init(), 0);
    handshake();
    in_thread(other_thread);
    CHECK(strcmp(mb_last_error(), "") == 0);
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
    /* Nobody's now. */
    in_thread(whole_life);
    CHECK_EQ(init(), 0);
    mb_shutdown();
}

/* The process ends with all there can be left: a call that hangs, text, an open file. */
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

/* What `exit` calls may use the library still, with whatever success. */
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

/* `core1` is idle from the start; `core0` calls a method that never answers. */
void watchdog(void) {
    CHECK_EQ(mb_watchdog(4, 4), -1);
    CHECK_HAS(mb_last_error(), "mb_watchdog: 4 is no severity");
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

    /* Not any more; then it ends service. */
    CHECK_EQ(mb_watchdog(0, 3), 0);
    ticks(100);
    CHECK_EQ(mb_watchdog(10, 3), 0);
    ticks(9);
    CHECK_EQ(testbench.reports, reports + 2);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "watchdog: no progress for 10 ticks: core0, core1\n");
    CHECK_EQ(mb_tick(), -1);
    mb_shutdown();

    /* The next system is not watched, unless the environment says so. */
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
