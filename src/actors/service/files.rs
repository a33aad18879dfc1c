//! File operations of a channel.

use bytes::Bytes;
use mailbox_rs::{Errno, FileRequest, NEWEST};

use super::failure::Failure;
use super::{ChannelService, MAX_MOVE};
use crate::bus::{Envelope, Message};
use crate::mem::{MAX_TRANSFER, Op, Span};
use crate::messages::AwaitedOperation;
use crate::messages::escaped_name;
use crate::messages::files::{self, Close, Explain, Open, Read, Seek, Write};
use crate::messages::foreign::ExpandPath;

impl ChannelService {
    /// Performs a file operation and returns the result word of its response.
    pub(in crate::actors) async fn file(&self, request: FileRequest) -> Result<u64, Failure> {
        let channel = self.id;
        Ok(match request {
            FileRequest::Open { path, flags } => {
                let given = self.text("path", path).await?;
                let path = self.expanded(&given).await?;
                let open = Open {
                    channel,
                    path: path.clone(),
                    flags,
                };
                let opened = self.on_file(open).await;
                opened.map_err(|failure| failure.on_path(&given, &path))?
            }
            FileRequest::Close { fd } => {
                self.close_file(fd).await?;
                0
            }
            FileRequest::Read { fd, ptr, len } => match self.stream(fd)? {
                Some(stream) => self.read_stream(stream, ptr, len).await?,
                None => self.read_file(fd, ptr, len).await?,
            },
            FileRequest::Write { fd, ptr, len } if self.session.version() >= NEWEST => {
                match self.stream(fd)? {
                    Some(stream) => self.write_stream(stream, ptr, len).await?,
                    None => self.write_some(fd, ptr, len).await?,
                }
            }
            FileRequest::Write { fd, ptr, len } => {
                let limit = self.short(len);
                let mut written = 0;
                for transfer in self.transfers(ptr, limit).await? {
                    let data = self.access(Op::Read(transfer)).await?.into_bytes();
                    let more = self.on_file(Write { channel, fd, data }).await?;
                    // A callback may return any number, also too large a one.
                    written = u64::saturating_add(written, more);
                }
                self.report_short(fd, len, limit, written);
                written
            }
            FileRequest::Seek { fd, .. } if self.stream(fd)?.is_some() => {
                return Err(Failure::File {
                    errno: Errno::ESPIPE,
                    reason: Some("a standard stream has no position".to_owned()),
                });
            }
            FileRequest::Seek { fd, position } => {
                if Errno::from_word(position, self.width).is_some() {
                    let reason =
                        format!("position {position:#x} would be an error number as a response");
                    return Err(Failure::File {
                        errno: Errno::EINVAL,
                        reason: Some(reason),
                    });
                }
                let seek = Seek {
                    channel,
                    fd,
                    position,
                };
                self.on_file(seek).await?
            }
            posix => self.posix(posix).await?,
        })
    }

    /// Closes a file descriptor, or a standard stream.
    pub(in crate::actors) async fn close_file(&self, fd: u64) -> Result<(), Failure> {
        match self.stream(fd)? {
            Some(stream) => self.close_stream(stream).await,
            None => self.close_descriptor(fd).await,
        }
    }

    /// Closes a descriptor of the files actor.
    pub(in crate::actors) async fn close_descriptor(&self, fd: u64) -> Result<(), Failure> {
        let channel = self.id;
        self.on_file(Close { channel, fd }).await
    }

    /// Expands the variables of a path. Asks the environment only for a path that may contain
    /// variables, or that is absolute and may lead below the root.
    pub(in crate::actors) async fn expanded(&self, path: &Bytes) -> Result<Bytes, Failure> {
        let text = match str::from_utf8(path) {
            Ok(text) if text.starts_with(['~', '/']) || text.contains('$') => text,
            // The files actor rejects a path that is not UTF-8.
            _ => return Ok(path.clone()),
        };
        self.operation.awaits(AwaitedOperation::File);
        let path = text.to_owned();
        let expanded = self.peers.foreign.ask(ExpandPath { path }).await?;
        let expanded = expanded.map_err(|unset| Failure::Unset {
            path: escaped_name(text.as_bytes()),
            unset,
        })?;
        Ok(expanded.into())
    }

    /// Sends a request to the files actor and awaits the reply. A failure includes the reason.
    pub(in crate::actors) async fn on_file<M, T>(&self, ask: M) -> Result<T, Failure>
    where
        M: Message<Reply = Result<T, Errno>>,
        files::Inbox: From<Envelope<M>>,
    {
        self.release_slot().await?;
        if M::NAME != Close::NAME && self.has_faults() {
            self.inject_into_file()?;
        }
        self.operation.awaits(AwaitedOperation::File);
        match self.peers.files.ask(ask).await? {
            Ok(answer) => Ok(answer),
            Err(errno) => {
                let reason = self.reason().await?;
                Err(Failure::File { errno, reason })
            }
        }
    }

    /// Reason of the last failure, if it says more than the error number.
    async fn reason(&self) -> Result<Option<String>, Failure> {
        let channel = self.id;
        Ok(self.peers.files.ask(Explain { channel }).await?)
    }

    /// Number of mapped bytes from the start of `span`, for a transfer that has moved `done` bytes.
    /// 0 ends the transfer.
    ///
    /// # Errors
    /// Fails if the first byte of the transfer is not mapped.
    pub(in crate::actors) async fn room(&self, span: Span, done: u64) -> Result<u64, Failure> {
        let space = self.space;
        let room = self.peers.memory.extent(space, span).await?;
        if room == 0 && done == 0 {
            self.locate(span).await?;
        }
        Ok(room)
    }

    /// Copies bytes of a file to memory, up to the end of the file, the end of the memory, or `len`
    /// unless that is 0. Bytes that do not fit into memory are not taken from the file.
    pub(in crate::actors) async fn read_file(
        &self,
        fd: u64,
        ptr: u64,
        len: u64,
    ) -> Result<u64, Failure> {
        let limit = if len == 0 {
            MAX_MOVE
        } else {
            len.min(MAX_MOVE)
        };
        let wanted = limit;
        let limit = self.short(wanted);
        let channel = self.id;
        let read = async |len| self.on_file(Read { channel, fd, len }).await;
        let done = self.copy_to_memory(ptr, limit, read, |_| {}).await?;
        self.report_short(fd, wanted, limit, done);
        if self.has_faults() {
            let written = Span {
                address: ptr,
                len: done,
            };
            Box::pin(self.flip(written)).await?;
        }
        Ok(done)
    }
    /// Copies bytes of a source to memory, up to its end, the end of the memory, or `limit`. `take`
    /// returns the requested number of bytes, or fewer, or none at the end. `written` gets the
    /// number of bytes that are in memory.
    pub(super) async fn copy_to_memory(
        &self,
        ptr: u64,
        limit: u64,
        mut take: impl AsyncFnMut(u64) -> Result<Bytes, Failure>,
        written: impl Fn(usize),
    ) -> Result<u64, Failure> {
        let mut done = 0;
        while done < limit {
            let address = ptr.wrapping_add(done);
            let span = Span {
                address,
                len: MAX_TRANSFER.min(limit - done),
            };
            let room = self.room(span, done).await?;
            if room == 0 {
                break;
            }
            let data = take(room).await?;
            let len = data.len();
            if len == 0 {
                break;
            }
            let place = Span {
                address,
                len: len as u64,
            };
            self.access(Op::Write(place, data)).await?;
            written(len);
            done += place.len;
        }
        Ok(done)
    }
}
