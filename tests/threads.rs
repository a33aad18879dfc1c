//! The C ABI from several threads at once, without any order between them: each call is served as if it were alone, or refused.
//!
//! Built with ThreadSanitizer, it is also what shows that threads hand the host over without a data race; CONTRIBUTING.md has the
//! command.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(
    unsafe_code,
    reason = "it calls the C ABI, which is exported by the library that it is linked with"
)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use vhost::with_host;

unsafe extern "C" {
    fn mb_init(mem_cfg: *const c_char, mailbox_cfg: *const c_char, fs_root: *const c_char)
    -> c_int;
    fn mb_backdoor_write_mem(space: *const c_char, address: u64, data: *const u8, len: u64) -> i64;
    fn mb_backdoor_read_mem(space: *const c_char, address: u64, data: *mut u8, len: u64) -> i64;
    safe fn mb_tick() -> c_int;
    safe fn mb_notify();
    safe fn mb_shutdown();
    safe fn mb_last_error() -> *const c_char;
    safe fn mb_status() -> *const c_char;
}

const THREADS: u64 = 4;
const CALLS: u64 = 2000;
const SPACE: &CStr = c"core";

/// Writes its own pattern to its own bytes, and reads them back, in between others' ticks.
fn use_host(number: u64, served: &AtomicU64) {
    let address = 0x1000 + 64 * number;
    for call in 0..CALLS {
        let pattern = [(number as u8) << 4 | (call as u8 & 15); 64];
        // SAFETY: the name ends with a NUL, and the data is as long as it is said to be.
        let written =
            unsafe { mb_backdoor_write_mem(SPACE.as_ptr(), address, pattern.as_ptr(), 64) };
        if written < 0 {
            continue; // refused: another thread was inside
        }
        assert_eq!(written, 64);
        let mut read = [0; 64];
        // SAFETY: as above.
        let got = unsafe { mb_backdoor_read_mem(SPACE.as_ptr(), address, read.as_mut_ptr(), 64) };
        if got >= 0 {
            assert_eq!(read, pattern);
            served.fetch_add(1, Ordering::Relaxed);
        }
        mb_notify();
        assert!([1, -1].contains(&mb_tick()));
        let _ = with_host(|vhost| vhost.now());
        let _ = (mb_status(), mb_last_error());
    }
}

#[test]
fn threads_hand_the_host_over_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        CString::new(path.to_str().unwrap()).unwrap()
    };
    let memories = file(
        "mem.yaml",
        "space:\n  core: [ram: {base: 0, size: 0x10000, path: ram, width: 32, backend: static}]\n",
    );
    let mailboxes = file(
        "mailbox.yaml",
        "core: {space: core, base: 0, ptr: 32, cache_line: 0}\n",
    );
    let root = CString::new(folder.path().to_str().unwrap()).unwrap();
    for _ in 0..3 {
        // SAFETY: all three are C strings.
        let built = unsafe { mb_init(memories.as_ptr(), mailboxes.as_ptr(), root.as_ptr()) };
        assert_eq!(built, 0);
        let (together, served) = (Barrier::new(THREADS as usize), AtomicU64::new(0));
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (together, served) = (&together, &served);
                scope.spawn(move || {
                    together.wait();
                    use_host(number, served);
                });
            }
        });
        assert!(served.into_inner() > 0, "no call was ever served");
        // The first call that is not refused reports those that were; it is served all the same.
        assert_eq!(mb_tick(), 1);
        mb_shutdown();
    }
}
