/* Conversion of text to numbers. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int a;
    unsigned b;
    char word[16];
    double number;
    printf("%d", sscanf("-12 0x1f word 2.5e3", "%d %x %15s %lf", &a, &b, word, &number));
    printf(" %d %u %s %.1f\n", a, b, word, number);
    char *end;
    printf("%ld %s\n", strtol("77abc", &end, 8), end);
    printf("%lu %s\n", strtoul("ffz", &end, 16), end);
    printf("%.4f\n", strtod("-0.0625", NULL));
    return atoi("41");
}
