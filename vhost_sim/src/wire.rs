//! Wire format of a channel, from `docs/protocol.md`.

/// Version word of the protocol, 0.2.
pub const VERSION: u32 = 2;
/// Highest protocol version of the host.
pub const NEWEST: u32 = 3;
/// State of a channel with a requested handshake.
pub const INIT: u32 = 1;
/// State of a channel in service.
pub const READY: u32 = 2;
/// Number of entries of a queue.
pub const ENTRIES: u32 = 8;
/// Number of arguments of a request.
pub const ARGS: usize = 20;
/// Maximum length of a string with its NUL, in bytes.
pub const STRING: u64 = 4096;
/// Maximum number of bytes that one request moves.
pub const MOVE: u64 = 256 << 20;
/// Lowest file descriptor.
pub const FIRST_FD: u64 = 10;

/// Actions of requests.
pub mod action {
    #![allow(missing_docs, reason = "the names are the protocol's")]
    pub const EXIT: u32 = 1;
    pub const PRINT: u32 = 2;
    pub const CPRINT: u32 = 3;
    pub const MEMMOVE: u32 = 4;
    pub const MEMSET: u32 = 5;
    pub const MEMCMP: u32 = 6;
    pub const CALL: u32 = 7;
    pub const FILE: u32 = 8;
    pub const OTHER: u32 = 0x8000_0000;
}

/// Operations of FILE.
pub mod file {
    #![allow(missing_docs, reason = "the names are the protocol's")]
    pub const OPEN: u64 = 0;
    pub const CLOSE: u64 = 1;
    pub const READ: u64 = 2;
    pub const WRITE: u64 = 3;
    pub const SEEK: u64 = 4;
    pub const POSIX_OPEN: u64 = 5;
    pub const CHECKED_CLOSE: u64 = 6;
    pub const LSEEK: u64 = 7;
    pub const FSTAT: u64 = 8;
    pub const STAT: u64 = 9;
    pub const ACCESS: u64 = 10;
    pub const UNLINK: u64 = 11;
    pub const RENAME: u64 = 12;
    pub const MKDIR: u64 = 13;
    pub const RMDIR: u64 = 14;
    pub const READDIR: u64 = 15;
    pub const FTRUNCATE: u64 = 16;
    pub const FSYNC: u64 = 17;
    pub const ARGV: u64 = 18;
    pub const ENV: u64 = 19;
    pub const TIME: u64 = 20;
    pub const RANDOM: u64 = 21;
}

/// Flags of POSIX_OPEN.
pub mod open {
    #![allow(missing_docs, reason = "the names are Linux's")]
    pub const WRITE: u64 = 1;
    pub const BOTH: u64 = 2;
    pub const CREATE: u64 = 0x40;
    pub const EXCLUSIVE: u64 = 0x80;
    pub const TRUNCATE: u64 = 0x200;
    pub const APPEND: u64 = 0x400;
    pub const DIRECTORY: u64 = 0x1_0000;
}

/// Error numbers of Linux.
pub mod errno {
    #![allow(missing_docs, reason = "the names are Linux's")]
    pub const EPERM: i32 = 1;
    pub const ENOENT: i32 = 2;
    pub const EIO: i32 = 5;
    pub const EBADF: i32 = 9;
    pub const EACCES: i32 = 13;
    pub const EFAULT: i32 = 14;
    pub const EEXIST: i32 = 17;
    pub const ENOTDIR: i32 = 20;
    pub const EISDIR: i32 = 21;
    pub const EINVAL: i32 = 22;
    pub const EMFILE: i32 = 24;
    pub const ENOSPC: i32 = 28;
    pub const ESPIPE: i32 = 29;
    pub const ENOSYS: i32 = 38;
    pub const ENOTEMPTY: i32 = 39;
}

/// Offsets of one queue's parts from the channel's base, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Start of the queue.
    pub start: u64,
    /// Producer index.
    pub idx_p: u64,
    /// First entry.
    pub entries: u64,
    /// Size of an entry in bytes.
    pub entry: u64,
    /// Consumer index.
    pub idx_c: u64,
    /// End of the queue, exclusive.
    pub end: u64,
}

