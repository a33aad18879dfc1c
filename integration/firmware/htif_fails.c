/* A test in the style of riscv-tests that fails at its third check. The exit code is the number of
 * the check. */
#include "htif.h"

static int check(int number, unsigned value, unsigned expected)
{
    return value == expected ? 0 : number;
}

int main(void)
{
    volatile unsigned one = 1;
    int failed = check(2, one + one, 2);
    if (!failed)
        failed = check(3, one << 4, 17);
    return failed;
}
