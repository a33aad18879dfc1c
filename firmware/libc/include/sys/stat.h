/*
 * <sys/stat.h>, with additional functions.
 */
#pragma GCC system_header
#include_next <sys/stat.h>

#ifndef VHOST_LIBC_STAT_H
#define VHOST_LIBC_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Same as stat: symbolic links are followed. */
int lstat(const char *path, struct stat *result);

#ifdef __cplusplus
}
#endif

#endif /* VHOST_LIBC_STAT_H */
