//! Requests from firmware to host: raw entry and checked meaning.
//!
//! [`RequestEntry`] holds unchecked numbers. `Request::try_from(&entry)` is the only conversion to
//! a [`Request`]; its error is [`Malformed`]. Pointers in a request are unchecked addresses in the
//! channel's memory space.
//!
//! Source: protocol, section *Requests*.

mod access_mode;
mod args;
mod codes;
mod entry;
mod file;
mod malformed;
mod open_flags;
mod posix_flags;
mod whence;

use core::fmt;

pub use access_mode::AccessMode;
pub use args::{Args, CALL_ARGS, CPRINT_ARGS, CUSTOM_ARGS, TooManyArgs};
pub use codes::{action, operation};
pub use entry::RequestEntry;
pub use file::{FILE_WORDS, FileRequest};
pub use malformed::Malformed;
pub use open_flags::OpenFlags;
pub use posix_flags::PosixFlags;
pub use whence::Whence;

use crate::layout::REQUEST_ARGS;
use codes::Hex;

/// Names of operations that can fail, for a host's configuration.
pub const OPERATION_NAMES: [&str; 22] = [
    "print", "memory", "call", "command", "open", "close", "read", "write", "seek", "stat",
    "access", "unlink", "rename", "mkdir", "rmdir", "readdir", "truncate", "sync", "args", "env",
    "time", "random",
];

/// Request of firmware. Lengths are in bytes; pointers and strings are addresses in the channel's
/// space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Request {
    /// End of firmware; the channel is over. No response.
    Exit {
        /// Exit code.
        code: u32,
    },
    /// Print bytes. Empty response.
    Print {
        /// Address of UTF-8 text.
        ptr: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Print as C's `printf` does. No response.
    CPrint {
        /// Format, a NUL-terminated string.
        format: u64,
        /// Name of the source file, a NUL-terminated string.
        file: u64,
        /// Line in that file.
        line: u32,
        /// Arguments of the format's conversions, each a word of the pointer width.
        args: Args<CPRINT_ARGS>,
    },
    /// Copy memory; the regions may overlap. Empty response.
    MemMove {
        /// Destination address.
        dest: u64,
        /// Source address.
        src: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Fill memory. Empty response.
    MemSet {
        /// Destination address.
        dest: u64,
        /// Fill byte.
        byte: u8,
        /// Length in bytes.
        len: u64,
    },
    /// Compare memory. The response is the difference of the first differing bytes, signed.
    MemCmp {
        /// Address of the first region.
        s1: u64,
        /// Address of the second region.
        s2: u64,
        /// Length in bytes.
        len: u64,
    },
    /// Call a method of the testbench. The response is its result.
    Call {
        /// Method name, a NUL-terminated string.
        method: u64,
        /// Arguments of the method.
        args: Args<CALL_ARGS>,
    },
    /// File operation.
    File(FileRequest),
    /// Custom command of the host's user: any action other than those above. The command determines
    /// the response.
    Custom {
        /// Action, usually [`action::OTHER`]. The number of another request would be sent as that
        /// request.
        action: u32,
        /// Command id.
        id: u64,
        /// Arguments: all words of the entry after the id, independent of its `words`.
        args: Args<CUSTOM_ARGS>,
    },
}

impl Request {
    /// Name of the request: `"PRINT"`, `"FILE READ"`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File(request) => request.kind(),
            Self::Exit { .. } => codes::action_name(action::EXIT),
            Self::Print { .. } => codes::action_name(action::PRINT),
            Self::CPrint { .. } => codes::action_name(action::CPRINT),
            Self::MemMove { .. } => codes::action_name(action::MEMMOVE),
            Self::MemSet { .. } => codes::action_name(action::MEMSET),
            Self::MemCmp { .. } => codes::action_name(action::MEMCMP),
            Self::Call { .. } => codes::action_name(action::CALL),
            Self::Custom { action, .. } => codes::action_name(*action),
        }
    }

    /// Name of the operation in a host's configuration, one of [`OPERATION_NAMES`]. Both opens have
    /// the name `"open"`.
    #[must_use]
    pub const fn operation_name(&self) -> &'static str {
        match self {
            Self::Exit { .. } => "exit",
            Self::Print { .. } | Self::CPrint { .. } => "print",
            Self::MemMove { .. } | Self::MemSet { .. } | Self::MemCmp { .. } => "memory",
            Self::Call { .. } => "call",
            Self::Custom { .. } => "command",
            Self::File(request) => request.operation_name(),
        }
    }

    /// Returns true if the host responds: to all requests but EXIT, CPRINT and FILE CLOSE.
    #[must_use]
    pub const fn responds(&self) -> bool {
        !matches!(
            self,
            Self::Exit { .. } | Self::CPrint { .. } | Self::File(FileRequest::Close { .. })
        )
    }
}

