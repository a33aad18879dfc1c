/*
 * <stdio.h>, with what picolibc 1.8 leaves out.
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

#ifdef __cplusplus
extern "C" {
#endif

/* There are no other processes: NULL with ENOSYS, and -1 with EINVAL. */
FILE *popen(const char *command, const char *mode);
int pclose(FILE *file);

#ifdef __cplusplus
}
#endif

#endif /* VHOST_LIBC_STDIO_H */
