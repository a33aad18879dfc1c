/* Simulator whose process state the library must not change: guest CASE MEM MAILBOX ROOT [Python
 * method to call, too]. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "chip.h"
#include "firmware.h"
#include "process.h"

static const char *const *paths;
static const char *method;
static struct firmware cpu;

static void start(void) {
    if (mb_init(paths[0], paths[1], paths[2]) != 0)
        fail(__FILE__, __LINE__, mb_last_error());
    cpu = firmware_at(memory_base[0] + 0x1000, 4, 0);
    CHECK(mb_tick() > 0);
    firmware_reset(&cpu);
    CHECK(mb_tick() > 0);
    CHECK_EQ(firmware_state(&cpu), READY);
}

static int64_t answer(void) {
    uint32_t words;
    int64_t value;
    for (int i = 0; i < 100; i++) {
        CHECK(mb_tick() > 0);
        if (firmware_receive(&cpu, &words, &value))
            return value;
    }
    fail(__FILE__, __LINE__, "no answer");
    return 0;
}

#define ASK(action, ...) (CHECK(SEND(&cpu, action, __VA_ARGS__)), answer())

static uint64_t text(const char *text) {
    if (cpu.heap > memory_base[0] + 0x30000)
        cpu.heap = cpu.base + 0x10000;
    return firmware_text(&cpu, text);
}

static void print(const char *line) { ASK(PRINT, strlen(line), text(line)); }

static uint64_t word_of(float value) {
    uint32_t word;
    memcpy(&word, &value, 4);
    return word;
}

static void finish(void) {
    CHECK(SEND(&cpu, EXIT, 0));
    mb_tick();
    mb_shutdown();
}

/* Connects a client to the testbench's socket. It does not take the number of a standard stream. */
static int client(void *skt) {
    int lowest = socket(AF_INET, SOCK_STREAM, 0), client = fcntl(lowest, F_DUPFD_CLOEXEC, 3);
    CHECK(lowest >= 0 && client >= 0);
    close(lowest);
    struct sockaddr_in to = {AF_INET, htons(c_skt_port(skt)), {htonl(INADDR_LOOPBACK)}, {0}};
    CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    return client;
}

static void sockets(void) {
    void *skt = c_skt_open("uart", 0);
    CHECK(skt != NULL);
    int other = client(skt), id = 0;
    for (int i = 0; id == 0 && i < 1000; i++)
        id = c_skt_accept(skt);
    CHECK_EQ(id, 1);
    CHECK_EQ(c_skt_write_u32(skt, id, 7), 4);
    close(other);
    /* Without a reader there is an error at some time, and no signal. */
    for (int i = 0; i < 1000 && c_skt_write_string(skt, id, "text") >= 0; i++)
        mb_tick();
    c_skt_close(skt);
}

/* Uses every service, one after the other. */
static void serve(void) {
    print("a line\n");
    CHECK(SEND(&cpu, CPRINT, text("%.1f %g %a\n"), text("main.c"), 1, word_of(0.25), word_of(3.5), word_of(1)));
    CHECK(mb_tick() > 0);
    uint64_t data = text("0123456789");
    CHECK_EQ(ASK(MEMMOVE, data + 2, data, 4), 0);
    CHECK_EQ(ASK(MEMSET, data, 'x', 2), 0);
    CHECK(ASK(MEMCMP, data, data + 1, 2) != 0);
    int64_t file = ASK(FILES, OPEN, text("out.txt"), OPEN_READ | OPEN_WRITE | OPEN_TRUNCATE);
    CHECK_EQ(file, 10);
    CHECK_EQ(ASK(FILES, WRITE, file, data, 10), 10);
    CHECK_EQ(ASK(FILES, SEEK, file, 0), 0);
    CHECK_EQ(ASK(FILES, READ, file, data, 0), 10);
    CHECK_EQ(ASK(CALL, text("add"), 1, 2), 3);
    CHECK_EQ(ASK(CALL, text("hook")), 0);
    CHECK(ASK(CALL, text("nobody")) < 0);
    sockets();
    CHECK(strlen(mb_status()) > 0);
    if (method != NULL) {
        int64_t result = ASK(CALL, text(method));
        /* A failed one is reported. */
        CHECK(result == 1 || result == -EIO);
    }
}

static struct process before;
static int looks;

static void look(void) { process_is_as(&before, "during a call of the testbench's"); }

static void look_at_first(uint64_t address) {
    (void)address;
    if (looks++ < 20)
        look();
}

static void handler(int signal) { (void)signal; }

