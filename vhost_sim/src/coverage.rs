//! Counters of events in runs, with the goals for the generator.

use std::collections::BTreeMap;
use std::fmt;

use crate::scenario::{Backing, Channel};

/// Counters by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<&'static str, u64>);

/// Events that runs must reach.
pub const GOALS: &[&str] = &[
    "backing banked",
    "backing direct",
    "backing model",
    "bad version ends the service",
    "burst of ticks",
    "bytes of standard input",
    "call absent",
    "call failed",
    "call pending",
    "call ready",
    "channels 1",
    "channels more than 8",
    "checkpoint",
    "checkpoint after an exit",
    "checkpoint with a pending call",
    "checkpoint with an open file",
    "client connects",
    "client disconnected",
    "client vanishes",
    "deaf firmware",
    "device in front of a memory",
    "entries of a directory",
    "entry with few words",
    "entry without words",
    "errno EACCES",
    "errno EBADF",
    "errno EEXIST",
    "errno EFAULT",
    "errno EINVAL",
    "errno EIO",
    "errno EISDIR",
    "errno EMFILE",
    "errno ENOENT",
    "errno ENOSPC",
    "errno ENOSYS",
    "errno ENOTDIR",
    "errno ENOTEMPTY",
    "errno ESPIPE",
    "fault in a mailbox",
    "fault in a read",
    "fault in a write, torn",
    "file of another channel",
    "flipped bit",
    "full response queue",
    "handshake",
    "handshake of 0.3",
    "late index",
    "line of cache 32",
    "line of cache 64",
    "line of cache 128",
    "line of cache 256",
    "misbehaviour consumer",
    "misbehaviour jump",
    "misbehaviour producer",
    "misbehaviour scribble",
    "misbehaviour skip",
    "notify",
    "panic of a method",
    "panic of a special file",
    "pointer 4",
    "pointer 8",
    "re-entry depth 1",
    "re-entry depth 2",
    "re-entry depth 3",
    "read clipped at the end of the map",
    "recording cut where it was wanted",
    "recording replayed",
    "request CALL",
    "request CPRINT",
    "request EXIT",
    "request FILE ACCESS",
    "request FILE ARGV",
    "request FILE CHECKED_CLOSE",
    "request FILE CLOSE",
    "request FILE ENV",
    "request FILE FSTAT",
    "request FILE FSYNC",
    "request FILE FTRUNCATE",
    "request FILE LSEEK",
    "request FILE MKDIR",
    "request FILE OPEN",
    "request FILE POSIX_OPEN",
    "request FILE RANDOM",
    "request FILE READ",
    "request FILE READDIR",
    "request FILE RENAME",
    "request FILE RMDIR",
    "request FILE SEEK",
    "request FILE STAT",
    "request FILE TIME",
    "request FILE UNLINK",
    "request FILE WRITE",
    "request MEMCMP",
    "request MEMMOVE",
    "request MEMSET",
    "request OTHER",
    "request PRINT",
    "request malformed",
    "reset in a handshake",
    "reset of a closed file",
    "reset of an idle channel",
    "reset with a pending call",
    "reset with a response to come",
    "reset with requests queued",
    "short read",
    "short write",
    "stale polling",
    "tap checker",
    "tap logger, full",
    "tap recorder on a full disk",
    "tap statistics",
    "text of standard error",
    "text without an end of line",
];

impl Coverage {
    /// Increments a counter.
    pub fn hit(&mut self, counter: &'static str) {
        *self.0.entry(counter).or_default() += 1;
    }

    /// Adds other counters.
    pub fn add(&mut self, other: &Self) {
        for (counter, count) in &other.0 {
            *self.0.entry(counter).or_default() += count;
        }
    }

    /// Goals that were not reached.
    pub fn missing(&self) -> Vec<&'static str> {
        let goals = GOALS.iter().copied();
        goals.filter(|goal| !self.0.contains_key(goal)).collect()
    }

    /// Counts the properties of a channel.
    pub fn describe(&mut self, channel: &Channel) {
        self.hit(if channel.pointer == 4 {
            "pointer 4"
        } else {
            "pointer 8"
        });
        match channel.line {
            32 => self.hit("line of cache 32"),
            64 => self.hit("line of cache 64"),
            128 => self.hit("line of cache 128"),
            256 => self.hit("line of cache 256"),
            _ => {}
        }
        self.hit(match channel.backing {
            Backing::Model => "backing model",
            Backing::Direct { .. } => "backing direct",
            Backing::Banked { .. } => "backing banked",
        });
        if channel.device.is_some() {
            self.hit("device in front of a memory");
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (counter, count) in &self.0 {
            writeln!(f, "{count:>12}  {counter}")?;
        }
        Ok(())
    }
}
