//! State of the actors in a checkpoint: replies to `Save`, and content of `Restore`.
//!
//! All of it is plain data. Values that follow from the configuration are left out.

use bytes::Bytes;
use mailbox_rs::{Errno, FileType, OpenFlags, PosixFlags, RequestEntry, Response, Version};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ChannelId;
use super::rpc::Target;
use super::rtt_buffer::{BufferName, Direction};
use crate::bus::{Attributes, Payload, Redaction};
use crate::mem::Segments;

/// State of all actors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSystem {
    /// State of each channel.
    pub channels: Vec<SavedChannel>,
    /// Open files.
    pub files: SavedFiles,
    /// Incomplete lines of text.
    pub text: SavedText,
    /// Listening sockets.
    pub sockets: SavedSockets,
    /// Counts of attached statistics, in the order of their attachment.
    pub statistics: Vec<SavedStatistics>,
    /// Number of replaced traps of each channel whose traps are replaced by code.
    pub stubs: Vec<(String, u64)>,
}

/// State of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedChannel {
    /// The channel.
    pub channel: ChannelId,
    /// Exit code; `None` before the exit.
    pub exit: Option<u32>,
    /// State that does not depend on the protocol.
    pub service: SavedService,
    /// State of the front end.
    pub front_end: SavedFrontEnd,
}

/// State of a channel's session that does not depend on the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedService {
    /// Protocol version of the session.
    pub version: Version,
    /// True for each standard stream that firmware has closed.
    pub closed: [bool; 3],
    /// Descriptors of the files behind standard streams; `None` for a stream without an open file.
    pub files: [Option<u64>; 3],
    /// True for each standard stream whose file was opened in any session.
    pub opened_before: [bool; 3],
    /// Errors of lost text that firmware has not got yet.
    pub lost: [Option<Errno>; 2],
    /// Bytes of the standard input that wait for firmware.
    pub input: Bytes,
    /// True after the end of the standard input.
    pub input_ended: bool,
    /// State of the random bytes.
    pub random: u64,
    /// State of the injected faults; `None` without faults.
    pub faults: Option<u64>,
}

/// State of a front end, by its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedFrontEnd {
    /// Mailbox: its session; `None` before the handshake, and after the exit.
    Mailbox(Option<SavedSession>),
    /// State of HTIF.
    Htif(SavedHtif),
    /// State of RTT.
    Rtt(SavedRtt),
    /// State of semihosting.
    Semihosting(SavedSemihosting),
}

/// Session of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSession {
    /// Consumer index of the request queue.
    pub request_consumer: u32,
    /// Producer index of the response queue.
    pub response_producer: u32,
    /// Consumer index of the response queue, as last read.
    pub response_consumer: u32,
    /// Request in service; `None` between two requests.
    pub request: Option<SavedRequest>,
    /// Response that waits for a free slot in the response queue.
    pub response: Option<Response>,
}

/// Request in service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRequest {
    /// Slot in the request queue.
    pub slot: u32,
    /// Request as firmware wrote it.
    pub entry: RequestEntry,
    /// Tick in which the request was taken.
    pub since: u64,
    /// Event that it waits for.
    pub waits: SavedWait,
}

/// Event that a request in service waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedWait {
    /// Result of a call, which is polled again after a restore.
    Call(Target),
    /// Bytes of the standard input.
    Input,
    /// End of an injected delay of the response.
    Delay {
        /// First tick in which the response may be written.
        until: u64,
        /// The response.
        response: Response,
    },
}

/// State of a channel with HTIF.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedHtif {
    /// Words of the responses that wait for firmware.
    pub responses: Vec<u64>,
    /// Words of the console reads that wait for a character, each with the tick in which the host
    /// took it.
    pub reads: Vec<(u64, u64)>,
    /// True once the standard input has no more characters.
    pub input_is_over: bool,
    /// True after the report on the first ignored command.
    pub has_ignored: bool,
    /// Descriptors that firmware has opened, with path and flags.
    pub files: Vec<(u64, Bytes, PosixFlags)>,
    /// Working directory.
    pub directory: Bytes,
    /// Command in service; `None` between two commands.
    pub command: Option<SavedCommand>,
}

/// Command of HTIF in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCommand {
    /// Word of the command.
    pub command: u64,
    /// Tick in which the command was taken.
    pub since: u64,
    /// Payload of the response and first tick in which it may be written, during an injected delay.
    /// A command without a delay waits for standard input, and is served again after a restore.
    pub delayed: Option<(u64, u64)>,
}

