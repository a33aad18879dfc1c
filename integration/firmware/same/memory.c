/* The heap: blocks of many sizes, some of which are freed or resized. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char *blocks[32];
    unsigned state = 7, sum = 0;
    for (int at = 0; at < 32; at++) {
        state = state * 1103515245 + 12345;
        blocks[at] = malloc(1 + state % 500);
        memset(blocks[at], at, 1 + state % 500);
    }
    for (int at = 0; at < 32; at += 2)
        free(blocks[at]);
    for (int at = 1; at < 32; at += 2) {
        blocks[at] = realloc(blocks[at], 700);
        sum += blocks[at][0];
    }
    printf("sum %u, too much: %d\n", sum, malloc(1u << 30) == NULL);
    return 0;
}
