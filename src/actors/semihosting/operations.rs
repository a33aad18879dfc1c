//! The operations of semihosting.

use std::task::{Context, Waker};

use bytes::Bytes;
use mailbox_rs::{Errno, MAX_STRING, PosixFlags, PtrWidth, Whence};

use super::channel::Channel;
use super::handles::{FEATURES, Handle};
use super::outcome::OperationOutcome;
use crate::actors::service::{Failure, Stream, exit_code, refused};
use crate::mem::{AccessError, Op, Span};
use crate::messages::files::{ActOnPath, PathAction, PosixOpen};
use crate::messages::foreign::Severity;
use crate::messages::semihosting::Operation;
use crate::messages::{InputSource, OutputTarget};

/// Reason of an exit by the application itself (ADP_Stopped_ApplicationExit).
const APPLICATION_EXIT: u64 = 0x20026;

/// Name of the console.
const CONSOLE: &[u8] = b":tt";

/// Name of the file with the features.
const FEATURES_FILE: &[u8] = b":semihosting-features";

/// Permission bits of a created file.
const MODE: u32 = 0o666;

/// Maximum length of a text of WRITE0.
const MAX_TEXT: u64 = 1 << 20;

/// Frequency of ELAPSED's ticks, in Hz: one tick is a nanosecond.
const TICKS_PER_SECOND: u64 = 1_000_000_000;

impl Channel {
    /// Reports once that firmware reads a character behind the end of the input.
    fn report_end_of_input(&self) {
        if !self.has_told_end.replace(true) {
            let text = "semihosting: readc asks for a character behind the end of the standard input, and waits for ever: the operation has no \
                        value for an end; give more input";
            self.service.report(Severity::Warning, text);
        }
    }

    /// Executes an operation. `words` is the content of its parameter block.
    pub(super) async fn execute(
        &self,
        operation: Operation,
        argument: u64,
        words: &[u64],
    ) -> Result<OperationOutcome, Failure> {
        let value = match (operation.0, words) {
            (0x01, &[name, mode, len]) => self.open(name, mode, len).await?,
            (0x02, &[handle]) => self.close(handle).await?,
            (0x03, _) => self.print_character(argument).await?,
            (0x04, _) => self.print_text(argument).await?,
            (0x05, &[handle, ptr, len]) => len - self.write(handle, ptr, len).await?.min(len),
            (0x06, &[handle, ptr, len]) => match self.read(handle, ptr, len).await? {
                Some(read) => len - read.min(len),
                None => return Ok(OperationOutcome::Pending),
            },
            (0x07, _) => match self.read_character().await? {
                Some(byte) => byte.into(),
                None => return Ok(OperationOutcome::Pending),
            },
            (0x08, &[status]) => u64::from(self.is_negative(status)),
            (0x09, &[handle]) => match self.handle(handle)? {
                Handle::Stream(stream) => u64::from(self.is_terminal(stream)),
                Handle::File(_) | Handle::Appended(_) | Handle::Features(_) => 0,
            },
            (0x0a, &[handle, position]) => self.seek(handle, position).await?,
            (0x0c, &[handle]) => self.length(handle).await?,
            (0x0d, &[buffer, id, len]) => self.temporary_name(buffer, id, len).await?,
            (0x0e, &[name, len]) => {
                let path = self.path(name, len).await?;
                self.act(path, PathAction::Unlink).await?
            }
            (0x0f, &[from, from_len, to, to_len]) => {
                let from = self.path(from, from_len).await?;
                let to = self.path(to, to_len).await?;
                let to = self.service.expanded(&to).await?;
                self.act(from, PathAction::Rename { to }).await?
            }
            (0x10, _) => self.elapsed().await? / (TICKS_PER_SECOND / 100),
            (0x11, _) => self.service.time().await?.seconds.cast_unsigned(),
            (0x12, _) => {
                return Err(refused(Errno::ENOSYS, "commands of the host are not run"));
            }
            (0x13, _) => u64::try_from(self.errno.get()).unwrap_or_default(),
            (0x15, &[buffer, len]) => self.command_line(argument, buffer, len).await?,
            (0x16, &[block]) => self.clear_heap_info(block).await?,
            (0x18, _) => match self.service.width {
                PtrWidth::P4 => return Ok(exit(argument, None)),
                PtrWidth::P8 => {
                    let words = self.words(argument, 2).await?;
                    return Ok(exit(words[0], Some(words[1])));
                }
            },
            (0x20, &[reason, status]) => return Ok(exit(reason, Some(status))),
            (0x30, _) => {
                let elapsed = self.elapsed().await?;
                self.put(argument, elapsed.to_le_bytes().into()).await?
            }
            (0x31, _) => TICKS_PER_SECOND,
            _ => return Err(refused(Errno::ENOSYS, "there is no such operation")),
        };
        Ok(OperationOutcome::Value(value))
    }

