/* Testbench that hangs, with VHOST_CALL_TIMEOUT. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "check.h"
#include "chip.h"
#include "firmware.h"

static struct firmware cpu;

static void begin(const char *timeout) {
    CHECK_EQ(setenv("VHOST_CALL_TIMEOUT", timeout, 1), 0);
    CHECK_EQ(mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root), 0);
    cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(firmware_state(&cpu), READY);
}

static void print(const char *text) {
    int64_t value = -1;
    uint32_t words = 0;
    CHECK(SEND(&cpu, PRINT, strlen(text), firmware_text(&cpu, text)));
    while (!firmware_receive(&cpu, &words, &value))
        mb_tick();
}

static void hang(void) {
    for (;;)
        usleep(1000);
}

/* Calls of the library from inside the hanging call don't reset the timeout. */
static void hang_with_calls(void) {
    for (;;)
        mb_status();
}

static void call(const char *method) {
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, method)));
    mb_tick();
}

static void hangs(void (*hook)(void)) {
    begin("0.2");
    print("complete\n");
    print("the last words");
    chip_hook = hook;
    call("hook");
    CHECK(0);
}

void hangs_in_a_call(void) { hangs(hang); }

void hangs_in_a_call_with_calls(void) { hangs(hang_with_calls); }

void hangs_behind_a_call(void) {
    begin("0.2");
    print("complete\n");
    print("the last words");
    call("never");
    hang();
}

/* The child does not have the parent's thread. */
void hangs_in_a_child(void) {
    begin("0.2");
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_child(), 0);
        chip_hook = hang;
        call("hook");
        CHECK(0);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Counts threads other than this one; each must block every signal. */
static int others(void) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300], line[200];
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
            continue;
        count++;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *status = fopen(path, "r");
        CHECK(status != NULL);
        unsigned long long blocked = 0;
        while (fgets(line, sizeof line, status) != NULL)
            sscanf(line, "SigBlk: %llx", &blocked);
        fclose(status);
        /* All except SIGKILL, SIGSTOP, and two signals of the C library. */
        unsigned long long all = ~(1ull << (9 - 1) | 1ull << (19 - 1) | 3ull << (32 - 1));
        CHECK_EQ(blocked & all, all);
    }
    closedir(tasks);
    return count;
}

static void short_call(void) { usleep(20000); }

/* Long activities that are not hangs. */
void takes_its_time(void) {
    begin("0");
    CHECK_EQ(others(), 0);
    mb_shutdown();
    begin("0.2");
    CHECK_EQ(others(), 1);
    /* A long pause between calls. */
    usleep(500000);
    /* Many calls, each of them short. */
    chip_hook = short_call;
    for (int i = 0; i < 20; i++) {
        uint32_t words;
        int64_t value;
        call("hook");
        CHECK(firmware_receive(&cpu, &words, &value));
    }
    /* A method is pending, and clocks continue. */
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "never")));
    for (int i = 0; i < 20; i++) {
        mb_tick();
        usleep(20000);
    }
    /* The process is forked without the thread, which continues here. */
    CHECK_EQ(mb_snapshots(0, 1), 0);
    CHECK_EQ(mb_snapshot(), 0);
    CHECK_EQ(others(), 1);
    mb_shutdown();
    CHECK_EQ(others(), 0);
    CHECK_EQ(setenv("VHOST_CALL_TIMEOUT", "soon", 1), 0);
    CHECK_EQ(mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root), -1);
    CHECK(strstr(mb_last_error(), "VHOST_CALL_TIMEOUT is `soon`; give a number of seconds") != NULL);
}
