/*
 * Start-up and calls of semihosting for several harts, for RV32 and RV64 with the extension A. The
 * entry point is the first byte of the image, for all harts. Each hart has its own stack, and calls
 * `main` with its number.
 *
 * HARTS is the number of harts, at most 8. Further harts stop.
 */
typedef unsigned long word;

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

__asm__(
    ".section .text.init, \"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    "  csrr a0, mhartid\n"
    "  li t0, " STRING(HARTS) "\n"
    "0:\n"
    "  bgeu a0, t0, 0b\n"
    "  la sp, stack_top\n"
    "  slli t0, a0, 12\n"
    "  sub sp, sp, t0\n"
    "  call main\n"
    "1:\n"
    "  j 1b\n"
    ".section .bss\n"
    ".balign 64\n"
    ".skip 4096 * " STRING(HARTS) "\n"
    "stack_top:\n"
    ".text\n");

/* The trap, and a function around it. */
#define TRAP                             \
    ".balign 16\n"                       \
    ".option push\n"                     \
    ".option norvc\n"                    \
    "  slli zero, zero, 0x1f\n"          \
    "  ebreak\n"                         \
    "  srai zero, zero, 7\n"             \
    ".option pop\n"

__asm__(
    ".globl semihost\n"
    ".balign 16\n"
    "semihost:\n" TRAP
    "  ret\n");

#if __riscv_xlen == 64
#define STORE "sd"
#define LOAD "ld"
#else
#define STORE "sw"
#define LOAD "lw"
#endif

#define EACH_SAVED(f) f(1) f(3) f(4) f(8) f(9) f(18) f(19) f(20) f(21) f(22) f(23) f(24) f(25) f(26) f(27)
#define EACH_FILLED(f) EACH_SAVED(f) f(5) f(6) f(7) f(11) f(13) f(14) f(15) f(16) f(17) f(28) f(29) f(30) f(31)

#define SAVE(n) "  " STORE " x" #n ", 8 * " #n "(sp)\n"
#define RESTORE(n) "  " LOAD " x" #n ", 8 * " #n "(sp)\n"
#define FILL(n) "  addi x" #n ", a2, 16 * " #n "\n"
#define COMPARE(n)                       \
    "  addi a0, x" #n ", -16 * " #n "\n" \
    "  bne a0, a2, 2f\n"

/*
 * Requests an operation that ignores its argument, with a value in each other register that depends
 * on `pattern`. Returns 0 if the operation left all of them unchanged.
 */
__asm__(
    ".globl semihost_probe\n"
    "semihost_probe:\n"
    "  addi sp, sp, -256\n" EACH_SAVED(SAVE)
    "  mv a2, a1\n"
    "  " STORE " a2, 0(sp)\n"
    EACH_FILLED(FILL)
    TRAP
    EACH_FILLED(COMPARE)
    "  " LOAD " a0, 0(sp)\n"
    "  bne a0, a2, 2f\n"
    "  li a0, 0\n"
    "  j 3f\n"
    "2:\n"
    "  li a0, 1\n"
    "3:\n" EACH_SAVED(RESTORE)
    "  addi sp, sp, 256\n"
    "  ret\n");

word semihost(word operation, const volatile void *argument);
word semihost_probe(word operation, word pattern);

static word call(word operation, word a, word b, word c)
{
    volatile word block[3];
    block[0] = a;
    block[1] = b;
    block[2] = c;
    return semihost(operation, block);
}

enum {
    OPEN = 0x01,
    CLOSE = 0x02,
    WRITE0 = 0x04,
    WRITE = 0x05,
    READ = 0x06,
    ISERROR = 0x08,
    SEEK = 0x0a,
    FLEN = 0x0c,
    REMOVE = 0x0e,
    RENAME = 0x0f,
    CLOCK = 0x10,
    TIME = 0x11,
    GET_CMDLINE = 0x15,
    EXIT_EXTENDED = 0x20,
};

#define APPLICATION_EXIT 0x20026