    /// Prints the character at an address.
    async fn print_character(&self, address: u64) -> Result<u64, Failure> {
        let span = Span { address, len: 1 };
        let byte = self.service.access(Op::Read(span)).await?.into_bytes();
        self.service.print(byte).await?;
        Ok(0)
    }

    /// Reads a character of the standard input; `None` while there is none. The end of the input
    /// has no value in this operation, so it waits like a terminal.
    async fn read_character(&self) -> Result<Option<u8>, Failure> {
        if !self.is_input_ready() {
            return Ok(None);
        }
        let byte = self.service.read_byte().await?;
        if byte.is_none() {
            self.report_end_of_input();
        }
        Ok(byte)
    }

    /// Length of the file behind a handle.
    async fn length(&self, handle: u64) -> Result<u64, Failure> {
        match self.handle(handle)? {
            Handle::File(fd) | Handle::Appended(fd) => {
                Ok(self.service.descriptor_status(fd).await?.size)
            }
            Handle::Features(_) => Ok(FEATURES.len() as u64),
            Handle::Stream(_) => Err(refused(Errno::ESPIPE, "a standard stream has no length")),
        }
    }

    /// Sets the addresses of heap and stack to 0: firmware determines them itself.
    async fn clear_heap_info(&self, block: u64) -> Result<u64, Failure> {
        let span = Span {
            address: block,
            len: 4 * self.width(),
        };
        self.service.access(Op::Fill(span, 0)).await?;
        Ok(0)
    }

    /// Prints a text up to its NUL, in parts. Only the first [`MAX_TEXT`] bytes of a longer text
    /// are printed.
    async fn print_text(&self, address: u64) -> Result<u64, Failure> {
        let pieces = (0..MAX_TEXT / MAX_STRING).map(|piece| Span {
            address: address.wrapping_add(piece * MAX_STRING),
            len: MAX_STRING,
        });
        for piece in pieces {
            match self.service.access(Op::Text(piece)).await {
                Ok(last) => {
                    self.service.print(last.into_bytes()).await?;
                    return Ok(0);
                }
                Err(Failure::Access(AccessError::Unterminated { len })) if len == MAX_STRING => {
                    let bytes = self.service.access(Op::Read(piece)).await?.into_bytes();
                    self.service.print(bytes).await?;
                }
                Err(Failure::Access(cause)) => {
                    return Err(Failure::Text {
                        what: "text",
                        // Where the pieces that are printed end.
                        address: piece.address,
                        cause,
                    });
                }
                Err(failure) => return Err(failure),
            }
        }
        let reason =
            format!("the text at {address:#x} has no NUL in {MAX_TEXT} bytes, which are printed");
        Err(refused(Errno::EINVAL, reason))
    }

    /// Number of bytes of a word.
    pub(super) fn width(&self) -> u64 {
        self.service.width.bytes()
    }

