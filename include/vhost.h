/*
 * vhost: serves firmware in a simulated chip through mailbox queues in its memory.
 *
 * Link with libvhost.so, or with libvhost.a and `-lpthread -ldl -lm`. SystemVerilog imports the same names through DPI
 * and needs no header.
 *
 * There is one system per process, unless others are opened beside it (mb_system_open): each function is for the system that is selected
 * then. Calls come from any thread, one at a time, as a simulator makes them, whichever system they are for. A call that begins while
 * another thread is inside one is refused: it fails, does nothing, and is the last error of the next call. The first one is reported by
 * that, too; those that follow are reported as a number when a system begins or ends. A thread is inside until its call returns, also
 * while the library calls the testbench; only mb_server_run is left while mb_step runs.
 *
 * Functions that don't say otherwise build the system at first use from the environment: MEM_CFG_FILE, MAILBOX_CFG_FILE,
 * MAILBOX_FS_ROOT. Where that fails it is reported once, and each of them fails until mb_init or mb_shutdown.
 *
 * Errors are reported by mb_report (below), or on stderr where the program has none. A function without a status of its own
 * leaves its result at zero or the empty string. A NULL, a text that is not UTF-8, an unknown name or an address
 * outside of the map is an error and never a crash. Texts that are returned stay valid until the next call of the same
 * function; other calls, also ones that fail, leave them alone.
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

/*
 * Registers the system tasks ($mb_init, $mb_tick, ...; docs/icarus.md) with a simulator that has VPI. For a VPI module of your own, among
 * its startup routines; vhost.vpi does so by itself. 0, or -1 if the process has no VPI. Builds nothing.
 */
int vhost_register_system_tasks(void);

/* ---- Life of the system --------------------------------------------------------------------------------------------- */

/*
 * Builds the system: memory YAML, mailbox YAML, root directory of firmware's files. NULL or "" takes the one from the
 * environment; in either, `$VAR`, `${VAR}` and a `~` at the start are expanded. Call it from the package or module that exports mb_step, mb_sv_call and the others, imported as
 * `context`: they are then found there. Returns 0, or -1 (see mb_last_error). A system that is there already is an error,
 * unless it was built from the environment by another function and this call asks for the same, or its simulation was deleted: then
 * that system is dropped first. Where models are constructed and deleted, call it when the model is there.
 * An error inside a function that the library calls.
 */
int mb_init(const char *mem_cfg, const char *mailbox_cfg, const char *fs_root);

/*
 * One clock, or N: looks at the mailboxes and serves what can be served. Returns the number of channels that have not
 * exited, 0 when all have, -1 after a fatal error. An error inside a function that the library calls.
 */
int mb_tick(void);

/* Doorbell: a mailbox was written, and the next mb_tick looks at it. Builds nothing. */
void mb_notify(void);

/*
 * Calls mb_tick and the testbench's mb_step in turn until mb_tick returns 0 or -1. In SystemVerilog it is a task. Returns 0, or
 * 1 where the simulator disables the task. An error inside a function that the library calls.
 */
int mb_server_run(void);

/*
 * Flushes prints, drops the system and closes all sockets; mb_init may follow. Builds nothing. An error inside a function that the
 * library calls.
 */
void mb_shutdown(void);

/*
 * As mb_shutdown for each system, and then ends the process with this status, as exit() does. For the end of a run that has failed: a
 * simulator's own status says so on some simulators only. From any thread. Inside a function that the library calls it is exit(): what is
 * recorded and printed is written out, and the system is not shut down. Called by a signal handler that has interrupted the library, it
 * returns, and the process ends when the interrupted call does; one that has interrupted other code must not call it, unless that
 * code may be interrupted by exit().
 */
void mb_quit(int status);

/*
 * Names the DPI scope in which mb_step, mb_sv_call, mb_report and the other functions of the testbench are exported: a module's path or
 * a package's name, as svGetNameFromScope has it ("top.tb"). For programs that drive the model themselves, as a main() in C++ does
 * with Verilator; a call from SystemVerilog has a scope of its own. It comes before the scope that mb_init is called from, and holds
 * until the system is shut down. NULL or "" takes it back. Without it, VHOST_SCOPE of the environment is looked at by mb_init.
 * Returns 0, or -1 where the simulator has no such scope now. Builds nothing.
 */
int mb_set_scope(const char *name);

