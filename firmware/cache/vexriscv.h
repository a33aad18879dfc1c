/*
 * Cache hooks of VexRiscv: a write-through data cache with lines of 32 bytes, and one instruction,
 * 0x500F, that drops all lines. No line needs a write-back.
 *
 *     sh firmware/compile.sh rv32 image.elf -include firmware/cache/vexriscv.h -DMB_CACHE_LINE=32 program.c
 *
 * MB_CACHE_LINE may have any value, also 0, since no line is ever dirty.
 */
#if !defined(MB_VEXRISCV_H) && !defined(__ASSEMBLER__)
#define MB_VEXRISCV_H

/* The fence waits until pending stores have left the CPU. */
#define MB_CACHE_INVALIDATE(addr, len) \
    ((void)(addr), (void)(len), ({ __asm__ __volatile__("fence\n\t.word 0x500F" : : : "memory"); }))
#define MB_CACHE_FLUSH() MB_CACHE_INVALIDATE(0, 0)

#endif
