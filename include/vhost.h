/*
 * vhost: serves firmware in a simulated chip through mailbox queues in its memory.
 *
 * Link with libvhost.so, or with libvhost.a and `-lpthread -ldl -lm`. SystemVerilog imports the
 * same functions through DPI and needs no header.
 *
 * Systems: a process has one system, unless others are opened beside it (mb_system_open). Each
 * function acts on the selected system.
 *
 * Threads: calls come from any thread, one at a time for all systems together. A thread is inside
 * of a call until it returns, also while the library calls the testbench; only mb_server_run is
 * left while mb_step runs. A call that begins while another thread is inside of one is refused: it
 * fails and does nothing. The refusal is the last error of the next call, and that call reports the
 * first refusal. The number of later ones is reported when a system begins or ends.
 *
 * Start: a function builds the system at first use from the environment variables MEM_CFG_FILE,
 * MAILBOX_CFG_FILE and MAILBOX_FS_ROOT, unless its comment says "Builds no system." A failed start
 * is reported once; afterwards each of these functions fails until mb_init or mb_shutdown.
 *
 * Errors: reported by mb_report (below), or on stderr if the program does not define it. A function
 * that returns no status leaves its result at zero or the empty string after an error. A NULL, a
 * string that is not UTF-8, an unknown name or an unmapped address is an error and never a crash.
 *
 * Returned strings: valid until the next call of the same function. Other calls, failed ones
 * included, do not change them.
 *
 * A test of the library compares every prototype of this file with the exported function.
 */
#ifndef VHOST_H
#define VHOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Same type as in svdpi.h. */
typedef void *svOpenArrayHandle;

/*
 * Registers the system tasks ($mb_init, $mb_tick, ...; docs/icarus.md) with a simulator that has
 * VPI. A VPI module of your own has it among its startup routines; vhost.vpi calls it by itself.
 * Returns 0, or -1 if the process has no VPI. Builds no system.
 */
int vhost_register_system_tasks(void);

/* ---- Life of the system --------------------------------------------------------------------------------------------- */

/*
 * Builds the system from a memory YAML, a mailbox YAML and the root directory of firmware's files.
 * NULL or "" takes the value from the environment. `$VAR`, `${VAR}` and a `~` at the start are
 * expanded in arguments and in variables. Returns 0, or -1 (see mb_last_error).
 *
 * Call it from the package or module that exports mb_step, mb_sv_call and the others, imported as
 * `context`: the library finds them in the scope of this call. If models are constructed and
 * deleted, call it once the model exists.
 *
 * Fails inside a function that the library calls, and if there is a system already, with two
 * exceptions. A system that another function built from the environment stays, if all arguments are
 * NULL or "". A system whose simulation was deleted is dropped first, with a warning.
 */
int mb_init(const char *mem_cfg, const char *mailbox_cfg, const char *fs_root);

/*
 * Advances the host by one tick: polls the mailboxes and serves requests. Call it once per clock,
 * or once per N clocks. Returns the number of channels that have not exited, 0 when all have, -1
 * after a fatal error. Fails inside a function that the library calls.
 */
int mb_tick(void);

/* Doorbell: a mailbox was written, and the next mb_tick reads it. Builds no system. */
void mb_notify(void);

/*
 * Calls mb_tick and the testbench's mb_step in turn until mb_tick returns 0 or -1. A task in
 * SystemVerilog. Returns 0, or 1 if the simulator disables the task. Fails inside a function that
 * the library calls.
 */
int mb_server_run(void);

/*
 * Flushes printed text, drops the system and closes its sockets. mb_init may follow. Fails inside a
 * function that the library calls. Builds no system.
 */
void mb_shutdown(void);

/*
 * Shuts down each system as mb_shutdown does, then ends the process with this status as exit()
 * does, and with 255 for one above 255 or below 0. For the end of a failed run: only some
 * simulators have an exit status that shows it. From any thread.
 *
 * Inside a function that the library calls, it acts as exit(): recordings and printed text are
 * written out, and the system is not shut down.
 *
 * In a signal handler that interrupted the library, it returns, and the process ends when the
 * interrupted call returns. A handler that interrupted other code must not call it, unless that
 * code may be interrupted by exit().
 */
