#include "chip.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

static uint8_t memories[MEMORIES][MEMORY_SIZE];

struct testbench testbench;
void (*chip_hook)(void);
void (*chip_step)(void);
void (*chip_report)(void);
void (*chip_access)(uint64_t addr);
int chip_broken;

/* Returns NULL if there is no memory. */
static uint8_t *at(uint64_t address, size_t len) {
    for (int i = 0; i < MEMORIES; i++) {
        uint64_t offset = address - memory_base[i];
        if (offset < MEMORY_SIZE && len <= MEMORY_SIZE - offset)
            return memories[i] + offset;
    }
    return NULL;
}

uint8_t *chip_at(uint64_t address, size_t len) {
    uint8_t *bytes = at(address, len);
    CHECK(bytes != NULL);
    return bytes;
}

size_t __vhost_bb_mem_read(uint64_t base, uint64_t addr, uint8_t *data, size_t len) {
    CHECK(base == memory_base[0] || base == memory_base[1]);
    uint8_t *bytes = at(addr, len);
    if (chip_access != NULL)
        chip_access(addr);
    if (bytes == NULL)
        return 0;
    memcpy(data, bytes, len);
    return len;
}

size_t __vhost_bb_mem_write(uint64_t base, uint64_t addr, const uint8_t *data, size_t len) {
    CHECK(base == memory_base[0] || base == memory_base[1]);
    uint8_t *bytes = at(addr, len);
    if (chip_access != NULL)
        chip_access(addr);
    if (bytes == NULL || chip_broken)
        return 0;
    memcpy(bytes, data, len);
    return len;
}

/* Without it, the program defines its own methods. */
#ifndef NO_METHODS
/*
 * `add`: the sum, at once. `slow`: the sum, at the third poll. `strlen`: length of a text in the
 * chip, read by backdoor. `never`: always pending. `broken`: failed. `weird`: an invalid status.
 * `hook`: a function of the case.
 */
uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 16; i++)
        sum += args[i];
    testbench.polls++;
    *status = 0;
    if (strcmp(method, "add") == 0)
        return sum;
    if (strcmp(method, "slow") == 0) {
        *status = testbench.polls % 3 != 0;
        return *status ? 0 : sum;
    }
    if (strcmp(method, "strlen") == 0) {
        const char *space, *text;
        CHECK_EQ(arg_len, 1);
        mb_get_space(ch, &space);
        CHECK(strcmp(space, ch) == 0);
        mb_backdoor_read_string(space, args[0], &text);
        return strlen(text);
    }
    if (strcmp(method, "hook") == 0) {
        chip_hook();
        return 0;
    }
    if (strcmp(method, "never") == 0)
        *status = 1;
    else if (strcmp(method, "broken") == 0)
        *status = 3;
    else if (strcmp(method, "weird") == 0)
        *status = 77;
    else
        *status = 2;
    return 0;
}
#endif

void mb_exit(uint32_t code) {
    testbench.exits++;
    testbench.exit_code = code;
}

void sv_registery_ch(const char *ch) {
    const char *space;
    testbench.registered++;
    /* Same as the classes in SystemVerilog. */
    mb_get_space(ch, &space);
    CHECK(strcmp(space, ch) == 0);
}

/* Without it, reports go to stderr. */
#ifndef NO_REPORT
void mb_report(int severity, const char *id, const char *msg) {
    testbench.reports++;
    testbench.last_severity = severity;
    snprintf(testbench.last_id, sizeof testbench.last_id, "%s", id);
    snprintf(testbench.last_report, sizeof testbench.last_report, "%s", msg);
    fprintf(stderr, "report %d: %s: %s\n", severity, id, msg);
    if (chip_report != NULL)
        chip_report();
}
#endif

void mb_step(void) {
    if (chip_step != NULL)
        chip_step();
}
