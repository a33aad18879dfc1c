//! Comparison of every exported function with `include/vhost.h`.

use super::backdoor::*;
use super::checkpoint::*;
use super::lifecycle::*;
use super::query::*;
use super::rpc::*;
use super::semihosting::*;
use super::snapshots::*;
use super::sockets::*;
use super::stdin::*;
use super::system_handles::*;
use super::system_tasks::vhost_register_system_tasks;
use crate::sim::prototype::{Functions, header};

/// List of functions; each `_` is one argument.
macro_rules! exports {
    ($($function:ident($($hole:tt)*),)+) => {{
        let mut functions = Functions::default();
        $(
            let function = $function as unsafe extern "C" fn($($hole),*) -> _;
            functions.add(stringify!($function), Some(function));
        )+
        functions
    }};
}

#[test]
fn the_header_declares_all_exported_functions() {
    let (exported, _) = header();
    let functions = exports! {
        vhost_register_system_tasks(),
        mb_init(_ _ _),
        mb_tick(),
        mb_notify(),
        mb_server_run(),
        mb_shutdown(),
        mb_quit(_),
        mb_set_scope(_),
        mb_observe(_),
        mb_watchdog(_ _),
        mb_attach(_),
        mb_system_open(_),
        mb_system_of_scope(),
        mb_system_select(_),
        mb_system_current(),
        mb_system_name(),
        mb_system_close(_),
        mb_fork_prepare(),
        mb_fork_parent(),
        mb_fork_child(),
        mb_snapshots(_ _),
        mb_snapshot(),
        mb_rerun(),
        mb_is_rerun(),
        mb_runs(_ _),
        mb_run_status(_),
        mb_set_file_root(_),
        mb_save(_),
        mb_restore(_),
        mb_stdin_write(_ _ _),
        mb_stdin_write_bytes(_ _),
        mb_stdin_close(_),
        mb_semihost(_ _ _ _ _),
        mb_semihost_replace(_ _ _),
        mb_last_error(),
        mb_status(),
        mb_exit_code(_ _),
        mb_get_space(_ _),
        mb_symbol(_ _ _ _),
        mb_backdoor_write_u8(_ _ _),
        mb_backdoor_write_u16(_ _ _),
        mb_backdoor_write_u32(_ _ _),
        mb_backdoor_write_u64(_ _ _),
        mb_backdoor_read_u8(_ _ _),
        mb_backdoor_read_u16(_ _ _),
        mb_backdoor_read_u32(_ _ _),
        mb_backdoor_read_u64(_ _ _),
        mb_backdoor_write_string(_ _ _),
        mb_backdoor_read_string(_ _ _),
        mb_backdoor_write_block(_ _ _),
        mb_backdoor_read_block(_ _ _),
        mb_backdoor_write_mem(_ _ _ _),
        mb_backdoor_read_mem(_ _ _ _),
        mb_load_elf(_ _),
        __mb_call(_ _ _ _ _),
        c_skt_open(_ _),
        c_skt_port(_),
        c_skt_greet(_ _),
        c_skt_accept(_),
        c_skt_write_u8(_ _ _),
        c_skt_write_u16(_ _ _),
        c_skt_write_u32(_ _ _),
        c_skt_write_u64(_ _ _),
        c_skt_read_u8(_ _ _),
        c_skt_read_u16(_ _ _),
        c_skt_read_u32(_ _ _),
        c_skt_read_u64(_ _ _),
        c_skt_write_string(_ _ _),
        c_skt_read_string(_ _ _),
        c_skt_write_bytes(_ _ _),
        c_skt_read_bytes(_ _ _),
        c_skt_disconnect(_ _),
        c_skt_close(_),
    };
    functions.are_declared_by(exported);
}