void mb_quit(int status);

/*
 * Sets the DPI scope in which mb_step, mb_sv_call, mb_report and the other functions of the
 * testbench are exported: a module's path or a package's name, as svGetNameFromScope returns it
 * ("top.tb"). For programs that drive the model themselves, as a main() in C++ does with Verilator;
 * a call from SystemVerilog has a scope of its own.
 *
 * This scope has priority over the scope that mb_init is called from, and holds until the system is
 * shut down. NULL or "" clears it. If none is set, mb_init reads the environment variable
 * VHOST_SCOPE. Returns 0, or -1 if the simulator has no such scope now. Builds no system.
 */
int mb_set_scope(const char *name);

/* Events for mb_observe. */
#define VHOST_OBSERVE_SERVED 1u
#define VHOST_OBSERVE_WRITTEN 2u

/*
 * Enables calls of mb_served for served requests and of mb_written for writes to memory, until the
 * system is shut down. Disabled events cost nothing. Call it before mb_init to observe the first
 * writes, too. Builds no system.
 */
void mb_observe(uint32_t what);

/*
 * Sets the watchdog: a channel without progress for this many ticks is reported with this severity
 * (as in mb_report) and the text of mb_status. It is reported once, until it makes progress again.
 * Severity fatal ends service: mb_tick returns -1. 0 ticks disable the watchdog. The setting holds
 * until the system is shut down, and overrides the environment variable VHOST_WATCHDOG. Returns 0,
 * or -1 for an unknown severity. Builds no system.
 */
int mb_watchdog(uint64_t ticks, int severity);

/*
 * Attaches loggers, checkers and collectors by name, separated by commas, as the environment
 * variable VHOST_ATTACH does: "check", "log=requests.log", "log-json", "statistics=requests.json"
 * (docs/attach.md). They observe messages from now on, or from the first one if called before
 * mb_init. They are detached with the system. Returns 0; -1 for an unknown name, with nothing
 * attached; -1 for a file that can't be written, with those before it attached. Builds no system.
 */
int mb_attach(const char *list);

/* ---- Several systems in one process (docs/systems.md) ------------------------------------------------------------------ */

/*
 * Opens a further system in the state of the first one before mb_init. Returns its handle, or NULL
 * for an error. A system has its own configuration, memories, files, sockets, recording,
 * attachments, watchdog, status, exit codes and last error. `name` is inserted into names of files
 * (`%s`) and configurations (`${VHOST_SYSTEM}`): letters, digits and `_ - . [ ]`. Names are unique;
 * "main" is the first system's. The new system is not selected. A handle is never dereferenced; an
 * unknown or closed handle is an error. At most 4095 are open at a time. Does not build the opened
 * system.
 */
void *mb_system_open(const char *name);

/*
 * Returns the handle of the system of the calling DPI scope, which is opened if there is none; NULL
 * for an error. From then on calls from that scope, and from scopes inside of it, are for this
 * system, whichever is selected. With VHOST_SYSTEMS=scope in the environment, mb_init does the
 * same. Builds no system.
 */
void *mb_system_of_scope(void);

/*
 * Selects the system of later calls from any thread: this one, or the first one for NULL. Calls
 * from a function that the library calls are for the system that calls it, unless the function
 * selects another one; such a selection holds until the function returns. Returns 0, or -1 with no
 * change for an unknown handle. Builds no system.
 */
int mb_system_select(void *system);

/*
 * Returns the handle of the system that this call is for; NULL for the first one. Builds no
 * system.
 */
void *mb_system_current(void);

/*
 * Returns the name of the system that this call is for; "main" for the first one. Builds no
 * system.
 */
const char *mb_system_name(void);