/// State of a channel with RTT. The offsets of its buffers are in memory, so they are not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRtt {
    /// Files of up buffers by their configured names: descriptor, and true if the file was opened
    /// before.
    pub files: Vec<(String, Option<u64>, bool)>,
    /// True once the standard input has no more bytes.
    pub is_input_over: bool,
    /// Transfer that waits for a method; `None` for none.
    pub transfer: Option<SavedTransfer>,
    /// Address of the control block in service, if the host has searched for it.
    pub block: Option<u64>,
    /// Up buffers whose mode the host does not set again, as firmware may have changed it since.
    pub modes_set: Vec<u32>,
    /// Wait for changes of a control block; `None` in another step.
    pub wait: Option<SavedBlockWait>,
    /// Names of buffers: true for a down buffer, then number, address and text.
    pub names: Vec<(bool, u32, u64, Option<String>)>,
    /// True after the configured names were compared with those of a control block.
    pub are_names_checked: bool,
    /// Up buffers that are not served.
    pub disabled: Vec<u32>,
    /// Buffers that have transferred bytes, with their numbers of bytes.
    pub buffers: Vec<(Direction, BufferName, u64)>,
}

/// Wait of a channel with RTT for changes of its control block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBlockWait {
    /// Address of the control block.
    pub address: u64,
    /// Its location in memory.
    pub place: Segments,
    /// Reads of the words that are polled.
    pub reads: Vec<SavedPoll>,
    /// Tick in which the block was found.
    pub found: u64,
    /// Tick of the last progress.
    pub since: u64,
    /// Tick of the next check of sockets and of up buffers that are not polled, if there are any.
    pub look: u64,
    /// True if there are sockets or up buffers to check.
    pub looks: bool,
    /// True while the first down buffer is full and further bytes wait.
    pub is_full: bool,
    /// True if bytes of the standard input may be put into the first down buffer.
    pub has_room: bool,
    /// Bytes of the polled words, as last read; empty before the first read.
    pub last: Bytes,
}

/// Read of words of a control block that are close to one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPoll {
    /// Offset of the first word.
    pub at: u64,
    /// Number of bytes up to the end of the last word.
    pub len: u64,
    /// Offsets of the words in the bytes read.
    pub words: Vec<usize>,
}

/// Transfer of an up buffer in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTransfer {
    /// Number of the up buffer.
    pub number: u32,
    /// Write offset up to which the transfer takes bytes.
    pub write: u32,
    /// Number of bytes that were delivered.
    pub done: u64,
}

/// State of a channel with semihosting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSemihosting {
    /// Objects behind firmware's handles, by number; `None` for a closed one.
    pub handles: Vec<Option<SavedHandle>>,
    /// Number of the last error.
    pub errno: i32,
    /// Wall time of the first operation that asked for the elapsed time, in nanoseconds.
    pub start: Option<u64>,
    /// True after the report on a hart without words of its own.
    pub has_told: bool,
    /// Response that is held back by an injected delay: hart, result, and first tick in which it
    /// may be written.
    pub delayed: Option<(u32, u64, u64)>,
}

/// Object behind a handle of semihosting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedHandle {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
    /// Descriptor of a file.
    File(u64),
    /// Descriptor of a file that was opened for reading and appending, and not read so far.
    Appended(u64),
    /// Semihosting's feature bytes, with the read position.
    Features(u64),
}

/// State of the file descriptors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFiles {
    /// Next descriptor to be assigned.
    pub next: u64,
    /// Open descriptors.
    pub open: Vec<SavedFile>,
}

/// Open descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// The descriptor.
    pub fd: u64,
    /// Channel that opened it.
    pub channel: ChannelId,
    /// Open flags that concern an open file.
    pub flags: OpenFlags,
    /// Path given to the open, with variables expanded.
    pub path: Bytes,
    /// Kind of the file, with its position.
    pub kind: SavedFileKind,
}

/// Kind of an open file, with its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedFileKind {
    /// File below the root.
    Disk {
        /// Position in bytes.
        position: u64,
        /// Size in bytes.
        size: u64,
    },
    /// Directory below the root.
    Directory {
        /// Number of entries read.
        position: u64,
        /// Entries at the time of the open: name, serial number and type.
        entries: Vec<(Bytes, u64, FileType)>,
    },
    /// File of the host program, which a checkpoint can't save.
    Special,
    /// File that an earlier restore did not find.
    Lost,
}

/// Change of a descriptor's file that a restore has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChangeReport {
    /// The descriptor.
    pub fd: u64,
    /// Path given to the open.
    pub path: String,
    /// Change since the checkpoint.
    pub change: FileChange,
}

