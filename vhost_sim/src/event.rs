//! Actions of the host on its environment, in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Action of the host on memory models, methods and special files. `channel` is the channel's
/// number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// Write to a memory model.
    Write {
        /// Owner of the memory.
        channel: usize,
        /// Address of the first byte.
        address: u64,
        /// Written bytes.
        data: Vec<u8>,
    },
    /// Access that a memory model failed.
    Failed {
        /// Owner of the memory.
        channel: usize,
        /// Address of the first byte.
        address: u64,
    },
    /// Write by a method through the backdoor. It precedes the write itself.
    Poke {
        /// Caller of the method.
        channel: usize,
        /// Address of the first byte.
        address: u64,
        /// Written bytes.
        data: Vec<u8>,
    },
    /// Read by a method through the backdoor.
    Peek {
        /// Caller of the method.
        channel: usize,
        /// Address of the first byte.
        address: u64,
        /// Bytes read.
        data: Vec<u8>,
    },
    /// Poll of a method or command.
    Call {
        /// Calling channel.
        channel: usize,
        /// Called method or command.
        target: Target,
        /// Argument words.
        args: Vec<u64>,
        /// Result of the poll.
        result: PollResult,
    },
    /// Operation of a special file.
    File {
        /// Channel whose name is in the path.
        channel: usize,
        /// Path of the file.
        path: String,
        /// Operation with its result.
        op: FileOp,
    },
}

/// Callee of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Method by name.
    Method(String),
    /// Custom command by id.
    Command(u64),
}

/// Result of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PollResult {
    /// Result of the call.
    Ready(u64),
    /// No result yet; polled again on the next tick.
    Pending,
    /// Error or panic.
    Failed,
}

/// Operation of a special file, with its result or error number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FileOp {
    /// Opening of the file.
    Open(Result<(), i32>),
    /// Bytes read.
    Read(Result<Vec<u8>, i32>),
    /// Bytes accepted.
    Write(Result<Vec<u8>, i32>),
    /// New position.
    Seek(Result<u64, i32>),
    /// Closing of the file.
    Drop,
}

impl Event {
    /// Channel of the event.
    pub fn channel(&self) -> usize {
        match self {
            Self::Write { channel, .. }
            | Self::Failed { channel, .. }
            | Self::Poke { channel, .. }
            | Self::Peek { channel, .. }
            | Self::Call { channel, .. }
            | Self::File { channel, .. } => *channel,
        }
    }
}

/// Events since the last [`take`](Self::take).
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    /// Adds an event.
    pub fn push(&self, event: Event) {
        lock(&self.0).push(event);
    }

    /// Takes all events.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// Locks a mutex, even if another owner has panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Name of a channel by its number.
pub fn channel_name(channel: usize) -> String {
    format!("c{channel}")
}

/// Number of a channel by its name.
pub fn channel_number(name: &str) -> Option<usize> {
    name.strip_prefix('c')?.parse().ok()
}
