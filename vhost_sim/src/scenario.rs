//! Scenarios: a system, its firmware and all inputs, as plain data.

use serde::{Deserialize, Serialize};

/// One simulated run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Channels with their memories and firmware.
    pub channels: Vec<Channel>,
    /// Maximum number of ticks in the safety phase.
    pub ticks: u32,
    /// True if firmware has a directory of files.
    #[serde(default)]
    pub disk: bool,
    /// True if the run is recorded, and the recording replayed.
    #[serde(default)]
    pub record: bool,
    /// Attachments of taps, with their ticks.
    #[serde(default)]
    pub taps: Vec<(u32, Tap)>,
    /// Actions of a socket's clients, with their ticks.
    #[serde(default)]
    pub clients: Vec<(u32, Client)>,
    /// Pace of ticks: number of the host's ticks between two turns of firmware, repeated.
    #[serde(default)]
    pub bursts: Vec<u32>,
    /// Ticks of the host that start with `notify`.
    #[serde(default)]
    pub notify: Vec<u32>,
    /// Turns that start with a checkpoint, which is restored at once.
    #[serde(default)]
    pub checkpoints: Vec<u32>,
}

impl Scenario {
    /// True if the number of messages is the same with and without a tap. Results of the network
    /// are messages only if a tap observes them, and a call that is pending while a tap is attached
    /// needs one more message.
    pub fn counts_messages(&self) -> bool {
        self.taps.is_empty() && self.clients.is_empty()
    }
}

/// Channel, its memories and its firmware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Size of a pointer in bytes, 4 or 8.
    pub pointer: u64,
    /// Size of a cache line in bytes, 0 for none.
    #[serde(default)]
    pub line: u64,
    /// Address of the memory.
    pub base: u64,
    /// Offset of the mailbox, a multiple of 256 below 0x600.
    #[serde(default)]
    pub mailbox: u64,
    /// Backend of the memory.
    pub backing: Backing,
    /// Memory within the first one, with precedence over it.
    #[serde(default)]
    pub device: Option<Backing>,
    /// Memory directly behind the first one.
    #[serde(default)]
    pub next: Option<Backing>,
    /// Version that firmware offers in its handshakes, 0 for none.
    #[serde(default)]
    pub offer: u32,
    /// Standard input, available from the start; `None` for an empty one.
    #[serde(default)]
    pub input: Option<String>,
    /// Number of steps in a turn of the firmware.
    pub pace: u32,
    /// Steps of the firmware.
    pub steps: Vec<Step>,
}

/// Backend and geometry of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Backing {
    /// Memory model of the host program, which can fail.
    Model,
    /// Array `rows` × words of `width` bytes in the host's process.
    Direct {
        /// Size of a word in bytes.
        width: u64,
        /// Number of rows of the array.
        rows: u64,
    },
    /// Banks in the host's process.
    Banked {
        /// Size of a row of banks in bytes.
        width: u64,
        /// Size of a bank's word in bytes.
        bank: u64,
        /// Number of rows of banks.
        rows: u64,
    },
}

/// Step of firmware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// Sends a request when there is room.
    Request(Request),
    /// Sends a request while the memory fails: its access number `skip` and all later ones. With
    /// `tear`, a failed write executes half of its bytes.
    Faulty {
        /// Request to send.
        request: Request,
        /// Number of accesses that succeed.
        skip: u32,
        /// True if half of a failed write is executed.
        tear: bool,
    },
    /// Waits for some turns.
    Pause(u32),
    /// Waits until all requests have responses.
    Drain,
    /// Takes no responses for some turns.
    Deaf(u32),
    /// Writes entries some turns before the index.
    Late(u32),
    /// Shows old words to the host's polls for some turns.
    Stale(u32),
    /// Flips a bit of the work area.
    Flip {
        /// Offset of the byte in the work area.
        at: u32,
        /// Bit of that byte.
        bit: u8,
    },
    /// Repeats the handshake, with some turns between its writes.
    Reset(u32),
    /// Violates the protocol.
    Misbehave(Misbehaviour),
}

/// Violation of the protocol by firmware; the channel is reset afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Misbehaviour {
    /// Adds to the request queue's `idx_p`.
    Jump(u32),
    /// Adds to the response queue's `idx_c`.
    Skip(u32),
    /// Overwrites the request queue's `idx_c`.
    Consumer(u32),
    /// Overwrites the response queue's `idx_p`.
    Producer(u32),
    /// Overwrites a word of the channel other than its version.
    Scribble {
        /// Number of the word.
        word: u32,
        /// New value.
        value: u32,
    },
    /// Fails the memory of the mailbox.
    Broken(u32),
    /// Handshake with another version of the protocol.
    Version(u32),
}

/// Address in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pointer {
    /// Offset in the work area.
    Work(u64),
    /// Distance before the end of the map in bytes; negative behind the end.
    End(i64),
    /// Absolute address.
    Raw(u64),
}

/// String in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Text {
    /// Bytes followed by a NUL.
    Some(String),
    /// Bytes up to the end of the map, without a NUL.
    Unterminated(String),
    /// Address, without writing a string.
    At(Pointer),
}

/// File descriptor in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fd {
    /// Descriptor that the channel has received, counted from the latest.
    Own(u32),
    /// Last descriptor of another channel, if that has exited.
    Other(u32),
    /// Arbitrary number.
    Raw(u64),
}

