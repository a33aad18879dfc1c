/*
 * The channel of the C library port, and results of requests as C has them.
 */
#ifndef VHOST_LIBC_HOST_H
#define VHOST_LIBC_HOST_H

#include <errno.h>

#include "mailbox.h"

/* Largest number of bytes of one READ, WRITE or RANDOM. */
#define HOST_MOST ((size_t)64 << 20)

/* newlib calls the system by names with an underscore, picolibc by those of POSIX. */
#ifdef __PICOLIBC__
#define HOST_NAME(name) name
#else
#define HOST_NAME(name) _##name
#endif

/* The channel, reset at the first use. */
mb_channel *vhost_channel(void);

/* True if the session has protocol 0.3. */
int vhost_is_posix(void);

/* Defined here unless the program has a function of this name: it is not of ISO C. */
#define HOST_WEAK __attribute__((weak))

/* Descriptor of the host; -1 and EBADF for a number that is not open. */
int vhost_descriptor(int fd);

/* A new number for a descriptor of the host, with flags of open; -1 and EMFILE without one. */
int vhost_open_descriptor(int host, int flags);

/* Closes the descriptor of the host that a number stands for, and has it stand for another. */
int vhost_replace_descriptor(int fd, int host);

/* The same for a number that is to be open for reading, or for writing, which then is where it is to go on. */
int vhost_readable(int fd);
int vhost_writable(int fd);

/* Opens a directory as the host has it now in place of that of a number: -1 if there is none. */
int vhost_reopen_directory(int fd, const char *path);

/* The result of a request: -1 and errno if it is an error. */
mb_sword vhost_result(mb_sword answer);

/* Name of the program: the first argument. */
const char *vhost_program(void);

/* Writes out what streams hold. */
void vhost_flush_streams(void);

/* Writes out what line-buffered streams hold. */
void vhost_flush_lines(void);

#endif /* VHOST_LIBC_HOST_H */
