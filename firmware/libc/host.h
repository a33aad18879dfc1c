/*
 * Channel of the C library port, and conversion of results of requests to C.
 */
#ifndef VHOST_LIBC_HOST_H
#define VHOST_LIBC_HOST_H

#include <errno.h>

#include "mailbox.h"

/* Maximum number of bytes of one READ, WRITE or RANDOM. */
#define HOST_MOST ((size_t)64 << 20)

/* newlib calls system functions by names with an underscore, picolibc by those of POSIX. */
#ifdef __PICOLIBC__
#define HOST_NAME(name) name
#else
#define HOST_NAME(name) _##name
#endif

/* Returns the channel, which is reset at the first use. */
mb_channel *vhost_channel(void);

/* Returns true if the session has protocol 0.3. */
int vhost_is_posix(void);

/* Attribute of a function that is not in ISO C: the program may define its own. */
#define HOST_WEAK __attribute__((weak))

/* Returns the host's descriptor; -1 and EBADF for a number that is not open. */
int vhost_descriptor(int fd);

/* Returns a new number for a descriptor of the host, with flags of open; -1 and EMFILE if there is
 * none. */
int vhost_open_descriptor(int host, int flags);

/* Closes the host's descriptor of a number, and assigns another one to the number. */
int vhost_replace_descriptor(int fd, int host);

/* Return the host's descriptor of a number that is open for reading, or for writing at the position
 * of the next write; -1 and EBADF otherwise. */
int vhost_readable(int fd);
int vhost_writable(int fd);

/* Opens a directory with its present entries in place of a number's directory; -1 if there is
 * none. */
int vhost_reopen_directory(int fd, const char *path);

/* Returns the result of a request; -1 and errno for an error. */
mb_sword vhost_result(mb_sword answer);

/* Returns the name of the program: the first argument. */
const char *vhost_program(void);

/* Flushes all streams. */
void vhost_flush_streams(void);

/* Flushes line-buffered streams. */
void vhost_flush_lines(void);

#endif /* VHOST_LIBC_HOST_H */
