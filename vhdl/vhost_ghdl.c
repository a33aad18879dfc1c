/*
 * vhost_ghdl.so: the C functions that the VHDL package vhost_pkg calls by VHPIDIRECT.
 *
 * cc -shared -fPIC -O2 -I include -o vhost_ghdl.so vhdl/vhost_ghdl.c -ldl
 *
 * It has no code of the library. It loads libvhost.so from its own folder, or by the loader's
 * search path, or the file in the variable VHOST_LIBRARY. For each system it has the memories of
 * backend `api`, which VHDL reads and writes by words, and the methods that VHDL serves. It prints
 * reports, in which functions have their names in VHDL.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VHOST_DECLARE_TESTBENCH
#include "vhost.h"

/* ---- The library ---------------------------------------------------------------------------------------------------- */

static const char library[] = "libvhost.so";

static void fail_at_exit(int status, void *unused);

/* Makes this object's symbols visible to the library: the memories and mb_sv_call. */
__attribute__((constructor)) static void show(void)
{
    Dl_info own = {0};
    on_exit(fail_at_exit, NULL);
    if (dladdr(library, &own) && own.dli_fname)
        dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

/* Loads the library, and makes its symbols visible to this object. */
static void *load(void)
{
    const char *named = getenv("VHOST_LIBRARY");
    char file[4096];
    void *found = NULL;
    Dl_info own = {0};

    dladdr(library, &own);
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

/* Address of a function of the library. Ends the run if it is missing. */
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

/* ---- Reports --------------------------------------------------------------------------------------------------------- */

enum { ERROR = 2, FATAL = 3, SEVERITIES = 4 };

/* Functions of the library with another name in VHDL. */
static const struct {
    const char *library, *vhdl;
} names[] = {
    {"mb_backdoor_read_mem", "mb_backdoor_read"},
    {"mb_backdoor_write_mem", "mb_backdoor_write"},
    {"mb_system_open", "mb_system"},
};

/* True once VHDL has ticked: then it serves methods, and a fatal report fails the run. Where another
 * program ticks, such as cocotb, that program does. */
static int is_ticking;

/* True after a failed call, and after a fatal report: then the run has no status 0. Errors of
 * firmware are reported by the name of its channel, and fail no run. */
static int has_failed;

/* Function of the library without a result that runs now: a report of an error by its name is its
 * failure. NULL otherwise. */
static const char *without_result;

/* Prints a report of the library or of this file. The id of a failed call is its function. */
void mb_report(int severity, const char *id, const char *text)
{
    static const char *const severities[SEVERITIES] = {"info", "warning", "error", "fatal"};
    size_t i;

    if (severity < 0 || severity >= SEVERITIES)
        severity = ERROR;
    if ((severity == FATAL && is_ticking) || (severity >= ERROR && without_result && strcmp(id, without_result) == 0))
        has_failed = 1;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].library, id) == 0)
            id = names[i].vhdl;
    printf("vhost: %s: %s: %s\n", severities[severity], id, text);
    fflush(stdout);
}

/* Reports a wrong call of a function. */
static void wrong(const char *function, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    has_failed = 1;
    mb_report(ERROR, function, text);
}

/* Result of a function of the library. A negative one is a failure. */
static int32_t checked(int64_t result)
{
    if (result < 0)
        has_failed = 1;
    return (int32_t)result;
}

/* Calls a function of the library that has no result. */
static void run(const char *name, void (*function)(void))
{
    without_result = name;
    function();
    without_result = NULL;
}

/* Ends a failed run with status 1 in place of 0, however VHDL has ended it. The library has
 * completed its files: it was loaded later, and its handlers of the exit have run before. */
static void fail_at_exit(int status, void *unused)
{
    (void)unused;
    if (status == 0 && has_failed) {
        fflush(NULL);
        _exit(1);
    }
}

/* ---- Systems: the first is number 0, others are numbered as they are opened ------------------------------------------ */

enum { SYSTEMS = 64, NAME = 64, PAGE = 4096, TABLE = 1 << 10 };

