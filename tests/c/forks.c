/* Simulator that forks: forks CASE MEM MAILBOX ROOT. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/* Sends one request, and returns its response. */
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

/* Parent and child continue with a file that both have open. */
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

/* A fork without mb_fork_prepare. */
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

/* Children that leave no file: one that never calls the library, and one that executes another
 * program. */
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
    /* A prepare without a fork loses nothing. */
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

/* A fork inside a call: the host stays with the parent. */
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

/* A fork while another thread is inside a call. */
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

/* Snapshots: a failure is rerun from the newest one. */
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

/* Snapshots on request of the testbench, not by ticks. */
static void snapshots_on_request(void) {
    CHECK_EQ(mb_snapshot(), -1);
    CHECK_HAS(mb_last_error(), "mb_snapshot: no snapshots are enabled: call mb_snapshots first");
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

/* A function of the testbench detects the failure: it may start a rerun, but no snapshots. */
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

/* Snapshots end with a process that ends without mb_quit. */
static void forgotten_snapshots(void) {
    CHECK_EQ(mb_snapshots(2, 3), 0);
    for (int tick = 0; tick < 20; tick++)
        mb_tick();
    exit_with(0);
}

/* mb_quit after a failure starts a rerun. */
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

/* Snapshots in the host's own loop. */
static void server_run(void) {
    CHECK_EQ(mb_snapshots(3, 1), 0);
    chip_step = step;
    for (;;)
        mb_server_run();
}

/* A full disk for the child's files. */
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

/* Fills the disk: unwritten data is lost. */
static void fill_disk(void) {
    struct rlimit none = {16, 16};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
}

/* Records more messages than one write takes. */
static void say_much(void) {
    for (int i = 0; i < 300; i++)
        say("much\n");
    say("before\n");
}

static void filled_by_child(void) {
    say_much();
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
    fill_disk();
    exit(0);
}

static void filled_by_runs(void) {
    say_much();
    if (mb_runs(1, 1) == 0)
        _exit(3);
    fill_disk();
    exit(0);
}

static void filled_by_snapshot(void) {
    say_much();
    CHECK_EQ(mb_snapshots(0, 1), 0);
    CHECK_EQ(mb_snapshot(), 0);
    fill_disk();
    exit(0);
}

static void filled_by_rerun(void) {
    CHECK_EQ(mb_snapshots(0, 1), 0);
    if (mb_snapshot() == 1)
        _exit(3);
    say_much();
    CHECK_EQ(mb_rerun(), 3);
    fill_disk();
    exit(0);
}

/* Creates a child that never calls the library, and sleeps longer than a test may take. It has no
 * output that a reader would wait for. */
static pid_t helper(void) {
    pid_t child = fork();
    if (child == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        sleep(20);
        _exit(0);
    }
    return child;
}

static void some_ticks(void) {
    for (int tick = 0; tick < 10; tick++)
        mb_tick();
}

/* Snapshots end, and the recording is closed, while a helper process runs. */
static void helper_lives(char **args) {
    CHECK_EQ(mb_snapshots(2, 2), 0);
    some_ticks();
    pid_t child = helper();
    alarm(10);
    some_ticks();
    CHECK_EQ(mb_snapshots(0, 0), 0);
    CHECK_EQ(mb_snapshots(2, 2), 0);
    some_ticks();
    mb_shutdown();
    CHECK_EQ(mb_init(args[2], args[3], args[4]), 0);
    mb_shutdown();
    CHECK_EQ(kill(child, SIGKILL), 0);
    exit(0);
}

/* The process ends, and its helper continues. */
static void helper_survives(void) {
    CHECK_EQ(mb_snapshots(2, 2), 0);
    some_ticks();
    printf("%d\n", (int)helper());
    fflush(stdout);
    kill(getpid(), SIGKILL);
}

/* Systems with the same names in a snapshot and in runs. */
static void systems_of_children(char **args) {
    CHECK_EQ(mb_snapshots(0, 1), 0);
    if (mb_snapshot() == 1) {
        mb_shutdown();
        begin(args);
        say("system of the snapshot\n");
        exit_with(6);
    }
    CHECK_EQ(mb_rerun(), 6);
    int run = mb_runs(2, 2);
    if (run < 2) {
        mb_shutdown();
        begin(args);
        say("system of a run\n");
        exit_with(10 + run);
    }
    CHECK_EQ(mb_run_status(0), 10);
    CHECK_EQ(mb_run_status(1), 11);
    exit_with(0);
}

/* Kills the newest snapshot. Snapshots are children of this process if it adopts orphans. */
static void kill_newest(void) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(name, "r");
    CHECK(children != NULL);
    int child, newest = 0;
    while (fscanf(children, "%d", &child) == 1)
        newest = child;
    fclose(children);
    CHECK(newest != 0);
    CHECK_EQ(kill(newest, SIGKILL), 0);
    CHECK_EQ(ended(newest), 128 + SIGKILL);
}

