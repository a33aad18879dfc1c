//! File descriptors: open files of all channels.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

use super::directory::Directory;
use super::disk::DiskFile;
use super::refusal::Refusal;
use crate::messages::foreign::SpecialId;
use crate::messages::{ChannelId, escaped_name};

/// Lowest descriptor. Source: protocol, section *Requests*.
const FIRST: u64 = 10;

/// Highest descriptor. The next one would be negative in a word of 4 bytes, like an error.
const LAST: u64 = i32::MAX as u64;

/// Maximum number of open files of one channel. The simulator's process has the files of all
/// channels open.
pub(super) const OPEN_MAX: usize = 256;

/// Open file.
pub(super) enum File {
    /// File below the root.
    Disk(Box<dyn DiskFile>),
    /// Directory below the root.
    Directory(Directory),
    /// File opened by the host program.
    Special(SpecialId),
    /// File of a checkpoint that could not be opened again: all operations but a close fail with
    /// `EIO`.
    Lost,
}

/// Reservation for a file that is being opened.
pub(super) struct Claim {
    channel: ChannelId,
    session: u64,
}

/// Descriptor in use.
pub(super) struct OpenFile {
    /// Channel that opened the file.
    pub(super) by: ChannelId,
    pub(super) flags: OpenFlags,
    /// Path given to the open.
    pub(super) path: Bytes,
    pub(super) file: File,
}

impl OpenFile {
    /// Error of an operation on the file, which names the file.
    pub(super) fn failed(&self, errno: Errno) -> Refusal {
        Refusal::new(errno, self.name())
    }

    /// Name of the file in messages.
    pub(super) fn name(&self) -> String {
        let path = escaped_name(&self.path);
        match self.file {
            File::Lost => format!("file `{path}`, which could not be opened again by a restore"),
            _ => format!("file `{path}`"),
        }
    }
}

/// Count of a channel's open files.
#[derive(Default)]
struct Opened {
    /// Number of open files, including reservations of this session.
    files: usize,
    /// Number of times that all files of the channel were closed. Reservations of earlier sessions
    /// are void.
    session: u64,
}

/// Open files of all channels, by descriptor. A number is never reused.
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
    /// Reserves a place for one more file.
    ///
    /// # Errors
    /// `EMFILE` if the channel has [`OPEN_MAX`] files open, `ENFILE` if no number is left.
    pub(super) fn claim(&mut self, channel: ChannelId) -> Result<Claim, Refusal> {
        if self.next > LAST {
            let reason = "this run has used all descriptors";
            return Err(Refusal::new(Errno::ENFILE, reason));
        }
        let opened = self.channels.entry(channel).or_default();
        if opened.files == OPEN_MAX {
            let reason = format!("the channel has {OPEN_MAX} files open, the maximum");
            return Err(Refusal::new(Errno::EMFILE, reason));
        }
        opened.files += 1;
        let session = opened.session;
        Ok(Claim { channel, session })
    }

    /// Assigns a descriptor to a file.
    ///
    /// # Errors
    /// The file itself, if the channel has closed all of its files since the reservation.
    pub(super) fn fill(
        &mut self,
        claim: Claim,
        flags: OpenFlags,
        path: Bytes,
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

    /// Releases the reservation of a file that could not be opened.
    pub(super) fn release(&mut self, claim: Claim) {
        if let Some(opened) = self.claimed(&claim) {
            opened.files -= 1;
        }
    }

    /// File of a descriptor.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not open.
    pub(super) fn file(&mut self, fd: u64) -> Result<&mut OpenFile, Refusal> {
        self.opened_for(fd, |_| true, "")
    }

    /// File of a descriptor opened for reading.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not open, or is open for writing only.
    pub(super) fn readable(&mut self, fd: u64) -> Result<&mut OpenFile, Refusal> {
        self.opened_for(fd, OpenFlags::reads, "writing")
    }

    /// File of a descriptor opened for writing or appending.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not open, or is open for reading only.
    pub(super) fn writable(&mut self, fd: u64) -> Result<&mut OpenFile, Refusal> {
        self.opened_for(fd, OpenFlags::creates, "reading")
    }

    /// Removes a descriptor and returns its file.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not open.
    pub(super) fn close(&mut self, fd: u64) -> Result<File, Refusal> {
        let open = self.open.remove(&fd);
        let OpenFile { by, file, .. } = open.ok_or_else(|| Self::not_open(fd, self.next))?;
        if let Some(opened) = self.channels.get_mut(&by) {
            opened.files -= 1;
        }
        Ok(file)
    }

    /// Removes all descriptors of a channel and returns their files. Voids its reservations.
    pub(super) fn close_all(&mut self, channel: ChannelId) -> Vec<File> {
        let opened = self.channels.entry(channel).or_default();
        opened.files = 0;
        opened.session += 1;
        let ended = self.open.extract_if(.., |_, open| open.by == channel);
        ended.map(|(_, open)| open.file).collect()
    }

    /// Next descriptor to be assigned.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// All open files, by descriptor.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut OpenFile)> {
        self.open.iter_mut().map(|(fd, file)| (*fd, file))
    }

    /// Removes all descriptors of all channels and returns their files. Voids all reservations.
    /// `next` is the next descriptor to be assigned.
    pub(super) fn begin_anew(&mut self, next: u64) -> Vec<File> {
        for opened in self.channels.values_mut() {
            opened.files = 0;
            opened.session += 1;
        }
        self.next = next.clamp(FIRST, LAST + 1);
        let ended = std::mem::take(&mut self.open).into_values();
        ended.map(|open| open.file).collect()
    }

    /// Adds an open file of a checkpoint.
    ///
    /// # Errors
    /// The file itself, for an impossible descriptor, or for one more than the channel may have.
    pub(super) fn add(&mut self, fd: u64, open: OpenFile) -> Result<(), File> {
        let opened = self.channels.entry(open.by).or_default();
        let fits = (FIRST..self.next).contains(&fd)
            && opened.files < OPEN_MAX
            && !self.open.contains_key(&fd);
        if !fits {
            return Err(open.file);
        }
        opened.files += 1;
        self.open.insert(fd, open);
        Ok(())
    }

    /// File of a descriptor whose flags satisfy `way`. The error names the access mode `other`,
    /// with which the file was opened.
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
                let reason = format!("the file was opened for {other} only");
                Err(Refusal::new(Errno::EBADF, reason))
            }
            None => Err(Self::not_open(fd, next)),
        }
    }

    /// Error of a descriptor that is not open. `next` is the next descriptor to be assigned.
    fn not_open(fd: u64, next: u64) -> Refusal {
        let reason = match fd {
            0..FIRST => {
                format!("descriptor {fd} was never opened: those of files start at {FIRST}")
            }
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