    /// Reads words of firmware's width.
    pub(super) async fn words(&self, address: u64, count: usize) -> Result<Vec<u64>, Failure> {
        let width = self.width();
        let span = Span {
            address,
            len: width * count as u64,
        };
        let bytes = self.service.access(Op::Read(span)).await?.into_bytes();
        let words = bytes.chunks_exact(width as usize).map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        });
        Ok(words.collect())
    }

    fn is_negative(&self, word: u64) -> bool {
        match self.service.width {
            PtrWidth::P4 => (word as u32).cast_signed() < 0,
            PtrWidth::P8 => word.cast_signed() < 0,
        }
    }

    fn handle(&self, handle: u64) -> Result<Handle, Failure> {
        let found = self.handles.get(handle);
        found.ok_or_else(|| refused(Errno::EBADF, format!("handle {handle} is not open")))
    }

    /// Reads a path of `len` bytes without its NUL.
    async fn path(&self, address: u64, len: u64) -> Result<Bytes, Failure> {
        if len > MAX_STRING {
            let reason = format!("the name at {address:#x} has {len} bytes");
            return Err(refused(Errno::ENAMETOOLONG, reason));
        }
        if len == 0 {
            return Err(refused(Errno::ENOENT, "the name is empty"));
        }
        let read = Op::Read(Span { address, len });
        Ok(self.service.access(read).await?.into_bytes())
    }

    async fn open(&self, name: u64, mode: u64, len: u64) -> Result<u64, Failure> {
        let given = self.path(name, len).await?;
        let (create, read_write) = (mode / 4, mode & 2 != 0);
        if !self.handles.has_room() {
            return Err(refused(Errno::EMFILE, "too many handles are open"));
        }
        let handle = match (&given[..], create) {
            (_, 3..) => {
                let reason = format!("mode {mode} is none of 0 to 11");
                return Err(refused(Errno::EINVAL, reason));
            }
            (CONSOLE, 0) => Handle::Stream(Stream::Input),
            (CONSOLE, 1) => Handle::Stream(Stream::Output),
            (CONSOLE, _) => Handle::Stream(Stream::Error),
            (FEATURES_FILE, 0) => Handle::Features(0),
            (FEATURES_FILE, _) => {
                return Err(refused(Errno::EACCES, "the features can only be read"));
            }
            _ => {
                let access = match (create, read_write) {
                    (_, true) => PosixFlags::READ_WRITE,
                    (0, false) => PosixFlags::READ_ONLY,
                    (_, false) => PosixFlags::WRITE_ONLY,
                };
                let flags = match (create, read_write) {
                    (0, _) => access,
                    (1, _) => access | PosixFlags::CREATE | PosixFlags::TRUNCATE,
                    (_, false) => access | PosixFlags::CREATE | PosixFlags::APPEND,
                    (_, true) => access | PosixFlags::CREATE,
                };
                let path = self.service.expanded(&given).await?;
                let open = PosixOpen {
                    channel: self.service.id,
                    path: path.clone(),
                    flags,
                    mode: MODE,
                };
                let opened = self.service.on_file(open).await;
                let fd = opened.map_err(|failure| failure.on_path(&given, &path))?;
                match (create, read_write) {
                    (2, true) => Handle::Appended(fd),
                    _ => Handle::File(fd),
                }
            }
        };
        let added = self.handles.add(handle);
        added.ok_or_else(|| refused(Errno::EMFILE, "too many handles are open"))
    }

    async fn close(&self, handle: u64) -> Result<u64, Failure> {
        let object = self.handle(handle)?;
        self.handles.set(handle, None);
        if let Handle::File(fd) | Handle::Appended(fd) = object {
            self.service.close_descriptor(fd).await?;
        }
        Ok(0)
    }

    /// Writes bytes. Returns their number.
    async fn write(&self, handle: u64, ptr: u64, len: u64) -> Result<u64, Failure> {
        match self.handle(handle)? {
            _ if len == 0 => Ok(0),
            Handle::Stream(stream) => self.service.write_stream(stream, ptr, len).await,
            Handle::File(fd) => self.service.write_some(fd, ptr, len).await,
            Handle::Appended(fd) => {
                self.service.lseek(fd, Whence::End, 0).await?;
                self.service.write_some(fd, ptr, len).await
            }
            Handle::Features(_) => Err(refused(Errno::EBADF, "the features can only be read")),
        }
    }

    /// Reads bytes. Returns their number; `None` while it waits for input.
    async fn read(&self, handle: u64, ptr: u64, len: u64) -> Result<Option<u64>, Failure> {
        let read = match self.handle(handle)? {
            _ if len == 0 => 0,
            Handle::Stream(Stream::Input) if !self.is_input_ready() => return Ok(None),
            Handle::Stream(stream) => self.service.read_stream(stream, ptr, len).await?,
            Handle::File(fd) => self.service.read_file(fd, ptr, len).await?,
            Handle::Appended(fd) => {
                self.handles.set(handle, Some(Handle::File(fd)));
                self.service.read_file(fd, ptr, len).await?
            }
            Handle::Features(position) => {
                let rest = FEATURES.get(position as usize..).unwrap_or_default();
                let rest = &rest[..rest.len().min(usize::try_from(len).unwrap_or(usize::MAX))];
                let read = rest.len() as u64;
                if read > 0 {
                    let span = Span {
                        address: ptr,
                        len: read,
                    };
                    let data = Bytes::copy_from_slice(rest);
                    self.service.access(Op::Write(span, data)).await?;
                }
                let moved = Handle::Features(position + read);
                self.handles.set(handle, Some(moved));
                read
            }
        };
        Ok(Some(read))
    }

    fn is_input_ready(&self) -> bool {
        let context = Context::from_waker(Waker::noop());
        self.service.is_byte_ready(&context)
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        let services = &self.service.services;
        let is_file = |target: &OutputTarget| matches!(target, OutputTarget::File(_));
        !match stream {
            Stream::Input => matches!(services.stdin, InputSource::File(_)),
            Stream::Output => is_file(&services.stdout),
            Stream::Error => is_file(&services.stderr),
        }
    }

    async fn seek(&self, handle: u64, position: u64) -> Result<u64, Failure> {
        match self.handle(handle)? {
            Handle::File(fd) | Handle::Appended(fd) => {
                let Ok(offset) = i64::try_from(position) else {
                    return Err(refused(Errno::EINVAL, "the position is too large"));
                };
                self.service.lseek(fd, Whence::Set, offset).await?;
                self.handles.set(handle, Some(Handle::File(fd)));
            }
            Handle::Features(_) => {
                let position = position.min(FEATURES.len() as u64);
                self.handles.set(handle, Some(Handle::Features(position)));
            }
            Handle::Stream(_) => {
                return Err(refused(Errno::ESPIPE, "a standard stream has no position"));
            }
        }
        Ok(0)
    }

    async fn temporary_name(&self, buffer: u64, id: u64, len: u64) -> Result<u64, Failure> {
        let name = format!("tmp-{}-{:02x}\0", self.service.name(), id & 0xff);
        if name.len() as u64 > len {
            return Err(refused(Errno::EINVAL, format!("{len} bytes have no room")));
        }
        self.put(buffer, name.into_bytes()).await
    }

    async fn command_line(&self, block: u64, buffer: u64, len: u64) -> Result<u64, Failure> {
        // Each argument has a NUL.
        let arguments = &self.service.services.arguments;
        let mut line = arguments.to_vec();
        let last = line.len().saturating_sub(1);
        for byte in line.iter_mut().take(last).filter(|byte| **byte == 0) {
            *byte = b' ';
        }
        if line.is_empty() {
            line.push(0);
        }
        let text = line.len() as u64 - 1;
        if line.len() as u64 > len {
            let reason = format!("{len} bytes have no room for {} bytes", line.len());
            return Err(refused(Errno::EINVAL, reason));
        }
        self.put(buffer, line).await?;
        let length = text.to_le_bytes()[..self.width() as usize].to_vec();
        self.put(block.wrapping_add(self.width()), length).await
    }

    async fn put(&self, address: u64, bytes: Vec<u8>) -> Result<u64, Failure> {
        let span = Span {
            address,
            len: bytes.len() as u64,
        };
        self.service.access(Op::Write(span, bytes.into())).await?;
        Ok(0)
    }

    async fn act(&self, given: Bytes, action: PathAction) -> Result<u64, Failure> {
        let path = self.service.expanded(&given).await?;
        let act = ActOnPath {
            channel: self.service.id,
            path: path.clone(),
            action,
        };
        let done = self.service.on_file(act).await;
        done.map_err(|failure| failure.on_path(&given, &path))?;
        Ok(0)
    }

    /// Nanoseconds since the first operation that asked for the elapsed time, or since the first
    /// tick.
    async fn elapsed(&self) -> Result<u64, Failure> {
        let time = self.service.time().await?;
        let seconds = u64::try_from(time.seconds).unwrap_or_default();
        let now = seconds.saturating_mul(TICKS_PER_SECOND);
        let now = now.saturating_add(time.nanoseconds);
        let start = match self.service.services.clock {
            crate::messages::Clock::Ticks { .. } => 0,
            crate::messages::Clock::Wall => *self.start.borrow_mut().get_or_insert(now),
        };
        Ok(now.saturating_sub(start))
    }
}

/// Exit with the code of an application, or 1 for any other reason.
fn exit(reason: u64, status: Option<u64>) -> OperationOutcome {
    OperationOutcome::Exit(match (reason, status) {
        (APPLICATION_EXIT, None) => 0,
        (APPLICATION_EXIT, Some(status)) => exit_code(status),
        _ => 1,
    })
}
