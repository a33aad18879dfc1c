//! Descriptors of a channel, opened and closed by the results of its system calls.

use std::collections::BTreeSet;

use crate::attach::protocol::rules::Breach;
use crate::messages::htif::SystemCall;

/// Maximum number of remembered descriptors, open and closed ones each.
const MAX_DESCRIPTORS: usize = 4096;

/// Standard streams.
const STREAMS: [u64; 3] = [0, 1, 2];

/// Result for a descriptor that is not open.
const EBADF: i64 = -9;

/// Value in place of a descriptor for the working directory: -100 as an `int`.
const AT_FDCWD: u64 = 0xffff_ff9c;

const OPENAT: u64 = 56;
const CLOSE: u64 = 57;

/// Open descriptors; unknown after a late attachment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptors {
    open: Option<BTreeSet<u64>>,
    /// Descriptors that the channel has closed and not opened again.
    closed: BTreeSet<u64>,
}

impl Descriptors {
    /// Creates the state in which the standard streams and these descriptors are open. Descriptors
    /// of other channels may be open, too.
    pub(super) fn of(open: impl IntoIterator<Item = u64>) -> Self {
        let open = STREAMS.into_iter().chain(open);
        Self {
            open: Some(open.take(MAX_DESCRIPTORS).collect()),
            closed: BTreeSet::new(),
        }
    }

    /// Checks a system call, whose words are at an address, and its result.
    pub(super) fn served(
        &mut self,
        (call, words): (&SystemCall, u64),
        result: i64,
        breaches: &mut Vec<Breach>,
    ) {
        let Some(open) = &mut self.open else {
            return;
        };
        for fd in used(call) {
            let is_closed = self.closed.contains(&fd);
            if result == EBADF && !open.contains(&fd) {
                let why = match is_closed {
                    true => "has closed it",
                    false => "has not opened it",
                };
                breaches.push(format!(
                    "{call}, whose words are at {words:#x}, of descriptor {fd}, which is not open: firmware {why}"
                ));
            } else if result >= 0 && is_closed && !is_directory(call) {
                breaches.push(format!(
                    "{call}, whose words are at {words:#x}, of descriptor {fd}, which is closed: the host carries it out"
                ));
            }
        }
        let Ok(value) = u64::try_from(result) else {
            return;
        };
        match call.number {
            OPENAT => {
                self.closed.remove(&value);
                if !open.insert(value) {
                    breaches.push(format!(
                        "{call}, whose words are at {words:#x}: the host gives descriptor {value}, which is open"
                    ));
                }
                if open.len() > MAX_DESCRIPTORS {
                    open.pop_first();
                }
            }
            CLOSE => {
                let fd = descriptor(call.args[0]);
                open.remove(&fd);
                self.closed.insert(fd);
                if self.closed.len() > MAX_DESCRIPTORS {
                    self.closed.pop_first();
                }
            }
            _ => {}
        }
    }
}

/// Descriptors that a call uses. A directory is unused if the path is absolute.
fn used(call: &SystemCall) -> impl Iterator<Item = u64> {
    let positions: &[usize] = match call.number {
        37 | 38 => &[0, 3],
        _ if is_directory(call) => &[0],
        25 | 46 | CLOSE | 62 | 63 | 64 | 67 | 68 | 80 => &[0],
        _ => &[],
    };
    let used = positions.iter().map(|at| descriptor(call.args[*at]));
    used.filter(|fd| *fd != AT_FDCWD)
}

/// True for a call whose descriptors are the directories of its paths.
fn is_directory(call: &SystemCall) -> bool {
    matches!(call.number, 34 | 35 | 37 | 38 | 48 | OPENAT | 78 | 79 | 291)
}

/// Descriptor of an `int`.
fn descriptor(word: u64) -> u64 {
    word & u64::from(u32::MAX)
}
