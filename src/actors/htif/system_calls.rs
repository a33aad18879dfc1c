//! System calls on descriptors and on the process, and dispatch of all calls.

use bytes::Bytes;
use mailbox_rs::{AccessMode, Errno, FileRequest, PosixFlags, Request, Whence};

use super::channel::Channel;
use super::linux::{AT_EMPTY_PATH, F_GETFD, F_GETFL, F_SETFD, F_SETFL, O_LARGEFILE, stat, statx};
use super::main_vars::main_vars;
use crate::actors::service::{Failure, refused, severity};
use crate::mem::{Op, Span};
use crate::messages::foreign::Severity;
use crate::messages::htif::SystemCall;

impl Channel {
    /// Performs a system call, and returns its result.
    pub(super) async fn system_call(&self, call: &SystemCall) -> Result<u64, Failure> {
        let [a0, a1, a2, a3, a4, a5, _] = call.args;
        let service = &self.service;
        match call.name() {
            "getcwd" => self.getcwd(a0, a1).await,
            "fcntl" => self.fcntl(descriptor(a0), a1).await,
            "mkdirat" => self.mkdirat(a0, (a1, a2), a3).await,
            "unlinkat" => self.unlinkat(a0, (a1, a2), a3).await,
            "linkat" => self.linkat(a0, (a1, a2)).await,
            "renameat" => self.renameat(a0, (a1, a2), a3, (a4, a5)).await,
            "ftruncate" => {
                service.set_length(descriptor(a0), a1).await?;
                Ok(0)
            }
            "faccessat" => self.faccessat(a0, (a1, a2), a3).await,
            "chdir" => self.chdir(a0).await,
            "openat" => self.openat(a0, (a1, a2), a3, a4).await,
            "close" => {
                service.close_file(descriptor(a0)).await?;
                self.files.closed(descriptor(a0));
                Ok(0)
            }
            "lseek" => {
                let offset = a1.cast_signed();
                service.lseek(descriptor(a0), Whence::of(a2), offset).await
            }
            "read" => self.read(descriptor(a0), a1, a2).await,
            "write" => self.write(descriptor(a0), a1, a2).await,
            "pread" => {
                let transfer = FileRequest::Read {
                    fd: descriptor(a0),
                    ptr: a1,
                    len: a2,
                };
                self.at_position(descriptor(a0), a3, a2, transfer).await
            }
            "pwrite" => {
                let transfer = FileRequest::Write {
                    fd: descriptor(a0),
                    ptr: a1,
                    len: a2,
                };
                self.at_position(descriptor(a0), a3, a2, transfer).await
            }
            "readlinkat" => self.readlinkat(a0, (a1, a2)).await,
            "fstatat" => {
                let status = self
                    .status_at(a0, (a1, a2), a4 & AT_EMPTY_PATH != 0)
                    .await?;
                self.put(a3, &stat(&status)).await
            }
            "fstat" => {
                let status = service.descriptor_status(descriptor(a0)).await?;
                self.put(a1, &stat(&status)).await
            }
            "statx" => {
                let status = self
                    .status_at(a0, (a1, a2), a3 & AT_EMPTY_PATH != 0)
                    .await?;
                self.put(a5, &statx(&status)).await
            }
            "lstat" => {
                let status = self.status_of((a0, a1)).await?;
                self.put(a2, &stat(&status)).await
            }
            "getmainvars" => self.getmainvars(a0, a1).await,
            // An exit does not return.
            _ => {
                let reason = format!("system call {} does not exist", call.number);
                Err(refused(Errno::ENOSYS, reason))
            }
        }
    }

    /// Severity of the report on a failed call: that of the mailbox's operation of the same name.
    pub(super) fn severity(&self, call: Option<&SystemCall>, failure: &Failure) -> Severity {
        let operation = call.and_then(operation);
        operation.map_or(Severity::Error, |operation| {
            severity(&self.service.services, &Request::File(operation), failure)
        })
    }

    async fn read(&self, fd: u64, ptr: u64, len: u64) -> Result<u64, Failure> {
        if len == 0 {
            return self.require_open(fd).await;
        }
        self.service.file(FileRequest::Read { fd, ptr, len }).await
    }

    async fn write(&self, fd: u64, ptr: u64, len: u64) -> Result<u64, Failure> {
        if len == 0 {
            return self.require_open(fd).await;
        }
        self.service.file(FileRequest::Write { fd, ptr, len }).await
    }

