// C model of the RAM. The RTL accesses its bytes by words (ram.sv), the host by `__vhost_bb_mem_*`.

#include <cstdint>
#include <cstring>

#define VHOST_DECLARE_TESTBENCH
#include "vhost.h"

namespace {

// A power of two. Higher addresses repeat the RAM, as in a chip that does not decode the upper
// address bits.
constexpr uint32_t SIZE = 0x100000;

uint8_t bytes[SIZE];
uint64_t words_accessed;

uint8_t *word(uint32_t addr) { return bytes + (addr & (SIZE - 1) & ~3u); }

// Clips an access of the host to the RAM, and counts it in words as a bus would move them.
size_t inside(uint64_t &addr, size_t len) {
    // Rocket has the RAM at 0x8000'0000, and uncached at 0x6000'0000.
    addr &= ~UINT64_C(0xe0000000);
    if (addr >= SIZE)
        return 0;
    if (len > SIZE - addr)
        len = SIZE - addr;
    words_accessed += (addr % 4 + len + 3) / 4;
    return len;
}

} // namespace

extern "C" {

uint32_t ram_load(uint32_t addr) {
    uint32_t data;
    memcpy(&data, word(addr), sizeof data);
    return data;
}

void ram_store(uint32_t addr, uint32_t data, uint32_t strobes) {
    for (int i = 0; i < 4; i++)
        if (strobes >> i & 1)
            word(addr)[i] = data >> (8 * i);
}

// Number of words that the host has read and written.
uint64_t ram_words_accessed(void) { return words_accessed; }

// The RAM is the only memory of backend `api`, so `base` is ignored.
size_t __vhost_bb_mem_read(uint64_t, uint64_t addr, uint8_t *data, size_t len) {
    len = inside(addr, len);
    memcpy(data, bytes + addr, len);
    return len;
}

size_t __vhost_bb_mem_write(uint64_t, uint64_t addr, const uint8_t *data, size_t len) {
    len = inside(addr, len);
    memcpy(bytes + addr, data, len);
    return len;
}

} // extern "C"
