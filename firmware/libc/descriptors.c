/*
 * Descriptors of the program: a descriptor of the host has the lowest free number, as in POSIX.
 * Duplicates share one descriptor of the host, and its position.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

#define MOST 256

/* Flags of an open file that fcntl returns. */
#define SHOWN (O_ACCMODE | O_APPEND | O_NONBLOCK)

/* Marks an append by seek: O_APPEND was set after the file was opened, and the host does not know
 * it. */
#define SEEKS 0x40000000

#define CLOSES_ON_EXEC 0x20000000

static struct {
    int host; /* descriptor of the host, plus 1; 0 for a free number */
    int flags;
} descriptors[MOST] = {{1, O_RDONLY}, {2, O_WRONLY}, {3, O_WRONLY}};

static int fail(int number)
{
    errno = number;
    return -1;
}

int vhost_descriptor(int fd)
{
    if (fd < 0 || fd >= MOST || descriptors[fd].host == 0)
        return fail(EBADF);
    return descriptors[fd].host - 1;
}

/* Returns the lowest free number that is not below `first`. */
static int free_number(int first)
{
    int fd;
    for (fd = first; fd < MOST; fd++)
        if (descriptors[fd].host == 0)
            return fd;
    return fail(EMFILE);
}

int vhost_open_descriptor(int host, int flags)
{
    int fd = free_number(0);
    if (fd >= 0) {
        descriptors[fd].host = host + 1;
        descriptors[fd].flags = flags & SHOWN;
    }
    return fd;
}

/* Closes a descriptor of the host unless it has other numbers. */
static int release(int host)
{
    mb_channel *channel = vhost_channel();
    int fd;
    for (fd = 0; fd < MOST; fd++)
        if (descriptors[fd].host == host + 1)
            return 0;
    if (vhost_is_posix())
        return (int)vhost_result((mb_checked_close)(channel, host));
    if (host > 2)
        (mb_close)(channel, host);
    return 0;
}

int vhost_replace_descriptor(int fd, int host)
{
    int old = descriptors[fd].host - 1;
    descriptors[fd].host = host + 1;
    return release(old);
}

int vhost_readable(int fd)
{
    int host = vhost_descriptor(fd);
    return host >= 0 && (descriptors[fd].flags & O_ACCMODE) == O_WRONLY ? fail(EBADF) : host;
}

static void __attribute__((noinline)) seek_to_end(int host)
{
    (mb_lseek)(vhost_channel(), host, 0, MB_SEEK_END);
}

int vhost_writable(int fd)
{
    int host = vhost_descriptor(fd);
    if (host < 0)
        return host;
    if ((descriptors[fd].flags & O_ACCMODE) == O_RDONLY)
        return fail(EBADF);
    if ((descriptors[fd].flags & SEEKS) != 0)
        seek_to_end(host);
    return host;
}

int HOST_NAME(close)(int fd)
{
    int host = vhost_descriptor(fd);
    if (host < 0)
        return -1;
    descriptors[fd].host = 0;
    return release(host);
}

/* Adds a number to a descriptor, not below `first`. */
static int duplicate(int fd, int first, int flags)
{
    int host = vhost_descriptor(fd), copy;
    if (host < 0)
        return -1;
    if (first < 0 || first >= MOST)
        return fail(EINVAL);
    copy = free_number(first);
    if (copy >= 0) {
        descriptors[copy].host = host + 1;
        descriptors[copy].flags = (descriptors[fd].flags & ~CLOSES_ON_EXEC) | flags;
    }
    return copy;
}

HOST_WEAK int dup(int fd)
{
    return duplicate(fd, 0, 0);
}

HOST_WEAK int dup2(int fd, int copy)
{
    int host = vhost_descriptor(fd), old;
    if (host < 0)
        return -1;
    if (copy < 0 || copy >= MOST)
        return fail(EBADF);
    if (copy == fd)
        return copy;
    old = descriptors[copy].host - 1;
    descriptors[copy].host = host + 1;
    descriptors[copy].flags = descriptors[fd].flags & ~CLOSES_ON_EXEC;
    if (old >= 0)
        release(old);
    return copy;
}

/* Sets the flags of an open file, which all of its numbers share. */
static void set_flags(int fd, int flags)
{
    int other;
    for (other = 0; other < MOST; other++)
        if (descriptors[other].host == descriptors[fd].host)
            descriptors[other].flags = (descriptors[other].flags & CLOSES_ON_EXEC) | flags;
}

/* Controls a descriptor. Locks are always free, since there is one process. */
HOST_WEAK int fcntl(int fd, int command, ...)
{
    va_list rest;
    int number, flags;
    if (vhost_descriptor(fd) < 0)
        return -1;
    flags = descriptors[fd].flags;
    va_start(rest, command);
    if (command == F_GETLK) {
        va_arg(rest, struct flock *)->l_type = F_UNLCK;
        va_end(rest);
        return 0;
    }
    number = command == F_GETFD || command == F_GETFL || command == F_SETLK || command == F_SETLKW ? 0 : va_arg(rest, int);
    va_end(rest);
    switch (command) {
    case F_DUPFD: return duplicate(fd, number, 0);
#ifdef F_DUPFD_CLOEXEC
    case F_DUPFD_CLOEXEC: return duplicate(fd, number, CLOSES_ON_EXEC);
#endif
    case F_GETFD: return (flags & CLOSES_ON_EXEC) != 0 ? FD_CLOEXEC : 0;
    case F_SETFD:
        descriptors[fd].flags = (flags & ~CLOSES_ON_EXEC) | ((number & FD_CLOEXEC) != 0 ? CLOSES_ON_EXEC : 0);
        return 0;
    case F_GETFL: return flags & SHOWN;
    case F_SETFL:
        /* The host always appends to a file that was opened for appending, whatever its flags are
         * later. */
        if ((number & O_APPEND) == 0)
            flags &= ~SEEKS;
        else if ((flags & O_APPEND) == 0)
            flags |= SEEKS;
        set_flags(fd, (flags & (O_ACCMODE | SEEKS)) | (number & (O_APPEND | O_NONBLOCK)));
        return 0;
    case F_SETLK:
    case F_SETLKW: return 0;
    default: return fail(EINVAL);
    }
}

/* Reads or writes at a position, and restores the descriptor's own. */
static ssize_t at_position(int fd, void *buffer, size_t size, off_t position, int writes)
{
    off_t before;
    ssize_t bytes;
    int number;
    if (position < 0)
        return fail(EINVAL);
    before = lseek(fd, 0, SEEK_CUR);
    if (before < 0 || lseek(fd, position, SEEK_SET) < 0)
        return -1;
    bytes = writes ? write(fd, buffer, size) : read(fd, buffer, size);
    number = errno;
    lseek(fd, before, SEEK_SET);
    errno = number;
    return bytes;
}

HOST_WEAK ssize_t pread(int fd, void *buffer, size_t size, off_t position)
{
    return at_position(fd, buffer, size, position, 0);
}

HOST_WEAK ssize_t pwrite(int fd, const void *data, size_t size, off_t position)
{
    return at_position(fd, (void *)(uintptr_t)data, size, position, 1);
}