/// Offsets of a channel's parts from its base, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Size of a pointer in bytes, 4 or 8.
    pub pointer: u64,
    /// State word. The version is at offset 0.
    pub state: u64,
    /// Request queue.
    pub request: Queue,
    /// Response queue.
    pub response: Queue,
    /// Size of the channel in bytes.
    pub size: u64,
}

impl Queue {
    fn new(start: u64, entry: u64, pointer: u64, line: u64) -> Self {
        let entries = start + 8;
        let idx_c = up(entries + u64::from(ENTRIES) * entry, line.max(4));
        Self {
            start,
            idx_p: start + 4,
            entries,
            entry,
            idx_c,
            end: up(idx_c + 4, line.max(pointer)),
        }
    }

    /// Offset of the entry for an index.
    pub fn slot(&self, index: u32) -> u64 {
        self.entries + u64::from(index % ENTRIES) * self.entry
    }
}

impl Layout {
    /// Layout for pointers of 4 or 8 bytes, and cache lines of `line` bytes, 0 for none.
    pub fn new(pointer: u64, line: u64) -> Self {
        let request = Queue::new(line.max(8), 8 + ARGS as u64 * pointer, pointer, line);
        let response = Queue::new(request.end, 2 * pointer, pointer, line);
        Self {
            pointer,
            state: 4,
            request,
            response,
            size: response.end,
        }
    }

    /// Low part of a word that fits into a pointer.
    pub fn narrow(&self, word: u64) -> u64 {
        if self.pointer == 4 {
            word & 0xffff_ffff
        } else {
            word
        }
    }

    /// Word of an error number.
    pub fn error(&self, errno: i32) -> u64 {
        self.narrow(i64::from(-errno) as u64)
    }
}

/// Entry of the request queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Kind of request.
    pub action: u32,
    /// Number of valid arguments.
    pub words: u32,
    /// Arguments, zero-extended.
    pub args: [u64; ARGS],
}

impl Entry {
    /// Decodes the bytes of an entry.
    pub fn parse(bytes: &[u8], pointer: u64) -> Self {
        let mut args = [0; ARGS];
        for (at, arg) in args.iter_mut().enumerate() {
            *arg = number(bytes, 8 + at * pointer as usize, pointer as usize);
        }
        Self {
            action: number(bytes, 0, 4) as u32,
            words: number(bytes, 4, 4) as u32,
            args,
        }
    }

    /// Encodes the words that firmware writes: action, count and the first arguments.
    pub fn emit(action: u32, words: u32, args: &[u64], pointer: u64) -> Vec<u8> {
        let mut bytes = [action.to_le_bytes(), words.to_le_bytes()].concat();
        for arg in args.iter().take(ARGS) {
            bytes.extend_from_slice(&arg.to_le_bytes()[..pointer as usize]);
        }
        bytes
    }

    /// True for a request with a response.
    pub fn responds(&self) -> bool {
        match self.action {
            action::EXIT | action::CPRINT => false,
            action::FILE => self.words == 0 || self.args[0] != file::CLOSE,
            _ => true,
        }
    }
}

/// Little-endian number of at most 8 bytes. Bytes behind the end are 0.
pub fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    let byte = |place: usize| bytes.get(place).copied().map_or(0, u64::from);
    (0..len).map(|n| byte(at + n) << (8 * n)).sum()
}

fn up(offset: u64, to: u64) -> u64 {
    offset.next_multiple_of(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_protocol() {
        let (four, eight) = (Layout::new(4, 0), Layout::new(8, 0));
        assert_eq!((four.request.entry, eight.request.entry), (88, 168));
        assert_eq!((four.response.entry, eight.response.entry), (8, 16));
        assert_eq!(four.request.end - four.request.start, 716);
        assert_eq!(eight.request.end - eight.request.start, 1360);
        let lined = Layout::new(8, 64);
        assert_eq!(lined.request.start, 64);
        assert_eq!(lined.request.idx_c % 64, 0);
        assert_eq!(lined.size % 64, 0);
    }
}