/*
 * Shuts down this system as mb_shutdown does, and invalidates its handle. If it was selected, the
 * first system is selected afterwards; inside a function that the library calls, the system that
 * calls it. Returns 0, or -1 for NULL, for an unknown handle, and inside a function that this
 * system calls.
 */
int mb_system_close(void *system);

/* ---- Forks: copies of the process (docs/snapshots.md) ----------------------------------------------------------------- */

/*
 * Announce a fork() by other code: mb_fork_prepare before it; then mb_fork_parent in the parent and
 * mb_fork_child in the child, on the same thread. In between, calls of other threads are refused.
 *
 * In the child:
 * - Recordings, logs and tables continue in files of their own, which begin as copies.
 * - An open file has a position of its own.
 * - Sockets and clients stay with the parent, with one report. The child's handles behave as if
 *   nobody connected and every client had left.
 * - Python continues without the threads that it has started, with one report.
 *
 * The next call detects a fork without mb_fork_prepare: Python can't be called then. After a fork
 * inside a call the host stays with the parent. Return 0, or -1 if called in the wrong order or in
 * the wrong process. Fail inside a function that the library calls.
 */
int mb_fork_prepare(void);
int mb_fork_parent(void);
int mb_fork_child(void);

/*
 * Takes a snapshot of the process every `ticks` ticks from now on, and keeps the `keep` newest
 * ones. A snapshot is a sleeping process, which ends with this one and is no child of it. With 0
 * `ticks` only mb_snapshot takes snapshots; a `keep` of 0 ends all of them. The process must have
 * one thread: with more, the first snapshot is an error and no further one is taken. Returns 0, or
 * -1. Fails inside a function that the library calls.
 */
int mb_snapshots(uint64_t ticks, uint32_t keep);

/*
 * Takes a snapshot now, which counts among those that mb_snapshots keeps. Returns 0; 1 in a woken
 * snapshot; -1 if the process has several threads, or without an earlier call of mb_snapshots.
 * Fails inside a function that the library calls.
 */
int mb_snapshot(void);

/*
 * Wakes the newest snapshot and waits for its end. The snapshot returns from the call in which it
 * was taken (mb_tick, mb_snapshot). Returns its exit status, or 128 and the number of the signal
 * that ended it; -1 if there is no snapshot, as in a woken one (mb_last_error has the reason).
 * mb_quit calls it if its status is not 0. Builds no system.
 */
int mb_rerun(void);

/* Returns 1 in a woken snapshot, else 0. Builds no system. */
int mb_is_rerun(void);

/*
 * Forks `count` children, of which at most `parallel` run at once. Returns the child's number, from
 * 0, in each child. Returns `count` in the parent when all have ended, or -1 if the process can't
 * be forked. Snapshots of the parent stay; a child has none. Fails inside a function that the
 * library calls.
 */
int mb_runs(uint32_t count, uint32_t parallel);

/*
 * Returns the exit status of a run of the last mb_runs, encoded as by mb_rerun; -1 if there is
 * none. Builds no system.
 */
int mb_run_status(uint32_t run);

/*
 * Moves the root of firmware's files to another directory. Open files stay open. Returns 0, or
 * -1.
 */
int mb_set_file_root(const char *dir);

/* ---- Checkpoints: the state of the system in a file (docs/checkpoints.md) ----------------------------------------------- */

/*
 * Writes the state of the system to a file, which appears when it is complete: channels with the
 * requests in service, open files with their positions, exit codes, statistics, ticks, text without
 * an end of line, and memories of backend `static`. Other memories are the simulator's. Call it
 * between two calls of mb_tick. Returns 0, or -1. Fails inside a function that the library calls.
 */
int mb_save(const char *file);

/*
 * Restores the state from a file of mb_save. Call it after mb_init with the same configuration,
 * once the simulator has restored its own memories. Files are opened again by their paths, without
 * truncation; operations on a missing or shorter file fail with EIO. Pending calls are polled anew:
 * an mb_sv_call that keeps calls of its own drops them. Python and the connections of sockets are
 * not restored. Differences from the saved state are reported. Returns 0; -1 with no change if the
 * file is not a checkpoint, damaged, or of another configuration.
 */
