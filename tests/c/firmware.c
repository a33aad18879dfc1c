#include "firmware.h"

#include <string.h>

#include "chip.h"
#include "check.h"

static uint64_t align(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

static uint64_t max(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Initialises a queue behind `offset`; returns its end. */
static uint64_t place(struct queue *queue, uint64_t base, uint64_t offset, uint64_t entry, unsigned word, unsigned line) {
    uint64_t whole = max(word, line);
    offset = align(offset, whole);
    uint64_t taken = align(8 + QUEUE * entry, max(4, line));
    queue->put = base + offset + 4;
    queue->entries = base + offset + 8;
    queue->entry_size = entry;
    queue->taken = base + offset + taken;
    return align(offset + taken + 4, whole);
}

struct firmware firmware_at(uint64_t base, unsigned word, unsigned line) {
    struct firmware firmware = {.base = base, .word = word, .heap = base + 0x10000};
    uint64_t end = place(&firmware.request, base, 8, 8 + 20 * word, word, line);
    place(&firmware.response, base, end, 2 * word, word, line);
    return firmware;
}

static uint64_t get(uint64_t address, unsigned bytes) {
    uint64_t value = 0;
    memcpy(&value, chip_at(address, bytes), bytes);
    return value;
}

static void set(uint64_t address, unsigned bytes, uint64_t value) { memcpy(chip_at(address, bytes), &value, bytes); }

void firmware_reset(struct firmware *firmware) {
    set(firmware->base + 4, 4, 0);
    set(firmware->request.put, 4, 0);
    set(firmware->request.taken, 4, 0);
    set(firmware->response.put, 4, 0);
    set(firmware->response.taken, 4, 0);
    set(firmware->base, 4, VERSION);
    set(firmware->base + 4, 4, INIT);
    firmware->heap = firmware->base + 0x10000;
}

uint32_t firmware_state(const struct firmware *firmware) { return get(firmware->base + 4, 4); }

/* Number of entries in a queue. */
static uint32_t waiting(const struct queue *queue) { return (get(queue->put, 4) - get(queue->taken, 4)) & 15; }

int firmware_send(struct firmware *firmware, uint32_t action, uint32_t words, const uint64_t *args) {
    struct queue *queue = &firmware->request;
    if (waiting(queue) == QUEUE)
        return 0;
    uint32_t put = get(queue->put, 4);
    uint64_t entry = queue->entries + put % QUEUE * queue->entry_size;
    set(entry, 4, action);
    set(entry + 4, 4, words);
    for (uint32_t i = 0; i < words && i < 20; i++)
        set(entry + 8 + i * firmware->word, firmware->word, args[i]);
    set(queue->put, 4, put + 1);
    return 1;
}

int firmware_receive(struct firmware *firmware, uint32_t *words, int64_t *value) {
    struct queue *queue = &firmware->response;
    if (waiting(queue) == 0)
        return 0;
    uint32_t taken = get(queue->taken, 4);
    uint64_t entry = queue->entries + taken % QUEUE * queue->entry_size;
    *words = get(entry, 4);
    uint64_t rets = get(entry + firmware->word, firmware->word);
    *value = firmware->word == 4 ? (int32_t)rets : (int64_t)rets;
    set(queue->taken, 4, taken + 1);
    return 1;
}

uint64_t firmware_text(struct firmware *firmware, const char *text) {
    uint64_t address = firmware->heap;
    size_t len = strlen(text) + 1;
    memcpy(chip_at(address, len), text, len);
    firmware->heap = align(address + len, 8);
    return address;
}
