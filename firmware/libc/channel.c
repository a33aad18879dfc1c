/*
 * Channel, start and end of the program: arguments and environment before main, exit status after
 * it.
 *
 * Needs the linker option --wrap=main: the library's start-up code calls __wrap_main, which calls
 * main.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

MB_CHANNEL(vhost_mailbox);

extern char **environ;

int __real_main(int argc, char **argv, char **envp);
int __wrap_main(void);

static int is_reset;
static int arguments_count;
static char **arguments;

/* Layout between heap and stack, in this order: the canary of two words, the guard, and the limit
 * of the stack. */
#define CANARY ((uintptr_t)0x57acc000) /* one instruction */
extern volatile uintptr_t vhost_canary[2] __asm__("__vhost_canary");
extern char vhost_stack_limit[] __asm__("__vhost_stack_limit");

static void __attribute__((noreturn)) end(uint32_t code)
{
    (mb_exit)(&vhost_mailbox, code);
    for (;;) {
    }
}

/* Resets the channel at the first use. Later calls mean that the stack has overflowed: then data
 * below it is not valid. */
static mb_channel *__attribute__((noinline)) reset_or_end(void)
{
    if (is_reset) {
        mb_print(&vhost_mailbox, "stack overflow: give flags.sh a larger --stack\n");
        end(128 + SIGSEGV);
    }
    is_reset = 1;
    vhost_canary[0] = vhost_canary[1] = CANARY;
    mb_reset(&vhost_mailbox);
    if (!vhost_is_posix())
        mb_print(&vhost_mailbox, "the host has protocol 0.2: no arguments, no standard input, no time\n");
    return &vhost_mailbox;
}

/*
 * Called at the start of each request; checks that the stack does not exceed its limit, and has not
 * before. (A host that knows the guard traps the first access to it.)
 */
mb_channel *vhost_channel(void)
{
    char *stack;
    __asm__ volatile("mv %0, sp" : "=r"(stack));
    if (is_reset && stack >= vhost_stack_limit && vhost_canary[0] == CANARY && vhost_canary[1] == CANARY)
        return &vhost_mailbox;
    return reset_or_end();
}

int vhost_is_posix(void)
{
    return mb_version(&vhost_mailbox) >= MB_NEWEST;
}

/* Converts an error number of Linux to the library's. */
static int error_number(int linux_number)
{
    switch (linux_number) {
    case 35: return EDEADLK;
    case 36: return ENAMETOOLONG;
    case 37: return ENOLCK;
    case 38: return ENOSYS;
    case 39: return ENOTEMPTY;
    case 40: return ELOOP;
    case 61: return ENODATA;
    case 71: return EPROTO;
    case 74: return EBADMSG;
    case 75: return EOVERFLOW;
    case 84: return EILSEQ;
    case 95: return EOPNOTSUPP;
    case 110: return ETIMEDOUT;
    case 116: return ESTALE;
    case 122: return EDQUOT;
    case 125: return ECANCELED;
    default: return 0 < linux_number && linux_number < 35 ? linux_number : EIO;
    }
}

mb_sword vhost_result(mb_sword answer)
{
    if (answer >= 0)
        return answer;
    errno = error_number((int)-answer);
    return -1;
}

/* Reads strings of the host into an array with NULL at its end. The array is empty without strings,
 * or without memory. */
static char **strings(mb_sword (*ask)(mb_channel *, void *, size_t), int *count)
{
    static char *none[1];
    mb_channel *channel = vhost_channel();
    mb_sword size = ask(channel, NULL, 0);
    char *bytes, *at;
    char **list;
    *count = 0;
    if (size <= 0 || (bytes = malloc((size_t)size)) == NULL || ask(channel, bytes, (size_t)size) != size)
        return none;
    for (at = bytes; at < bytes + size; at += strlen(at) + 1)
        ++*count;
    list = malloc(((size_t)*count + 1) * sizeof *list);
    if (list == NULL) {
        *count = 0;
        return none;
    }
    *count = 0;
    for (at = bytes; at < bytes + size; at += strlen(at) + 1)
        list[(*count)++] = at;
    list[*count] = NULL;
    return list;
}

#ifdef __PICOLIBC__
/*
 * Initialised thread-local data. Without any, the linker script of picolibc 1.8 places errno, which
 * is thread-local, at the unaligned end of .data.
 */
static __thread int aligned __attribute__((aligned(8), used)) = 1;
#endif

/* Runs before other constructors, which may read the environment. */
__attribute__((constructor(101))) static void start(void)
{
    int count;
#ifdef __PICOLIBC__
    *(volatile int *)&aligned = 1;
#endif
    arguments = strings((mb_argv), &arguments_count);
    environ = strings((mb_env), &count);
}

const char *vhost_program(void)
{
    return arguments_count > 0 ? arguments[0] : "program";
}

int __wrap_main(void)
{
    static char *name_alone[] = {(char *)"program", NULL};
    if (arguments_count == 0) {
        arguments = name_alone;
        arguments_count = 1;
    }
    /* Streams are flushed by exit, also if the start-up code does not call it. */
    exit(__real_main(arguments_count, arguments, environ));
}

/* Destructors run from the last priority to the first. */
__attribute__((destructor(101))) static void finish(void)
{
    vhost_flush_streams();
}

void _exit(int code)
{
    vhost_flush_lines();
    vhost_channel();
    end((uint32_t)code & 0xff); /* like the status of a process */
}

/* Signals the only process. A signal without a handler ends it, with the status that a shell
 * shows. */
int HOST_NAME(kill)(int pid, int signal)
{
    if (pid != 1 && pid != 0) {
        errno = ESRCH;
        return -1;
    }
    if (signal == SIGPIPE) { /* without a reader, text is not flushed */
        vhost_channel();
        end(128 + SIGPIPE);
    }
    if (signal != 0)
        _exit(128 + signal);
    return 0;
}

/* Ends the program, also if a handler of the signal returns. */
void abort(void)
{
    raise(SIGABRT);
    _exit(128 + SIGABRT);
}

int HOST_NAME(getpid)(void)
{
    return 1;
}