static struct system {
    void *handle;
    char name[NAME];
    /* Pages of the system's memories of backend `api`, by address: 4 KiB each, allocated at their
     * first write. */
    uint8_t **tables[1 << 10];
} systems[SYSTEMS];

static int32_t opened;

/* System of the call in progress, or the selected one. */
static int32_t current(void)
{
    int32_t number;
    void *handle;

    if (opened == 0)
        return 0;
    HOST(mb_system_current)
    handle = call();
    for (number = opened; number > 0 && systems[number].handle != handle; number--)
        ;
    return number;
}

/* Returns the number of the system of this name, which is opened if there is none; -1 on an
 * error. */
int32_t vhost_ghdl_system(const char *name)
{
    int32_t number;
    void *handle;
    HOST(mb_system_open)
    for (number = 1; number <= opened; number++)
        if (strcmp(systems[number].name, name) == 0)
            return number;
    if (number == SYSTEMS || strlen(name) >= NAME) {
        wrong("mb_system", "can't open `%s`: there are %d systems at most, with names of up to %d characters", name,
              SYSTEMS - 1, NAME - 1);
        return -1;
    }
    handle = call(name);
    if (!handle)
        return checked(-1);
    strcpy(systems[number].name, name);
    systems[number].handle = handle;
    opened = number;
    return number;
}

/* True for the number of a system. */
int32_t vhost_ghdl_is_system(int32_t number)
{
    return number >= 0 && number <= opened;
}

/* Returns -1 for an unknown system, which VHDL reports. */
int32_t vhost_ghdl_select(int32_t number)
{
    HOST(mb_system_select)
    return vhost_ghdl_is_system(number) ? call(systems[number].handle) : -1;
}

/* ---- Calls of firmware ----------------------------------------------------------------------------------------------- */

enum { CALLS = 64, DROPPED = 1024 };

/* Call of firmware, from its first poll until its response is delivered. */
static struct call {
    int32_t number, system;
    int taken, answered, polled;
    uint32_t status, arg_len;
    uint64_t args[16], result;
    char channel[NAME], method[NAME];
} calls[CALLS];

static int32_t last;

/* Numbers of the latest calls that have ended without a response: their channel was reset, or their
 * system was shut down or restored. Their answers are ignored. */
static int32_t dropped[DROPPED];
static size_t drops;

/* Drops the calls of the current system that were not polled, or all. */
static void drop_calls(int polled_stay)
{
    int32_t system = current();
    size_t i;
    for (i = 0; i < CALLS; i++) {
        if (calls[i].number == 0 || calls[i].system != system)
            continue;
        if (!polled_stay || !calls[i].polled) {
            dropped[drops++ % DROPPED] = calls[i].number;
            calls[i].number = 0;
        }
        calls[i].polled = 0;
    }
}

/* Call that a function of VHDL names by its number. NULL for one that has ended, which is an error
 * unless it was dropped. */
static struct call *of(const char *function, int32_t number)
{
    size_t i;
    for (i = 0; i < CALLS; i++)
        if (number != 0 && calls[i].number == number)
            return &calls[i];
    for (i = 0; i < DROPPED; i++)
        if (number != 0 && dropped[i] == number)
            return NULL;
    if (number > 0 && number <= last)
        wrong(function, "call %d was answered already: answer a call once, after its last use", (int)number);
    else
        wrong(function, "there was no call %d: give a number that mb_next_call has returned", (int)number);
    return NULL;
}

/* ---- Life of the system ---------------------------------------------------------------------------------------------- */

int32_t vhost_ghdl_init(const char *mem, const char *mailbox, const char *files)
{
    HOST(mb_init)
    return checked(call(mem, mailbox, files));
}

int32_t vhost_ghdl_exit_code(void)
{
    uint32_t code = 0;
    HOST(mb_exit_code)
    checked(call("", &code));
    return (int32_t)code;
}

void vhost_ghdl_notify(void)
{
    HOST(mb_notify)
    run("mb_notify", call);
}