/* Events for mb_observe. */
#define VHOST_OBSERVE_SERVED 1u
#define VHOST_OBSERVE_WRITTEN 2u

/*
 * Enables calls of mb_served for served requests and of mb_written for writes into memory, until the system is shut down. Events that
 * are not enabled cost nothing. Builds nothing: call it before mb_init to observe the first writes, too.
 */
void mb_observe(uint32_t what);

/*
 * Reports each channel that makes no progress for this many ticks from now on, with this severity (as in mb_report) and the text of
 * mb_status: once, until it makes progress again. Fatal ends service: mb_tick returns -1. 0 ticks disable it. It holds until the system is
 * shut down, and overrides VHOST_WATCHDOG of the environment. Returns 0, or -1 for an unknown severity. Builds nothing.
 */
int mb_watchdog(uint64_t ticks, int severity);

/*
 * Attaches loggers, checkers and collectors by their names, with commas between them, as the environment variable VHOST_ATTACH
 * does: "check", "log=requests.log", "log-json", "statistics=requests.json" (docs/attach.md). They observe messages from now on, or from
 * the first one if called before mb_init. They are detached with the system. Builds nothing. Returns 0; -1 for an unknown name, with
 * nothing attached; -1 for a file that can't be written, with those before it attached.
 */
int mb_attach(const char *list);

/* ---- Several systems in one process (docs/systems.md) ------------------------------------------------------------------ */

/*
 * Opens a system beside the first, which is as the first one is before mb_init, and returns its handle; NULL for an error. It has its own
 * configuration, memories, files, sockets, recording, attachments, watchdog, status, exit codes and last error. `name` is for names of
 * files (`%s`) and for configurations (`${VHOST_SYSTEM}`): letters, digits and `_ - . [ ]`; no two systems have the same, and "main" is
 * the first one's. The new system is not selected. A handle is never dereferenced; one that is not known, or not any more, is an error.
 * At most 4095 are open at a time. Builds nothing.
 */
void *mb_system_open(const char *name);

/*
 * The system of the DPI scope that it is called from, which is opened if there is none: its handle, or NULL. From then on calls from that
 * scope, and from scopes inside of it, are for this system, whichever is selected. With VHOST_SYSTEMS=scope in the environment mb_init
 * does so. Builds nothing.
 */
void *mb_system_of_scope(void);

/*
 * Selects the system that later calls are for, of any thread: this one, or with NULL the first. Calls from a function that the library
 * calls are for the system that calls it, unless the function selects another one; that holds until the function returns. Returns 0, or
 * -1 for a handle that is not known: then nothing has changed. Builds nothing.
 */
int mb_system_select(void *system);

/* Handle of the system that this call is for; NULL of the first. Builds nothing. */
void *mb_system_current(void);

/* Name of the system that this call is for; "main" of the first. Builds nothing. */
const char *mb_system_name(void);

/*
 * As mb_shutdown for this system, and ends its handle. If it was selected, the first one is from now on; in a function that the library calls, the
 * system that calls it. Returns 0, or -1: for NULL or a handle that is not known, and inside a function that this system calls.
 */
int mb_system_close(void *system);

/* ---- Forks: copies of the process (docs/snapshots.md) ----------------------------------------------------------------- */

/*
 * For a process that is forked by somebody else: mb_fork_prepare before fork(), then one of the other two on either side, on the same
 * thread. In between, calls of other threads are refused. In the child, recordings, logs and tables go on in files of their own, which
 * begin as copies; the position of an open file is the child's own; sockets and clients stay with the parent, with one report: the child's
 * handles behave as if nobody connected and every client had left; Python goes on, without the threads that it has started, with one report. The next call notices a fork without mb_fork_prepare: Python can't be called then. After a fork inside a call the host stays
 * with the parent. 0, or -1: called in the wrong place, or on the wrong side. An error inside a function that the library calls.
 */
int mb_fork_prepare(void);
int mb_fork_parent(void);
int mb_fork_child(void);

/*
 * Takes a snapshot of the process every `ticks` ticks from now on, and keeps the `keep` newest: processes that sleep, and end with this
 * one. They are no children of it. With 0 ticks only mb_snapshot takes them; to keep 0 ends them all. The process must have one thread; with more, the first
 * snapshot is an error and none is due any more. 0, or -1. An error inside a function that the library calls.
 */