int mb_restore(const char *file);

/*
 * Adds bytes to the standard input (descriptor 0) of a channel with `stdio: {stdin: testbench}` in
 * its configuration. Returns the number of bytes taken, fewer than given if more than 16 MiB would
 * wait for firmware; -1 for another channel, or after mb_stdin_close. A waiting read is served at
 * once. mb_stdin_write_bytes takes a whole array, imported as `byte unsigned data[]`.
 */
int64_t mb_stdin_write(const char *ch, const void *data, uint64_t len);
int mb_stdin_write_bytes(const char *ch, const svOpenArrayHandle data);

/*
 * Ends the standard input of a channel: a read past the last byte returns 0 bytes. Returns 0, or
 * -1.
 */
int mb_stdin_close(const char *ch);

/*
 * Executes a semihosting operation of a channel with `abi: semihosting`. The hart is at the trap;
 * `op` is its a0 (Arm: r0), `arg` its a1 (r1). Returns 1 with the value for a0 in `result`: the
 * hart continues behind the trap with all other registers unchanged. Returns 0 while the operation
 * waits for standard input: nothing was done, call again in a later tick. Returns -1 for a channel
 * without semihosting, or whose firmware has exited.
 */
int mb_semihost(const char *ch, uint32_t hart, uint64_t op, uint64_t arg, uint64_t *result);

/*
 * Replaces semihosting traps in `len` bytes from `addr` on, for code that firmware has copied or
 * unpacked itself. Call it once the code is there, or with the address of a trap that a hart has
 * reached. Returns the number of replaced traps; each trap that can't be replaced is reported with
 * its address. Returns -1 for a channel without code in place of traps.
 */
int mb_semihost_replace(const char *ch, uint64_t addr, uint64_t len);

/* ---- Queries -------------------------------------------------------------------------------------------------------- */

/*
 * Returns the text of the system's last error, in calls from any thread; "" if there was none.
 * Builds no system.
 */
const char *mb_last_error(void);

/*
 * Returns the status of all channels: one line per channel with its next step, and indented lines
 * with its queue indices and last requests; or the reason why there is no channel. It may read the
 * channels' memory. Builds no system.
 */
const char *mb_status(void);

/*
 * Gets the exit code of a channel; for "", the first code other than 0 in the order of the
 * configuration, else 0. Returns 1 with the code; 0, and code 0, if the channel, or one of all, has
 * not exited; -1 for an unknown channel. Returns 0 without a system. Builds no system.
 */
int mb_exit_code(const char *ch, uint32_t *code);

/* Gets the name of a channel's address space. */
void mb_get_space(const char *ch, const char **space);

/*
 * Gets value and size of a symbol in a channel's image, or in any image that was loaded into a
 * space. The value of a function or a variable is its virtual address; the size is 0 if the image
 * does not have it. Returns 0, or -1 with both at 0 for an unknown place or symbol.
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

/*
 * Accesses to a string and its NUL. The string may have any bytes but NUL. A read is limited to
 * 4096 bytes, NUL included.
 */
void mb_backdoor_write_string(const char *space, uint64_t addr, const char *data);
void mb_backdoor_read_string(const char *space, uint64_t addr, const char **data);

/*
 * Accesses to a whole array, imported as `byte unsigned data[]`. Return the number of bytes moved,
 * or -1.
 */
int mb_backdoor_write_block(const char *space, uint64_t addr, const svOpenArrayHandle data);
int mb_backdoor_read_block(const char *space, uint64_t addr, const svOpenArrayHandle data);

/* Accesses to a whole C array. Return the number of bytes moved, or -1. */
int64_t mb_backdoor_write_mem(const char *space, uint64_t addr, const void *data, uint64_t len);
int64_t mb_backdoor_read_mem(const char *space, uint64_t addr, void *data, uint64_t len);

