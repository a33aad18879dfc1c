/* Functions registered for the exit, and text without an end of line. */
#include <stdio.h>
#include <stdlib.h>

static void first(void)
{
    printf("registered first, called last");
}

static void second(void)
{
    puts("registered second");
}

int main(void)
{
    atexit(first);
    atexit(second);
    return 5;
}
