//! System calls on paths.

use bytes::Bytes;
use mailbox_rs::{AccessMode, Errno, FileStatus, FileType, MAX_STRING, PosixFlags};

use super::channel::Channel;
use super::linux::{AT_FDCWD, AT_REMOVEDIR};
use super::open_files::OpenFiles;
use super::system_calls::descriptor;
use crate::actors::service::{Failure, refused};
use crate::bus::{Envelope, Message};
use crate::mem::{AccessError, Op, Span};
use crate::messages::files::{self, ActOnPath, PathAction, PathStatus, PosixOpen};

/// Path in firmware's memory: address, and length with its NUL.
pub(super) type PathAt = (u64, u64);

/// Permission bits that a program may set.
const MODE: u64 = 0o777;

impl Channel {
    pub(super) async fn getcwd(&self, address: u64, size: u64) -> Result<u64, Failure> {
        let mut path = self.files.directory();
        path.push(0);
        let len = path.len() as u64;
        if len > size {
            let reason =
                format!("the working directory takes {len} bytes, and firmware has {size}");
            return Err(refused(Errno::ERANGE, reason));
        }
        self.put(address, &path).await?;
        Ok(len)
    }

    /// Changes the working directory. The path has no length.
    pub(super) async fn chdir(&self, path: u64) -> Result<u64, Failure> {
        let given = self.path((path, MAX_STRING)).await?;
        let path = self.resolved(None, &given).await?;
        let channel = self.service.id;
        let ask = PathStatus {
            channel,
            path: path.clone(),
        };
        let status: FileStatus = self.on_path(&given, &path, ask).await?;
        if FileType::of_mode(status.mode) != FileType::Directory {
            let refusal = refused(Errno::ENOTDIR, "it is no directory");
            return Err(refusal.on_path(&given, &path));
        }
        self.files.set_directory(match &path[..] {
            b"." => Bytes::new(),
            _ => path,
        });
        Ok(0)
    }

    pub(super) async fn openat(
        &self,
        from: u64,
        path: PathAt,
        flags: u64,
        mode: u64,
    ) -> Result<u64, Failure> {
        let (given, path) = self.path_from(from, path).await?;
        // The flags are an `int`.
        let flags = PosixFlags(flags as u32);
        let open = PosixOpen {
            channel: self.service.id,
            path: path.clone(),
            flags,
            mode: (mode & MODE) as u32,
        };
        let fd = self.on_path(&given, &path, open).await?;
        self.files.opened(fd, path, flags);
        Ok(fd)
    }

    pub(super) async fn mkdirat(&self, from: u64, path: PathAt, mode: u64) -> Result<u64, Failure> {
        let mode = (mode & MODE) as u32;
        self.act(from, path, PathAction::MakeDirectory { mode })
            .await
    }

    pub(super) async fn unlinkat(
        &self,
        from: u64,
        path: PathAt,
        flags: u64,
    ) -> Result<u64, Failure> {
        let action = match flags & AT_REMOVEDIR {
            0 => PathAction::Unlink,
            _ => PathAction::RemoveDirectory,
        };
        self.act(from, path, action).await
    }

    pub(super) async fn renameat(
        &self,
        from: u64,
        path: PathAt,
        to: u64,
        new: PathAt,
    ) -> Result<u64, Failure> {
        let (_, to) = self.path_from(to, new).await?;
        self.act(from, path, PathAction::Rename { to }).await
    }

    pub(super) async fn faccessat(
        &self,
        from: u64,
        path: PathAt,
        mode: u64,
    ) -> Result<u64, Failure> {
        let mode = AccessMode(mode as u32);
        if !mode.is_valid() {
            let reason = format!("mode {:#x} has unknown bits", mode.0);
            return Err(refused(Errno::EINVAL, reason));
        }
        self.act(from, path, PathAction::Access(mode)).await
    }

    /// Refuses a hard link. The existing file must be there.
    pub(super) async fn linkat(&self, from: u64, path: PathAt) -> Result<u64, Failure> {
        self.act(from, path, PathAction::Access(AccessMode::EXISTS))
            .await?;
        Err(refused(Errno::EPERM, "firmware's files have no hard links"))
    }

