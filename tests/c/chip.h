/* Chip and testbench: two memories, and the functions that the library looks up in a simulator. */
#ifndef CHIP_H
#define CHIP_H

#include <stddef.h>
#include <stdint.h>

#define VHOST_DECLARE_TESTBENCH
#include "vhost.h"

/* Two memories of the same size, each in a space of its own: `core0`, `core1`. */
enum { MEMORIES = 2, MEMORY_SIZE = 0x40000 };
static const uint64_t memory_base[MEMORIES] = {0x80000000, 0x90000000};

/* Bytes of a memory. */
uint8_t *chip_at(uint64_t address, size_t len);

/* Notifications to the testbench. */
extern struct testbench {
    int exits;
    uint32_t exit_code;
    int registered;
    int reports;
    int last_severity;
    char last_id[64], last_report[512];
    int polls;
} testbench;

/* Function that the method `hook`, mb_step and mb_report call, if it is set. */
extern void (*chip_hook)(void);
extern void (*chip_step)(void);
extern void (*chip_report)(void);

/* Function that every access of the library calls, if it is set. */
extern void (*chip_access)(uint64_t addr);

/* True if every write fails. */
extern int chip_broken;

#endif
