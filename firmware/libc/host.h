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

/* The result of a request: -1 and errno if it is an error. */
mb_sword vhost_result(mb_sword answer);

/* Name of the program: the first argument. */
const char *vhost_program(void);

/* Writes out what streams hold. */
void vhost_flush_streams(void);

/* Writes out what line-buffered streams hold. */
void vhost_flush_lines(void);

#endif /* VHOST_LIBC_HOST_H */
