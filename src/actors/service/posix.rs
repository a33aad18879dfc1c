//! Operations of protocol 0.3.

use bytes::Bytes;
use mailbox_rs::{Errno, FileRequest, FileStatus, MAX_STRING, Timestamp, Whence};

use super::ChannelService;
use super::failure::Failure;
use crate::bus::{Envelope, Message};
use crate::mem::{AccessError, Op, Span};
use crate::messages::Clock;
use crate::messages::files::{
    self, ActOnPath, DescriptorStatus, Lseek, PathAction, PathStatus, PosixOpen, ReadDirectory,
    SetLength, Sync,
};
use crate::messages::foreign::WallTime;

impl ChannelService {
    /// Performs an operation of protocol 0.3 and returns the result word of its response.
    pub(in crate::actors) async fn posix(&self, request: FileRequest) -> Result<u64, Failure> {
        let channel = self.id;
        match request {
            // Operations of protocol 0.2, which are executed elsewhere.
            FileRequest::Open { .. }
            | FileRequest::Close { .. }
            | FileRequest::Read { .. }
            | FileRequest::Write { .. }
            | FileRequest::Seek { .. } => {}
            FileRequest::PosixOpen { path, flags, mode } => {
                let open = |path| PosixOpen {
                    channel,
                    path,
                    flags,
                    mode,
                };
                return self.on_path(path, open).await;
            }
            FileRequest::CheckedClose { fd } => self.close_file(fd).await?,
            FileRequest::Lseek {
                fd,
                whence,
                offset,
                result,
            } => {
                let position = self.lseek(fd, whence, offset).await?;
                self.put(result, position.to_le_bytes()).await?;
            }
            FileRequest::Fstat { fd, result } => {
                let status = self.descriptor_status(fd).await?;
                self.put(result, status.bytes()).await?;
            }
            FileRequest::Stat { path, result } => {
                let ask = |path| PathStatus { channel, path };
                let status = self.on_path(path, ask).await?;
                self.put(result, status.bytes()).await?;
            }
            FileRequest::Access { path, mode } => {
                self.act(path, PathAction::Access(mode)).await?;
            }
            FileRequest::Unlink { path } => self.act(path, PathAction::Unlink).await?,
            FileRequest::Rename { from, to } => {
                let to = self.path_at(to).await?;
                let to = self.expanded(&to).await?;
                self.act(from, PathAction::Rename { to }).await?;
            }
            FileRequest::Mkdir { path, mode } => {
                self.act(path, PathAction::MakeDirectory { mode }).await?;
            }
            FileRequest::Rmdir { path } => self.act(path, PathAction::RemoveDirectory).await?,
            FileRequest::Readdir { fd, ptr, len } => {
                return self.read_directory(fd, ptr, len).await;
            }
            FileRequest::Ftruncate { fd, len } => self.set_length(fd, len).await?,
            FileRequest::Fsync { fd } => match self.stream(fd)? {
                Some(stream) => self.sync_stream(stream).await?,
                None => self.on_file(Sync { channel, fd }).await?,
            },
            FileRequest::Argv { ptr, len } => {
                let arguments = self.services.arguments.clone();
                return self.put_block(&arguments, ptr, len).await;
            }
            FileRequest::Env { ptr, len } => {
                let environment = self.services.environment.clone();
                return self.put_block(&environment, ptr, len).await;
            }
            FileRequest::Time { result } => {
                let time = self.time().await?;
                self.put(result, time.bytes()).await?;
            }
            FileRequest::Random { ptr, len } => return self.put_random(ptr, len).await,
        }
        Ok(0)
    }

    /// Writes random bytes to memory, and returns their number.
    async fn put_random(&self, ptr: u64, len: u64) -> Result<u64, Failure> {
        for transfer in self.transfers(ptr, len).await? {
            let bytes = usize::try_from(transfer.len).unwrap_or(0);
            let bytes = self.session.random.bytes(bytes);
            self.access(Op::Write(transfer, bytes.into())).await?;
        }
        Ok(len)
    }

    /// Moves the position of a descriptor, and returns it.
    pub(in crate::actors) async fn lseek(
        &self,
        fd: u64,
        whence: Whence,
        offset: i64,
    ) -> Result<u64, Failure> {
        if self.stream(fd)?.is_some() {
            return Err(refused(Errno::ESPIPE, "a standard stream has no position"));
        }
        let channel = self.id;
        self.on_file(Lseek {
            channel,
            fd,
            whence,
            offset,
        })
        .await
    }

