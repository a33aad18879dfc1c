//! C ABI for tests in Rust, and a configuration of a system.

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;

mod c {
    use super::{c_char, c_int};

    unsafe extern "C" {
        pub(super) fn mb_init(
            mem_cfg: *const c_char,
            mailbox_cfg: *const c_char,
            fs_root: *const c_char,
        ) -> c_int;
        pub(super) fn mb_backdoor_write_mem(
            space: *const c_char,
            address: u64,
            data: *const u8,
            len: u64,
        ) -> i64;
        pub(super) fn mb_backdoor_read_mem(
            space: *const c_char,
            address: u64,
            data: *mut u8,
            len: u64,
        ) -> i64;
        pub(super) fn mb_save(file: *const c_char) -> c_int;
        pub(super) fn mb_restore(file: *const c_char) -> c_int;
        pub(super) fn mb_semihost(
            channel: *const c_char,
            hart: u32,
            operation: u64,
            argument: u64,
            result: *mut u64,
        ) -> c_int;
        pub(super) fn mb_semihost_replace(channel: *const c_char, address: u64, len: u64) -> c_int;
        pub(super) safe fn mb_last_error() -> *const c_char;
    }
}

unsafe extern "C" {
    pub safe fn mb_tick() -> c_int;
    pub safe fn mb_notify();
    pub safe fn mb_shutdown();
    pub safe fn mb_status() -> *const c_char;
}

/// Space of [`MEMORIES`].
pub const SPACE: &CStr = c"core";

/// One memory at address 0.
pub const MEMORIES: &str = "\
space:
  core:
    - ram: {base: 0, size: 0x10000, path: tb.ram, width: 64, backend: static}
";

/// One channel with 4-byte pointers.
pub const MAILBOXES: &str = "core0: {space: core, base: 0x1000, ptr: 32, cache_line: 0}\n";

/// Address of the channel's mailbox.
pub const MAILBOX: u64 = 0x1000;

/// Calls `mb_init` with these configurations and with firmware's files below `folder`.
pub fn init(folder: &Path, memories: &str, mailboxes: &str) -> c_int {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        CString::new(path.to_str().unwrap()).unwrap()
    };
    let memories = file("mem.yaml", memories);
    let mailboxes = file("mailbox.yaml", mailboxes);
    let root = CString::new(folder.to_str().unwrap()).unwrap();
    // SAFETY: all three are C strings.
    unsafe { c::mb_init(memories.as_ptr(), mailboxes.as_ptr(), root.as_ptr()) }
}

/// Writes by backdoor. Returns false if the call failed.
pub fn write(address: u64, data: &[u8]) -> bool {
    let len = data.len() as u64;
    // SAFETY: the name ends with NUL, and `len` is the length of the data.
    let written = unsafe { c::mb_backdoor_write_mem(SPACE.as_ptr(), address, data.as_ptr(), len) };
    assert!([-1, len.cast_signed()].contains(&written), "{written}");
    written >= 0
}

/// Reads by backdoor. Returns false if the call failed.
pub fn read(address: u64, data: &mut [u8]) -> bool {
    let len = data.len() as u64;
    // SAFETY: the name ends with NUL, and `len` is the length of the buffer.
    let read = unsafe { c::mb_backdoor_read_mem(SPACE.as_ptr(), address, data.as_mut_ptr(), len) };
    assert!([-1, len.cast_signed()].contains(&read), "{read}");
    read >= 0
}

/// Calls `mb_save`.
pub fn save(file: &str) -> c_int {
    let file = CString::new(file).unwrap();
    // SAFETY: a C string.
    unsafe { c::mb_save(file.as_ptr()) }
}

/// Calls `mb_restore`.
pub fn restore(file: &str) -> c_int {
    let file = CString::new(file).unwrap();
    // SAFETY: a C string.
    unsafe { c::mb_restore(file.as_ptr()) }
}

/// Calls `mb_semihost` for hart 0. The result is its own and that of the operation.
pub fn semihost(channel: &CStr, operation: u64, argument: u64) -> (c_int, u64) {
    let mut result = 0;
    // SAFETY: the name ends with NUL, and the result is a word of its own.
    let done = unsafe { c::mb_semihost(channel.as_ptr(), 0, operation, argument, &raw mut result) };
    (done, result)
}

/// Calls `mb_semihost` with NULL in place of the name or of the result.
pub fn semihost_with_null(channel: Option<&CStr>) -> c_int {
    let name = channel.map_or(std::ptr::null(), CStr::as_ptr);
    let mut result = 0;
    let result: *mut u64 = match channel {
        Some(_) => std::ptr::null_mut(),
        None => &raw mut result,
    };
    // SAFETY: NULL is refused, and the other pointer is as above.
    unsafe { c::mb_semihost(name, 0, 0x31, 0, result) }
}

/// Calls `mb_semihost_replace`.
pub fn semihost_replace(channel: &CStr, address: u64, len: u64) -> c_int {
    // SAFETY: the name ends with NUL.
    unsafe { c::mb_semihost_replace(channel.as_ptr(), address, len) }
}

/// Text of `mb_last_error`. No other thread may make calls meanwhile.
pub fn last_error() -> String {
    // SAFETY: a C string that is valid until the next error.
    let text = unsafe { CStr::from_ptr(c::mb_last_error()) };
    text.to_str().unwrap().to_owned()
}
