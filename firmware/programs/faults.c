/*
 * Fails as its argument says: writes to an output without a reader, or uses more stack than there
 * is.
 *
 *     faults forever|ignore|once|close|abort|shallow|deep|silent|jump
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Uses about 100 bytes of stack per level, with or without a request at the lowest one. */
__attribute__((noinline)) static int deepen(int levels, int asks)
{
    volatile char some[64];
    some[levels & 63] = (char)levels;
    if (levels == 0 && asks)
        fprintf(stderr, "at the lowest level\n");
    return levels == 0 ? some[0] : deepen(levels - 1, asks) + some[levels & 63];
}

/* Uses more stack at once than the guard has bytes, and does not access most of it. */
__attribute__((noinline)) static int jump(int asks)
{
    volatile char much[300000];
    much[0] = 1;
    if (asks)
        fprintf(stderr, "at the lowest level\n");
    return much[0];
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "abort") == 0) {
        fputs("no end of line", stderr);
        abort();
    }
    if (strcmp(what, "shallow") == 0 || strcmp(what, "deep") == 0 || strcmp(what, "silent") == 0) {
        printf("%d\n", deepen(*what == 's' && what[1] == 'h' ? 30 : 3000, *what == 'd') != 0);
        return 0;
    }
    if (strcmp(what, "jump") == 0) {
        printf("%d\n", jump(1));
        return 0;
    }
    if (strcmp(what, "once") == 0 || strcmp(what, "close") == 0) {
        printf("a line\n");
        if (*what == 'c' && fclose(stdout) != 0) {
            fprintf(stderr, "close: %s\n", errno == ENOSPC ? "ENOSPC" : "another error");
            return 3;
        }
        return 0;
    }
    if (strcmp(what, "ignore") == 0)
        signal(SIGPIPE, SIG_IGN);
    for (;;)
        if (printf("a line\n") < 0) {
            fprintf(stderr, "write: %s\n", errno == ENOSPC ? "ENOSPC" : errno == EPIPE ? "EPIPE" : "another error");
            return 2;
        }
}