/* The library keeps the simulator's state of the process. */
static void state(void) {
    CHECK(setlocale(LC_ALL, "") != NULL);
    CHECK(strcmp(localeconv()->decimal_point, ",") == 0);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(sigaction(SIGXFSZ, &action, NULL), 0);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    umask(027);
    chip_hook = look;
    chip_report = look;
    chip_access = look_at_first;
    for (int i = 0; i < 2; i++) {
        fesetround(i == 0 ? FE_UPWARD : FE_TOWARDZERO);
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(FE_UNDERFLOW);
        feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
        process_look(&before);
        looks = 0;
        start();
        CHECK_EQ(mb_attach("check=warning"), 0);
        mb_observe(3);
        CHECK_EQ(mb_watchdog(1000, 1), 0);
        serve();
        process_is_as(&before, "between calls");
        finish();
        process_is_as(&before, "after mb_shutdown");
        CHECK(testbench.reports > 0);
    }
    /* After the second system, since Python keeps its event loop. */
    char files[sizeof before.files];
    strcpy(files, before.files);
    process_look(&before);
    if (strcmp(before.files, files) != 0)
        fail(__FILE__, __LINE__, before.files);
}

static void closed_streams(void) {
    for (int number = 0; number < 3; number++)
        CHECK(fcntl(number, F_GETFD) == -1 && errno == EBADF);
}

/* Without standard streams: the library must not take their numbers. */
static void closed(void) {
    closed_streams();
    chip_hook = closed_streams;
    chip_report = closed_streams;
    start();
    closed_streams();
    serve();
    closed_streams();
    /* Prints like a simulator, to the descriptors as they are. */
    printf("not for a file\n");
    fprintf(stderr, "nor this\n");
    fflush(stdout);
    finish();
    closed_streams();
}

/* Limits the size of files to 16 KiB. */
static void limits(void) {
    struct rlimit limit = {16384, 16384};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    start();
    int64_t file = ASK(FILES, OPEN, text("out.txt"), OPEN_WRITE);
    CHECK_EQ(ASK(FILES, SEEK, file, 16384), 16384);
    CHECK_EQ(ASK(FILES, WRITE, file, text("more"), 4), -EFBIG);
    char line[300];
    memset(line, 'a', sizeof line);
    line[298] = '\n';
    line[299] = 0;
    for (int i = 0; i < 400; i++)
        print(line);
    finish();
}

/* The reader of the output closes it. */
static void pipes(void) {
    start();
    for (int i = 0; i < 400; i++)
        print("a line of a hundred characters or so, which is in the recording as well, for as long as it is read\n");
    CHECK(ASK(CALL, text("nobody")) < 0);
    finish();
    /* C's buffer belongs to the simulator. */
    _exit(0);
}

/* The reader of the FIFO in the environment closes it while a write of the library waits for
 * room. */
static void full(void) {
    const char *fifo = getenv("FIFO");
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    /* A full page has a part of the text that is being written; a larger pipe may have all of it.
       The size is set while the pipe is empty, since it can't shrink later. */
    enum { PAGE = 4096 };
    int end = open(fifo, O_RDWR), waiting = 0;
    CHECK_EQ(fcntl(end, F_SETPIPE_SZ, PAGE), PAGE);
    pid_t reader = fork();
    if (reader == 0) {
        static char some[PAGE];
        for (;;) {
            CHECK_EQ(ioctl(end, FIONREAD, &waiting), 0);
            if (waiting == PAGE)
                break;
            CHECK_EQ(read(end, some, waiting), waiting);
            usleep(1000);
        }
        _exit(0);
    }
    close(end);
    start();
    static char line[6001];
    memset(line, 'a', 5999);
    line[5999] = '\n';
    for (int i = 0; i < 200; i++)
        print(line);
    finish();
    int status;
    CHECK_EQ(waitpid(reader, &status, 0), reader);
    CHECK_EQ(status, 0);
}

/* A limit of open files, while clients wait. */
static void flood(void) {
    enum { CLIENTS = 10 };
    start();
    void *skt = c_skt_open("uart", 0);
    int clients[CLIENTS], taken = 0, refused = 0;
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = client(skt);
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit low = {clients[CLIENTS - 1] + 3, limit.rlim_max};
    for (int round = 1; round <= 2; round++) {
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
        for (int i = 0; i < 100; i++) {
            int id = c_skt_accept(skt);
            taken += id > 0;
            refused += id < 0;
            mb_tick();
        }
        CHECK(taken < CLIENTS);
        CHECK_EQ(refused, round);
        /* A higher limit: there is room for one client. */
        low.rlim_cur++;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
        CHECK(c_skt_accept(skt) > 0);
        taken++;
    }
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (taken < CLIENTS) {
        CHECK(c_skt_accept(skt) > 0);
        taken++;
    }
    finish();
}

