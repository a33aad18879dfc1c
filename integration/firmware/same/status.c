/* A specific exit status, from a function other than main. */
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
