//! The descriptors of all channels.

use std::collections::HashMap;

use mailbox_rs::{Errno, OpenFlags};

use super::disk::DiskFile;
use crate::messages::ChannelId;
use crate::messages::foreign::SpecialId;

/// The lowest descriptor. Source: protocol, section *Requests*.
const FIRST: u64 = 10;

/// The most files that one channel has open; the simulator's process has all of them.
pub(super) const OPEN_MAX: usize = 256;

/// What a descriptor stands for.
pub(super) enum File {
    /// Below the root.
    Disk(Box<dyn DiskFile>),
    /// The host program's.
    Special(SpecialId),
}

/// A descriptor for a file that is being opened.
pub(super) struct Claim {
    channel: ChannelId,
    slot: usize,
    number: u64,
}

enum Slot {
    Free,
    /// Claimed, by the claim of this number.
    Claimed(u64),
    Open(OpenFlags, File),
}

/// Each channel's open files, by descriptor.
#[derive(Default)]
pub(super) struct Descriptors {
    channels: HashMap<ChannelId, Vec<Slot>>,
    claims: u64,
}

impl Descriptors {
    /// Sets the lowest free descriptor aside. `EMFILE` where none is free.
    pub(super) fn claim(&mut self, channel: ChannelId) -> Result<Claim, Errno> {
        let slots = self.channels.entry(channel).or_default();
        let free = slots.iter().position(|slot| matches!(slot, Slot::Free));
        let slot = match free {
            Some(slot) => slot,
            None if slots.len() < OPEN_MAX => {
                slots.push(Slot::Free);
                slots.len() - 1
            }
            None => return Err(Errno::EMFILE),
        };
        self.claims += 1;
        slots[slot] = Slot::Claimed(self.claims);
        Ok(Claim {
            channel,
            slot,
            number: self.claims,
        })
    }

    /// Gives the descriptor its file; gives the file back where the claim is void, since the channel
    /// has closed everything.
    pub(super) fn fill(&mut self, claim: Claim, flags: OpenFlags, file: File) -> Result<u64, File> {
        match self.claimed(&claim) {
            Some(slot) => {
                *slot = Slot::Open(flags, file);
                Ok(FIRST + claim.slot as u64)
            }
            None => Err(file),
        }
    }

    /// Frees a descriptor whose file could not be opened.
    pub(super) fn release(&mut self, claim: Claim) {
        if let Some(slot) = self.claimed(&claim) {
            *slot = Slot::Free;
        }
    }

    /// The file of a descriptor. `EBADF` where there is none.
    pub(super) fn file(&mut self, channel: ChannelId, fd: u64) -> Result<&mut File, Errno> {
        self.open(channel, fd).map(|(_, file)| file)
    }

    /// The file of a descriptor that was opened for reading, else `EBADF`.
    pub(super) fn readable(&mut self, channel: ChannelId, fd: u64) -> Result<&mut File, Errno> {
        match self.open(channel, fd)? {
            (flags, file) if flags.reads() => Ok(file),
            _ => Err(Errno::EBADF),
        }
    }

    /// The file of a descriptor that was opened for writing, in any of the ways, else `EBADF`.
    pub(super) fn writable(&mut self, channel: ChannelId, fd: u64) -> Result<&mut File, Errno> {
        match self.open(channel, fd)? {
            (flags, file) if flags.creates() => Ok(file),
            _ => Err(Errno::EBADF),
        }
    }

    /// Frees a descriptor and gives its file. `EBADF` where there is none.
    pub(super) fn close(&mut self, channel: ChannelId, fd: u64) -> Result<File, Errno> {
        let slot = self.slot(channel, fd).ok_or(Errno::EBADF)?;
        match std::mem::replace(slot, Slot::Free) {
            Slot::Open(_, file) => Ok(file),
            other => {
                *slot = other;
                Err(Errno::EBADF)
            }
        }
    }

    /// Frees all descriptors of a channel and gives their files. Its claims are void.
    pub(super) fn close_all(&mut self, channel: ChannelId) -> impl Iterator<Item = File> + use<> {
        let slots = self.channels.remove(&channel).unwrap_or_default();
        slots.into_iter().filter_map(|slot| match slot {
            Slot::Open(_, file) => Some(file),
            Slot::Free | Slot::Claimed(_) => None,
        })
    }

    fn open(&mut self, channel: ChannelId, fd: u64) -> Result<(OpenFlags, &mut File), Errno> {
        match self.slot(channel, fd) {
            Some(Slot::Open(flags, file)) => Ok((*flags, file)),
            _ => Err(Errno::EBADF),
        }
    }

    fn slot(&mut self, channel: ChannelId, fd: u64) -> Option<&mut Slot> {
        let at = usize::try_from(fd.checked_sub(FIRST)?).ok()?;
        self.channels.get_mut(&channel)?.get_mut(at)
    }

    fn claimed(&mut self, claim: &Claim) -> Option<&mut Slot> {
        let slot = self.channels.get_mut(&claim.channel)?.get_mut(claim.slot)?;
        matches!(slot, Slot::Claimed(number) if *number == claim.number).then_some(slot)
    }
}
