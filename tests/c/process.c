#define _GNU_SOURCE
#include "process.h"

#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

/* Flag that Linux sets in every sigaction of the C library. */
enum { RESTORER = 0x04000000 };

struct text {
    char *at, *end;
};

__attribute__((format(printf, 2, 3))) static void line(struct text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text->at, text->end - text->at, format, args);
    va_end(args);
    CHECK(len >= 0 && len + 1 < text->end - text->at);
    text->at += len;
    *text->at++ = '\n';
    *text->at = 0;
}

static void signals(struct text *text) {
    sigset_t mask, pending;
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(sigpending(&pending), 0);
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) != 0)
            continue;
        uint64_t blocked;
        memcpy(&blocked, &action.sa_mask, sizeof blocked);
        line(text, "signal %d: handler %p, flags %#x, blocks %#llx, %s, %s", signal, (void *)action.sa_handler, action.sa_flags & ~RESTORER,
             (unsigned long long)blocked, sigismember(&mask, signal) ? "blocked" : "open",
             sigismember(&pending, signal) ? "pending" : "idle");
    }
    stack_t stack;
    CHECK_EQ(sigaltstack(NULL, &stack), 0);
    line(text, "signal stack %p, flags %d", stack.ss_sp, stack.ss_flags);
}

static void numbers(struct text *text) {
    line(text, "rounding %#x, flags %#x, traps %#x", fegetround(), fetestexcept(FE_ALL_EXCEPT), fegetexcept());
    line(text, "locale %s, of this thread %p, point %s", setlocale(LC_ALL, NULL), (void *)uselocale(NULL),
         localeconv()->decimal_point);
}

static void limits(struct text *text) {
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        struct rlimit limit = {0, 0};
        getrlimit(resource, &limit);
        line(text, "limit %d: %#llx of %#llx", resource, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }
    for (int timer = ITIMER_REAL; timer <= ITIMER_PROF; timer++) {
        struct itimerval interval;
        CHECK_EQ(getitimer(timer, &interval), 0);
        line(text, "timer %d: %s", timer, timerisset(&interval.it_value) ? "runs" : "rests");
    }
}

static void surroundings(struct text *text) {
    for (char **variable = environ; *variable != NULL; variable++)
        line(text, "variable %s", *variable);
    char folder[4096];
    CHECK(getcwd(folder, sizeof folder) != NULL);
    mode_t mask = umask(0);
    umask(mask);
    line(text, "folder %s, umask %#o", folder, mask);
    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;)
        threads += task->d_name[0] != '.';
    closedir(tasks);
    line(text, "threads %d", threads);
}

static void descriptor(struct text *text, int number) {
    char link[64], target[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", number);
    ssize_t len = readlink(link, target, sizeof target - 1);
    if (len >= 0 || number < 3)
        line(text, "descriptor %d: %.*s", number, len < 0 ? 6 : (int)len, len < 0 ? "closed" : target);
}

void process_look(struct process *process) {
    struct text state = {process->state, process->state + sizeof process->state};
    /* First, since later calls may raise floating-point flags. */
    numbers(&state);
    signals(&state);
    limits(&state);
    surroundings(&state);
    for (int number = 0; number < 3; number++)
        descriptor(&state, number);
    struct text files = {process->files, process->files + sizeof process->files};
    *files.at = 0;
    for (int number = 3; number < 256; number++)
        descriptor(&files, number);
}

void process_is_as(const struct process *before, const char *when) {
    static struct process now;
    process_look(&now);
    const char *was = before->state, *is = now.state;
    while (*was != 0 || *is != 0) {
        size_t long_was = strcspn(was, "\n"), long_is = strcspn(is, "\n");
        if (long_was != long_is || memcmp(was, is, long_is) != 0) {
            fprintf(stderr, "%s: \"%.*s\" was \"%.*s\"\n", when, (int)long_is, is, (int)long_was, was);
            fail(__FILE__, __LINE__, when);
        }
        was += long_was + (was[long_was] != 0);
        is += long_is + (is[long_is] != 0);
    }
}