int mb_snapshots(uint64_t ticks, uint32_t keep);

/*
 * Takes a snapshot now, which counts among those that mb_snapshots keeps. Returns 0; 1 in a snapshot that was woken; -1 for several threads,
 * or without mb_snapshots before. An error inside a function that the library calls.
 */
int mb_snapshot(void);

/*
 * Wakes the newest snapshot that is there, which returns from the call it was taken in (mb_tick, mb_snapshot), and waits for its end. Returns its exit status, or 128 and
 * the number of the signal that ended it; -1 without a snapshot, as in one that was woken (mb_last_error says which). mb_quit does so if its status is not 0.
 * Builds nothing.
 */
int mb_rerun(void);

/* 1 in a snapshot that was woken, else 0. Builds nothing. */
int mb_is_rerun(void);

/*
 * Forks `count` children, of which at most `parallel` run at once. In each it returns the child's number, from 0; in the parent it
 * returns `count` when all have ended, or -1 if the process can't be forked. Snapshots of the parent stay; a child has none. An error inside a
 * function that the library calls.
 */
int mb_runs(uint32_t count, uint32_t parallel);

/* Exit status of a run of the last mb_runs, as mb_rerun gives it; -1 if there is none. Builds nothing. */
int mb_run_status(uint32_t run);

/* Moves the root of firmware's files to another directory; open files stay open. 0, or -1. */
int mb_set_file_root(const char *dir);

/* ---- Checkpoints: the state of the system in a file (docs/checkpoints.md) ----------------------------------------------- */

/*
 * Writes the state of the system to a file, which appears when it is complete: channels with the requests in service, open files with their
 * positions, exit codes, statistics, ticks, text without an end of line, and memories of backend `static`. Other memories are the
 * simulator's. Called between two calls of mb_tick. 0, or -1; an error inside a function that the library calls.
 */
int mb_save(const char *file);

/*
 * Goes on from such a file, after mb_init with the same configuration, once the simulator has restored its own memories. Files are opened again
 * by their paths, without truncation; operations on one that is gone or shorter fail with EIO. Pending calls are polled anew; Python
 * and the connections of sockets are not kept. What is not as it was is reported. 0, or -1: a file that is none, damaged, or of another
 * configuration changes nothing.
 */
int mb_restore(const char *file);

/*
 * Adds bytes to the standard input (descriptor 0) of a channel, whose configuration has `stdio: {stdin: testbench}`. Returns the bytes
 * taken, fewer than given if more than 16 MiB would wait for firmware; -1 for another channel, or after mb_stdin_close. A read that
 * waits is answered at once. mb_stdin_write_bytes takes a whole array, imported as `byte unsigned data[]`.
 */
int64_t mb_stdin_write(const char *ch, const void *data, uint64_t len);
int mb_stdin_write_bytes(const char *ch, const svOpenArrayHandle data);

/* Ends the standard input of a channel: a read behind the last byte gives 0 bytes. 0, or -1. */
int mb_stdin_close(const char *ch);

/*
 * Carries out an operation of semihosting that firmware of a channel with `abi: semihosting` asks for. The hart is at the trap: `op` is a0
 * (Arm: r0), `arg` is a1 (r1). 1 with the value for a0 in `result`: the hart continues behind the trap, with all other registers as they
 * are. 0 while the operation waits for standard input: nothing was done, call again in a later tick. -1 for a channel without
 * semihosting, or whose firmware has exited.
 */
int mb_semihost(const char *ch, uint32_t hart, uint64_t op, uint64_t arg, uint64_t *result);

/*
 * Replaces traps of semihosting that firmware has copied or unpacked itself, in `len` bytes from `addr` on: call it when the code is there,
 * or with the address of a trap that a hart has reached. The number of replaced traps; each that stays is a report with its address. -1
 * for a channel without code in place of traps.
 */
int mb_semihost_replace(const char *ch, uint64_t addr, uint64_t len);

/* ---- Queries -------------------------------------------------------------------------------------------------------- */

/* Text of the last error of the system, of any thread's call; "" if there was none. Builds nothing. */
const char *mb_last_error(void);

/*
 * Status of all channels: per channel one line on the next step due, and indented lines with its queue indices and last requests; or the
 * reason why there is no channel. It may read the channels' memory. Builds nothing.
 */
const char *mb_status(void);

