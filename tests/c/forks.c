/* A simulator that is forked: forks CASE MEM MAILBOX ROOT */
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "chip.h"
#include "firmware.h"

static struct firmware cpu;

static void begin(char **args) {
    CHECK_EQ(mb_init(args[2], args[3], args[4]), 0);
    cpu = firmware_at(0x80001000, 4, 0);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(firmware_state(&cpu), READY);
}

/* One request, and its answer. */
#define ASK(action, ...)                                                                                                         \
    ({                                                                                                                                \
        uint32_t words;                                                                                                               \
        int64_t  value = -1;                                                                                                          \
        CHECK(SEND(&cpu, action, __VA_ARGS__));                                                                                       \
        for (int tick = 0; !firmware_receive(&cpu, &words, &value); tick++) {                                                         \
            CHECK(tick < 10);                                                                                                         \
            mb_tick();                                                                                                                \
        }                                                                                                                             \
        value;                                                                                                                        \
    })

static void say(const char *text) { ASK(PRINT, strlen(text), firmware_text(&cpu, text)); }

static void exit_with(int status) {
    CHECK(SEND(&cpu, EXIT, (uint64_t)status));
    CHECK_EQ(mb_tick(), 0);
    exit(status);
}

static int ended(pid_t child) {
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Both sides go on, with a file that both have open. */
static void both(void) {
    char text[16];
    uint64_t path = firmware_text(&cpu, "shared.txt");
    int64_t fd = ASK(FILES, OPEN, path, OPEN_READ | OPEN_WRITE);
    CHECK(fd >= 0);
    CHECK_EQ(ASK(FILES, WRITE, fd, firmware_text(&cpu, "0123456789"), 10), 10);
    CHECK_EQ(ASK(FILES, SEEK, fd, 2), 2);
    say("before\n");
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_child(), 0);
        say("child\n");
        uint64_t to = firmware_text(&cpu, "????");
        CHECK_EQ(ASK(FILES, READ, fd, to, 4), 4);
        CHECK(memcmp(chip_at(to, 4), "2345", 4) == 0);
        exit_with(3);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
    say("parent\n");
    uint64_t to = firmware_text(&cpu, "????");
    CHECK_EQ(ASK(FILES, READ, fd, to, 4), 4);
    memcpy(text, chip_at(to, 4), 4);
    CHECK(memcmp(text, "2345", 4) == 0);
    exit_with(0);
}

/* Nobody tells the host. */
static void untold(void) {
    say("before\n");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        say("child\n");
        exit_with(3);
    }
    CHECK_EQ(ended(child), 3);
    say("parent\n");
    exit_with(0);
}

/* A child that never calls, and one that another program takes the place of, leave no file. */
static void idle_children(void) {
    say("before\n");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        exit(4);
    CHECK_EQ(ended(child), 4);
    CHECK_EQ(system("exit 5") >> 8, 5);
    say("parent\n");
    exit_with(0);
}

static void misuse(void) {
    CHECK_EQ(mb_fork_parent(), -1);
    CHECK_HAS(mb_last_error(), "mb_fork_parent: the process is not being forked: call mb_fork_prepare");
    CHECK_EQ(mb_fork_child(), -1);
    CHECK_HAS(mb_last_error(), "mb_fork_child: the process is not being forked");
    /* A prepare without anything behind it: nothing is lost. */
    CHECK_EQ(mb_fork_prepare(), 0);
    say("on\n");
    CHECK_EQ(testbench.reports, 3);
    CHECK_HAS(testbench.last_report, "neither mb_fork_parent nor mb_fork_child");
    CHECK_EQ(mb_fork_prepare(), 0);
    CHECK_EQ(mb_fork_child(), -1);
    CHECK_HAS(mb_last_error(), "this process is the parent");
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_parent(), -1);
        CHECK_HAS(mb_last_error(), "this process is the child");
        say("child\n");
        exit_with(3);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
    CHECK_EQ(mb_run_status(0), -1);
    CHECK_EQ(mb_set_file_root("/no/such/directory"), -1);
    CHECK_HAS(mb_last_error(), "/no/such/directory");
    CHECK_EQ(mb_is_rerun(), 0);
    CHECK_EQ(mb_rerun(), -1);
    exit_with(0);
}

static pid_t inside;

