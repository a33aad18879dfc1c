/*
 * vhost_ghdl.so: what the VHDL package vhost_pkg calls by VHPIDIRECT.
 *
 *     cc -shared -fPIC -O2 -I include -o vhost_ghdl.so vhdl/vhost_ghdl.c -ldl
 *
 * It has nothing of the library in it: it loads libvhost.so from its own folder, from where the system looks for libraries, or
 * the file that the variable VHOST_LIBRARY names. It has the memories of backend `api`, which the VHDL reads and writes by
 * words, and the methods that VHDL serves.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VHOST_DECLARE_TESTBENCH
#include "vhost.h"

/* ---- The library ---------------------------------------------------------------------------------------------------- */

static const char library[] = "libvhost.so";

/* The library, and this object, with their symbols for each other. */
static void *load(void)
{
    const char *named = getenv("VHOST_LIBRARY");
    char file[4096];
    void *found = NULL;
    Dl_info own = {0};

    if (dladdr(library, &own) && own.dli_fname)
        dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    if (named && *named)
        return dlopen(named, RTLD_NOW | RTLD_GLOBAL);
    if (own.dli_fname && strrchr(own.dli_fname, '/')) {
        int folder = (int)(strrchr(own.dli_fname, '/') - own.dli_fname);
        int length = snprintf(file, sizeof file, "%.*s/%s", folder, own.dli_fname, library);
        if (length > 0 && (size_t)length < sizeof file)
            found = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    }
    return found ? found : dlopen(library, RTLD_NOW | RTLD_GLOBAL);
}

/* A function of the library; the run ends where there is none. */
static void *function(const char *name)
{
    static void *host;
    void *found;

    if (!host)
        host = load();
    found = host ? dlsym(host, name) : NULL;
    if (!found) {
        fprintf(stderr, "vhost_ghdl: %s; put %s beside this file, or name it by VHOST_LIBRARY\n", dlerror(), library);
        exit(1);
    }
    return found;
}