/*
 * Exit code of a channel; of all channels if `ch` is "": the first code other than 0 in the order of the configuration, else 0. Returns 1
 * with the code; 0, and code 0, if the channel, or one of all, has not exited; -1 for an unknown channel. Builds nothing: 0 without a
 * system.
 */
int mb_exit_code(const char *ch, uint32_t *code);

/* Name of a channel's address space. */
void mb_get_space(const char *ch, const char **space);

/*
 * Value and size of a symbol of a channel's image, or of any image that was loaded into a space. The value of a function or a variable is
 * its virtual address; the size is 0 where the image does not have it. 0, or -1 for an unknown place or symbol: then both are 0.
 */
int mb_symbol(const char *place, const char *name, uint64_t *value, uint64_t *size);

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

/* A whole array, imported as `byte unsigned data[]`. Returns the bytes moved, or -1. */
int mb_backdoor_write_block(const char *space, uint64_t addr, const svOpenArrayHandle data);
int mb_backdoor_read_block(const char *space, uint64_t addr, const svOpenArrayHandle data);

/* A whole C array. Returns the bytes moved, or -1. */
int64_t mb_backdoor_write_mem(const char *space, uint64_t addr, const void *data, uint64_t len);
int64_t mb_backdoor_read_mem(const char *space, uint64_t addr, void *data, uint64_t len);

/* Loads an ELF image at its physical addresses. Returns 0 or -1. */
int mb_load_elf(const char *space, const char *file);

/* ---- Calls ---------------------------------------------------------------------------------------------------------- */

/*
 * Polls a method once, as firmware's CALL does on every tick: the host program's, else Python's (if built in), else the testbench's.
 * Returns the result. `*status` becomes 0: ready; 1: pending, poll again whenever you like; 2: no such method; 3: failed. The first
 * poll begins the call, and one poll is given its result.
 */
uint64_t __mb_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status);

/* ---- Sockets -------------------------------------------------------------------------------------------------------- */

/*
 * TCP servers on 127.0.0.1, for debuggers, terminals and scripts. Non-blocking: the testbench polls, once per clock or so.
 * They need no system and build none: they are open from c_skt_open to c_skt_close or mb_shutdown, independent of mb_init. A handle may be
 * used whichever system is selected; mb_shutdown closes those that were opened while its system was.
 *
 * `skt` is a handle, which is never dereferenced; `id` the number of a client: from 1, and never used again while the socket is
 * open. A handle or id that is not (or no longer) known is an error. Every integer goes over the wire little endian.
 *
 * What can't be sent now is queued, and goes out in later c_skt_* calls and mb_ticks. A client for which more than 1 MiB would be
 * queued is dropped. A client that is gone keeps its id until c_skt_disconnect, and what it sent can be read to its end; that
 * a client has gone is reported only where bytes for it are lost.
 */

/* Listens on a port, on a free one where it is 0: a handle, or NULL. `name` is for greetings and reports. */
void *c_skt_open(const char *name, uint32_t port);

/* The port in use, or -1. */
int c_skt_port(void *skt);

/*
 * What later clients are sent first; "" for nothing, as binary protocols need it. `{name}`, `{id}` and `{addr}` (where the socket
 * listens) are filled in. It is "[{name}-{id}] Connected to {addr}!\n" unless it is set.
 */
void c_skt_greet(void *skt, const char *text);

/*
 * Takes a client that waits: its id, 0 where there is none, -1 on error. What keeps it from taking any, a limit of files say, is an
 * error once; then it is 0 until that has changed.
 */
int c_skt_accept(void *skt);

/* Bytes sent or queued, which is all of them, or -1. */
int c_skt_write_u8(void *skt, int id, uint8_t data);
int c_skt_write_u16(void *skt, int id, uint16_t data);
int c_skt_write_u32(void *skt, int id, uint32_t data);
int c_skt_write_u64(void *skt, int id, uint64_t data);

/* The number of bytes read; 0 where they are not all there, and none is taken; -1 on error and at the end of the stream. */
int c_skt_read_u8(void *skt, int id, uint8_t *data);
int c_skt_read_u16(void *skt, int id, uint16_t *data);
int c_skt_read_u32(void *skt, int id, uint32_t *data);
int c_skt_read_u64(void *skt, int id, uint64_t *data);

/* A string and its NUL: bytes sent or queued, or -1. */
int c_skt_write_string(void *skt, int id, const char *s);