void vhost_ghdl_status(void)
{
    const char *status;
    size_t length;
    HOST(mb_status)
    without_result = "mb_status";
    status = call();
    without_result = NULL;
    length = strlen(status);
    fputs(status, stdout);
    if (length == 0 || status[length - 1] != '\n')
        putchar('\n');
    fflush(stdout);
}

void vhost_ghdl_shutdown(void)
{
    HOST(mb_shutdown)
    run("mb_shutdown", call);
    drop_calls(0);
}

int32_t vhost_ghdl_save(const char *file)
{
    HOST(mb_save)
    return checked(call(file));
}

int32_t vhost_ghdl_restore(const char *file)
{
    int32_t result;
    HOST(mb_restore)
    result = checked(call(file));
    /* A pending call of the checkpoint is polled anew: it is none of those that wait now. */
    if (result == 0)
        drop_calls(0);
    return result;
}

void vhost_ghdl_quit(int32_t status)
{
    HOST(mb_quit)
    /* A failed run goes on in a snapshot, if there is one. */
    call(status == 0 && has_failed ? 1 : status);
}

/* ---- Backdoor: addresses of 32 bits, as VHDL's integers are ---------------------------------------------------------- */

/* Reports a number of bytes that a word can't have. */
static int is_length(const char *function, int32_t bytes)
{
    if (bytes == 1 || bytes == 2 || bytes == 4)
        return 1;
    wrong(function, "a word of %d bytes: give 1, 2 or 4", (int)bytes);
    return 0;
}

int32_t vhost_ghdl_read(const char *space, int32_t address, int32_t bytes)
{
    uint32_t data = 0;
    HOST(mb_backdoor_read_mem)
    if (is_length("mb_backdoor_read", bytes))
        checked(call(space, (uint32_t)address, &data, (uint64_t)bytes));
    return (int32_t)data;
}

void vhost_ghdl_write(const char *space, int32_t address, int32_t bytes, int32_t data)
{
    HOST(mb_backdoor_write_mem)
    if (is_length("mb_backdoor_write", bytes))
        checked(call(space, (uint32_t)address, &data, (uint64_t)bytes));
}

/* ---- Memories of backend `api` --------------------------------------------------------------------------------------- */

