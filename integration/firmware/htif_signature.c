/* A test in the style of riscv-arch-test: writes results to the signature, then exits. */
#include "htif.h"

__asm__(".data\n.align 6\n.globl begin_signature\nbegin_signature:\n"
        ".word 0x11223344, 0, 0, 0, 0xdeadbeef\n"
        ".globl end_signature\nend_signature:\n");

extern volatile unsigned begin_signature[5];

int main(void)
{
    for (unsigned at = 1; at < 4; at++)
        begin_signature[at] = begin_signature[0] << at;
    /* The host reads the signature at the exit. */
    MB_CACHE_FLUSH();
    return 0;
}