    /// Fails with EBADF unless a descriptor is open.
    async fn require_open(&self, fd: u64) -> Result<u64, Failure> {
        self.service.descriptor_status(fd).await?;
        Ok(0)
    }

    /// Reads or writes at a position, and restores the file's position.
    async fn at_position(
        &self,
        fd: u64,
        position: u64,
        len: u64,
        transfer: FileRequest,
    ) -> Result<u64, Failure> {
        let before = self.service.lseek(fd, Whence::Current, 0).await?;
        if len == 0 {
            return Ok(0);
        }
        let position = position.cast_signed();
        self.service.lseek(fd, Whence::Set, position).await?;
        let moved = self.service.file(transfer).await;
        let before = before.cast_signed();
        self.service.lseek(fd, Whence::Set, before).await?;
        moved
    }

    async fn fcntl(&self, fd: u64, command: u64) -> Result<u64, Failure> {
        self.require_open(fd).await?;
        match command {
            // Firmware has one process, so no exec closes a descriptor and the flags have no
            // effect.
            F_GETFD | F_SETFD | F_SETFL => Ok(0),
            F_GETFL => {
                let stream = match fd {
                    0 => PosixFlags::READ_ONLY,
                    _ => PosixFlags::WRITE_ONLY,
                };
                let PosixFlags(flags) = self.files.flags(fd).unwrap_or(stream);
                // Flags of the open itself are not part of the file's flags.
                let PosixFlags(access) = PosixFlags::READ_WRITE | PosixFlags::WRITE_ONLY;
                let PosixFlags(append) = PosixFlags::APPEND;
                Ok(u64::from(flags & (access | append) | O_LARGEFILE))
            }
            command => {
                let reason = format!(
                    "command {command} of fcntl is not served; 1 to 4 are (F_GETFD, F_SETFD, F_GETFL, F_SETFL)"
                );
                Err(refused(Errno::EINVAL, reason))
            }
        }
    }

    /// Writes the arguments of `main` to memory.
    async fn getmainvars(&self, address: u64, limit: u64) -> Result<u64, Failure> {
        let bytes = main_vars(&self.service.services.arguments, address);
        if bytes.len() as u64 > limit {
            let needed = bytes.len();
            let reason = format!("the arguments take {needed} bytes, and firmware has {limit}");
            return Err(refused(Errno::ENOMEM, reason));
        }
        self.put(address, &bytes).await
    }

    /// Writes bytes to memory. Returns 0.
    pub(super) async fn put(&self, address: u64, bytes: &[u8]) -> Result<u64, Failure> {
        let len = bytes.len() as u64;
        let data = Bytes::copy_from_slice(bytes);
        self.service
            .access(Op::Write(Span { address, len }, data))
            .await?;
        Ok(0)
    }
}

/// Descriptor of an `int`, which firmware of 32 bits extends with or without its sign.
pub(super) fn descriptor(word: u64) -> u64 {
    word & u64::from(u32::MAX)
}

/// Operation of the mailbox that corresponds to a call, for its severity. Its arguments don't
/// matter.
fn operation(call: &SystemCall) -> Option<FileRequest> {
    let (fd, ptr, len, path, result) = (0, 0, 0, 0, 0);
    Some(match call.name() {
        "openat" => FileRequest::PosixOpen {
            path,
            flags: PosixFlags::READ_ONLY,
            mode: 0,
        },
        "close" => FileRequest::CheckedClose { fd },
        "read" | "pread" => FileRequest::Read { fd, ptr, len },
        "write" | "pwrite" => FileRequest::Write { fd, ptr, len },
        "lseek" => FileRequest::Lseek {
            fd,
            whence: Whence::Set,
            offset: 0,
            result,
        },
        "fstat" => FileRequest::Fstat { fd, result },
        "fstatat" | "statx" | "lstat" | "chdir" | "readlinkat" => {
            FileRequest::Stat { path, result }
        }
        "faccessat" => FileRequest::Access {
            path,
            mode: AccessMode::EXISTS,
        },
        "unlinkat" => FileRequest::Unlink { path },
        "renameat" => FileRequest::Rename {
            from: path,
            to: path,
        },
        "mkdirat" => FileRequest::Mkdir { path, mode: 0 },
        "ftruncate" => FileRequest::Ftruncate { fd, len },
        _ => return None,
    })
}
