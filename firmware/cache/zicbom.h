/*
 * Cache hooks of RISC-V CPUs with the extension Zicbom: cbo.clean and cbo.flush, for one line each.
 * The program must run in machine mode, or its envcfg must permit them.
 *
 *     sh firmware/compile.sh rv64 image.elf -include firmware/cache/zicbom.h -DMB_CACHE_LINE=64 program.c
 *
 * MB_CACHE_BLOCK is the CPU's line in bytes, MB_CACHE_LINE by default. MB_CACHE_LINE must not be
 * smaller.
 *
 * These instructions can't flush a whole cache: memory of mb_call and mb_custom needs mb_lend and
 * mb_take_back.
 */
#if !defined(MB_ZICBOM_H) && !defined(__ASSEMBLER__)
#define MB_ZICBOM_H

#include <stddef.h>
#include <stdint.h>

#if !defined(MB_CACHE_LINE) || MB_CACHE_LINE == 0
#error "zicbom.h needs MB_CACHE_LINE: the line of the CPU's cache, or a greater one"
#endif
#ifndef MB_CACHE_BLOCK
#define MB_CACHE_BLOCK MB_CACHE_LINE
#endif
#if MB_CACHE_BLOCK > MB_CACHE_LINE
#error "MB_CACHE_LINE is less than the line of the CPU's cache: host and firmware would write the same lines"
#endif

/* Encodings with the address in t0 (x5), for assemblers without the extension. */
#define MB_CBO(encoding, addr, len) \
    do { \
        uintptr_t mb_line = (uintptr_t)(addr) & ~(uintptr_t)(MB_CACHE_BLOCK - 1); \
        const uintptr_t mb_end = (uintptr_t)(addr) + (len); \
        __asm__ __volatile__("fence" : : : "memory"); \
        for (; mb_line < mb_end; mb_line += MB_CACHE_BLOCK) { \
            register uintptr_t mb_at __asm__("t0") = mb_line; \
            __asm__ __volatile__(".word " encoding : : "r"(mb_at) : "memory"); \
        } \
        __asm__ __volatile__("fence" : : : "memory"); \
    } while (0)

static inline void mb_cbo_clean(const void *addr, size_t len)
{
    MB_CBO("0x0012A00F", addr, len);
}

/* Dirty lines at the ends contain other data: they are written back, not dropped. */
static inline void mb_cbo_flush(const void *addr, size_t len)
{
    MB_CBO("0x0022A00F", addr, len);
}

#define MB_CACHE_CLEAN(addr, len) mb_cbo_clean((addr), (len))
#define MB_CACHE_INVALIDATE(addr, len) mb_cbo_flush((addr), (len))

#endif
