/* An exit status of its own, from a function that is not main. */
#include <stdio.h>
#include <stdlib.h>

static void leave(int code)
{
    printf("leaves with %d\n", code);
    exit(code);
}

int main(void)
{
    leave(77);
}
