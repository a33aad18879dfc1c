//! Errors of system calls.

use std::io;

use mailbox_rs::Errno;

/// Repeats a system call while a signal interrupts it.
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Error number of the operating system, if the error has one.
pub(super) fn errno(error: &io::Error) -> Errno {
    match (error.raw_os_error(), error.kind()) {
        (Some(number), _) => Errno(number),
        (None, io::ErrorKind::PermissionDenied) => Errno::EACCES,
        (None, io::ErrorKind::NotFound) => Errno::ENOENT,
        (None, io::ErrorKind::InvalidInput) => Errno::EINVAL,
        (None, _) => Errno::EIO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_repeated_while_it_is_interrupted() {
        let mut left = 3;
        let call = || {
            left -= 1;
            match left {
                0 => Ok(7),
                _ => Err(io::Error::from_raw_os_error(Errno::EINTR.0)),
            }
        };
        assert_eq!(uninterrupted(call).unwrap(), 7);
        let failed = uninterrupted(|| Err::<(), _>(io::Error::from_raw_os_error(28)));
        assert_eq!(errno(&failed.unwrap_err()), Errno::ENOSPC);
    }
}
