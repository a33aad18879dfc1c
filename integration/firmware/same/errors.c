/* Text on standard error only. */
#include <stdio.h>

int main(void)
{
    fprintf(stderr, "a warning\n");
    fprintf(stderr, "an error: %d\n", 12);
    return 12;
}