/// Change of a file since the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileChange {
    /// It can't be opened.
    Gone {
        /// Error of the open.
        errno: Errno,
        /// Reason, if it says more than the error number.
        reason: Option<String>,
    },
    /// It is shorter.
    Shrunk {
        /// Size at the checkpoint, in bytes.
        from: u64,
        /// Present size, in bytes.
        to: u64,
    },
    /// It is longer, and firmware writes to it.
    Grown {
        /// Size at the checkpoint, in bytes.
        from: u64,
        /// Present size, in bytes.
        to: u64,
        /// True for a file that is opened for appending.
        appends: bool,
    },
    /// The host program had opened it.
    HostProgram,
}

/// Text of the channels without an end of line so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedText {
    /// Incomplete lines.
    pub lines: Vec<SavedLine>,
    /// Marks of further sources, by channel and number.
    pub marks: Vec<(ChannelId, u32, String)>,
}

/// Incomplete line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedLine {
    /// Channel of the text.
    pub channel: ChannelId,
    /// Source of the text.
    pub source: SavedSource,
    /// Text so far.
    pub text: Bytes,
}

/// Source of text within a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedSource {
    /// Printed text, and standard output.
    Output,
    /// Standard error.
    Error,
    /// Further source, by its number.
    Marked(u32),
}

/// Listening sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSockets {
    /// Number of sockets opened so far.
    pub opened: u64,
    /// Open sockets.
    pub sockets: Vec<SavedSocket>,
    /// Number of connected clients, which are not saved.
    pub clients: u64,
}

/// Listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSocket {
    /// Number of the socket.
    pub id: u64,
    /// Name in greetings and reports.
    pub name: String,
    /// Port on which it listened.
    pub port: u16,
    /// Greeting of its clients.
    pub greeting: String,
    /// Number of clients that were accepted.
    pub accepted: i32,
}

/// Counts of requests by channel and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStatistics {
    /// Requests of each channel and kind.
    pub requests: Vec<SavedRequests>,
    /// Bytes printed by a channel since its last served request.
    pub printed: Vec<(String, u64)>,
}

/// Requests of one kind on one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRequests {
    /// Name of the channel.
    pub channel: String,
    /// Kind of the requests.
    pub kind: String,
    /// Number of requests.
    pub count: u64,
    /// Number of requests answered by an error.
    pub failed: u64,
    /// Bytes printed, moved, read or written.
    pub bytes: u64,
    /// Minimum latency, in ticks.
    pub ticks_min: u64,
    /// Sum of latencies, in ticks.
    pub ticks_sum: u64,
    /// Maximum latency, in ticks.
    pub ticks_max: u64,
    /// Number of requests by latency, in bins 0, 1, up to 3, up to 7, and so on.
    pub histogram: Vec<u64>,
}

/// State that can't be saved.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum SaveError {
    /// Request in the middle of an operation.
    #[error("channel `{channel}` is in the middle of an operation; save between two ticks")]
    Busy {
        /// Name of the channel.
        channel: String,
    },
    /// Channel whose service has failed.
    #[error("channel `{channel}` is not served any more")]
    Failed {
        /// Name of the channel.
        channel: String,
    },
}

/// Reason why a state can't be restored.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum RestoreError {
    /// State of another protocol, or of no channel.
    #[error("the checkpoint has no state of channel `{channel}`, or that of another protocol")]
    OtherProtocol {
        /// Name of the channel.
        channel: String,
    },
    /// Channel that can't be replaced now.
    #[error("channel `{channel}` is in the middle of an operation; restore between two ticks")]
    Busy {
        /// Name of the channel.
        channel: String,
    },
    /// State that a channel can't have.
    #[error("channel `{channel}`: impossible state: {what}")]
    Impossible {
        /// Name of the channel.
        channel: String,
        /// Part of the state.
        what: String,
    },
}

impl Payload for SavedService {
    fn redact(&mut self, with: Redaction<'_>) {
        Payload::redact(&mut self.input, with);
    }
}

impl Payload for Vec<SavedChannel> {
    fn redact(&mut self, with: Redaction<'_>) {
        for channel in self {
            Payload::redact(&mut channel.service, with);
        }
    }
}

impl Attributes for Vec<SavedChannel> {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        Payload::redact(self, with);
        true
    }
}

impl Payload for SavedText {
    fn redact(&mut self, with: Redaction<'_>) {
        for line in &mut self.lines {
            Payload::redact(&mut line.text, with);
        }
    }
}

impl Attributes for SavedText {
    fn redact(&mut self, with: Redaction<'_>) -> bool {
        Payload::redact(self, with);
        true
    }
}

impl Attributes for SavedFiles {}
impl Attributes for SavedSockets {}
impl Attributes for Vec<FileChangeReport> {}
