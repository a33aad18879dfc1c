//! Standard streams of a channel: descriptors 0, 1 and 2 in sessions of protocol 0.3.

use std::task::Context;

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, FileType, PosixFlags};

use super::failure::Failure;
use super::session::Stream;
use super::{ChannelService, MAX_MOVE};
use crate::mem::{MAX_TRANSFER, Op};
use crate::messages::AwaitedOperation;
use crate::messages::console::{Print, PrintError, PutRaw};
use crate::messages::files::{DescriptorStatus, PosixOpen, Read, Sync, WriteSome};
use crate::messages::{InputSource, OutputTarget};

/// Permission bits of a created file.
const MODE: u32 = 0o666;

impl ChannelService {
    /// Standard stream of a descriptor; `None` for a descriptor of a file in this session.
    ///
    /// # Errors
    /// EBADF for a stream that firmware has closed.
    pub(in crate::actors) fn stream(&self, fd: u64) -> Result<Option<Stream>, Failure> {
        match self.session.stream(fd) {
            Some(stream) if self.session.is_closed(stream) => {
                Err(bad(format!("descriptor {fd} is closed")))
            }
            stream => Ok(stream),
        }
    }

    /// Reads from a standard stream.
    pub(in crate::actors) async fn read_stream(
        &self,
        stream: Stream,
        ptr: u64,
        len: u64,
    ) -> Result<u64, Failure> {
        if stream != Stream::Input {
            return Err(bad("the stream is for writing only".to_owned()));
        }
        match &self.services.stdin {
            InputSource::Nothing => Ok(0),
            InputSource::Testbench => self.read_input(ptr, len).await,
            InputSource::File(path) => {
                let fd = self.stream_file(stream, path).await?;
                self.read_file(fd, ptr, len).await
            }
        }
    }

    /// True if [`read_byte`](Self::read_byte) has a result. Otherwise the task is woken when it has
    /// one.
    pub(in crate::actors) fn is_byte_ready(&self, context: &Context<'_>) -> bool {
        match &self.services.stdin {
            InputSource::Testbench => self.session.input.poll_ready(context).is_ready(),
            InputSource::Nothing | InputSource::File(_) => true,
        }
    }

    /// True unless the standard input is known to have no bytes at present.
    pub(in crate::actors) fn may_have_input(&self) -> bool {
        match &self.services.stdin {
            InputSource::Nothing => false,
            InputSource::Testbench => self.session.input.len() > 0,
            InputSource::File(_) => true,
        }
    }

    /// Takes one byte of the standard input; `None` at its end. Does not wait for bytes of the
    /// testbench.
    pub(in crate::actors) async fn read_byte(&self) -> Result<Option<u8>, Failure> {
        let read = self.read_some(1).await?;
        Ok(read.and_then(|bytes| bytes.first().copied()))
    }

