//! Declarations of every simulator function that is called.
//!
//! A test compares the testbench's functions with `include/vhost.h`. The simulator's are those of
//! IEEE 1800 (`svdpi.h`, `vpi_user.h`), UVM's those of `uvm_hdl.svh`.

#![allow(
    non_upper_case_globals,
    reason = "each has the name of the function that it stands for"
)]

use std::ffi::{c_char, c_int, c_void};

use super::symbol::Symbol;
use super::vecval::Vecval;
use super::vpi_user::{
    ArrayValue, CallbackData, ErrorInfo, ProductInfo, SystemTaskData, Time, Value,
};

macro_rules! simulator {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)? $(; $more:tt)?) $(-> $result:ty)?;)+) => {
        $(
            $(#[$doc])*
            pub(super) static $name: Symbol<unsafe extern "C" fn($($arg: $type,)* $($more)?) $(-> $result)?> =
                // SAFETY: this is its prototype in C.
                unsafe { Symbol::new(stringify!($name)) };
        )+

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

simulator! {
    /// Exported task that waits for the next clock edge. Its return value differs between
    /// simulators, and is ignored.
    fn mb_step();
    /// Polls a method once; `args` has 16 words.
    fn mb_sv_call(
        channel: *const c_char,
        method: *const c_char,
        arg_len: u32,
        args: *const u64,
        status: *mut u32,
    ) -> u64;
    /// Exit of a channel.
    fn mb_exit(code: u32);
    /// Exit of a named channel.
    fn mb_exited(channel: *const c_char, code: u32);
    /// Registration of a channel.
    fn sv_registery_ch(channel: *const c_char);
    /// Report for the user.
    fn mb_report(severity: c_int, id: *const c_char, text: *const c_char);
    /// Line of a channel's text.
    fn mb_print(channel: *const c_char, text: *const c_char);
    /// Served request; `args` has 20 words.
    fn mb_served(
        channel: *const c_char,
        slot: u32,
        action: u32,
        words: u32,
        args: *const u64,
        ticks: u32,
        answered: u32,
        result: u64,
    );
    /// Bytes written by the host; `data` has 64.
    fn mb_written(space: *const c_char, address: u64, len: u32, data: *const u8);

    /// Reads a byte of the testbench's black-box memory; the address is relative to its base.
    fn mb_bb_mem_read(name: *const c_char, address: u64, data: *mut u8);
    /// Writes a byte of the testbench's black-box memory.
    fn mb_bb_mem_write(name: *const c_char, address: u64, data: u8);
    /// Reads up to 64 bytes; `data` has 64.
    fn mb_bb_mem_read_block(name: *const c_char, address: u64, len: u32, data: *mut u8);
    /// Writes up to 64 bytes; `data` has 64.
    fn mb_bb_mem_write_block(name: *const c_char, address: u64, len: u32, data: *const u8);

    /// Reads bytes of a C model's black-box memory; the address is absolute. Returns the number of
    /// bytes moved.
    fn __vhost_bb_mem_read(base: u64, address: u64, data: *mut u8, len: usize) -> usize;
    /// Writes bytes of a C model's black-box memory. Returns the number of bytes moved.
    fn __vhost_bb_mem_write(base: u64, address: u64, data: *const u8, len: usize) -> usize;

    /// Tests if an HDL object exists. Returns 1 or 0.
    fn uvm_hdl_check_path(path: *mut c_char) -> c_int;
    /// Reads an HDL object. Returns 1, or 0 if there is none. Writes as many words as the object
    /// has.
    fn uvm_hdl_read(path: *mut c_char, value: *mut Vecval) -> c_int;
    /// Sets an HDL object. Returns 1, or 0 if there is none. Reads as many words as the object has.
    fn uvm_hdl_deposit(path: *mut c_char, value: *mut Vecval) -> c_int;

    /// Object with a name; NULL if there is none.
    fn vpi_handle_by_name(name: *mut c_char, scope: *mut c_void) -> *mut c_void;
    /// Element of an array; NULL if there is none.
    fn vpi_handle_by_index(object: *mut c_void, index: i32) -> *mut c_void;
    /// Related object of a type.
    fn vpi_handle(role: i32, object: *mut c_void) -> *mut c_void;
    /// Releases a handle.
    fn vpi_release_handle(object: *mut c_void) -> i32;
    /// Integer property of an object.
    fn vpi_get(property: i32, object: *mut c_void) -> i32;
    /// Value of an object, in the format that `value` selects.
    fn vpi_get_value(object: *mut c_void, value: *mut Value);
    /// Sets the value of an object.
    fn vpi_put_value(
        object: *mut c_void,
        value: *mut Value,
        time: *mut c_void,
        flags: i32,
    ) -> *mut c_void;
    /// Reads `count` elements of an array, starting at `*index`.
    fn vpi_get_value_array(
        object: *mut c_void,
        value: *mut ArrayValue,
        index: *mut i32,
        count: u32,
    );
    /// Sets `count` elements of an array, starting at `*index`.
    fn vpi_put_value_array(
        object: *mut c_void,
        value: *mut ArrayValue,
        index: *mut i32,
        count: u32,
    );
    /// Level and text of the last call's error; 0 if there was none.
    fn vpi_chk_error(error: *mut ErrorInfo) -> i32;

    /// Time of the simulation, in the format that `time` selects.
    fn vpi_get_time(object: *mut c_void, time: *mut Time);
    /// Registers a callback for an event; NULL if the simulator does not support it.
    fn vpi_register_cb(data: *mut CallbackData) -> *mut c_void;
    /// Iterator over objects of a type; NULL if there are none.
    fn vpi_iterate(kind: i32, object: *mut c_void) -> *mut c_void;
    /// Next object of an iterator. NULL after the last one, which releases the iterator.
    fn vpi_scan(iterator: *mut c_void) -> *mut c_void;
    /// Text property of an object.
    fn vpi_get_str(property: i32, object: *mut c_void) -> *mut c_char;

    /// Registers a system task or function, and returns its handle; NULL in a compiler.
    fn vpi_register_systf(data: *mut SystemTaskData) -> *mut c_void;
    /// Prints to the simulator's output and log, formatted as by `printf`.
    fn vpi_printf(format: *const c_char; ...) -> c_int;
    /// Controls the simulation, for example ends it.
    fn vpi_control(operation: i32; ...) -> c_int;
    /// Name and version of the simulator. Returns 1, or 0 for a failure.
    fn vpi_get_vlog_info(info: *mut ProductInfo) -> i32;
    /// Sets the exit status of Icarus Verilog's `vvp`.
    fn vpip_set_return_value(status: c_int);

    /// Scope of the imported function in progress.
    fn svGetScope() -> *mut c_void;
    /// Sets the scope of exported functions, and returns the previous one.
    fn svSetScope(scope: *const c_void) -> *mut c_void;
    /// Scope with a name; NULL if there is none.
    fn svGetScopeFromName(name: *const c_char) -> *mut c_void;
    /// Name of a scope.
    fn svGetNameFromScope(scope: *const c_void) -> *const c_char;
    /// Stores data for a scope under a key. Returns 0 or -1.
    fn svPutUserData(scope: *const c_void, key: *mut c_void, data: *mut c_void) -> c_int;
    /// Stored data for a scope and a key; NULL if there is none.
    fn svGetUserData(scope: *const c_void, key: *mut c_void) -> *mut c_void;
    /// File and line of the call of an imported function. Returns 1, or 0 if they are not known.
    fn svGetCallerInfo(file: *mut *const c_char, line: *mut c_int) -> c_int;
    /// Time of the simulation, in units of a scope, or of the simulator's precision for NULL.
    /// Returns 0 or -1.
    fn svGetTime(scope: *const c_void, time: *mut Time) -> c_int;
    /// `Verilated::productName()` of Verilator's runtime, in C++.
    fn _ZN9Verilated11productNameEv() -> *const c_char;
    /// True if the running task is being disabled.
    fn svIsDisabledState() -> c_int;
    /// Acknowledges the disable.
    fn svAckDisabledState();

    /// Number of elements of an open array's dimension.
    fn svSize(array: *const c_void, dimension: c_int) -> c_int;
    /// Lowest index of an open array's dimension.
    fn svLow(array: *const c_void, dimension: c_int) -> c_int;
    /// Address of an open array's elements in C's layout.
    fn svGetArrayPtr(array: *const c_void) -> *mut c_void;
    /// Address of one element, by its SystemVerilog index.
    fn svGetArrElemPtr1(array: *const c_void, index: c_int) -> *mut c_void;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::prototype::{Functions, header};

    #[test]
    fn simulator_c_has_a_weak_reference_to_each() {
        let c = include_str!("simulator.c");
        let weak: Vec<&str> = c
            .lines()
            .filter_map(|line| line.trim().strip_prefix("X(")?.split(')').next())
            .collect();
        assert_eq!(weak, NAMES);
    }

    #[test]
    fn the_header_declares_all_functions_of_the_testbench() {
        let (_, wanted) = header();
        let mut functions = Functions::default();
        macro_rules! add {
            ($($symbol:ident),+) => { $(functions.add($symbol.name(), $symbol.get().ok());)+ };
        }
        add!(mb_step, mb_sv_call, mb_exit, mb_exited);
        add!(sv_registery_ch, mb_report, mb_print);
        add!(mb_served, mb_written);
        add!(mb_bb_mem_read, mb_bb_mem_write);
        add!(mb_bb_mem_read_block, mb_bb_mem_write_block);
        add!(__vhost_bb_mem_read, __vhost_bb_mem_write);
        functions.are_declared_by(wanted);
    }
}
