/*
 * vhost: serves firmware in a simulated chip through mailbox queues in its memory.
 *
 * Link with libvhost.so, or with libvhost.a and `-lpthread -ldl -lm`. SystemVerilog imports the same names through DPI
 * and needs no header.
 *
 * There is one system per process. It belongs to the thread that initialised it, which for a simulator is the one that it
 * calls DPI functions on; a call from another thread is an error. Functions that don't say otherwise build the system at
 * first use from the environment: MEM_CFG_FILE, MAILBOX_CFG_FILE, MAILBOX_FS_ROOT. Where that fails it is reported
 * once, and each of them fails until mb_init or mb_shutdown.
 *
 * Errors are reported by mb_report (below), or on stderr where the program has none. A function without a status of its own
 * leaves its result at zero or the empty string. A NULL, a text that is not UTF-8, an unknown name or an address
 * outside of the map is an error and never a crash. Texts that are returned stay valid until the next call of the same
 * function.
 *
 * A test of the library compares every prototype here with the function behind it.
 */
#ifndef VHOST_H
#define VHOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As in svdpi.h. */
typedef void *svOpenArrayHandle;

/* ---- Life of the system --------------------------------------------------------------------------------------------- */

/*
 * Builds the system: memory YAML, mailbox YAML, root directory of firmware's files. NULL or "" takes the one from the
 * environment. Call it from the package or module that exports mb_step, mb_sv_call and the others, imported as
 * `context`: they are then found there. Returns 0, or -1 (see mb_last_error). A system that is there already is an error,
 * unless it was built from the environment by another function and this call asks for the same.
 * An error inside a function that the library calls.
 */
int mb_init(const char *mem_cfg, const char *mailbox_cfg, const char *fs_root);

/*
 * One clock, or N: looks at the mailboxes and serves what can be served. Returns the number of channels that have not
 * exited, 0 when all have, -1 after a fatal error. An error inside a function that the library calls.
 */
int mb_tick(void);

/* Something was written to a mailbox: the next mb_tick looks. Builds nothing. */
void mb_notify(void);

/*
 * Calls mb_tick and the testbench's mb_step in turn until mb_tick returns 0 or -1. In SystemVerilog it is a task. Returns 0, or
 * 1 where the simulator disables the task. An error inside a function that the library calls.
 */
int mb_server_run(void);

/* Flushes prints and drops the system; mb_init may follow. Builds nothing. An error inside a function that the library calls. */
void mb_shutdown(void);

/* ---- Inquiries ------------------------------------------------------------------------------------------------------ */

/* The last error of this thread's calls, "" where there was none. Builds nothing. */
const char *mb_last_error(void);

/* What each channel waits for, a line each, or why there is no channel. Builds nothing. */
const char *mb_status(void);

/* The name of a channel's address space. */
void mb_get_space(const char *ch, const char **space);

/* ---- Backdoor: the memories of a space, little endian --------------------------------------------------------------- */

void mb_backdoor_write_u8(const char *space, uint64_t addr, uint8_t data);
void mb_backdoor_write_u16(const char *space, uint64_t addr, uint16_t data);
void mb_backdoor_write_u32(const char *space, uint64_t addr, uint32_t data);
void mb_backdoor_write_u64(const char *space, uint64_t addr, uint64_t data);

void mb_backdoor_read_u8(const char *space, uint64_t addr, uint8_t *data);
void mb_backdoor_read_u16(const char *space, uint64_t addr, uint16_t *data);
void mb_backdoor_read_u32(const char *space, uint64_t addr, uint32_t *data);
void mb_backdoor_read_u64(const char *space, uint64_t addr, uint64_t *data);

/* A string and its NUL; any bytes but NUL. At most 4096 bytes are read, the NUL among them. */
void mb_backdoor_write_string(const char *space, uint64_t addr, const char *data);
void mb_backdoor_read_string(const char *space, uint64_t addr, const char **data);

/* All of an array, imported as `byte unsigned data[]`. Bytes moved, or -1. */
int mb_backdoor_write_block(const char *space, uint64_t addr, const svOpenArrayHandle data);
int mb_backdoor_read_block(const char *space, uint64_t addr, const svOpenArrayHandle data);

/* All of a C array. Bytes moved, or -1. */
int64_t mb_backdoor_write_mem(const char *space, uint64_t addr, const void *data, uint64_t len);
int64_t mb_backdoor_read_mem(const char *space, uint64_t addr, void *data, uint64_t len);

/* Loads an ELF image at its physical addresses. 0, or -1. */
int mb_load_elf(const char *space, const char *file);

/* ---- Calls ---------------------------------------------------------------------------------------------------------- */

/*
 * One poll of a method, as firmware's CALL makes on every tick: the host program's, or Python's where the library was built with it, or
 * else the testbench's. `*status` becomes 0: ready, and the result is returned; 1: pending, ask again on the next tick; 2: there is no
 * such method; 3: it failed.
 */
uint64_t __mb_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status);

/* ---- What the library looks for ------------------------------------------------------------------------------------- */

/*
 * The program may define any of these; SystemVerilog exports them. One that is missing is an error only where it is
 * needed. They are declared on request, since a simulator's own header may declare them in its own words.
 */
#ifdef VHOST_DECLARE_TESTBENCH

/* Waits for the next clock. */
void mb_step(void);

/*
 * One poll of a method; statuses as for __mb_call. `args` always has 16 words. A call that is pending is polled on every tick:
 * where a tick passes without a poll, firmware has reset the channel, and the next poll is another call's.
 */
uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status);

/* A channel has exited. */
void mb_exit(uint32_t code);

/* A channel is there: once for each, from mb_init, or else from mb_server_run or the first mb_tick. */
void sv_registery_ch(const char *ch);

/* Something to read. Severity 0 info, 1 warning, 2 error, 3 fatal. Errors that arise inside it are shown on stderr. */
void mb_report(int severity, const char *id, const char *msg);

/* A black-box memory of the testbench's, backends `uvm` and `vpi`; the address is relative to the memory's base. */
void mb_bb_mem_read(const char *name, uint64_t addr, uint8_t *data);
void mb_bb_mem_write(const char *name, uint64_t addr, uint8_t data);

/* The same for up to 64 bytes at once; `data` always has 64. */
void mb_bb_mem_read_block(const char *name, uint64_t addr, uint32_t len, uint8_t *data);
void mb_bb_mem_write_block(const char *name, uint64_t addr, uint32_t len, const uint8_t *data);

/* A black-box memory that a C model holds, backend `api`; the address is absolute. The number of bytes moved. */
size_t __vhost_bb_mem_read(uint64_t base, uint64_t addr, uint8_t *data, size_t len);
size_t __vhost_bb_mem_write(uint64_t base, uint64_t addr, const uint8_t *data, size_t len);

#endif /* VHOST_DECLARE_TESTBENCH */

#ifdef __cplusplus
}
#endif

#endif /* VHOST_H */