/*
 * A string, whose NUL is taken too: its length; 0 and "" where no NUL has arrived; -1 on error, at the end of the stream, and where
 * 65536 bytes have come without a NUL.
 */
int c_skt_read_string(void *skt, int id, const char **s);

/*
 * An array, imported as `byte unsigned data[]`. All of it is written: bytes sent or queued, or -1. As much of it is read as has
 * arrived, at most 65536 bytes: bytes read, 0 where there are none, -1 on error and at the end of the stream.
 */
int c_skt_write_bytes(void *skt, int id, const svOpenArrayHandle data);
int c_skt_read_bytes(void *skt, int id, const svOpenArrayHandle data);

/* Ends a connection. What is queued still goes out. */
void c_skt_disconnect(void *skt, int id);

/* Stops listening and disconnects all clients. */
void c_skt_close(void *skt);

/* ---- Functions of the testbench -------------------------------------------------------------------------------------- */

/*
 * The library looks these up in the program; SystemVerilog exports them. All are optional: a missing one is an error only where it is
 * needed. They are declared on request, since a simulator's generated header may declare them differently.
 */
#ifdef VHOST_DECLARE_TESTBENCH

/* Waits for the next clock. */
void mb_step(void);

/*
 * Polls a method once; statuses as for __mb_call. `args` always has 16 words. A pending call of firmware's is polled in every mb_tick: a
 * tick without a poll means that firmware has reset the channel, and the next poll belongs to another call. Polls outside of mb_tick
 * are those of __mb_call, at the pace of whoever calls it; a reset ends no call of these.
 */
uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status);

/* A channel has exited. */
void mb_exit(uint32_t code);

/* A channel has exited, with its name. */
void mb_exited(const char *ch, uint32_t code);

/* Registers a channel: once each, from mb_init, else from mb_server_run or the first mb_tick. */
void sv_registery_ch(const char *ch);

/* A report. Severity 0 info, 1 warning, 2 error, 3 fatal. Errors that arise inside it go to stderr. */
void mb_report(int severity, const char *id, const char *msg);

/* A line of firmware's text, without its line end. Without this function lines go to stdout as `[ch] text`. */
void mb_print(const char *ch, const char *text);

/*
 * A request was served, `ticks` after it was taken from its slot. If `answered` is 1, the response follows with `result`.
 * `args` always has 20 words, of which `words` count. The result of a failed request is a negated error number of
 * the channel's pointer width. Needs VHOST_OBSERVE_SERVED.
 *
 * Requests of other protocols have slot 0xffffffff and an action from 0x40000000 on: commands of HTIF 0x40000000 + device * 256 + command,
 * operations of semihosting 0x41000000 + number, transfers of RTT 0x42000000 up and 0x42000001 down. docs/htif.md and the like have the
 * arguments.
 */
void mb_served(const char *ch, uint32_t slot, uint32_t action, uint32_t words, const uint64_t *args, uint32_t ticks, uint32_t answered, uint64_t result);

/*
 * The library has written memory: images, words of mailboxes, requests of firmware, the backdoor, in the order of the writes. Up to 64
 * bytes per call; `data` always has 64. A write to a memory of several spaces is reported once, in the writer's space. Needs
 * VHOST_OBSERVE_WRITTEN.
 */
void mb_written(const char *space, uint64_t addr, uint32_t len, const uint8_t *data);

/* A black-box memory of the testbench, backends `uvm` and `vpi`; the address is relative to the memory's base. */
void mb_bb_mem_read(const char *name, uint64_t addr, uint8_t *data);
void mb_bb_mem_write(const char *name, uint64_t addr, uint8_t data);

/* The same for up to 64 bytes per call; `data` always has 64. */
void mb_bb_mem_read_block(const char *name, uint64_t addr, uint32_t len, uint8_t *data);
void mb_bb_mem_write_block(const char *name, uint64_t addr, uint32_t len, const uint8_t *data);

/* A black-box memory of a C model, backend `api`; the address is absolute. Returns the number of bytes moved. */
size_t __vhost_bb_mem_read(uint64_t base, uint64_t addr, uint8_t *data, size_t len);
size_t __vhost_bb_mem_write(uint64_t base, uint64_t addr, const uint8_t *data, size_t len);

#endif /* VHOST_DECLARE_TESTBENCH */

#ifdef __cplusplus
}
#endif

#endif /* VHOST_H */