#define HOST(name)                                  \
    static __typeof__(name) *call;                  \
    if (!call) {                                    \
        void *found = function(#name);              \
        memcpy(&call, &found, sizeof call);         \
    }

/* ---- Life of the system ---------------------------------------------------------------------------------------------- */

int32_t vhost_ghdl_init(const char *mem, const char *mailbox, const char *files)
{
    HOST(mb_init)
    return call(mem, mailbox, files);
}

int32_t vhost_ghdl_exit_code(void)
{
    uint32_t code = 0;
    HOST(mb_exit_code)
    call("", &code);
    return (int32_t)code;
}

void vhost_ghdl_notify(void)
{
    HOST(mb_notify)
    call();
}

void vhost_ghdl_status(void)
{
    HOST(mb_status)
    fputs(call(), stdout);
    fflush(stdout);
}

void vhost_ghdl_shutdown(void)
{
    HOST(mb_shutdown)
    call();
}

void vhost_ghdl_quit(int32_t status)
{
    HOST(mb_quit)
    call(status);
}

/* ---- Backdoor: addresses of 32 bits, as VHDL's integers are ---------------------------------------------------------- */

int32_t vhost_ghdl_read(const char *space, int32_t address, int32_t bytes)
{
    uint32_t data = 0;
    HOST(mb_backdoor_read_mem)
    if (bytes != 1 && bytes != 2 && bytes != 4)
        return 0;
    call(space, (uint32_t)address, &data, (uint64_t)bytes);
    return (int32_t)data;
}

void vhost_ghdl_write(const char *space, int32_t address, int32_t bytes, int32_t data)
{
    HOST(mb_backdoor_write_mem)
    if (bytes == 1 || bytes == 2 || bytes == 4)
        call(space, (uint32_t)address, &data, (uint64_t)bytes);
}

/* ---- Memories of backend `api` --------------------------------------------------------------------------------------- */

/* Pages of all memories, by address: 4 KiB each, made when they are first written. */
enum { PAGE = 4096, TABLE = 1 << 10 };
static uint8_t **tables[1 << 10];

static uint8_t *byte(uint64_t address, int make)
{
    uint32_t page = (uint32_t)(address / PAGE);
    uint8_t ***table = &tables[page / TABLE], **found;

    if (address >> 32)
        return NULL;
    if (!*table && make)
        *table = calloc(TABLE, sizeof **table);
    if (!*table)
        return NULL;
    found = &(*table)[page % TABLE];
    if (!*found && make)
        *found = calloc(1, PAGE);
    return *found ? *found + address % PAGE : NULL;
}

size_t __vhost_bb_mem_read(uint64_t base, uint64_t address, uint8_t *data, size_t len)
{
    size_t i;
    (void)base;
    for (i = 0; i < len && (address + i) >> 32 == 0; i++) {
        const uint8_t *from = byte(address + i, 0);
        data[i] = from ? *from : 0;
    }
    return i;
}

size_t __vhost_bb_mem_write(uint64_t base, uint64_t address, const uint8_t *data, size_t len)
{
    size_t i;
    (void)base;
    for (i = 0; i < len; i++) {
        uint8_t *to = byte(address + i, 1);
        if (!to)
            break;
        *to = data[i];
    }
    return i;
}

/* The word at an address, whose low two bits are ignored. */
int32_t vhost_ghdl_load(int32_t address)
{
    uint32_t word = 0;
    __vhost_bb_mem_read(0, (uint32_t)address & ~3u, (uint8_t *)&word, sizeof word);
    return (int32_t)word;
}

/* Stores the bytes of a word whose strobes are 1. */
void vhost_ghdl_store(int32_t address, int32_t data, int32_t strobes)
{
    uint32_t word = (uint32_t)data, i;
    for (i = 0; i < 4; i++)
        if (strobes >> i & 1)
            __vhost_bb_mem_write(0, ((uint32_t)address & ~3u) + i, (uint8_t *)&word + i, 1);
}

/* ---- Methods --------------------------------------------------------------------------------------------------------- */

enum { CALLS = 64, NAME = 64 };

/* Call of firmware, from its first poll until its answer is given. */
static struct call {
    int32_t number;
    int taken, answered, polled;
    uint32_t status, arg_len;
    uint64_t args[16], result;
    char channel[NAME], method[NAME];
} calls[CALLS];

static int32_t last;

static struct call *of(int32_t number)
{
    size_t i;
    for (i = 0; i < CALLS; i++)
        if (number != 0 && calls[i].number == number)
            return &calls[i];
    return NULL;
}

uint64_t mb_sv_call(const char *channel, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status)
{
    struct call *free = NULL;
    size_t i;

    for (i = 0; i < CALLS; i++) {
        struct call *known = &calls[i];
        if (known->number == 0)
            free = known;
        else if (strcmp(known->channel, channel) == 0 && strcmp(known->method, method) == 0) {
            known->polled = 1;
            *status = known->answered ? known->status : 1;
            if (known->answered)
                known->number = 0;
            return known->result;
        }
    }
    /* 3: it has failed. */
    *status = 3;
    if (!free || strlen(channel) >= NAME || strlen(method) >= NAME)
        return 0;
    memset(free, 0, sizeof *free);
    last = last == INT32_MAX ? 1 : last + 1;
    free->number = last;
    free->polled = 1;
    free->arg_len = arg_len;
    memcpy(free->args, args, sizeof free->args);
    strcpy(free->channel, channel);
    strcpy(free->method, method);
    *status = 1;
    return 0;
}

int32_t vhost_ghdl_tick(void)
{
    size_t i;
    int served;
    HOST(mb_tick)
    served = call();
    /* A call that was not asked again is none any more: its channel was reset. */
    for (i = 0; i < CALLS; i++) {
        if (!calls[i].polled)
            calls[i].number = 0;
        calls[i].polled = 0;
    }
    return served;
}

int32_t vhost_ghdl_next_call(void)
{
    struct call *oldest = NULL;
    size_t i;
    for (i = 0; i < CALLS; i++)
        if (calls[i].number != 0 && !calls[i].taken && (!oldest || calls[i].number < oldest->number))
            oldest = &calls[i];
    if (!oldest)
        return 0;
    oldest->taken = 1;
    return oldest->number;
}

int32_t vhost_ghdl_call_is(int32_t number, const char *method)
{
    const struct call *call = of(number);
    return call && strcmp(call->method, method) == 0;
}

int32_t vhost_ghdl_call_args(int32_t number)
{
    const struct call *call = of(number);
    return call ? (int32_t)call->arg_len : 0;
}

int32_t vhost_ghdl_call_arg(int32_t number, int32_t index)
{
    const struct call *call = of(number);
    return call && index >= 0 && index < 16 ? (int32_t)(uint32_t)call->args[index] : 0;
}

/* Status 0: the result; 2: there is no such method; 3: the call has failed. */
void vhost_ghdl_answer(int32_t number, int32_t status, int32_t result)
{
    struct call *call = of(number);
    if (!call || call->answered)
        return;
    call->answered = 1;
    call->status = (uint32_t)status;
    call->result = (uint32_t)result;
}