/* Loads an ELF image at its physical addresses. Returns 0, or -1. */
int mb_load_elf(const char *space, const char *file);

/* ---- Calls ---------------------------------------------------------------------------------------------------------- */

/*
 * Polls a method once, as firmware's CALL does on every tick: the host program's method, else
 * Python's (if built in), else the testbench's. Returns the result. Sets `*status`: 0 ready; 1
 * pending, poll again at any time; 2 no such method; 3 failed. The first poll begins the call, and
 * one poll receives its result.
 */
uint64_t __mb_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status);

/* ---- Sockets -------------------------------------------------------------------------------------------------------- */

/*
 * TCP servers on 127.0.0.1, for debuggers, terminals and scripts. All functions are non-blocking:
 * the testbench polls, for example once per clock.
 *
 * They need no system and build none. A socket is open from c_skt_open to c_skt_close or
 * mb_shutdown, independent of mb_init. A handle is valid whichever system is selected; mb_shutdown
 * closes the sockets that were opened while its system was selected.
 *
 * `skt` is a handle, which is never dereferenced. `id` is the number of a client, from 1 on, and
 * never reused while the socket is open. An unknown or closed handle or id is an error. Integers
 * are little endian on the wire.
 *
 * Bytes that can't be sent now are queued, and sent in later calls of c_skt_* and mb_tick. A client
 * for which more than 1 MiB would be queued is dropped. A client that has left keeps its id until
 * c_skt_disconnect, and its bytes can be read to the end. Its leaving is reported only if bytes for
 * it are lost.
 */

/*
 * Listens on a port, or on a free one for 0. Returns a handle, or NULL. `name` appears in greetings
 * and reports.
 */
void *c_skt_open(const char *name, uint32_t port);

/* Returns the port in use, or -1. */
int c_skt_port(void *skt);

/*
 * Sets the first text that later clients receive; "" for none, as binary protocols need it.
 * `{name}`, `{id}` and `{addr}` (the socket's address) are replaced. The default is "[{name}-{id}]
 * Connected to {addr}!
 * ".
 */
void c_skt_greet(void *skt, const char *text);

/*
 * Accepts a waiting client. Returns its id, 0 if there is none, -1 on error. A condition that
 * prevents any accept, such as a limit of open files, is an error once; later calls return 0 until
 * it has changed.
 */
int c_skt_accept(void *skt);

/* Send an integer. Return the number of bytes sent or queued, which is all of them, or -1. */
int c_skt_write_u8(void *skt, int id, uint8_t data);
int c_skt_write_u16(void *skt, int id, uint16_t data);
int c_skt_write_u32(void *skt, int id, uint32_t data);
int c_skt_write_u64(void *skt, int id, uint64_t data);

/*
 * Receive an integer. Return the number of bytes read; 0, with none taken, until all have arrived;
 * -1 on error and at the end of the stream.
 */
int c_skt_read_u8(void *skt, int id, uint8_t *data);
int c_skt_read_u16(void *skt, int id, uint16_t *data);
int c_skt_read_u32(void *skt, int id, uint32_t *data);
int c_skt_read_u64(void *skt, int id, uint64_t *data);

/* Sends a string and its NUL. Returns the number of bytes sent or queued, or -1. */
int c_skt_write_string(void *skt, int id, const char *s);

/*
 * Receives a string and takes its NUL. Returns its length; 0 and "" until a NUL has arrived; -1 on
 * error, at the end of the stream, and after 65536 bytes without a NUL.
 */
int c_skt_read_string(void *skt, int id, const char **s);

/*
 * Send or receive an array, imported as `byte unsigned data[]`. The write sends all of it, and
 * returns the number of bytes sent or queued, or -1. The read takes the bytes that have arrived, at
 * most 65536, and returns their number: 0 if there are none, -1 on error and at the end of the
 * stream.
 */
int c_skt_write_bytes(void *skt, int id, const svOpenArrayHandle data);
int c_skt_read_bytes(void *skt, int id, const svOpenArrayHandle data);