static void fork_inside(void) {
    if (inside == 0) {
        CHECK_EQ(mb_fork_prepare(), -1);
        CHECK_HAS(mb_last_error(), "it was called from inside a foreign call");
        fflush(stdout);
        inside = fork();
        if (inside == 0)
            inside = -1;
    }
}

/* Inside a call of the host: it stays with the parent. */
static void inside_call(void) {
    chip_hook = fork_inside;
    ASK(CALL, firmware_text(&cpu, "hook"));
    if (inside == -1) {
        CHECK_EQ(mb_tick(), -1);
        CHECK_HAS(mb_last_error(), "this process was forked in the middle of a call");
        exit(3);
    }
    CHECK_EQ(ended(inside), 3);
    say("parent\n");
    exit_with(0);
}

static pthread_barrier_t reached, over;

static void wait_inside(void) {
    pthread_barrier_wait(&reached);
    pthread_barrier_wait(&over);
}

static void *call(void *unused) {
    (void)unused;
    chip_hook = wait_inside;
    SEND(&cpu, CALL, firmware_text(&cpu, "hook"));
    mb_tick();
    return NULL;
}

/* While another thread is inside a call. */
static void while_inside(void) {
    pthread_t thread;
    pthread_barrier_init(&reached, NULL, 2);
    pthread_barrier_init(&over, NULL, 2);
    CHECK_EQ(pthread_create(&thread, NULL, call, NULL), 0);
    pthread_barrier_wait(&reached);
    CHECK_EQ(mb_fork_prepare(), -1);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_tick(), -1);
        CHECK_EQ(mb_tick(), -1);
        CHECK_HAS(mb_last_error(), "this process was forked in the middle of a call");
        _exit(3);
    }
    CHECK_EQ(ended(child), 3);
    pthread_barrier_wait(&over);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    exit_with(0);
}

/* Snapshots: a failure is run again from the newest one. */
static void snapshots(void) {
    CHECK_EQ(mb_snapshots(10, 2), 0);
    for (int tick = 1; tick <= 57; tick++) {
        if (tick % 5 == 0)
            say(tick % 10 == 5 ? "five\n" : "ten\n");
        else
            mb_tick();
    }
    say(mb_is_rerun() ? "again\n" : "failure\n");
    CHECK(mb_is_rerun() || mb_rerun() == 6);
    exit(6);
}

/* Where the testbench says, and not every so many ticks. */
static void snapshots_on_request(void) {
    CHECK_EQ(mb_snapshot(), -1);
    CHECK_HAS(mb_last_error(), "mb_snapshot: there are no snapshots to keep: call mb_snapshots first");
    CHECK_EQ(mb_snapshots(0, 1), 0);
    for (int tick = 0; tick < 20; tick++)
        mb_tick();
    CHECK_EQ(mb_rerun(), -1);
    say("booted\n");
    CHECK_EQ(mb_snapshots(0, 1), 0);
    int woken = mb_snapshot();
    CHECK(woken == 0 || woken == 1);
    CHECK_EQ(mb_is_rerun(), woken);
    if (woken) {
        CHECK_EQ(mb_snapshot(), 0);
        CHECK_EQ(mb_rerun(), -1);
        say("again\n");
        exit_with(7);
    }
    say("failure\n");
    CHECK_EQ(mb_rerun(), 7);
    exit_with(0);
}

static int rerun_in_call;

static void fail_in_call(void) {
    CHECK_EQ(mb_snapshots(1, 1), -1);
    CHECK_HAS(mb_last_error(), "mb_snapshots: it was called from inside a foreign call");
    CHECK_EQ(mb_snapshot(), -1);
    CHECK_HAS(mb_last_error(), "mb_snapshot: it was called from inside a foreign call");
    CHECK_EQ(mb_runs(2, 1), -1);
    CHECK_HAS(mb_last_error(), "mb_runs: it was called from inside a foreign call");
    CHECK_EQ(mb_fork_prepare(), -1);
    CHECK_HAS(mb_last_error(), "mb_fork_prepare: it was called from inside a foreign call");
    rerun_in_call = mb_rerun();
}

