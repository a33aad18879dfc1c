//! Severity of reports on failed requests.

use mailbox_rs::{Errno, FileRequest, Request};

use super::Failure;
use crate::messages::ChannelServices;
use crate::messages::foreign::Severity;

/// Severity of the report on a failed request: the configured one, or info for a probe whose error
/// firmware gets. An injected fault has severity info.
pub(in crate::actors) fn severity(
    services: &ChannelServices,
    request: &Request,
    failure: &Failure,
) -> Severity {
    if matches!(failure, Failure::Injected { .. }) {
        return Severity::Info;
    }
    let errno = failure.errno();
    services
        .severity(request, errno)
        .unwrap_or(match is_probe(request, failure, errno) {
            true => Severity::Info,
            false => Severity::Error,
        })
}

/// True for an error that an ordinary program expects.
fn is_probe(request: &Request, failure: &Failure, errno: Errno) -> bool {
    let Request::File(file) = request else {
        return false;
    };
    // Errors of memory, and of a variable that the user has to set, do not come from the file
    // system.
    if !request.responds() || !matches!(failure, Failure::File { .. } | Failure::Path { .. }) {
        return false;
    }
    match file {
        FileRequest::Open { .. } => is_absence(errno),
        FileRequest::PosixOpen { .. }
        | FileRequest::Stat { .. }
        | FileRequest::Unlink { .. }
        | FileRequest::Rename { .. }
        | FileRequest::Mkdir { .. }
        | FileRequest::Rmdir { .. }
        | FileRequest::Access { .. } => is_absence(errno) || is_refusal(errno),
        FileRequest::Lseek { .. } => errno == Errno::ESPIPE,
        _ => false,
    }
}

/// True for an error that says if a file is there, or of which kind it is.
fn is_absence(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ENOENT | Errno::EEXIST | Errno::ENOTDIR | Errno::EISDIR | Errno::ENOTEMPTY
    )
}

/// True for an error by which a file system refuses a path. A program that explores the file system
/// gets it, as for `..` of the root.
fn is_refusal(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EACCES
            | Errno::EPERM
            | Errno::EROFS
            | Errno::ELOOP
            | Errno::ENAMETOOLONG
            | Errno::EXDEV
            | Errno::EBUSY
    )
}