/// Argument of CPRINT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arg {
    /// Plain word.
    Word(u64),
    /// Address of a string.
    Text(String),
}

/// Request of firmware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the protocol's arguments")]
pub enum Request {
    Exit {
        code: u32,
    },
    Print {
        text: Text,
        len: Option<u64>,
    },
    CPrint {
        format: Text,
        args: Vec<Arg>,
        words: Option<u32>,
    },
    MemMove {
        to: Pointer,
        from: Pointer,
        len: u64,
    },
    MemSet {
        to: Pointer,
        byte: u64,
        len: u64,
    },
    MemCmp {
        one: Pointer,
        other: Pointer,
        len: u64,
    },
    Call {
        method: Text,
        args: Vec<Value>,
        words: Option<u32>,
    },
    Custom {
        action: u32,
        id: u64,
        args: Vec<u64>,
        words: Option<u32>,
    },
    Open {
        path: Text,
        flags: u64,
    },
    Close {
        fd: Fd,
    },
    Read {
        fd: Fd,
        to: Pointer,
        len: u64,
    },
    Write {
        fd: Fd,
        from: Pointer,
        len: u64,
    },
    Seek {
        fd: Fd,
        position: u64,
    },
    /// Operation of protocol 0.3.
    Posix(Posix),
    /// Words of an entry.
    Raw {
        action: u32,
        words: u32,
        args: Vec<Value>,
    },
}

/// Operation of protocol 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the protocol's arguments")]
pub enum Posix {
    Open {
        path: Text,
        flags: u64,
        mode: u64,
    },
    Close {
        fd: Fd,
    },
    Lseek {
        fd: Fd,
        whence: u64,
        offset: i64,
        result: Pointer,
    },
    Fstat {
        fd: Fd,
        result: Pointer,
    },
    Stat {
        path: Text,
        result: Pointer,
    },
    Access {
        path: Text,
        mode: u64,
    },
    Unlink {
        path: Text,
    },
    Rename {
        from: Text,
        to: Text,
    },
    Mkdir {
        path: Text,
        mode: u64,
    },
    Rmdir {
        path: Text,
    },
    Readdir {
        fd: Fd,
        to: Pointer,
        len: u64,
    },
    Ftruncate {
        fd: Fd,
        len: u64,
    },
    Fsync {
        fd: Fd,
    },
    Argv {
        to: Pointer,
        len: u64,
    },
    Env {
        to: Pointer,
        len: u64,
    },
    Time {
        to: Pointer,
    },
    Random {
        to: Pointer,
        len: u64,
    },
}

impl Posix {
    /// Descriptor among the arguments.
    pub fn fd(&self) -> Option<Fd> {
        match self {
            Self::Close { fd }
            | Self::Lseek { fd, .. }
            | Self::Fstat { fd, .. }
            | Self::Readdir { fd, .. }
            | Self::Ftruncate { fd, .. }
            | Self::Fsync { fd } => Some(*fd),
            _ => None,
        }
    }
}

/// Word or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Plain word.
    Word(u64),
    /// Address in memory.
    At(Pointer),
}

/// Attachment to the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tap {
    /// Logger whose writer fails after this number of bytes.
    Logger {
        /// Number of bytes before the writer fails.
        room: u32,
    },
    /// Checker of the protocol.
    Checker,
    /// Statistics of requests.
    Statistics,
    /// Recorder on a full disk, which must be refused.
    FullDisk,
}

/// Action of a socket client, or of the host towards it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// A client connects.
    Connect,
    /// A client sends bytes, in writes of at most `piece` bytes.
    Send {
        /// Number of the client.
        client: u32,
        /// Number of bytes.
        bytes: u32,
        /// Maximum number of bytes per write.
        piece: u32,
    },
    /// The host sends bytes to a client.
    Answer {
        /// Number of the client.
        client: u32,
        /// Number of bytes.
        bytes: u32,
    },
    /// A client closes its connection.
    Vanish(u32),
    /// The host closes a connection.
    Disconnect(u32),
}

/// Size of a channel's first memory in bytes.
pub const RAM: u64 = 0x3000;
/// Size of the memory behind it in bytes.
pub const NEXT: u64 = 0x400;
/// Offset and size of the memory that precedes a part of it.
pub const DEVICE: (u64, u64) = (0x2800, 0x100);
/// Scratch areas of requests: offset, size in bytes, and number.
pub const SCRATCH: (u64, u64, u64) = (0x1000, 0x100, 16);
/// Offset of the work area, which extends to the end of the map.
pub const WORK: u64 = 0x2000;

impl Channel {
    /// First address behind the map.
    pub fn end(&self) -> u64 {
        self.base + RAM + if self.next.is_some() { NEXT } else { 0 }
    }

    /// Address of a pointer.
    pub fn address(&self, pointer: Pointer) -> u64 {
        match pointer {
            Pointer::Work(offset) => self.base + WORK + offset,
            Pointer::End(before) => self.end().wrapping_sub(before as u64),
            Pointer::Raw(address) => address,
        }
    }

    /// True if the memories can fail, because all of them are models.
    pub fn can_fail(&self) -> bool {
        let model =
            |backing: &Option<Backing>| backing.as_ref().is_none_or(|it| *it == Backing::Model);
        self.backing == Backing::Model && model(&self.device) && model(&self.next)
    }
}
