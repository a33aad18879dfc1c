/* Assertions of a case; the first failure ends the program with status 70. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(wanted) ((wanted) ? (void)0 : fail(__FILE__, __LINE__, #wanted))

/* Compares two numbers, and prints them if they differ. */
#define CHECK_EQ(got, wanted) check_eq(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(wanted))

/* Fails unless `part` occurs in `text`. */
#define CHECK_HAS(text, part) check_has(__FILE__, __LINE__, (text), (part))

static inline void fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    fflush(NULL);
    _Exit(70);
}

static inline void check_eq(const char *file, int line, const char *what, int64_t got, int64_t wanted) {
    if (got == wanted)
        return;
    fprintf(stderr, "%s is %lld (%#llx), not %lld\n", what, (long long)got, (unsigned long long)got, (long long)wanted);
    fail(file, line, what);
}

static inline void check_has(const char *file, int line, const char *text, const char *part) {
    if (strstr(text, part) != NULL)
        return;
    fprintf(stderr, "\"%s\" is not in \"%s\"\n", part, text);
    fail(file, line, part);
}

#endif
