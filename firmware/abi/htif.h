/*
 * Start-up, words and calls of HTIF, for RV32 and RV64. The entry point is the first byte of the
 * image.
 *
 * On a CPU with a data cache, include one of firmware/cache before it: a command is written back so
 * that the host can read it, and the host's words are dropped from the cache before a read. Both
 * words have lines of their own. Buffers of system calls must be static, and must not share a line
 * with data that changes during the call.
 *
 * With PARK the first hart runs the program, and the others wait at its start.
 */
#ifndef MB_CACHE_CLEAN
#define MB_CACHE_CLEAN(addr, len) ((void)0)
#endif
#ifndef MB_CACHE_INVALIDATE
#define MB_CACHE_INVALIDATE(addr, len) ((void)0)
#endif
#ifndef MB_CACHE_FLUSH
#define MB_CACHE_FLUSH() ((void)0)
#endif

typedef unsigned long word;
typedef unsigned long long u64;

#ifdef PARK
#define PARK_OTHERS "  csrr a0, mhartid\n0:\n  bnez a0, 0b\n"
#else
#define PARK_OTHERS
#endif

__asm__(
    ".section .text.init, \"ax\"\n"
    ".globl _start\n"
    "_start:\n" PARK_OTHERS
    "  la sp, stack_top\n"
    "  call main\n"
    "  call leave\n"
    ".section .tohost, \"aw\", @progbits\n"
    ".align 6\n"
    ".globl tohost\n"
    "tohost: .dword 0\n"
    ".align 6\n"
    ".globl fromhost\n"
    "fromhost: .dword 0\n"
    ".section .bss\n"
    ".align 4\n"
    ".skip 4096\n"
    "stack_top:\n"
    ".text\n");

extern volatile unsigned tohost[2], fromhost[2];

/* Sends a command. A macro selects the order of the stores; riscv-tests store the low half
 * first. */
static void send(u64 command)
{
    do {
        MB_CACHE_INVALIDATE((const void *)tohost, 8);
    } while (tohost[0] | tohost[1]);
#if defined(ONE_STORE)
    __asm__ volatile("sd %0, 0(%1)" ::"r"(command), "r"(tohost) : "memory");
#elif defined(HIGH_FIRST)
    tohost[1] = command >> 32;
    __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop");
    tohost[0] = command;
#elif defined(LOW_ONLY)
    if (command >> 32)
        tohost[1] = command >> 32;
    tohost[0] = command;
#else
    tohost[0] = command;
    __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop");
    tohost[1] = command >> 32;
#endif
    MB_CACHE_CLEAN((const void *)tohost, 8);
}

static void take(void)
{
    do {
        MB_CACHE_INVALIDATE((const void *)fromhost, 8);
    } while (!(fromhost[0] | fromhost[1]));
    fromhost[0] = 0;
    fromhost[1] = 0;
    MB_CACHE_CLEAN((const void *)fromhost, 8);
}

static void put_char(int c)
{
    send(0x0101ull << 48 | (unsigned char)c);
}

static __attribute__((unused)) void put_string(const char *text)
{
    while (*text)
        put_char(*text++);
}

static volatile u64 magic[8] __attribute__((aligned(64)));

static __attribute__((unused)) long long call(u64 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
    magic[0] = number;
    magic[1] = a0;
    magic[2] = a1;
    magic[3] = a2;
    magic[4] = a3;
    magic[5] = a4;
    __asm__ volatile("fence" ::: "memory");
    MB_CACHE_FLUSH();
    send((word)magic);
    take();
    MB_CACHE_FLUSH();
    return magic[0];
}

void __attribute__((noreturn)) leave(int code)
{
    send((u64)(unsigned)code << 1 | 1);
    for (;;) {
    }
}

#define ADDRESS(x) ((u64)(word)(x))
#define CWD ((u64)-100)