/* Ends a connection. Queued bytes are still sent. */
void c_skt_disconnect(void *skt, int id);

/* Stops listening and disconnects all clients. */
void c_skt_close(void *skt);

/* ---- Functions of the testbench -------------------------------------------------------------------------------------- */

/*
 * Functions that the library looks up in the program; SystemVerilog exports them. All are optional:
 * a missing function is an error only if it is needed. Their declarations are optional, too, since
 * a simulator's generated header may declare them differently.
 */
#ifdef VHOST_DECLARE_TESTBENCH

/* Waits for the next clock. */
void mb_step(void);

/*
 * Polls a method once, with a status as in __mb_call. `args` always has 16 words. A pending call of
 * firmware is polled in every mb_tick. A tick without a poll means that firmware has reset the
 * channel; the next poll belongs to another call. Polls outside of mb_tick are those of __mb_call,
 * at its caller's pace; a reset does not end such a call.
 */
uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status);

/* Handles the exit of a channel. */
void mb_exit(uint32_t code);

/* Handles the exit of the channel of this name. */
void mb_exited(const char *ch, uint32_t code);

/*
 * Registers a channel. Called once for each, from mb_init, else from mb_server_run or the first
 * mb_tick.
 */
void sv_registery_ch(const char *ch);

/*
 * Handles a report. Severity: 0 info, 1 warning, 2 error, 3 fatal. Errors that arise inside of it
 * go to stderr.
 */
void mb_report(int severity, const char *id, const char *msg);

/*
 * Prints a line of firmware's text, without its line end. If it is missing, lines go to stdout as
 * `[ch] text`.
 */
void mb_print(const char *ch, const char *text);

/*
 * Observes a served request, `ticks` after it was taken from its slot. If `answered` is 1, the
 * response with `result` follows. `args` always has 20 words, of which `words` count. The result of
 * a failed request is a negated error number of the channel's pointer width. Needs
 * VHOST_OBSERVE_SERVED.
 *
 * Requests of other protocols have slot 0xffffffff and an action from 0x40000000 on: commands of
 * HTIF 0x40000000 + device * 256 + command, operations of semihosting 0x41000000 + number,
 * transfers of RTT 0x42000000 up and 0x42000001 down. docs/htif.md, docs/semihosting.md and
 * docs/rtt.md have the arguments.
 */
void mb_served(const char *ch, uint32_t slot, uint32_t action, uint32_t words, const uint64_t *args, uint32_t ticks, uint32_t answered, uint64_t result);

/*
 * Observes a write of the library to memory: images, words of mailboxes, requests of firmware and
 * the backdoor, in the order of the writes. A call has up to 64 bytes; `data` always has 64. A
 * write to a memory of several spaces is observed once, in the writer's space. Needs
 * VHOST_OBSERVE_WRITTEN.
 */
void mb_written(const char *space, uint64_t addr, uint32_t len, const uint8_t *data);

/*
 * Access a black-box memory of the testbench, backends `uvm` and `vpi`. The address is relative to
 * the memory's base.
 */
void mb_bb_mem_read(const char *name, uint64_t addr, uint8_t *data);
void mb_bb_mem_write(const char *name, uint64_t addr, uint8_t data);

/* Access up to 64 bytes of such a memory per call; `data` always has 64. */
void mb_bb_mem_read_block(const char *name, uint64_t addr, uint32_t len, uint8_t *data);
void mb_bb_mem_write_block(const char *name, uint64_t addr, uint32_t len, const uint8_t *data);

/*
 * Access a black-box memory of a C model, backend `api`. The address is absolute. Return the number
 * of bytes moved.
 */
size_t __vhost_bb_mem_read(uint64_t base, uint64_t addr, uint8_t *data, size_t len);
size_t __vhost_bb_mem_write(uint64_t base, uint64_t addr, const uint8_t *data, size_t len);

#endif /* VHOST_DECLARE_TESTBENCH */

#ifdef __cplusplus
}
#endif

#endif /* VHOST_H */
