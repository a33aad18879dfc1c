//! Descriptors of files that one process alone writes. A child inherits them with the open file description, to which a lock by
//! `flock` belongs: it would be held for as long as the child lives, whatever that does.
//!
//! In a child, before `fork` returns, each of them is opened anew for reading, without the lock. A child that calls nothing has no part in
//! the parent's files, and one that goes on can still copy them.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// No descriptor.
const NONE: c_int = -1;

/// Most files at a time. A child shares what is opened beyond.
const MOST: usize = 64;

static OWN: [AtomicI32; MOST] = [const { AtomicI32::new(NONE) }; MOST];

/// An entry of [`OWN`], given back when it is dropped. To be dropped before the file.
#[derive(Debug)]
pub(crate) struct Own(Option<&'static AtomicI32>);

/// Keeps children from sharing this file.
pub(crate) fn own(file: &impl AsRawFd) -> Own {
    let claim = |entry: &&AtomicI32| {
        let descriptor = file.as_raw_fd();
        let claimed =
            entry.compare_exchange(NONE, descriptor, Ordering::Relaxed, Ordering::Relaxed);
        claimed.is_ok()
    };
    Own(OWN.iter().find(claim))
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(entry) = self.0 {
            entry.store(NONE, Ordering::Relaxed);
        }
    }
}

/// Opens the parent's files anew, in a child. Async-signal-safe. A file that can't be opened stays shared.
pub(super) fn part() {
    for entry in &OWN {
        let descriptor = entry.load(Ordering::Relaxed);
        if descriptor != NONE {
            open_anew(descriptor);
        }
    }
}

fn open_anew(descriptor: RawFd) {
    let path = path_of(descriptor);
    // SAFETY: the path ends with a zero, and `open` is async-signal-safe.
    let anew = unsafe {
        libc::open(
            path.as_ptr().cast(),
            libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK,
        )
    };
    if anew == -1 {
        return;
    }
    // SAFETY: both are descriptors of this process; `dup3` is async-signal-safe.
    unsafe { libc::dup3(anew, descriptor, libc::O_CLOEXEC) };
    // SAFETY: nobody else has it.
    unsafe { libc::close(anew) };
}

/// `/proc/self/fd/` and a number, with a zero at the end. Allocates nothing.
fn path_of(descriptor: RawFd) -> [u8; 32] {
    const FOLDER: &[u8] = b"/proc/self/fd/";
    let mut path = [0; 32];
    path[..FOLDER.len()].copy_from_slice(FOLDER);
    let mut rest = descriptor.unsigned_abs();
    let digits = rest.checked_ilog10().unwrap_or(0) as usize + 1;
    for digit in path[FOLDER.len()..][..digits].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_descriptors_are_written_in_decimal() {
        for descriptor in [0, 9, 10, 4711, i32::MAX] {
            let path = path_of(descriptor);
            let text = std::ffi::CStr::from_bytes_until_nul(&path).unwrap();
            let expected = format!("/proc/self/fd/{descriptor}");
            assert_eq!(text.to_str().unwrap(), expected);
        }
    }
}
