/*
 * <stdio.h>, with additional functions.
 */
#pragma GCC system_header
#include_next <stdio.h>

#ifndef FILENAME_MAX
#define FILENAME_MAX 4096
#endif
#ifndef FOPEN_MAX
#define FOPEN_MAX 256
#endif
#ifndef L_tmpnam
#define L_tmpnam 32
#endif
#ifndef TMP_MAX
#define TMP_MAX 10000
#endif

#ifndef VHOST_LIBC_STDIO_H
#define VHOST_LIBC_STDIO_H

#include <stdarg.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fail, since there are no other processes: NULL with ENOSYS, and -1 with EINVAL. */
FILE *popen(const char *command, const char *mode);
int pclose(FILE *file);

#if __POSIX_VISIBLE >= 200809
ssize_t getdelim(char **line, size_t *size, int end, FILE *file);
ssize_t getline(char **line, size_t *size, FILE *file);
#ifdef __PICOLIBC__
__attribute__((format(printf, 2, 3))) int dprintf(int fd, const char *format, ...);
__attribute__((format(printf, 2, 0))) int vdprintf(int fd, const char *format, va_list arguments);
#endif
#endif

#ifdef __cplusplus
}
#endif

#endif /* VHOST_LIBC_STDIO_H */