impl Request {
    /// Number of fixed argument words: the minimum for an entry's `words`. A smaller count other
    /// than 0 is served nevertheless, because existing firmware is careless about it. 0 for a
    /// custom command.
    #[must_use]
    pub const fn needed_words(&self) -> u32 {
        match self {
            Self::Custom { .. } => 0,
            Self::Exit { .. } | Self::Call { .. } => 1,
            Self::Print { .. } => 2,
            Self::CPrint { .. }
            | Self::MemMove { .. }
            | Self::MemSet { .. }
            | Self::MemCmp { .. } => 3,
            Self::File(request) => request.needed_words(),
        }
    }
}

impl TryFrom<&RequestEntry> for Request {
    type Error = Malformed;

    /// Uses only the words that the request needs. Fields narrower than a word (`code`, `line`,
    /// `byte`, `flags`) are taken from its low end.
    ///
    /// # Errors
    ///
    /// Action 0, a built-in request with `words` 0, or an unknown FILE operation.
    fn try_from(entry: &RequestEntry) -> Result<Self, Malformed> {
        if entry.words == 0 && (action::EXIT..=action::FILE).contains(&entry.action) {
            return Err(Malformed::NoWords {
                action: entry.action,
            });
        }
        let [a, b, c, ..] = entry.args;
        Ok(match entry.action {
            action::IDLE => return Err(Malformed::Idle),
            action::EXIT => Self::Exit { code: a as u32 },
            action::PRINT => Self::Print { len: a, ptr: b },
            action::CPRINT => Self::CPrint {
                format: a,
                file: b,
                line: c as u32,
                args: args_after(3, entry),
            },
            action::MEMMOVE => Self::MemMove {
                dest: a,
                src: b,
                len: c,
            },
            action::MEMSET => Self::MemSet {
                dest: a,
                byte: b as u8,
                len: c,
            },
            action::MEMCMP => Self::MemCmp {
                s1: a,
                s2: b,
                len: c,
            },
            action::CALL => Self::Call {
                method: a,
                args: args_after(1, entry),
            },
            action::FILE => Self::File(FileRequest::of_args(&entry.args)?),
            action => Self::Custom {
                action,
                id: a,
                args: Args::first_of(&entry.args[1..]),
            },
        })
    }
}

/// Counted arguments after the first `fixed`. If the count is below `fixed`, all arguments are
/// taken, because the count is wrong.
fn args_after<const N: usize>(fixed: usize, entry: &RequestEntry) -> Args<N> {
    let all = &entry.args[fixed..];
    Args::first_of(entry.counted_args().get(fixed..).unwrap_or(all))
}

impl From<&Request> for RequestEntry {
    fn from(request: &Request) -> Self {
        match *request {
            Request::Exit { code } => entry(action::EXIT, &[code.into()], &[]),
            Request::Print { ptr, len } => entry(action::PRINT, &[len, ptr], &[]),
            Request::CPrint {
                format,
                file,
                line,
                ref args,
            } => entry(action::CPRINT, &[format, file, line.into()], args),
            Request::MemMove { dest, src, len } => entry(action::MEMMOVE, &[dest, src, len], &[]),
            Request::MemSet { dest, byte, len } => {
                entry(action::MEMSET, &[dest, byte.into(), len], &[])
            }
            Request::MemCmp { s1, s2, len } => entry(action::MEMCMP, &[s1, s2, len], &[]),
            Request::Call { method, ref args } => entry(action::CALL, &[method], args),
            Request::File(ref request) => entry(action::FILE, &request.args(), &[]),
            Request::Custom {
                action,
                id,
                ref args,
            } => entry(action, &[id], args),
        }
    }
}

/// Entry with arguments `fixed`, then `rest`; the types of a request bound their number.
fn entry(action: u32, fixed: &[u64], rest: &[u64]) -> RequestEntry {
    let mut args = [0; REQUEST_ARGS];
    args.iter_mut()
        .zip(fixed.iter().chain(rest))
        .for_each(|(arg, &word)| *arg = word);
    RequestEntry {
        action,
        words: (fixed.len() + rest.len()) as u32,
        args,
    }
}

/// Format: name, then each field; addresses and free words in hex.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        match self {
            Self::Exit { code } => write!(f, " code {code}"),
            Self::Print { ptr, len } => write!(f, " ptr {ptr:#x} len {len}"),
            Self::CPrint {
                format,
                file,
                line,
                args,
            } => {
                write!(
                    f,
                    " format {format:#x} file {file:#x} line {line} args {}",
                    Hex(args)
                )
            }
            Self::MemMove { dest, src, len } => write!(f, " dest {dest:#x} src {src:#x} len {len}"),
            Self::MemSet { dest, byte, len } => {
                write!(f, " dest {dest:#x} byte {byte:#x} len {len}")
            }
            Self::MemCmp { s1, s2, len } => write!(f, " s1 {s1:#x} s2 {s2:#x} len {len}"),
            Self::Call { method, args } => write!(f, " method {method:#x} args {}", Hex(args)),
            // Trailing zeros usually belong to an unfilled entry.
            Self::Custom { action, id, args } => {
                let used = args.iter().rposition(|&word| word != 0);
                let args = &args[..used.map_or(0, |last| last + 1)];
                write!(f, " action {action:#x} id {id:#x} args {}", Hex(args))
            }
            Self::File(request) => write!(f, "{request}"),
        }
    }
}

#[cfg(test)]
mod tests;
