/*
 * Lines of any length, and formatted text to descriptors.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

HOST_WEAK ssize_t getdelim(char **line, size_t *size, int end, FILE *file)
{
    size_t length = 0;
    int c;
    if (line == NULL || size == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (*line == NULL)
        *size = 0;
    do {
        c = getc(file);
        if (c == EOF && (length == 0 || ferror(file)))
            return -1;
        if (length + 2 > *size) {
            size_t larger = *size < 60 ? 120 : 2 * *size;
            char *moved = realloc(*line, larger);
            if (moved == NULL) {
                errno = ENOMEM;
                return -1;
            }
            *line = moved;
            *size = larger;
        }
        if (c != EOF)
            (*line)[length++] = (char)c;
    } while (c != EOF && c != end);
    (*line)[length] = '\0';
    return (ssize_t)length;
}

HOST_WEAK ssize_t getline(char **line, size_t *size, FILE *file)
{
    return getdelim(line, size, '\n', file);
}

#ifdef __PICOLIBC__

HOST_WEAK int vdprintf(int fd, const char *format, va_list arguments)
{
    va_list again;
    char small[256], *text = small, *at;
    int length, left;
    va_copy(again, arguments);
    length = vsnprintf(small, sizeof small, format, arguments);
    if (length >= (int)sizeof small) {
        text = malloc((size_t)length + 1);
        if (text == NULL) {
            va_end(again);
            errno = ENOMEM;
            return -1;
        }
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    for (at = text, left = length; left > 0;) {
        ssize_t written = write(fd, at, (size_t)left);
        if (written <= 0) {
            length = -1;
            break;
        }
        at += written;
        left -= (int)written;
    }
    if (text != small)
        free(text);
    return length;
}

HOST_WEAK int dprintf(int fd, const char *format, ...)
{
    va_list arguments;
    int length;
    va_start(arguments, format);
    length = vdprintf(fd, format, arguments);
    va_end(arguments);
    return length;
}

#endif /* __PICOLIBC__ */
