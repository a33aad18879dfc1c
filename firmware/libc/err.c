/*
 * Error messages with the name of the program.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* Prints a message, with the text of an error unless the number is 0. */
static void message(int number, const char *format, va_list arguments)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", vhost_program());
    if (format != NULL)
        vfprintf(stderr, format, arguments);
    if (number != 0)
        fprintf(stderr, "%s%s", format != NULL ? ": " : "", strerror(number));
    fputc('\n', stderr);
}

HOST_WEAK void vwarn(const char *format, va_list arguments)
{
    message(errno, format, arguments);
}

HOST_WEAK void vwarnx(const char *format, va_list arguments)
{
    message(0, format, arguments);
}

HOST_WEAK void verr(int status, const char *format, va_list arguments)
{
    vwarn(format, arguments);
    exit(status);
}

HOST_WEAK void verrx(int status, const char *format, va_list arguments)
{
    vwarnx(format, arguments);
    exit(status);
}

HOST_WEAK void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarn(format, arguments);
    va_end(arguments);
}

HOST_WEAK void warnx(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vwarnx(format, arguments);
    va_end(arguments);
}

HOST_WEAK void err(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    verr(status, format, arguments);
}

HOST_WEAK void errx(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    verrx(status, format, arguments);
}
