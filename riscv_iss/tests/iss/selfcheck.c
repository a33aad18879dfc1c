/* A program with known results. It ends with an environment call, with the number of the failed
 * check in a0. */
typedef unsigned int u32;
typedef unsigned long long u64;

static u32 table[256];
static u32 numbers[512];
static int counter;

static u32 crc(const char *text, int len)
{
    u32 value = ~0u;
    while (len-- > 0)
        value = table[(value ^ (unsigned char)*text++) & 255] ^ value >> 8;
    return ~value;
}

/* Recursion, and more variables than registers. */
static int ackermann(int m, int n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static u64 fibonacci(int n)
{
    u64 a = 0, b = 1;
    while (n-- > 0) {
        u64 c = a + b;
        a = b;
        b = c;
    }
    return a;
}

static void sort(u32 *a, int n)
{
    int i, j;
    for (i = 1; i < n; i++) {
        u32 v = a[i];
        for (j = i; j > 0 && a[j - 1] > v; j--)
            a[j] = a[j - 1];
        a[j] = v;
    }
}

static int check(void)
{
    u32 i, j, seed = 1;
    u64 sum = 0;

    for (i = 0; i < 256; i++) {
        u32 c = i;
        for (j = 0; j < 8; j++)
            c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        table[i] = c;
    }
    if (crc("123456789", 9) != 0xcbf43926u)
        return 1;
    if (ackermann(2, 9) != 21)
        return 2;
    if (fibonacci(90) != 2880067194370816120ull)
        return 3;
    for (i = 0; i < 512; i++)
        numbers[i] = seed = seed * 1664525u + 1013904223u;
    sort(numbers, 512);
    for (i = 1; i < 512; i++)
        if (numbers[i - 1] > numbers[i])
            return 4;
    for (i = 0; i < 512; i++)
        sum += (u64)numbers[i] * (numbers[511 - i] | 1);
    for (i = 1; i < 200; i++)
        sum ^= sum / i + sum % (i * 7919ull) + ((long long)sum >> i % 63);
    if (sum != EXPECTED)
        return 5;
    for (i = 0; i < 100; i++)
        __atomic_fetch_add(&counter, 3, __ATOMIC_SEQ_CST);
    {
        int seen = 300;
        if (!__atomic_compare_exchange_n(&counter, &seen, 5, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return 6;
        if (__atomic_exchange_n(&counter, 7, __ATOMIC_SEQ_CST) != 5 || counter != 7)
            return 7;
    }
    return 0;
}

#if __riscv_xlen == 32
/* Division of 64 bits on a CPU of 32, as in a compiler's library. */
u64 __udivmoddi4(u64 a, u64 b, u64 *rest)
{
    u64 q = 0, r = 0;
    int i;
    for (i = 63; i >= 0; i--) {
        r = r << 1 | (a >> i & 1);
        if (r >= b) {
            r -= b;
            q |= 1ull << i;
        }
    }
    *rest = r;
    return q;
}

u64 __udivdi3(u64 a, u64 b)
{
    u64 rest;
    return __udivmoddi4(a, b, &rest);
}

u64 __umoddi3(u64 a, u64 b)
{
    u64 rest;
    __udivmoddi4(a, b, &rest);
    return rest;
}
#endif

void *memcpy(void *to, const void *from, unsigned long len)
{
    char *t = to;
    const char *f = from;
    while (len-- > 0)
        *t++ = *f++;
    return to;
}

void run(void)
{
    register long result __asm__("a0") = check();
    __asm__ volatile("ecall" : : "r"(result));
}

__asm__(".section .text.init, \"ax\"\n"
        ".globl _start\n"
        "_start: la sp, _end + 0x4000\n"
        "call run\n");