/* A function of the testbench's finds the failure: it may run again, and begin nothing. */
static void failure_in_call(void) {
    chip_hook = fail_in_call;
    CHECK_EQ(mb_snapshots(3, 1), 0);
    for (int tick = 0; tick < 5; tick++)
        mb_tick();
    ASK(CALL, firmware_text(&cpu, "hook"));
    CHECK_EQ(rerun_in_call, mb_is_rerun() ? -1 : 6);
    say(mb_is_rerun() ? "again\n" : "parent\n");
    exit_with(mb_is_rerun() ? 6 : 0);
}

/* Snapshots of a process that just ends, end with it. */
static void forgotten_snapshots(void) {
    CHECK_EQ(mb_snapshots(2, 3), 0);
    for (int tick = 0; tick < 20; tick++)
        mb_tick();
    exit_with(0);
}

/* What mb_quit does where a run has failed. */
static void quits(void) {
    CHECK_EQ(mb_snapshots(2, 3), 0);
    for (int tick = 0; tick < 20; tick++)
        mb_tick();
    say(mb_is_rerun() ? "again\n" : "first\n");
    mb_quit(9);
}

static int steps;

static void step(void) {
    steps++;
    if (steps == 20)
        mb_quit(8);
}

/* In the host's own loop. */
static void server_run(void) {
    CHECK_EQ(mb_snapshots(3, 1), 0);
    chip_step = step;
    for (;;)
        mb_server_run();
}

/* No room for the child's files. */
static void full_disk(void) {
    say("before\n");
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {16, 16};
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
        CHECK_EQ(mb_fork_child(), 0);
        say("child\n");
        exit_with(3);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
    say("parent\n");
    exit_with(0);
}

static void *sleeps(void *unused) {
    (void)unused;
    pause();
    return NULL;
}

static void snapshots_of_threads(void) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, sleeps, NULL), 0);
    CHECK_EQ(mb_snapshots(2, 3), 0);
    for (int tick = 0; tick < 20; tick++)
        CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(testbench.reports, 1);
    CHECK_HAS(testbench.last_report, "the process has 2 threads");
    CHECK_EQ(mb_runs(2, 1), -1);
    exit_with(0);
}

/* Runs of their own, from here. */
static void runs(char **args) {
    enum { RUNS = 5 };
    say("booted\n");
    int run = mb_runs(RUNS, 2);
    CHECK(run >= 0);
    if (run == RUNS) {
        for (int i = 0; i < RUNS; i++)
            CHECK_EQ(mb_run_status(i), 10 + i);
        CHECK_EQ(mb_run_status(RUNS), -1);
        exit_with(0);
    }
    char root[4096], text[32];
    snprintf(root, sizeof root, "%s/run%d", args[4], run);
    CHECK_EQ(mkdir(root, 0777), 0);
    CHECK_EQ(mb_set_file_root(root), 0);
    snprintf(text, sizeof text, "payload %d\n", run);
    int64_t fd = ASK(FILES, OPEN, firmware_text(&cpu, "out.txt"), OPEN_WRITE);
    CHECK(fd >= 0);
    CHECK_EQ(ASK(FILES, WRITE, fd, firmware_text(&cpu, text), strlen(text)), (int64_t)strlen(text));
    exit_with(10 + run);
}

/* Sockets stay with the parent. */
static void sockets(void) {
    void *socket = c_skt_open("console", 0);
    CHECK(socket != NULL);
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_child(), 0);
        CHECK_HAS(testbench.last_report, "1 listening sockets and 0 clients stay with its parent");
        CHECK_EQ(testbench.last_severity, 1);
        CHECK_EQ(c_skt_accept(socket), -1);
        exit_with(3);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
    CHECK_EQ(c_skt_accept(socket), 0);
    CHECK_EQ(testbench.reports, 0);
    exit_with(0);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    const char *name = argv[1];
    begin(argv);
#define CASE(case, ...) if (strcmp(name, #case) == 0) case(__VA_ARGS__)
    CASE(both);
    CASE(untold);
    CASE(idle_children);
    CASE(misuse);
    CASE(inside_call);
    CASE(while_inside);
    CASE(snapshots);
    CASE(snapshots_on_request);
    CASE(failure_in_call);
    CASE(forgotten_snapshots);
    CASE(quits);
    CASE(server_run);
    CASE(full_disk);
    CASE(snapshots_of_threads);
    CASE(runs, argv);
    CASE(sockets);
    fail(__FILE__, __LINE__, name);
}
