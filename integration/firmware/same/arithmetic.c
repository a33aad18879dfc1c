/* Integers at their limits, and floating point without hardware. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    volatile int32_t least = INT32_MIN;
    volatile uint64_t large = 0xfedcba9876543210u;
    printf("%ld %lld\n", (long)(least / 3), (long long)(large / 12345));
    printf("%llu %llx\n", (unsigned long long)(large % 1000003), (unsigned long long)(large * large));
    volatile double x = 2.0;
    printf("%.9f %.9f %.9f\n", sqrt(x), x / 3, x * 1e300 * 1e10);
    printf("%.6f %.6f\n", sin(x), exp(x));
    return 0;
}