/* After a snapshot was killed, an older one wakes. */
static void killed_snapshots(void) {
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    CHECK_EQ(mb_rerun(), -1);
    CHECK_HAS(mb_last_error(), "mb_rerun: there is no snapshot to wake");
    for (int round = 0; round < 2; round++) {
        CHECK_EQ(mb_snapshots(0, 3), 0);
        for (int number = 0; number < 3; number++) {
            mb_tick();
            if (mb_snapshot() == 1) {
                CHECK_EQ(mb_rerun(), -1);
                CHECK_HAS(mb_last_error(), "mb_rerun: this process is a snapshot that was woken");
                exit(10 + number);
            }
        }
        CHECK_EQ(testbench.reports, round);
        kill_newest();
        if (round == 0) {
            CHECK_EQ(mb_rerun(), 11);
            CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
        }
    }
    kill_newest();
    kill_newest();
    CHECK_EQ(mb_rerun(), -1);
    CHECK_HAS(mb_last_error(), "mb_rerun: no snapshot can be woken, so nothing is run again");
    exit_with(0);
}

static volatile sig_atomic_t children_ended;

static void count_child(int signal) {
    (void)signal;
    children_ended++;
}

/* Statuses of snapshots and runs in a process that ignores the statuses of its children. */
static void children_ignored(void) {
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    CHECK_EQ(mb_snapshots(0, 1), 0);
    if (mb_snapshot() == 1) {
        CHECK(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
        exit(6);
    }
    CHECK_EQ(mb_rerun(), 6);
    int run = mb_runs(3, 2);
    if (run < 2)
        exit(10 + run);
    if (run == 2)
        raise(SIGKILL);
    CHECK_EQ(mb_run_status(0), 10);
    CHECK_EQ(mb_run_status(1), 11);
    CHECK_EQ(mb_run_status(2), 128 + SIGKILL);
    exit_with(0);
}

/* `wait` and SIGCHLD belong to the simulator: it observes its own children, and no snapshot. */
static void children_waited_for(void) {
    CHECK(signal(SIGCHLD, count_child) != SIG_ERR);
    CHECK_EQ(mb_snapshots(2, 2), 0);
    some_ticks();
    CHECK(!mb_is_rerun());
    alarm(10);
    CHECK_EQ(wait(NULL), -1);
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(children_ended, 0);
    /* A child that ends while a snapshot is taken. */
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &child_signal, NULL), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    /* Its signal is lost behind that of a snapshot's first process, since one is pending at a
     * time. */
    CHECK_EQ(sigwaitinfo(&child_signal, NULL), SIGCHLD);
    some_ticks();
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &child_signal, NULL), 0);
    CHECK_EQ(children_ended, 1);
    CHECK_EQ(wait(NULL), child);
    exit_with(0);
}

/* A signal to the process group is for the simulator: its snapshots keep sleeping. */
static void signals_of_the_group(void) {
    CHECK_EQ(setpgid(0, 0), 0);
    CHECK_EQ(mb_snapshots(0, 1), 0);
    if (mb_snapshot() == 1)
        exit(6);
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR);
    CHECK_EQ(kill(0, SIGINT), 0);
    CHECK_EQ(mb_rerun(), 6);
    exit_with(0);
}

/* A child changes its working directory. */
static void other_directory(char **args) {
    say("before\n");
    int run = mb_runs(1, 1);
    if (run == 0) {
        CHECK_EQ(chdir(args[4]), 0);
        say("child\n");
        exit_with(3);
    }
    CHECK_EQ(mb_run_status(0), 3);
    exit_with(0);
}

/* Text in C's buffer is printed once, not by each process. */
static void printed_by_c(void) {
    printf("buffered at a snapshot\n");
    CHECK_EQ(mb_snapshots(0, 1), 0);
    if (mb_snapshot() == 1)
        exit(6);
    printf("buffered at a rerun\n");
    CHECK_EQ(mb_rerun(), 6);
    printf("buffered at runs\n");
    if (mb_runs(2, 2) < 2)
        exit(0);
    printf("buffered at a fork\n");
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_child(), 0);
        exit(3);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
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

/* Forks runs. */
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

/* Connects a client to this port. */
static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

/* Checks the parent's sockets in a child: no client connects, the present one has disconnected, and
 * neither is an error. */