    /// Refuses to read a link, with the error for a path that is not a link: links are followed.
    pub(super) async fn readlinkat(&self, from: u64, path: PathAt) -> Result<u64, Failure> {
        self.act(from, path, PathAction::Access(AccessMode::EXISTS))
            .await?;
        Err(refused(
            Errno::EINVAL,
            "symbolic links are followed, so the path is none",
        ))
    }

    /// Status of a path. An empty path means the descriptor itself if the flags allow it.
    pub(super) async fn status_at(
        &self,
        from: u64,
        path: PathAt,
        may_be_empty: bool,
    ) -> Result<FileStatus, Failure> {
        let given = self.path(path).await?;
        if given.is_empty() && may_be_empty && from as i32 != AT_FDCWD {
            return self.service.descriptor_status(descriptor(from)).await;
        }
        let path = self.resolved(directory(from), &given).await?;
        self.path_status(&given, path).await
    }

    /// Status of a path from the working directory.
    pub(super) async fn status_of(&self, path: PathAt) -> Result<FileStatus, Failure> {
        let given = self.path(path).await?;
        let path = self.resolved(None, &given).await?;
        self.path_status(&given, path).await
    }

    async fn path_status(&self, given: &Bytes, path: Bytes) -> Result<FileStatus, Failure> {
        let channel = self.service.id;
        let ask = PathStatus {
            channel,
            path: path.clone(),
        };
        self.on_path(given, &path, ask).await
    }

    async fn act(&self, from: u64, path: PathAt, action: PathAction) -> Result<u64, Failure> {
        let (given, path) = self.path_from(from, path).await?;
        let act = ActOnPath {
            channel: self.service.id,
            path: path.clone(),
            action,
        };
        let () = self.on_path(&given, &path, act).await?;
        Ok(0)
    }

    /// Sends a request on a path to the files actor. An error names the path.
    async fn on_path<M, T>(&self, given: &Bytes, path: &Bytes, ask: M) -> Result<T, Failure>
    where
        M: Message<Reply = Result<T, Errno>>,
        files::Inbox: From<Envelope<M>>,
    {
        let answer = self.service.on_file(ask).await;
        answer.map_err(|failure| failure.on_path(given, path))
    }

    /// Reads a path. Returns it as firmware gave it, and resolved from the root.
    async fn path_from(&self, from: u64, path: PathAt) -> Result<(Bytes, Bytes), Failure> {
        let given = self.path(path).await?;
        let path = self.resolved(directory(from), &given).await?;
        Ok((given, path))
    }

    async fn resolved(&self, from: Option<u64>, given: &Bytes) -> Result<Bytes, Failure> {
        let expanded = self.service.expanded(given).await?;
        // The expansion turns an absolute path of the host, if it is below the root, into one from
        // the root.
        match given.starts_with(b"/") && expanded.starts_with(b"/") {
            true => OpenFiles::from_root(&expanded),
            false => self.files.resolved(from, &expanded),
        }
    }

    /// Reads a path. Its NUL must be within the given length.
    async fn path(&self, (address, len): PathAt) -> Result<Bytes, Failure> {
        let span = Span {
            address,
            len: len.min(MAX_STRING),
        };
        match self.service.access(Op::Text(span)).await {
            Ok(outcome) => Ok(outcome.into_bytes()),
            Err(Failure::Access(AccessError::Unterminated { len })) if len >= MAX_STRING => {
                let reason = format!("the path at {address:#x} has no NUL within {len} bytes");
                Err(refused(Errno::ENAMETOOLONG, reason))
            }
            Err(Failure::Access(AccessError::Unterminated { len })) if len >= span.len => {
                let reason = format!("the path at {address:#x} has no NUL within its {len} bytes");
                Err(refused(Errno::EINVAL, reason))
            }
            Err(Failure::Access(cause)) => Err(Failure::Text {
                what: "path",
                address,
                cause,
            }),
            Err(failure) => Err(failure),
        }
    }
}

/// Directory by its descriptor; `None` for the working directory.
fn directory(word: u64) -> Option<u64> {
    (word as i32 != AT_FDCWD).then(|| descriptor(word))
}
