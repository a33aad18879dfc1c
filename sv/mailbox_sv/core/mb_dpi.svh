// Functions of the library. A test of the library compares each line with include/vhost.h.

import "DPI-C" context function int mb_init(input string mem_cfg, input string mailbox_cfg, input string fs_root);
import "DPI-C" context function int mb_tick();
import "DPI-C" context function void mb_notify();
// The library's own loop, for testbenches that export a task `mb_step`. The task `mb_server_run` of
// this package does not need it.
import "DPI-C" context mb_server_run = task mb_server_run_c();
import "DPI-C" context function void mb_shutdown();
import "DPI-C" context function void mb_quit(input int status);
import "DPI-C" context function int mb_set_scope(input string name);
import "DPI-C" context function void mb_observe(input int unsigned what);
import "DPI-C" context function int mb_watchdog(input longint unsigned ticks, input int severity);
import "DPI-C" context function int mb_attach(input string list);

import "DPI-C" context function chandle mb_system_open(input string name);
import "DPI-C" context function chandle mb_system_of_scope();
import "DPI-C" context function int mb_system_select(input chandle system);
import "DPI-C" context function chandle mb_system_current();
import "DPI-C" context function string mb_system_name();
import "DPI-C" context function int mb_system_close(input chandle system);

import "DPI-C" context function int mb_fork_prepare();
import "DPI-C" context function int mb_fork_parent();
import "DPI-C" context function int mb_fork_child();
import "DPI-C" context function int mb_snapshots(input longint unsigned ticks, input int unsigned keep);
import "DPI-C" context function int mb_snapshot();
import "DPI-C" context function int mb_rerun();
import "DPI-C" context function int mb_is_rerun();
import "DPI-C" context function int mb_runs(input int unsigned count, input int unsigned parallel);
import "DPI-C" context function int mb_run_status(input int unsigned run);
import "DPI-C" context function int mb_set_file_root(input string dir);
import "DPI-C" context function int mb_save(input string file);
// For the function `mb_restore` of this package, which drops the pending calls of methods, too.
import "DPI-C" context mb_restore = function int mb_restore_c(input string file);
import "DPI-C" context function int mb_stdin_write_bytes(input string ch, input byte unsigned data[]);
import "DPI-C" context function int mb_stdin_close(input string ch);
import "DPI-C" context function int mb_semihost(
    input string ch, input int unsigned hart, input longint unsigned op, input longint unsigned arg, output longint unsigned result);
import "DPI-C" context function int mb_semihost_replace(
    input string ch, input longint unsigned addr, input longint unsigned len);

import "DPI-C" context function string mb_last_error();
import "DPI-C" context function string mb_status();
import "DPI-C" context function int mb_exit_code(input string ch, output int unsigned code);
import "DPI-C" context function void mb_get_space(input string ch, output string space);
import "DPI-C" context function int mb_symbol(
    input string place, input string name, output longint unsigned value, output longint unsigned size);

import "DPI-C" context function void mb_backdoor_write_u8(
    input string space, input longint unsigned addr, input byte unsigned data);
import "DPI-C" context function void mb_backdoor_write_u16(
    input string space, input longint unsigned addr, input shortint unsigned data);
import "DPI-C" context function void mb_backdoor_write_u32(
    input string space, input longint unsigned addr, input int unsigned data);
import "DPI-C" context function void mb_backdoor_write_u64(
    input string space, input longint unsigned addr, input longint unsigned data);
import "DPI-C" context function void mb_backdoor_read_u8(
    input string space, input longint unsigned addr, output byte unsigned data);
import "DPI-C" context function void mb_backdoor_read_u16(
    input string space, input longint unsigned addr, output shortint unsigned data);
import "DPI-C" context function void mb_backdoor_read_u32(
    input string space, input longint unsigned addr, output int unsigned data);
import "DPI-C" context function void mb_backdoor_read_u64(
    input string space, input longint unsigned addr, output longint unsigned data);
import "DPI-C" context function void mb_backdoor_write_string(
    input string space, input longint unsigned addr, input string data);
import "DPI-C" context function void mb_backdoor_read_string(
    input string space, input longint unsigned addr, output string data);
import "DPI-C" context function int mb_backdoor_write_block(
    input string space, input longint unsigned addr, input byte unsigned data[]);
import "DPI-C" context function int mb_backdoor_read_block(
    input string space, input longint unsigned addr, output byte unsigned data[]);
import "DPI-C" context function int mb_load_elf(input string space, input string file);

// __mb_call, for MbHost, which marks the poll as the testbench's.
import "DPI-C" context __mb_call = function longint unsigned mb_call_c(
    input string ch, input string method, input int unsigned arg_len, input longint unsigned args[16],
    output int unsigned status);