    /// Takes bytes of the standard input, at least one and at most `most`; `None` at its end. Does
    /// not wait for bytes of the testbench.
    pub(in crate::actors) async fn read_some(&self, most: u64) -> Result<Option<Bytes>, Failure> {
        let most = most.min(MAX_TRANSFER);
        let bytes = match &self.services.stdin {
            InputSource::Nothing => Bytes::new(),
            InputSource::Testbench => {
                let bytes = self.session.input.peek(most as usize);
                self.session.input.consume(bytes.len());
                bytes.into()
            }
            InputSource::File(path) => {
                let fd = self.stream_file(Stream::Input, path).await?;
                let channel = self.id;
                self.on_file(Read {
                    channel,
                    fd,
                    len: most,
                })
                .await?
            }
        };
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// Copies available bytes of the testbench to memory. Waits for at least one, or the end of the
    /// input.
    async fn read_input(&self, ptr: u64, len: u64) -> Result<u64, Failure> {
        self.release_slot().await?;
        self.operation.awaits(AwaitedOperation::Input);
        let input = &self.session.input;
        input.ready().await;
        let limit = if len == 0 { MAX_MOVE } else { len };
        let limit = limit.min(input.len() as u64);
        let peek = async |room| {
            let most = usize::try_from(room).unwrap_or(usize::MAX);
            Ok(input.peek(most).into())
        };
        // Bytes that could not be written stay in the input.
        let consume = |len| input.consume(len);
        self.copy_to_memory(ptr, limit, peek, consume).await
    }

    /// Writes bytes to the standard output.
    pub(in crate::actors) async fn print(&self, data: Bytes) -> Result<(), Failure> {
        let channel = self.id;
        let console = &self.peers.console;
        match &self.services.stdout {
            OutputTarget::Console => console.print(Print {
                channel,
                text: data,
            }),
            OutputTarget::Raw => console.port().post(PutRaw {
                channel,
                is_error: false,
                data,
            }),
            OutputTarget::File(path) => {
                let fd = self.stream_file(Stream::Output, path).await?;
                let _: u64 = self.on_file(WriteSome { channel, fd, data }).await?;
            }
        }
        Ok(())
    }

    /// Writes to a standard stream.
    pub(in crate::actors) async fn write_stream(
        &self,
        stream: Stream,
        ptr: u64,
        len: u64,
    ) -> Result<u64, Failure> {
        let target = match stream {
            Stream::Input => {
                return Err(bad("the stream is for reading only".to_owned()));
            }
            Stream::Output => &self.services.stdout,
            Stream::Error => &self.services.stderr,
        };
        if let OutputTarget::File(path) = target {
            let fd = self.stream_file(stream, path).await?;
            return self.write_some(fd, ptr, len).await;
        }
        let channel = self.id;
        let mut written = 0;
        self.take_output_error(stream)?;
        for transfer in self.transfers(ptr, len).await? {
            let data = self.access(Op::Read(transfer)).await?.into_bytes();
            let console = &self.peers.console;
            match (target, stream) {
                (OutputTarget::Raw, stream) => console.port().post(PutRaw {
                    channel,
                    is_error: stream == Stream::Error,
                    data,
                }),
                (_, Stream::Error) => console.port().post(PrintError {
                    channel,
                    text: data,
                }),
                _ => console.print(Print {
                    channel,
                    text: data,
                }),
            }
            // In most cases the console has tried to write by now. Text without its end of line is
            // answered for later.
            match self.take_output_error(stream) {
                Err(_) if written > 0 => return Ok(written),
                outcome => outcome?,
            }
            written += transfer.len;
        }
        Ok(len)
    }

    /// Fails if text of a standard stream was lost since firmware last got such an error.
    fn take_output_error(&self, stream: Stream) -> Result<(), Failure> {
        let services = &self.services;
        let is_error = match stream {
            Stream::Input => return Ok(()),
            Stream::Output => false,
            // Lines of both streams go to one output.
            Stream::Error => services.stderr == OutputTarget::Raw,
        };
        match self.session.take_lost(is_error) {
            Some(errno) => Err(Failure::Output { errno }),
            None => Ok(()),
        }
    }

    /// Writes memory to a file. As on Linux, an error after the first written byte ends the write
    /// without failing it.
    pub(in crate::actors) async fn write_some(
        &self,
        fd: u64,
        ptr: u64,
        len: u64,
    ) -> Result<u64, Failure> {
        let channel = self.id;
        let limit = self.short(len);
        let mut written = 0_u64;
        for transfer in self.transfers(ptr, limit).await? {
            let mut data = self.access(Op::Read(transfer)).await?.into_bytes();
            loop {
                let ask = WriteSome {
                    channel,
                    fd,
                    data: data.clone(),
                };
                let more = match self.on_file(ask).await {
                    Err(Failure::File { .. } | Failure::Injected { .. }) if written > 0 => {
                        return Ok(written);
                    }
                    more => more?,
                };
                // A callback may return any number, also too large a one.
                let more = more.min(data.len() as u64);
                written += more;
                data = data.slice(usize::try_from(more).unwrap_or(data.len())..);
                if data.is_empty() {
                    break;
                }
                if more == 0 {
                    return Ok(written);
                }
            }
        }
        self.report_short(fd, len, limit, written);
        Ok(written)
    }

    /// Status of a standard stream: of its file, or of a character device.
    pub(in crate::actors) async fn stream_status(
        &self,
        stream: Stream,
    ) -> Result<FileStatus, Failure> {
        let path = match (stream, &self.services) {
            (Stream::Input, services) => match &services.stdin {
                InputSource::File(path) => Some(path),
                _ => None,
            },
            (Stream::Output, services) => file_of(&services.stdout),
            (Stream::Error, services) => file_of(&services.stderr),
        };
        let Some(path) = path else {
            return Ok(FileStatus {
                mode: FileType::CharacterDevice.mode() | 0o620,
                links: 1,
                ..FileStatus::default()
            });
        };
        let fd = self.stream_file(stream, path).await?;
        let channel = self.id;
        self.on_file(DescriptorStatus { channel, fd }).await
    }

    /// Writes the data of a standard stream to its device, if it is a file.
    pub(in crate::actors) async fn sync_stream(&self, stream: Stream) -> Result<(), Failure> {
        match self.session.file(self.sharing(stream)) {
            Some(fd) => {
                let channel = self.id;
                self.on_file(Sync { channel, fd }).await
            }
            None => self.take_output_error(stream),
        }
    }

    /// Closes a standard stream for the rest of the session.
    pub(in crate::actors) async fn close_stream(&self, stream: Stream) -> Result<(), Failure> {
        match self.session.close(stream) {
            Some(fd) => self.close_descriptor(fd).await,
            None => self.take_output_error(stream),
        }
    }

    /// Stream that shares its file with `stream`: both outputs have one file if their paths are
    /// equal.
    fn sharing(&self, stream: Stream) -> Stream {
        let services = &self.services;
        match stream {
            Stream::Error if services.stdout == services.stderr => Stream::Output,
            stream => stream,
        }
    }

    /// Descriptor of the file behind a standard stream. The file is opened at its first use. The
    /// first session that opens an output file truncates it, and later ones append.
    async fn stream_file(&self, stream: Stream, path: &str) -> Result<u64, Failure> {
        let stream = self.sharing(stream);
        if let Some(fd) = self.session.file(stream) {
            return Ok(fd);
        }
        let flags = match stream {
            Stream::Input => PosixFlags::READ_ONLY,
            Stream::Output | Stream::Error => {
                let flags = PosixFlags::WRITE_ONLY | PosixFlags::CREATE | PosixFlags::APPEND;
                match self.session.is_first_open(stream) {
                    true => flags | PosixFlags::TRUNCATE,
                    false => flags,
                }
            }
        };
        let given = Bytes::copy_from_slice(path.as_bytes());
        let expanded = self.expanded(&given).await?;
        let open = PosixOpen {
            channel: self.id,
            path: expanded.clone(),
            flags,
            mode: MODE,
        };
        let opened = self.on_file(open).await;
        let fd = opened.map_err(|failure| failure.on_path(&given, &expanded))?;
        self.session.opened(stream, fd);
        Ok(fd)
    }
}

fn file_of(target: &OutputTarget) -> Option<&String> {
    match target {
        OutputTarget::File(path) => Some(path),
        OutputTarget::Console | OutputTarget::Raw => None,
    }
}

fn bad(reason: String) -> Failure {
    Failure::File {
        errno: Errno::EBADF,
        reason: Some(reason),
    }
}
