//! Descriptors that only one process may use. A child inherits each with the open file description,
//! whose locks and connections would live as long as the child. Therefore:
//!
//! - the lock of a file with a single writer belongs to the description. In a child, the file is
//!   opened again for reading without the lock, so that the child can still copy it;
//! - a connection ends, and a port becomes free, when the last descriptor is closed. In a child,
//!   the null device replaces the socket.
//!
//! Both happen in the child before `fork` returns, so that a child that makes no calls, or sleeps,
//! does not keep them.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// Unused entry.
const NONE: c_int = -1;

/// Maximum number of files, and of sockets, at a time. Further ones are shared with children.
const MAX_DESCRIPTORS: usize = 256;

type Table = [AtomicI32; MAX_DESCRIPTORS];

static FILES: Table = [const { AtomicI32::new(NONE) }; MAX_DESCRIPTORS];

static SOCKETS: Table = [const { AtomicI32::new(NONE) }; MAX_DESCRIPTORS];

/// Entry of a table, released on drop. It must be dropped before the descriptor.
#[derive(Debug)]
pub(crate) struct Own(Option<&'static AtomicI32>);

/// Keeps children from sharing this file. Has effect after forks are watched.
pub(crate) fn own_file(file: &impl AsRawFd) -> Own {
    Own::claim(&FILES, file)
}

/// Keeps children from sharing this socket. Has effect after forks are watched.
pub(crate) fn own_socket(socket: &impl AsRawFd) -> Own {
    Own::claim(&SOCKETS, socket)
}

impl Own {
    fn claim(table: &'static Table, of: &impl AsRawFd) -> Self {
        let descriptor = of.as_raw_fd();
        let claim = |entry: &&AtomicI32| {
            let claimed =
                entry.compare_exchange(NONE, descriptor, Ordering::Relaxed, Ordering::Relaxed);
            claimed.is_ok()
        };
        Self(table.iter().find(claim))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(entry) = self.0 {
            entry.store(NONE, Ordering::Relaxed);
        }
    }
}

/// Replaces the parent's descriptors in a child. Async-signal-safe. A descriptor for which no file
/// can be opened stays shared.
pub(super) fn part() {
    for descriptor in used(&FILES) {
        replace(descriptor, &path_of(descriptor), libc::O_RDONLY);
    }
    for descriptor in used(&SOCKETS) {
        replace(descriptor, b"/dev/null\0", libc::O_RDWR);
    }
}

fn used(table: &'static Table) -> impl Iterator<Item = RawFd> {
    let descriptors = table.iter().map(|entry| entry.load(Ordering::Relaxed));
    descriptors.filter(|descriptor| *descriptor != NONE)
}

/// Replaces the file of a descriptor by the file at a path, which ends with a zero.
fn replace(descriptor: RawFd, path: &[u8], access: c_int) {
    // SAFETY: the path ends with a zero, and `open` is async-signal-safe.
    let anew = unsafe {
        libc::open(
            path.as_ptr().cast(),
            access | libc::O_CLOEXEC | libc::O_NONBLOCK,
        )
    };
    if anew == -1 {
        return;
    }
    // SAFETY: both are descriptors of this process; `dup3` is async-signal-safe.
    unsafe { libc::dup3(anew, descriptor, libc::O_CLOEXEC) };
    // SAFETY: this function owns it.
    unsafe { libc::close(anew) };
}

/// `/proc/self/fd/` with a number, and a zero at the end. Does not allocate.
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
