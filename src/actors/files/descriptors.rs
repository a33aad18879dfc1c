//! Descriptors of the system: open files, whichever channel opened them.

use std::collections::{BTreeMap, HashMap};

use mailbox_rs::{Errno, OpenFlags};

use super::disk::DiskFile;
use super::refusal::Refusal;
use crate::messages::ChannelId;
use crate::messages::foreign::SpecialId;

/// Lowest descriptor. Source: protocol, section *Requests*.
const FIRST: u64 = 10;

/// Highest descriptor: the next one would be negative in a word of 4 bytes, as an error is.
const LAST: u64 = i32::MAX as u64;

/// Limit of open files of one channel; the simulator's process has those of all channels.
pub(super) const OPEN_MAX: usize = 256;

/// Open file.
pub(super) enum File {
    /// Below the root.
    Disk(Box<dyn DiskFile>),
    /// The host program's.
    Special(SpecialId),
}

/// Room for a file that is being opened.
pub(super) struct Claim {
    channel: ChannelId,
    session: u64,
}

/// Descriptor in use.
pub(super) struct OpenFile {
    /// Channel that opened it.
    by: ChannelId,
    flags: OpenFlags,
    /// Path that it was opened by.
    path: String,
    pub(super) file: File,
}

impl OpenFile {
    /// Error of an operation on the file, which it names.
    pub(super) fn failed(&self, errno: Errno) -> Refusal {
        Refusal::new(errno, self.name())
    }

    /// File, for messages.
    pub(super) fn name(&self) -> String {
        format!("file `{}`", self.path)
    }
}

/// Files that one channel has opened.
#[derive(Default)]
struct Opened {
    /// Open files, and claims of this session.
    files: usize,
    /// Number of times that all files were closed; claims of an earlier session are void.
    session: u64,
}

/// Open files of all channels, by descriptor. No number is given twice.
pub(super) struct Descriptors {
    open: BTreeMap<u64, OpenFile>,
    channels: HashMap<ChannelId, Opened>,
    next: u64,
}

impl Default for Descriptors {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            channels: HashMap::new(),
            next: FIRST,
        }
    }
}

impl Descriptors {
    /// Reserves room for one more file.
    ///
    /// # Errors
    /// `EMFILE` where the channel has [`OPEN_MAX`] files open, `ENFILE` where no number is left.
    pub(super) fn claim(&mut self, channel: ChannelId) -> Result<Claim, Refusal> {
        if self.next > LAST {
            let reason = "all descriptors of this run were given";
            return Err(Refusal::new(Errno::ENFILE, reason));
        }
        let opened = self.channels.entry(channel).or_default();
        if opened.files == OPEN_MAX {
            let reason = format!("the channel has {OPEN_MAX} files open, and may have no more");
            return Err(Refusal::new(Errno::EMFILE, reason));
        }
        opened.files += 1;
        let session = opened.session;
        Ok(Claim { channel, session })
    }

    /// Assigns a descriptor to a file.
    ///
    /// # Errors
    /// The file itself, where the claim is void since the channel has closed everything.
    pub(super) fn fill(
        &mut self,
        claim: Claim,
        flags: OpenFlags,
        path: String,
        file: File,
    ) -> Result<u64, File> {
        if self.claimed(&claim).is_none() {
            return Err(file);
        }
        let fd = self.next;
        self.next += 1;
        let by = claim.channel;
        let open = OpenFile {
            by,
            flags,
            path,
            file,
        };
        self.open.insert(fd, open);
        Ok(fd)
    }

    /// Releases the room for a file that could not be opened.
    pub(super) fn release(&mut self, claim: Claim) {
        if let Some(opened) = self.claimed(&claim) {
            opened.files -= 1;
        }
    }

    /// File of a descriptor, or `EBADF`.
    pub(super) fn file(&mut self, fd: u64) -> Result<&mut OpenFile, Refusal> {
        self.opened_for(fd, |_| true, "")
    }

    /// File of a descriptor that was opened for reading, or `EBADF`.
    pub(super) fn readable(&mut self, fd: u64) -> Result<&mut OpenFile, Refusal> {
        self.opened_for(fd, OpenFlags::reads, "writing")
    }

    /// File of a descriptor that was opened for writing, in any of the ways, or `EBADF`.
    pub(super) fn writable(&mut self, fd: u64) -> Result<&mut OpenFile, Refusal> {
        self.opened_for(fd, OpenFlags::creates, "reading")
    }

    /// Removes a descriptor and returns its file, or `EBADF`.
    pub(super) fn close(&mut self, fd: u64) -> Result<File, Refusal> {
        let open = self.open.remove(&fd);
        let OpenFile { by, file, .. } = open.ok_or_else(|| Self::not_open(fd, self.next))?;
        if let Some(opened) = self.channels.get_mut(&by) {
            opened.files -= 1;
        }
        Ok(file)
    }

    /// Removes all descriptors that a channel has opened, and returns their files. Voids its claims.
    pub(super) fn close_all(&mut self, channel: ChannelId) -> Vec<File> {
        let opened = self.channels.entry(channel).or_default();
        opened.files = 0;
        opened.session += 1;
        let ended = self.open.extract_if(.., |_, open| open.by == channel);
        ended.map(|(_, open)| open.file).collect()
    }

    /// File of a descriptor, if it was opened in one of these ways, and not only in the `other` one.
    fn opened_for(
        &mut self,
        fd: u64,
        way: impl Fn(OpenFlags) -> bool,
        other: &str,
    ) -> Result<&mut OpenFile, Refusal> {
        let next = self.next;
        match self.open.get_mut(&fd) {
            Some(open) if way(open.flags) => Ok(open),
            Some(_) => {
                let reason = format!("descriptor {fd} was opened for {other} only");
                Err(Refusal::new(Errno::EBADF, reason))
            }
            None => Err(Self::not_open(fd, next)),
        }
    }

    /// Refuses a descriptor that is not in use, where `next` is the next one.
    fn not_open(fd: u64, next: u64) -> Refusal {
        let reason = match fd {
            0..FIRST => format!("descriptor {fd} is none: the first one of a run is {FIRST}"),
            _ if fd < next => format!("descriptor {fd} is closed"),
            _ => format!("descriptor {fd} was never opened"),
        };
        Refusal::new(Errno::EBADF, reason)
    }

    fn claimed(&mut self, claim: &Claim) -> Option<&mut Opened> {
        let opened = self.channels.get_mut(&claim.channel);
        opened.filter(|opened| opened.session == claim.session)
    }
}
