//! Initial contents of memories: files, and ELF images of channels.

use std::sync::Arc;

use bytes::Bytes;

use crate::bus::{Bus, Port};
use crate::config::ChannelConfig;
use crate::mem::{
    AccessError, Backend, Image, MemoryMap, Op, OpOutcome, Placement, SpaceId, Span, Write, initial,
};
use crate::messages::foreign::{Report, Severity};
use crate::messages::memory::{Access, AccessSegments};
use crate::messages::{ChannelDescriptor, Interface, foreign, memory};
use crate::system::Error;
use crate::system::running::{Inner, Vhost};

/// Log target of notes on a system's start, at level info.
pub(in crate::system) const START: &str = "vhost::start";

/// Origin of reports on loaded images.
pub(in crate::system) const LOAD: &str = "load";

impl Vhost {
    /// Loader of initial contents.
    pub(in crate::system) fn loader(&self) -> Loader<'_> {
        let Inner {
            bus, map, ports, ..
        } = &*self.0;
        Loader {
            bus,
            map,
            memory: &ports.memory,
            foreign: &ports.foreign,
        }
    }
}

/// Image to load into a space.
pub(in crate::system) struct ToLoad {
    pub(in crate::system) space: SpaceId,
    pub(in crate::system) image: Arc<Image>,
    /// Writes zeros behind the segments.
    pub(in crate::system) zero_bss: bool,
}

/// Images to load, once per space for all its channels. One channel with `zero_bss: false` disables
/// the zeros for the image.
pub(in crate::system) fn images(channels: &[ChannelConfig]) -> Vec<ToLoad> {
    let mut images: Vec<ToLoad> = Vec::new();
    for channel in channels {
        let Some(image) = &channel.load else { continue };
        let known = images
            .iter_mut()
            .find(|load| load.space == channel.space && Arc::ptr_eq(&load.image, image));
        match known {
            Some(load) => load.zero_bss &= channel.zero_bss,
            None => images.push(ToLoad {
                space: channel.space,
                image: image.clone(),
                zero_bss: channel.zero_bss,
            }),
        }
    }
    images
}

/// Initialisation of memories.
pub(in crate::system) struct Loader<'a> {
    bus: &'a Bus,
    map: &'a MemoryMap,
    memory: &'a Port<memory::Inbox>,
    foreign: &'a Port<foreign::Inbox>,
}

impl Loader<'_> {
    /// Initialises each memory once, also a memory of several spaces.
    pub(in crate::system) fn initialise(&self) -> Result<(), Error> {
        for ((id, memory), space) in self.map.numbered().zip(self.map.first_spaces()) {
            // A memory outside of all spaces is unreadable.
            let Some(space) = space else {
                continue;
            };
            let content = initial(id, memory, fastrand::u64(..))?;
            for note in &content.notes {
                let severity = match note.is_warning() {
                    true => Severity::Warning,
                    false => Severity::Info,
                };
                self.note(severity, &memory.name, note.to_string());
            }
            for op in content.writes() {
                self.bus
                    .ask(self.memory, AccessSegments { space, op })?
                    .map_err(Error::Initialise)?;
            }
        }
        Ok(())
    }

    /// Writes an image: zeros first, if requested, then its bytes. Writes nothing of an image that
    /// does not fit.
    pub(in crate::system) fn load(
        &self,
        space: SpaceId,
        image: &Image,
        zero_bss: bool,
    ) -> Result<(), Error> {
        tracing::info!(target: START, "load elf {}", image.file().display());
        let placement = Placement::of(self.map, space, image, zero_bss);
        if let Some(error) = placement.errors.into_iter().next() {
            return Err(error.into());
        }
        for left_out in &placement.left_out {
            self.note(Severity::Info, LOAD, left_out.to_string());
        }
        let content = image.content()?;
        for write in image.writes() {
            match write {
                Write::Zero { .. } if !zero_bss => {}
                Write::Zero { address, len } => {
                    let place = self.map.mapped(space, address, len);
                    if place.is_empty() {
                        continue;
                    }
                    let op = Op::Fill(place, 0);
                    let filled = self.bus.ask(self.memory, AccessSegments { space, op })?;
                    filled.map_err(|cause| self.failed(space, address, cause))?;
                }
                Write::Bytes(segment) => {
                    for piece in content.pieces(&segment) {
                        let (address, bytes) = piece?;
                        self.write(space, address, bytes)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes bytes.
    pub(in crate::system) fn write(
        &self,
        space: SpaceId,
        address: u64,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let len = bytes.len() as u64;
        let op = Op::Write(Span { address, len }, bytes);
        let written = self.bus.ask(self.memory, Access { space, op })?;
        written
            .map(drop)
            .map_err(|cause| self.failed(space, address, cause))
    }

    /// Reads bytes.
    pub(in crate::system) fn read(
        &self,
        space: SpaceId,
        address: u64,
        len: u64,
    ) -> Result<Bytes, Error> {
        let op = Op::Read(Span { address, len });
        let read = self.bus.ask(self.memory, Access { space, op })?;
        read.map(OpOutcome::into_bytes)
            .map_err(|cause| self.failed(space, address, cause))
    }

    fn failed(&self, space: SpaceId, address: u64, cause: AccessError) -> Error {
        let space = self
            .map
            .space(space)
            .map_or_else(String::new, |space| space.name.clone());
        Error::Access {
            space,
            address,
            cause,
        }
    }

    /// Warns of a channel in memory that reads as zeros, where a doorbell never changes.
    pub(in crate::system) fn warn_of_log(&self, channel: &ChannelDescriptor) {
        let memories = channel
            .place
            .iter()
            .filter_map(|at| self.map.memory(at.memory));
        for memory in memories.filter(|memory| memory.backend == Backend::Log) {
            let memory = &memory.name;
            let words = match channel.interface {
                Interface::Mailbox(_) => "mailbox is",
                Interface::Htif(_) => "words tohost and fromhost are",
                Interface::Rtt(_) => "control block of RTT is",
                Interface::Semihosting(_) => "stub is",
            };
            self.foreign.post(Report {
                severity: Severity::Warning,
                id: channel.name.to_string(),
                text: format!(
                    "its {words} in memory `{memory}` of backend `log`, which reads as zeros: no request will ever be \
                     seen; give the memory another `backend`"
                ),
            });
        }
    }

    pub(in crate::system) fn note(&self, severity: Severity, id: &str, text: String) {
        let id = id.to_owned();
        self.foreign.post(Report { severity, id, text });
    }
}
