/* A program for picolibc and its semihosting, written as for a debugger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int main(void)
{
    static int numbers[40];
    unsigned state = 1;
    for (int at = 0; at < 40; at++) {
        state = state * 1664525 + 1013904223;
        numbers[at] = state >> 20;
    }
    qsort(numbers, 40, sizeof *numbers, compare);
    printf("least %d, most %d\n", numbers[0], numbers[39]);
    FILE *file = fopen("numbers.txt", "w+");
    if (!file)
        return 1;
    for (int at = 0; at < 40; at++)
        fprintf(file, "%d\n", numbers[at]);
    if (fseek(file, 0, SEEK_SET) != 0)
        return 2;
    char line[32];
    int lines = 0;
    long sum = 0;
    while (fgets(line, sizeof line, file)) {
        sum += atol(line);
        lines++;
    }
    fclose(file);
    printf("%d lines, sum %ld\n", lines, sum);
    if (fopen("missing.txt", "r"))
        return 3;
    if (fgets(line, sizeof line, stdin))
        printf("input: %s", line);
    exit(sum % 200);
}
