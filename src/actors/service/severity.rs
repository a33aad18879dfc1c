//! Severity of reports on failed requests.

use mailbox_rs::{Errno, FileRequest, Request};

use super::Failure;
use crate::messages::ChannelServices;
use crate::messages::foreign::Severity;

/// Severity of the report on a failed request: the configured one, or info where firmware looks if something is there and is answered.
/// An injected fault is information.
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

/// True for an error that an ordinary program is prepared for.
fn is_probe(request: &Request, failure: &Failure, errno: Errno) -> bool {
    let Request::File(file) = request else {
        return false;
    };
    // Errors of memory, and of a variable that the user has to set, are no answers of the file system.
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

/// True for an error that says if something is there, and of which kind.
fn is_absence(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ENOENT | Errno::EEXIST | Errno::ENOTDIR | Errno::EISDIR | Errno::ENOTEMPTY
    )
}

/// True for an error by which a file system refuses a path: that of a program which looks around, as at `..` of the root.
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
