/* Conversions of printf. */
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    printf("%d %5d|%-5d|%05d|%+d\n", -1, 42, 42, 42, 42);
    printf("%u %x %X %#x %o\n", 4000000000u, 0xbeefu, 0xbeefu, 255u, 8u);
    printf("%lld %llx\n", -1234567890123LL, 0x123456789abcdefULL);
    printf("%c%c %s|%8s|%-8s|%.3s\n", 'a', 'b', "text", "right", "left", "cut off");
    printf("%f %.2f %e %g\n", 3.14159265, -2.5, 12345.678, 0.0001);
    printf("%5.1f|%-8.3f|%+.0f\n", 9.96, 1.5, 2.5);
    printf("%zu %p %%\n", sizeof(uint64_t), (void *)0x1234);
    return 0;
}