    /// Status of an open file, or of a standard stream.
    pub(in crate::actors) async fn descriptor_status(
        &self,
        fd: u64,
    ) -> Result<FileStatus, Failure> {
        let channel = self.id;
        match self.stream(fd)? {
            Some(stream) => self.stream_status(stream).await,
            None => self.on_file(DescriptorStatus { channel, fd }).await,
        }
    }

    /// Sets the length of a file.
    pub(in crate::actors) async fn set_length(&self, fd: u64, len: u64) -> Result<(), Failure> {
        if self.stream(fd)?.is_some() {
            return Err(refused(Errno::EINVAL, "a standard stream has no length"));
        }
        let channel = self.id;
        self.on_file(SetLength { channel, fd, len }).await
    }

    async fn act(&self, path: u64, action: PathAction) -> Result<(), Failure> {
        let channel = self.id;
        let act = |path| ActOnPath {
            channel,
            path,
            action,
        };
        self.on_path(path, act).await
    }

    /// Sends a request on firmware's path to the files actor. An error names the path.
    async fn on_path<M, T>(&self, path: u64, ask: impl FnOnce(Bytes) -> M) -> Result<T, Failure>
    where
        M: Message<Reply = Result<T, Errno>>,
        files::Inbox: From<Envelope<M>>,
    {
        let given = self.path_at(path).await?;
        let expanded = self.expanded(&given).await?;
        let answer = self.on_file(ask(expanded.clone())).await;
        answer.map_err(|failure| failure.on_path(&given, &expanded))
    }

    /// Reads a path of firmware.
    ///
    /// # Errors
    /// ENAMETOOLONG for a string that is too long.
    async fn path_at(&self, address: u64) -> Result<Bytes, Failure> {
        match self.text("path", address).await {
            Err(Failure::Text {
                cause: AccessError::Unterminated { len },
                ..
            }) if len >= MAX_STRING => {
                let reason = format!("the path at {address:#x} has no NUL within {len} bytes");
                Err(refused(Errno::ENAMETOOLONG, reason))
            }
            path => path,
        }
    }

    async fn read_directory(&self, fd: u64, ptr: u64, len: u64) -> Result<u64, Failure> {
        if self.stream(fd)?.is_some() {
            return Err(refused(Errno::ENOTDIR, "a standard stream is no directory"));
        }
        let channel = self.id;
        let len = len.min(files::READ_MAX);
        // Entries that can't be written to memory would be lost.
        let span = Span { address: ptr, len };
        self.locate(span).await?;
        let records: Bytes = self.on_file(ReadDirectory { channel, fd, len }).await?;
        let len = records.len() as u64;
        if len > 0 {
            let place = Span { address: ptr, len };
            self.access(Op::Write(place, records)).await?;
        }
        Ok(len)
    }

    /// Time by the configured clock.
    pub(in crate::actors) async fn time(&self) -> Result<Timestamp, Failure> {
        match self.services.clock {
            Clock::Ticks { picoseconds } => {
                let elapsed = u128::from(self.operation.now()) * u128::from(picoseconds);
                Ok(Timestamp::from_nanoseconds(elapsed / 1000))
            }
            Clock::Wall => {
                self.release_slot().await?;
                Ok(self.peers.foreign.ask(WallTime).await?)
            }
        }
    }

    /// Writes a structure to memory.
    async fn put<const N: usize>(&self, address: u64, bytes: [u8; N]) -> Result<(), Failure> {
        let place = Span {
            address,
            len: N as u64,
        };
        let data = Bytes::copy_from_slice(&bytes);
        self.access(Op::Write(place, data)).await.map(drop)
    }

    /// Writes the start of a block to memory, up to the size of the buffer, and returns the length
    /// of the block.
    async fn put_block(&self, block: &Bytes, ptr: u64, room: u64) -> Result<u64, Failure> {
        let len = room.min(block.len() as u64);
        if len > 0 {
            let place = Span { address: ptr, len };
            let data = block.slice(..usize::try_from(len).unwrap_or(block.len()));
            self.access(Op::Write(place, data)).await?;
        }
        Ok(block.len() as u64)
    }
}

/// Failure of a file operation, with its reason.
pub(in crate::actors) fn refused(errno: Errno, reason: impl Into<String>) -> Failure {
    Failure::File {
        errno,
        reason: Some(reason.into()),
    }
}
