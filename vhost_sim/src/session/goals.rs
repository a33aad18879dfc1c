//! Coverage of requests and error numbers.

use super::Shared;
use crate::wire::{Entry, action, errno, file};

pub(super) fn count_entry(entry: &Entry, shared: &mut Shared) {
    let counter = match (entry.action, entry.args[0]) {
        (0, _) => "request malformed",
        (action::EXIT, _) => "request EXIT",
        (action::PRINT, _) => "request PRINT",
        (action::CPRINT, _) => "request CPRINT",
        (action::MEMMOVE, _) => "request MEMMOVE",
        (action::MEMSET, _) => "request MEMSET",
        (action::MEMCMP, _) => "request MEMCMP",
        (action::CALL, _) => "request CALL",
        (action::FILE, file::OPEN) => "request FILE OPEN",
        (action::FILE, file::CLOSE) => "request FILE CLOSE",
        (action::FILE, file::READ) => "request FILE READ",
        (action::FILE, file::WRITE) => "request FILE WRITE",
        (action::FILE, file::SEEK) => "request FILE SEEK",
        (action::FILE, file::POSIX_OPEN) => "request FILE POSIX_OPEN",
        (action::FILE, file::CHECKED_CLOSE) => "request FILE CHECKED_CLOSE",
        (action::FILE, file::LSEEK) => "request FILE LSEEK",
        (action::FILE, file::FSTAT) => "request FILE FSTAT",
        (action::FILE, file::STAT) => "request FILE STAT",
        (action::FILE, file::ACCESS) => "request FILE ACCESS",
        (action::FILE, file::UNLINK) => "request FILE UNLINK",
        (action::FILE, file::RENAME) => "request FILE RENAME",
        (action::FILE, file::MKDIR) => "request FILE MKDIR",
        (action::FILE, file::RMDIR) => "request FILE RMDIR",
        (action::FILE, file::READDIR) => "request FILE READDIR",
        (action::FILE, file::FTRUNCATE) => "request FILE FTRUNCATE",
        (action::FILE, file::FSYNC) => "request FILE FSYNC",
        (action::FILE, file::ARGV) => "request FILE ARGV",
        (action::FILE, file::ENV) => "request FILE ENV",
        (action::FILE, file::TIME) => "request FILE TIME",
        (action::FILE, file::RANDOM) => "request FILE RANDOM",
        (action::FILE, _) => "request malformed",
        _ => "request OTHER",
    };
    shared.coverage.hit(counter);
    if (1..=8).contains(&entry.action) {
        match entry.words {
            0 => shared.coverage.hit("entry without words"),
            1 if !matches!(entry.action, action::EXIT | action::CALL) => {
                shared.coverage.hit("entry with few words")
            }
            _ => {}
        }
    }
}

pub(super) fn count_errno(errno: i32, shared: &mut Shared) {
    let counter = match errno {
        errno::ENOENT => "errno ENOENT",
        errno::EIO => "errno EIO",
        errno::EBADF => "errno EBADF",
        errno::EACCES => "errno EACCES",
        errno::EFAULT => "errno EFAULT",
        errno::EEXIST => "errno EEXIST",
        errno::ENOTDIR => "errno ENOTDIR",
        errno::ENOTEMPTY => "errno ENOTEMPTY",
        errno::ESPIPE => "errno ESPIPE",
        errno::EISDIR => "errno EISDIR",
        errno::EINVAL => "errno EINVAL",
        errno::EMFILE => "errno EMFILE",
        errno::ENOSPC => "errno ENOSPC",
        errno::ENOSYS => "errno ENOSYS",
        _ => return,
    };
    shared.coverage.hit(counter);
}
