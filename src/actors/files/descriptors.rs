//! The descriptors of the system: open files, whichever channel opened them.

use std::collections::{BTreeMap, HashMap};

use mailbox_rs::{Errno, OpenFlags};

use super::disk::DiskFile;
use crate::messages::ChannelId;
use crate::messages::foreign::SpecialId;

/// The lowest descriptor. Source: protocol, section *Requests*.
const FIRST: u64 = 10;

/// The highest descriptor: what follows would be negative in a word of 4 bytes, as an error is.
const LAST: u64 = i32::MAX as u64;

/// The most files that one channel has open; the simulator's process has all of them.
pub(super) const OPEN_MAX: usize = 256;

/// An open file.
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

/// A descriptor.
struct Open {
    /// Channel that opened it.
    by: ChannelId,
    flags: OpenFlags,
    file: File,
}

/// Files that one channel has opened.
#[derive(Default)]
struct Opened {
    /// Open files, and claims of this session.
    files: usize,
    /// Times that all was closed: claims of an earlier session are void.
    session: u64,
}

/// All open files, by descriptor. No number is given twice.
pub(super) struct Descriptors {
    open: BTreeMap<u64, Open>,
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
    /// Sets room aside for one file more. `EMFILE` where the channel has opened as many as it may, `ENFILE` where there
    /// are no numbers left.
    pub(super) fn claim(&mut self, channel: ChannelId) -> Result<Claim, Errno> {
        if self.next > LAST {
            return Err(Errno::ENFILE);
        }
        let opened = self.channels.entry(channel).or_default();
        if opened.files == OPEN_MAX {
            return Err(Errno::EMFILE);
        }
        opened.files += 1;
        let session = opened.session;
        Ok(Claim { channel, session })
    }

    /// Gives the file its descriptor; gives the file back where the claim is void, since the channel has closed everything.
    pub(super) fn fill(&mut self, claim: Claim, flags: OpenFlags, file: File) -> Result<u64, File> {
        if self.claimed(&claim).is_none() {
            return Err(file);
        }
        let fd = self.next;
        self.next += 1;
        let by = claim.channel;
        self.open.insert(fd, Open { by, flags, file });
        Ok(fd)
    }

    /// Gives up the room for a file that could not be opened.
    pub(super) fn release(&mut self, claim: Claim) {
        if let Some(opened) = self.claimed(&claim) {
            opened.files -= 1;
        }
    }

    /// The file of a descriptor. `EBADF` where there is none.
    pub(super) fn file(&mut self, fd: u64) -> Result<&mut File, Errno> {
        self.opened_for(fd, |_| true)
    }

    /// The file of a descriptor that was opened for reading, else `EBADF`.
    pub(super) fn readable(&mut self, fd: u64) -> Result<&mut File, Errno> {
        self.opened_for(fd, OpenFlags::reads)
    }

    /// The file of a descriptor that was opened for writing, in any of the ways, else `EBADF`.
    pub(super) fn writable(&mut self, fd: u64) -> Result<&mut File, Errno> {
        self.opened_for(fd, OpenFlags::creates)
    }

    /// Ends a descriptor and gives its file. `EBADF` where there is none.
    pub(super) fn close(&mut self, fd: u64) -> Result<File, Errno> {
        let Open { by, file, .. } = self.open.remove(&fd).ok_or(Errno::EBADF)?;
        if let Some(opened) = self.channels.get_mut(&by) {
            opened.files -= 1;
        }
        Ok(file)
    }

    /// Ends all descriptors that a channel has opened, and gives their files. Its claims are void.
    pub(super) fn close_all(&mut self, channel: ChannelId) -> Vec<File> {
        let opened = self.channels.entry(channel).or_default();
        opened.files = 0;
        opened.session += 1;
        let ended = self.open.extract_if(.., |_, open| open.by == channel);
        ended.map(|(_, open)| open.file).collect()
    }

    fn opened_for(&mut self, fd: u64, way: impl Fn(OpenFlags) -> bool) -> Result<&mut File, Errno> {
        match self.open.get_mut(&fd) {
            Some(open) if way(open.flags) => Ok(&mut open.file),
            _ => Err(Errno::EBADF),
        }
    }

    fn claimed(&mut self, claim: &Claim) -> Option<&mut Opened> {
        let opened = self.channels.get_mut(&claim.channel);
        opened.filter(|opened| opened.session == claim.session)
    }
}