/* Waits for the end of its input with open files. */
static void holds(void) {
    start();
    print("ready\n");
    CHECK_EQ(getchar(), EOF);
    finish();
}

/* Gets an error, since another writer has the files. */
static void refused(void) {
    CHECK_EQ(mb_init(paths[0], paths[1], paths[2]), -1);
    printf("%s\n", mb_last_error());
    mb_shutdown();
}

/* Prints before, during and after Python's output. */
static void order(void) {
    start();
    for (int i = 0; i < 3; i++) {
        printf("%d before\n", i);
        CHECK_EQ(ASK(CALL, text(method), i), 1);
        printf("%d after\n", i);
        print("firmware\n");
    }
    finish();
}

static void quit(int signal) {
    (void)signal;
    mb_quit(44);
}

/* Calls a method, and exits with its result. */
static void calls(void) {
    signal(SIGALRM, quit);
    start();
    int64_t result = ASK(CALL, text(method));
    finish();
    exit(result);
}

/* Interrupted by a signal after a call. */
static void interrupted(void) {
    start();
    CHECK_EQ(ASK(CALL, text(method)), 1);
    raise(SIGINT);
    CHECK_EQ(ASK(CALL, text(method)), 1);
    finish();
}

/* Calls a method in both processes of a fork. */
static void forked(void) {
    start();
    CHECK_EQ(ASK(CALL, text(method)), 1);
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    CHECK_EQ(child == 0 ? mb_fork_child() : mb_fork_parent(), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(ASK(CALL, text(method)), 1);
    finish();
    if (child == 0)
        exit(0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

/* Calls a method that uses a Python thread, which the child does not have. */
static void forked_threads(void) {
    start();
    CHECK_EQ(ASK(CALL, text(method)), 1);
    CHECK_EQ(mb_snapshots(0, 1), 0);
    CHECK_EQ(mb_snapshot(), -1);
    CHECK_HAS(mb_last_error(), "1 of them are Python's");
    CHECK(strstr(mb_last_error(), "Verilator") == NULL);
    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    testbench.reports = 0;
    CHECK_EQ(child == 0 ? mb_fork_child() : mb_fork_parent(), 0);
    CHECK_EQ(testbench.reports, child == 0);
    if (child == 0)
        CHECK_HAS(testbench.last_report, "1 Python threads (");
    CHECK_EQ(ASK(CALL, text(method)), 1);
    finish();
    if (child == 0)
        exit(0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

/* Calls a method in a woken snapshot, and in runs: a process between them forks again. */
static void copied(void) {
    start();
    CHECK_EQ(ASK(CALL, text(method)), 1);
    CHECK_EQ(mb_snapshots(0, 1), 0);
    int woken = mb_snapshot();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(ASK(CALL, text(method)), 1);
    if (woken == 1) {
        finish();
        exit(7);
    }
    CHECK_EQ(mb_rerun(), 7);
    int run = mb_runs(3, 2);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(ASK(CALL, text(method)), 1);
    if (run == 3)
        for (int i = 0; i < 3; i++)
            CHECK_EQ(mb_run_status(i), 8);
    finish();
    exit(run == 3 ? 0 : 8);
}

/* The same without mb_fork_prepare: the child's call fails, with a reason. */
static void forked_untold(void) {
    start();
    CHECK_EQ(ASK(CALL, text(method)), 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(ASK(CALL, text(method)), -EIO);
        CHECK_HAS(testbench.last_report, "mb_fork_prepare");
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(ASK(CALL, text(method)), 1);
    finish();
}

/* Prints a short burst, and ends in a way that runs no code of the library. */
static void burst(void) {
    start();
    for (int i = 0; i < 5; i++)
        print("a line\n");
    print("the last line\n");
}

static void killed(void) {
    burst();
    raise(SIGKILL);
}

static void aborted(void) {
    burst();
    abort();
}

int main(int argc, char **argv) {
    CHECK(argc == 5 || argc == 6);
    signal(SIGINT, SIG_DFL); /* a shell ignores it for background programs */
    paths = (const char *const *)argv + 2;
    method = argv[5];
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
#define CASE(name) {#name, name}
        CASE(state), CASE(closed),  CASE(limits), CASE(pipes), CASE(flood),
        CASE(holds), CASE(refused), CASE(order),  CASE(calls), CASE(interrupted), CASE(forked), CASE(copied), CASE(forked_untold),
        CASE(forked_threads), CASE(full),
        CASE(killed), CASE(aborted),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    fail(__FILE__, __LINE__, argv[1]);
}
