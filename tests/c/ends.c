/* Ends of a process: printed text and the recording are complete up to the end. */
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "cases.h"
#include "check.h"
#include "chip.h"
#include "firmware.h"

static struct firmware cpu;

static void begin(void) {
    CHECK_EQ(mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root), 0);
    cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(firmware_state(&cpu), READY);
}

static void serve(void) {
    int64_t value = -1;
    uint32_t words = 0;
    for (int looks = 0; !firmware_receive(&cpu, &words, &value); looks++) {
        CHECK(looks < 1000);
        mb_tick();
    }
}

static void print(const char *text) {
    CHECK(SEND(&cpu, PRINT, strlen(text), firmware_text(&cpu, text)));
    serve();
}

/* ---- Firmware's last line has no end ---- */

static void last_words(void) {
    begin();
    print("complete\n");
    print("the last words");
}

void last_words_at_exit(void) {
    last_words();
    exit(40);
}

void last_words_at_return(void) { last_words(); }

void last_words_at_quick_exit(void) {
    last_words();
    fflush(NULL);
    quick_exit(41);
}

void last_words_at_quit(void) {
    last_words();
    mb_quit(42);
}

void last_words_at_shutdown(void) {
    last_words();
    mb_shutdown();
}

static void exit_by_signal(int number) {
    (void)number;
    exit(47);
}

/* The simulator's own handler of SIGINT, outside of a call. */
void last_words_at_exit_in_a_handler(void) {
    signal(SIGINT, exit_by_signal);
    last_words();
    raise(SIGINT);
    CHECK(0);
}

/* ---- The process quits, from any place ---- */

static void quit_in_call(void) { mb_quit(43); }

void quit_in_a_function_of_the_testbench(void) {
    chip_hook = quit_in_call;
    last_words();
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "hook")));
    mb_tick();
    CHECK(0);
}

static void quit_by_signal(int number) {
    (void)number;
    mb_quit(44);
}

static void signal_in_access(uint64_t address) {
    (void)address;
    raise(SIGUSR1);
}

static void quit_in_access(uint64_t address) {
    (void)address;
    mb_quit(43);
    CHECK(0);
}

void quit_in_a_memory_of_a_c_model(void) {
    last_words();
    chip_access = quit_in_access;
    mb_tick();
    CHECK(0);
}

void quit_in_a_memory_of_a_c_model_by_backdoor(void) {
    last_words();
    chip_access = quit_in_access;
    mb_backdoor_write_u32("core0", memory_base[0], 1);
    CHECK(0);
}

/* A handler that interrupts a C model's memory function, in which exit() is safe. */
void quit_in_a_handler_in_a_call(void) {
    signal(SIGUSR1, quit_by_signal);
    last_words();
    chip_access = signal_in_access;
    mb_tick();
    CHECK(0);
}

void quit_in_a_handler(void) {
    signal(SIGUSR1, quit_by_signal);
    last_words();
    raise(SIGUSR1);
    CHECK(0);
}

/* A handler that interrupts at any time, mostly inside the library. */
void quit_in_a_handler_at_some_time(void) {
    struct itimerval soon = {.it_value.tv_usec = 20000};
    signal(SIGALRM, quit_by_signal);
    last_words();
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    for (;;)
        mb_tick();
}

static void wait_for_signal(void) {
    static int steps;
    if (++steps == 10)
        raise(SIGUSR1);
}

void quit_in_a_handler_in_a_step(void) {
    signal(SIGUSR1, quit_by_signal);
    chip_step = wait_for_signal;
    last_words();
    mb_server_run();
    CHECK(0);
}

static void *quits(void *unused) {
    mb_quit(45);
    return unused;
}

static void *exits(void *unused) {
    exit(46);
    return unused;
}

static void *(*in_thread)(void *);
static pthread_t thread;

/* The testbench's function never returns, so the thread must not wait for it. */
static void start_thread(void) {
    CHECK_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
    pause();
}

void exit_on_a_thread(void) {
    in_thread = exits;
    chip_hook = start_thread;
    last_words();
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "hook")));
    mb_tick();
    CHECK(0);
}

void quit_on_a_thread(void) {
    in_thread = quits;
    last_words();
    CHECK_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
    for (;;)
        mb_tick();
}

void quit_on_a_thread_in_a_call_that_hangs(void) {
    in_thread = quits;
    chip_hook = start_thread;
    last_words();
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "hook")));
    mb_tick();
    CHECK(0);
}

/* The library has no code at these ends: flushed data is written, and so is a short burst. */
static void last_words_after_a_pause(void) {
    last_words();
    for (int i = 0; i < 20000; i++)
        CHECK_EQ(mb_tick(), 2);
    print(" of firmware, and no end");
}

void aborted(void) {
    last_words_after_a_pause();
    abort();
}

static void ended_by(int signal_number) {
    last_words_after_a_pause();
    /* A shell starts programs in the background with SIGINT ignored. */
    CHECK(signal(signal_number, SIG_DFL) != SIG_ERR);
    raise(signal_number);
    CHECK(0);
}

void interrupted(void) { ended_by(SIGINT); }

void terminated(void) { ended_by(SIGTERM); }

void crashed(void) { ended_by(SIGSEGV); }

void left(void) {
    last_words_after_a_pause();
    _exit(48);
}

/* ---- The process is killed ---- */

static void killed(void) {
    kill(getpid(), SIGKILL);
    pause();
}

/* Firmware hangs, and the simulation continues. */
void killed_when_idle(void) {
    last_words();
    for (int i = 0; i < 20000; i++)
        CHECK_EQ(mb_tick(), 2);
    killed();
}

/* A reader of the watchdog's report kills the simulation. */
void killed_after_watchdog(void) {
    CHECK_EQ(mb_watchdog(50, 1), 0);
    last_words();
    for (int i = 0; i < 60; i++)
        CHECK_EQ(mb_tick(), 2);
    CHECK_HAS(testbench.last_report, "no progress for 50 ticks");
    killed();
}

static off_t recorded(void) {
    struct stat file;
    CHECK_EQ(stat(getenv("VHOST_TRACE"), &file), 0);
    return file.st_size;
}

/* Few messages over a long time: less than a block is buffered. */
void killed_when_busy(void) {
    last_words();
    off_t begun = recorded();
    for (long i = 0; recorded() == begun; i++) {
        CHECK(i < 100000000);
        CHECK_EQ(mb_tick(), 2);
        usleep(1000);
        if (i % 100 == 0) {
            CHECK(SEND(&cpu, MEMSET, memory_base[0] + 0x20000, 0, 16));
            serve();
        }
    }
    CHECK(recorded() < 64 * 1024);
    killed();
}