static uint8_t *byte(int32_t system, uint64_t address, int make)
{
    uint32_t page = (uint32_t)(address / PAGE);
    uint8_t ***table = &systems[system].tables[page / TABLE], **found;

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

/* Number of bytes from an address to the end of its page, `len` at most. */
static size_t in_page(uint64_t address, size_t len)
{
    size_t left = (size_t)(PAGE - address % PAGE);
    return len < left ? len : left;
}

static size_t read_bytes(int32_t system, uint64_t address, uint8_t *data, size_t len)
{
    size_t done = 0, step;
    for (; done < len && (address + done) >> 32 == 0; done += step) {
        const uint8_t *from = byte(system, address + done, 0);
        step = in_page(address + done, len - done);
        if (from)
            memcpy(data + done, from, step);
        else
            memset(data + done, 0, step);
    }
    return done;
}

static size_t write_bytes(int32_t system, uint64_t address, const uint8_t *data, size_t len)
{
    size_t done = 0, step;
    for (; done < len; done += step) {
        uint8_t *to = byte(system, address + done, 1);
        step = in_page(address + done, len - done);
        if (!to)
            break;
        memcpy(to, data + done, step);
    }
    return done;
}

size_t __vhost_bb_mem_read(uint64_t base, uint64_t address, uint8_t *data, size_t len)
{
    (void)base;
    return read_bytes(current(), address, data, len);
}

size_t __vhost_bb_mem_write(uint64_t base, uint64_t address, const uint8_t *data, size_t len)
{
    (void)base;
    return write_bytes(current(), address, data, len);
}

/* Reports the first access to an unknown system. */
static int has_memory(const char *function, int32_t system)
{
    static int is_reported;
    if (vhost_ghdl_is_system(system))
        return 1;
    if (!is_reported)
        wrong(function, "there is no system %d: give a number that mb_system has returned", (int)system);
    is_reported = 1;
    return 0;
}

/* Returns the word at an address of a system. The low two bits are ignored. */
int32_t vhost_ghdl_load(int32_t system, int32_t address)
{
    uint32_t word = 0;
    if (has_memory("vhost_load", system))
        read_bytes(system, (uint32_t)address & ~3u, (uint8_t *)&word, sizeof word);
    return (int32_t)word;
}

/* Stores the bytes of a word whose strobes are 1. */
void vhost_ghdl_store(int32_t system, int32_t address, int32_t data, int32_t strobes)
{
    uint32_t word = (uint32_t)data, i;
    for (i = 0; i < 4 && has_memory("vhost_store", system); i++)
        if (strobes >> i & 1)
            write_bytes(system, ((uint32_t)address & ~3u) + i, (uint8_t *)&word + i, 1);
}

/* ---- Methods --------------------------------------------------------------------------------------------------------- */

uint64_t mb_sv_call(const char *channel, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status)
{
    struct call *free = NULL;
    int32_t system = current();
    size_t i;

    for (i = 0; i < CALLS; i++) {
        struct call *known = &calls[i];
        if (known->number == 0)
            free = known;
        else if (known->system == system && strcmp(known->channel, channel) == 0 && strcmp(known->method, method) == 0) {
            known->polled = 1;
            *status = known->answered ? known->status : 1;
            if (known->answered)
                known->number = 0;
            return known->result;
        }
    }
    /* 2: no such method. */
    *status = 2;
    if (!is_ticking)
        return 0;
    /* 3: failed. */
    *status = 3;
    if (!free || strlen(channel) >= NAME || strlen(method) >= NAME) {
        wrong("mb_next_call", "can't take `%s` of %s: there are %d calls at most, with names of up to %d characters", method,
              channel, CALLS, NAME - 1);
        return 0;
    }
    memset(free, 0, sizeof *free);
    last = last == INT32_MAX ? 1 : last + 1;
    free->number = last;
    free->system = system;
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
    int32_t served;
    HOST(mb_tick)
    is_ticking = 1;
    served = checked(call());
    /* A call without a poll in this tick has ended: its channel was reset. */
    drop_calls(1);
    return served;
}

int32_t vhost_ghdl_next_call(void)
{
    struct call *oldest = NULL;
    int32_t system = current();
    size_t i;
    for (i = 0; i < CALLS; i++)
        if (calls[i].number != 0 && calls[i].system == system && !calls[i].taken && (!oldest || calls[i].number < oldest->number))
            oldest = &calls[i];
    if (!oldest)
        return 0;
    oldest->taken = 1;
    return oldest->number;
}

int32_t vhost_ghdl_call_is(int32_t number, const char *method)
{
    const struct call *call = of("mb_call_is", number);
    return call && strcmp(call->method, method) == 0;
}

int32_t vhost_ghdl_call_args(int32_t number)
{
    const struct call *call = of("mb_call_args", number);
    return call ? (int32_t)call->arg_len : 0;
}

int32_t vhost_ghdl_call_arg(int32_t number, int32_t index)
{
    const struct call *call = of("mb_call_arg", number);
    return call && index >= 0 && index < 16 ? (int32_t)(uint32_t)call->args[index] : 0;
}

/* Ends a call. Status 0: success with the result; 2: no such method; 3: failed. */
void vhost_ghdl_answer(int32_t number, int32_t status, int32_t result)
{
    const char *function = status == 0 ? "mb_answer" : status == 2 ? "mb_no_method" : "mb_fail";
    struct call *call = of(function, number);
    if (!call)
        return;
    if (call->answered) {
        wrong(function, "call %d was answered already: answer a call once", (int)number);
        return;
    }
    call->taken = 1;
    call->answered = 1;
    call->status = (uint32_t)status;
    call->result = (uint32_t)result;
}
