/* A jump out of nested calls, and variable arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

static jmp_buf place;

static int sum(int count, ...)
{
    va_list values;
    int total = 0;
    va_start(values, count);
    while (count--)
        total += va_arg(values, int);
    va_end(values);
    return total;
}

static void descend(int depth)
{
    if (depth == 0)
        longjmp(place, 9);
    descend(depth - 1);
    puts("never here");
}

int main(void)
{
    int value = setjmp(place);
    if (value == 0)
        descend(20);
    printf("%d %d\n", value, sum(4, 1, 2, 3, 4));
    return value;
}
