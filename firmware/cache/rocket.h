/*
 * Cache hooks of Rocket: a write-back data cache without instructions for its maintenance. A line
 * is written back when another one evicts it, so these hooks load from addresses of the same cache
 * set.
 *
 *     sh firmware/compile.sh rv64 image.elf -include firmware/cache/rocket.h -DMB_CACHE_LINE=64 program.c
 *
 * Define these before, unless the cache has 4 KiB, is direct mapped, and has lines of 64 bytes:
 *
 *     MB_CACHE_BLOCK  bytes of a line of the CPU
 *     MB_CACHE_WAY    bytes of a way: size of the cache, divided by the number of its ways
 *     MB_CACHE_WAYS   number of ways, of which the oldest line is evicted. (No number is enough for
 *                     a cache that evicts lines at random.)
 *
 * Address and size of RAM must be multiples of twice MB_CACHE_WAY: 8 KiB by default. With n ways,
 * they must be multiples of MB_CACHE_WAY times the next power of 2 above n.
 */
#if !defined(MB_ROCKET_H) && !defined(__ASSEMBLER__)
#define MB_ROCKET_H

#include <stddef.h>
#include <stdint.h>

#ifndef MB_CACHE_BLOCK
#define MB_CACHE_BLOCK 64
#endif
#ifndef MB_CACHE_WAY
#define MB_CACHE_WAY 4096
#endif
#ifndef MB_CACHE_WAYS
#define MB_CACHE_WAYS 1
#endif
#if !defined(MB_CACHE_LINE) || MB_CACHE_LINE < MB_CACHE_BLOCK
#error "rocket.h needs an MB_CACHE_LINE that is not less than the CPU's line of MB_CACHE_BLOCK bytes: host and firmware \
would write the same lines"
#endif

/* Evicts the line of an address. */
static inline void mb_displace_line(uintptr_t line)
{
    uintptr_t way;
    for (way = 1; way <= MB_CACHE_WAYS; way++)
        (void)*(volatile char *)(line ^ way * MB_CACHE_WAY);
}

/* Writes back and drops the lines of `len` bytes. */
static inline void mb_displace(const void *addr, size_t len)
{
    uintptr_t line = (uintptr_t)addr & ~(uintptr_t)(MB_CACHE_BLOCK - 1);
    const uintptr_t end = (uintptr_t)addr + len;
    __asm__ __volatile__("fence" : : : "memory");
    for (; line < end; line += MB_CACHE_BLOCK)
        mb_displace_line(line);
    __asm__ __volatile__("fence" : : : "memory");
}

/* Writes back and drops all lines by two loads per set: one of them evicts the line that is
 * there. */
static inline void mb_displace_all(void)
{
    const uintptr_t way = (uintptr_t)mb_displace_line & ~(uintptr_t)(MB_CACHE_WAY - 1);
    uintptr_t line;
    __asm__ __volatile__("fence" : : : "memory");
    for (line = way; line < way + MB_CACHE_WAY; line += MB_CACHE_BLOCK) {
        (void)*(volatile char *)line;
        mb_displace_line(line);
    }
    __asm__ __volatile__("fence" : : : "memory");
}

#define MB_CACHE_CLEAN(addr, len) mb_displace((addr), (len))
#define MB_CACHE_INVALIDATE(addr, len) mb_displace((addr), (len))
#define MB_CACHE_FLUSH() mb_displace_all()

#endif
