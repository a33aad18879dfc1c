/* Raises signals. A handler is set again after each: ISO C leaves open if it stays. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t received;

static void handle(int number)
{
    received = number;
}

int main(int argc, char **argv)
{
    const char *end = argc > 1 ? argv[1] : "return";
    int round;
    for (round = 0; round < 2; round++) {
        signal(SIGINT, handle);
        received = 0;
        printf("raise %d", raise(SIGINT));
        printf(", received %d\n", received == SIGINT);
    }
    signal(SIGTERM, SIG_IGN);
    printf("ignored: %d\n", raise(SIGTERM));
    printf("it was: %d\n", signal(SIGTERM, SIG_DFL) == SIG_IGN);
    printf("no signal: %d\n", signal(9999, handle) == SIG_ERR);
    fflush(stdout);
    if (strcmp(end, "abort") == 0)
        abort();
    if (strcmp(end, "handled abort") == 0) {
        signal(SIGABRT, handle);
        abort();
    }
    if (strcmp(end, "terminate") == 0)
        raise(SIGTERM);
    if (strcmp(end, "overflow") == 0) {
        signal(SIGFPE, SIG_DFL);
        raise(SIGFPE);
    }
    return 0;
}
