/* Firmware with protocol 0.2, based on the wire layout only. It accesses the chip's memory
 * directly. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <stdint.h>

enum { VERSION = 0x00000002, INIT = 1, READY = 2, QUEUE = 8 };

enum { EXIT = 1, PRINT, CPRINT, MEMMOVE, MEMSET, MEMCMP, CALL, FILES, OTHER = 0x80000000 };
enum { OPEN, CLOSE, READ, WRITE, SEEK };
enum { OPEN_READ = 1, OPEN_WRITE = 2, OPEN_APPEND = 4, OPEN_TRUNCATE = 8 };

/* Addresses of a queue. */
struct queue {
    uint64_t put, entries, entry_size, taken;
};

struct firmware {
    uint64_t base;
    unsigned word; /* bytes of a pointer */
    struct queue request, response;
    uint64_t heap; /* address of the next text */
};

/* Creates firmware whose channel is at `base`, with pointers of `word` bytes and cache lines of
 * `line` bytes, 0 for none. */
struct firmware firmware_at(uint64_t base, unsigned word, unsigned line);

/* Requests a handshake, in any state of the channel. */
void firmware_reset(struct firmware *);
uint32_t firmware_state(const struct firmware *);

/* Puts a request into the queue if there is room. */
int firmware_send(struct firmware *, uint32_t action, uint32_t words, const uint64_t *args);
#define SEND(firmware, action, ...)                                                                         \
    firmware_send(firmware, action, sizeof((uint64_t[]){__VA_ARGS__}) / 8, (uint64_t[]){__VA_ARGS__})

/* Takes a response if there is one. The value is sign-extended. */
int firmware_receive(struct firmware *, uint32_t *words, int64_t *value);

/* Writes text to memory, and returns its address. */
uint64_t firmware_text(struct firmware *, const char *);

#endif