static void are_elsewhere(void *console, int port) {
    int reports = testbench.reports;
    uint8_t byte = 0;
    const char *line;
    for (int clock = 0; clock < 3; clock++) {
        mb_tick();
        CHECK_EQ(c_skt_accept(console), 0);
    }
    CHECK_EQ(c_skt_port(console), port);
    c_skt_greet(console, "hello");
    CHECK_EQ(c_skt_read_u8(console, 1, &byte), 1);
    CHECK_EQ(byte, 'b');
    for (int clock = 0; clock < 3; clock++) {
        CHECK_EQ(c_skt_read_u8(console, 1, &byte), -1);
        CHECK_EQ(c_skt_read_string(console, 1, &line), -1);
        CHECK_EQ(c_skt_write_u8(console, 1, 'x'), -1);
    }
    c_skt_disconnect(console, 1);
    CHECK_EQ(c_skt_accept(console), 0);
    c_skt_close(console);
    CHECK_EQ(testbench.reports, reports);
    /* The child's own sockets work. */
    CHECK((console = c_skt_open("own", 0)) != NULL);
    CHECK_EQ(c_skt_accept(console), 0);
    c_skt_close(console);
}

/* Sockets stay with the parent, and so do snapshots. */
static void sockets(void) {
    void *console = c_skt_open("console", 0);
    CHECK(console != NULL);
    int port = c_skt_port(console), client = connected(port);
    while (c_skt_accept(console) != 1)
        usleep(1000);
    CHECK_EQ(write(client, "ab", 2), 2);
    uint8_t byte = 0;
    while (c_skt_read_u8(console, 1, &byte) == 0)
        usleep(1000);
    CHECK_EQ(byte, 'a');
    CHECK_EQ(mb_snapshots(0, 1), 0);
    if (mb_snapshot() == 1) {
        are_elsewhere(console, port);
        exit_with(4);
    }
    int run = mb_runs(1, 1);
    if (run == 0) {
        CHECK_HAS(testbench.last_report, "1 listening sockets and 1 clients stay with its parent");
        are_elsewhere(console, port);
        exit_with(5);
    }
    CHECK_EQ(run, 1);
    CHECK_EQ(mb_run_status(0), 5);
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_child(), 0);
        CHECK_HAS(testbench.last_report, "1 listening sockets and 1 clients stay with its parent");
        CHECK_EQ(testbench.last_severity, 1);
        CHECK_EQ(testbench.reports, 1);
        /* A grandchild reports nothing. */
        CHECK_EQ(mb_fork_prepare(), 0);
        pid_t next = fork();
        CHECK_EQ(next == 0 ? mb_fork_child() : mb_fork_parent(), 0);
        CHECK_EQ(testbench.reports, 1);
        if (next != 0)
            CHECK_EQ(ended(next), 3);
        are_elsewhere(console, port);
        exit_with(3);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(ended(child), 3);
    CHECK_EQ(c_skt_accept(console), 0);
    CHECK_EQ(c_skt_read_u8(console, 1, &byte), 1);
    CHECK_EQ(byte, 'b');
    CHECK_EQ(testbench.reports, 0);
    CHECK_EQ(mb_rerun(), 4);
    close(client);
    exit_with(0);
}

/* A child that sleeps, or does not call the library, keeps no connection open and no port in
 * use. */
static void closed_sockets(void) {
    void *console = c_skt_open("console", 0);
    int port = c_skt_port(console), client = connected(port);
    while (c_skt_accept(console) != 1)
        usleep(1000);
    CHECK_EQ(mb_snapshots(0, 1), 0);
    CHECK_EQ(mb_snapshot(), 0);
    pid_t idle = fork();
    if (idle == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    /* More bytes than are queued for a client: the connection is closed at once. */
    static char much[1 << 20];
    memset(much, 'x', sizeof much - 1);
    for (int i = 0; i < 20; i++)
        if (c_skt_write_string(console, 1, much) < 0)
            break;
    CHECK_HAS(mb_last_error(), "it does not read");
    char some[4096];
    ssize_t got;
    alarm(20);
    while ((got = read(client, some, sizeof some)) > 0)
        continue;
    alarm(0);
    c_skt_close(console);
    CHECK((console = c_skt_open("console", port)) != NULL);
    CHECK_EQ(c_skt_port(console), port);
    CHECK_EQ(kill(idle, SIGKILL), 0);
    CHECK_EQ(ended(idle), 128 + SIGKILL);
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
    CASE(closed_sockets);
    CASE(filled_by_child);
    CASE(filled_by_runs);
    CASE(filled_by_snapshot);
    CASE(filled_by_rerun);
    CASE(helper_lives, argv);
    CASE(helper_survives);
    CASE(systems_of_children, argv);
    CASE(killed_snapshots);
    CASE(children_ignored);
    CASE(children_waited_for);
    CASE(signals_of_the_group);
    CASE(other_directory, argv);
    CASE(printed_by_c);
    fail(__FILE__, __LINE__, name);
}
