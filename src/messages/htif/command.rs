//! Words of HTIF, decoded.

use std::fmt;

use mailbox_rs::Errno;
use serde::{Deserialize, Serialize};

/// Command of firmware in `tohost`, or a response of the host in `fromhost`: bits 63 to 56 are the
/// device, 55 to 48 the command, 47 to 0 the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command(pub u64);

/// Device of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// Proxy of system calls, and exit: device 0.
    SystemCalls,
    /// Console: device 1.
    Console,
    /// Any other number.
    Absent,
}

impl Device {
    /// Name by which the device identifies itself; empty for an absent one.
    pub fn identity(self) -> &'static str {
        match self {
            Self::SystemCalls => "syscall_proxy",
            Self::Console => "bcd",
            Self::Absent => "",
        }
    }

    /// Name by which the device identifies one of its commands; empty for one that it does not
    /// have.
    pub fn command_name(self, number: u8) -> &'static str {
        match (self, number) {
            (Self::SystemCalls, 0) => "syscall",
            (Self::Console, 0) => "read",
            (Self::Console, 1) => "write",
            _ => "",
        }
    }
}

impl Command {
    /// Number of the command by which every device identifies itself.
    pub const IDENTIFY: u8 = 255;

    const PAYLOAD: u64 = (1 << 48) - 1;

    /// Device that the command is for.
    pub fn device(self) -> Device {
        match self.0 >> 56 {
            0 => Device::SystemCalls,
            1 => Device::Console,
            _ => Device::Absent,
        }
    }

    /// Number of the command.
    pub fn number(self) -> u8 {
        (self.0 >> 48) as u8
    }

    /// Payload, of 48 bits.
    pub fn payload(self) -> u64 {
        self.0 & Self::PAYLOAD
    }

    /// Response to the command: the same device and command, with a payload.
    #[must_use]
    pub fn response(self, payload: u64) -> Self {
        Self(self.0 & !Self::PAYLOAD | payload & Self::PAYLOAD)
    }

    /// True if neither half is 0. A word with a half of 0 may come from a CPU of 32 bits, whose
    /// other half follows.
    pub fn is_whole(self) -> bool {
        self.0 as u32 != 0 && self.0 >> 32 != 0
    }

    /// Name of the command's kind. The kind of a system call is the name of that call.
    pub fn kind(self) -> &'static str {
        match (self.device(), self.number()) {
            (Device::SystemCalls, 0) if self.payload() & 1 == 1 => "exit",
            (Device::SystemCalls, 0) => "system call",
            (Device::Console, 0) => "console read",
            (Device::Console, 1) => "console write",
            (_, Self::IDENTIFY) => "identify",
            _ => "ignored",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, payload) = (self.kind(), self.payload());
        match kind {
            "exit" => write!(f, "exit({})", payload >> 1),
            "system call" => write!(f, "system call at {payload:#x}"),
            "console read" => f.write_str(kind),
            "console write" => write!(f, "console write {:#04x}", payload & 0xff),
            "identify" => {
                let (device, what, address) = (self.0 >> 56, payload & 0xff, payload >> 8);
                write!(
                    f,
                    "identify device {device}, command {what}, at {address:#x}"
                )
            }
            _ => write!(
                f,
                "device {}, command {}, payload {payload:#x}",
                self.0 >> 56,
                self.number()
            ),
        }
    }
}

/// System call of firmware: eight words of 64 bits in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemCall {
    /// Number of the call.
    pub number: u64,
    /// Arguments. Has the maximum number of a call.
    pub args: [u64; 7],
}

/// Numbers of the system calls, their names, and their numbers of arguments.
const CALLS: [(u64, &str, usize); 23] = [
    (17, "getcwd", 2),
    (25, "fcntl", 3),
    (34, "mkdirat", 4),
    (35, "unlinkat", 4),
    (37, "linkat", 7),
    (38, "renameat", 6),
    (46, "ftruncate", 2),
    (48, "faccessat", 4),
    (49, "chdir", 1),
    (56, "openat", 5),
    (57, "close", 1),
    (62, "lseek", 3),
    (63, "read", 3),
    (64, "write", 3),
    (67, "pread", 4),
    (68, "pwrite", 4),
    (78, "readlinkat", 5),
    (79, "fstatat", 5),
    (80, "fstat", 2),
    (93, "exit", 1),
    (291, "statx", 6),
    (1039, "lstat", 3),
    (2011, "getmainvars", 2),
];

impl SystemCall {
    /// Size in memory.
    pub const SIZE: u64 = 64;

    /// Parses the eight words; `None` for too few bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (words, _) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let number = words.next()?;
        let mut args = [0; 7];
        for arg in &mut args {
            *arg = words.next()?;
        }
        Some(Self { number, args })
    }

    /// Name of the call; `unknown` for an unknown number.
    pub fn name(&self) -> &'static str {
        self.known().map_or("unknown", |(_, name, _)| name)
    }

    fn known(&self) -> Option<(u64, &'static str, usize)> {
        CALLS
            .into_iter()
            .find(|(number, _, _)| *number == self.number)
    }
}

/// Format: `write(0x1, 0x80001000, 0xc)`.
impl fmt::Display for SystemCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.known() {
            Some((_, name, count)) => {
                f.write_str(name)?;
                count
            }
            None => {
                write!(f, "system call {}", self.number)?;
                self.args.len()
            }
        };
        f.write_str("(")?;
        for (at, arg) in self.args.iter().take(count).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{arg:#x}")?;
        }
        f.write_str(")")
    }
}

/// Error number of a negative result.
pub(super) fn errno(result: i64) -> Errno {
    Errno(i32::try_from(result.unsigned_abs()).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_command_are_those_of_the_protocol() {
        let command = Command(0x01ff_8000_1234_56ff);
        assert_eq!(command.device(), Device::Console);
        assert_eq!(
            (command.number(), command.payload()),
            (255, 0x8000_1234_56ff)
        );
        assert_eq!(command.response(1), Command(0x01ff_0000_0000_0001));
        assert_eq!(Command(7).to_string(), "exit(3)");
        assert_eq!(
            Command(0x0101_0000_0000_0041).to_string(),
            "console write 0x41"
        );
        assert_eq!(Command(0x0500_0000_0000_0001).kind(), "ignored");
    }

    #[test]
    fn a_word_with_an_empty_half_may_not_be_whole() {
        for (word, whole) in [
            (0x0101_0000_0000_0041, true),
            (0x41, false),
            (0x0101_0000_0000_0000, false),
            (0x1_0000_0001, true),
        ] {
            assert_eq!(Command(word).is_whole(), whole, "{word:#x}");
        }
    }

    #[test]
    fn a_call_has_its_name_and_as_many_arguments() {
        let mut words = [64, 1, 0x8000_0000, 5, 9, 9, 9, 9].map(u64::to_le_bytes);
        let call = SystemCall::parse(words.as_flattened()).unwrap();
        assert_eq!(call.to_string(), "write(0x1, 0x80000000, 0x5)");
        words[0] = 9999_u64.to_le_bytes();
        let call = SystemCall::parse(words.as_flattened()).unwrap();
        assert_eq!(call.name(), "unknown");
        assert!(
            call.to_string().starts_with("system call 9999(0x1, "),
            "{call}"
        );
        assert_eq!(SystemCall::parse(&words.as_flattened()[1..]), None);
    }
}
