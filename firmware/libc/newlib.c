/*
 * Start, memory and missing functions of newlib, whose streams and formats are used unchanged.
 */
#include "host.h"

#ifndef __PICOLIBC__

#include <stddef.h>
#include <stdio.h>

/*
 * Entry point: newlib's start-up code expects a stack pointer to the number of arguments. That is 0
 * here, since the host has the arguments.
 */
__asm__(".pushsection .text.vhost_start, \"ax\"\n"
        ".globl vhost_start\n"
        "vhost_start:\n"
        "    lla sp, __stack_top\n"
        "    addi sp, sp, -32\n"
        "    sw zero, 0(sp)\n"
        "    sw zero, 4(sp)\n"
        "    j _start\n"
        ".popsection\n");

void vhost_flush_streams(void)
{
    fflush(NULL);
}

/* Called before a read of standard input, and at an end without exit. It does not link streams into
 * a program without them. */
void vhost_flush_lines(void)
{
    struct _reent *state = _GLOBAL_REENT;
    if (state->__sdidinit) {
        fflush(state->_stdout);
        fflush(state->_stderr);
    }
}

extern char _end[];
extern char vhost_heap_end[] __asm__("__vhost_canary");

/* Allocates memory between the program and the stack. */
void *_sbrk(ptrdiff_t increment)
{
    static char *top = _end;
    char *before = top;
    if (increment > 0 && vhost_heap_end - top < increment) {
        errno = ENOMEM;
        return (void *)-1;
    }
    top += increment;
    return before;
}

static int missing(void)
{
    errno = ENOSYS;
    return -1;
}

int _link(const char *from, const char *to)
{
    (void)from, (void)to;
    return missing();
}

int _fork(void)
{
    return missing();
}

int _wait(int *status)
{
    (void)status;
    return missing();
}

int _execve(const char *path, char *const *arguments, char *const *environment)
{
    (void)path, (void)arguments, (void)environment;
    return missing();
}

#endif /* __PICOLIBC__ */
