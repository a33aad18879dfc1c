/*
 * Error messages, as in the BSD libraries.
 */
#ifndef VHOST_LIBC_ERR_H
#define VHOST_LIBC_ERR_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Print "name: message: text of errno", or without the last part, to standard error. Those with a
 * status end the program. */
__attribute__((noreturn, format(printf, 2, 3))) void err(int status, const char *format, ...);
__attribute__((noreturn, format(printf, 2, 3))) void errx(int status, const char *format, ...);
__attribute__((noreturn, format(printf, 2, 0))) void verr(int status, const char *format, va_list arguments);
__attribute__((noreturn, format(printf, 2, 0))) void verrx(int status, const char *format, va_list arguments);
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warnx(const char *format, ...);
__attribute__((format(printf, 1, 0))) void vwarn(const char *format, va_list arguments);
__attribute__((format(printf, 1, 0))) void vwarnx(const char *format, va_list arguments);

#ifdef __cplusplus
}
#endif

#endif /* VHOST_LIBC_ERR_H */
