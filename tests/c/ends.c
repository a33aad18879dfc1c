/* How a process ends: what firmware has printed, and what was recorded, is whole up to there. */
#include <signal.h>
#include <sys/stat.h>
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

/* ---- The process is killed ---- */

static void killed(void) {
    kill(getpid(), SIGKILL);
    pause();
}

/* Firmware hangs, the simulation goes on. */
void killed_when_idle(void) {
    last_words();
    for (int i = 0; i < 20000; i++)
        CHECK_EQ(mb_tick(), 2);
    killed();
}

/* The watchdog says so, and whoever reads it kills the simulation. */
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

/* Little is recorded, for a long time: less than a block is buffered. */
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
