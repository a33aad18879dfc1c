//! Backdoor access to a space's memory, by address.

use bytes::Bytes;
use mailbox_rs::MAX_STRING;

use crate::mem::{AccessError, Backend, Op, OpOutcome, Shape, SpaceId, Span};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::running::{Inner, Vhost};

/// Defines a read and a write method per word width.
macro_rules! words {
    ($($read:ident $write:ident $word:ty),+ $(,)?) => {
        impl Vhost {
            $(
                #[doc = concat!("Reads a little-endian `", stringify!($word), "`.")]
                ///
                /// # Errors
                /// A byte outside of all memories, or an inaccessible one.
                pub fn $read(&self, space: &str, address: u64) -> Result<$word, Error> {
                    let mut word = [0; size_of::<$word>()];
                    self.read_into(space, address, &mut word)?;
                    Ok(<$word>::from_le_bytes(word))
                }

                #[doc = concat!("Writes a little-endian `", stringify!($word), "`.")]
                ///
                /// # Errors
                /// A byte outside of all memories, or an inaccessible one.
                pub fn $write(&self, space: &str, address: u64, word: $word) -> Result<(), Error> {
                    self.write_from(space, address, &word.to_le_bytes())
                }
            )+
        }
    };
}

words!(
    read_u8 write_u8 u8,
    read_u16 write_u16 u16,
    read_u32 write_u32 u32,
    read_u64 write_u64 u64,
);

impl Vhost {
    /// Reads `len` bytes.
    ///
    /// # Errors
    /// A byte outside of all memories, or an inaccessible one.
    pub fn read(&self, space: &str, address: u64, len: u64) -> Result<Bytes, Error> {
        let outcome = self.access(space, address, Op::Read(Span { address, len }))?;
        Ok(outcome.into_bytes())
    }

    /// Fills a buffer.
    ///
    /// # Errors
    /// A byte outside of all memories, or an inaccessible one.
    pub fn read_into(&self, space: &str, address: u64, to: &mut [u8]) -> Result<(), Error> {
        let _library = CodeGuard::library();
        self.read_in(self.space_id(space.as_bytes())?, address, to)
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// A byte outside of all memories, or an inaccessible one.
    pub fn write(&self, space: &str, address: u64, data: impl Into<Bytes>) -> Result<(), Error> {
        let (space, data) = (self.space_id(space.as_bytes())?, data.into());
        self.write_owned(space, address, &data, || data.clone())
    }

    /// Writes the bytes of a buffer.
    ///
    /// # Errors
    /// A byte outside of all memories, or an inaccessible one.
    pub fn write_from(&self, space: &str, address: u64, data: &[u8]) -> Result<(), Error> {
        let _library = CodeGuard::library();
        self.write_in(self.space_id(space.as_bytes())?, address, data)
    }

    /// Fills a buffer from a space.
    #[inline]
    pub(crate) fn read_in(&self, space: SpaceId, address: u64, to: &mut [u8]) -> Result<(), Error> {
        let Inner { bus, ports, .. } = &*self.0;
        let read = ports.accesses.read_from_outside(bus, space, address, to)?;
        read.map_err(|cause| self.access_error(space, address, cause))
    }

    /// Writes the bytes of a buffer into a space.
    #[inline]
    pub(crate) fn write_in(&self, space: SpaceId, address: u64, data: &[u8]) -> Result<(), Error> {
        self.write_owned(space, address, data, || Bytes::copy_from_slice(data))
    }

    #[inline]
    fn write_owned(
        &self,
        space: SpaceId,
        address: u64,
        data: &[u8],
        owned: impl FnOnce() -> Bytes,
    ) -> Result<(), Error> {
        let Inner { bus, ports, .. } = &*self.0;
        let accesses = &ports.accesses;
        let written = accesses.write_from_outside(bus, space, address, data, owned)?;
        written.map_err(|cause| self.access_error(space, address, cause))
    }

    /// Reads a NUL-terminated string of at most [`MAX_STRING`] bytes, without its NUL.
    ///
    /// # Errors
    /// No NUL, or a byte before it outside of all memories.
    pub fn read_string(&self, space: &str, address: u64) -> Result<Bytes, Error> {
        let span = Span {
            address,
            len: MAX_STRING,
        };
        Ok(self.access(space, address, Op::Text(span))?.into_bytes())
    }

    /// Writes a string and its NUL.
    ///
    /// # Errors
    /// A byte outside of all memories, or an inaccessible one.
    pub fn write_string(&self, space: &str, address: u64, text: &[u8]) -> Result<(), Error> {
        self.write_from(space, address, &[text, &[0]].concat())
    }

    /// Name of the space of a channel, which may be unserved.
    ///
    /// # Errors
    /// No such channel in the mailbox configuration.
    pub fn space_of(&self, channel: &str) -> Result<&str, Error> {
        let channels = &self.0.configured;
        let found = channels.iter().find(|known| known.name == channel);
        let found = found.ok_or_else(|| Error::NoChannel {
            name: channel.to_owned(),
            known: join(channels.iter().map(|known| known.name.as_str())),
        })?;
        let space = self.0.map.space(found.space);
        Ok(space.map_or("", |space| &space.name))
    }

    /// Names of the memories without an HDL array of their own, which the testbench serves.
    pub(crate) fn black_boxes(&self) -> Vec<&str> {
        let memories = self.0.map.memories.iter();
        let served = memories.filter(|memory| {
            memory.shape == Shape::BlackBox && matches!(memory.backend, Backend::Uvm | Backend::Vpi)
        });
        served.map(|memory| memory.name.as_str()).collect()
    }

    /// Id of the space with this name.
    ///
    /// # Errors
    /// No such space in the memory configuration.
    #[inline]
    pub(crate) fn space_id(&self, name: &[u8]) -> Result<SpaceId, Error> {
        let found = self.0.space_names.id(name);
        found.ok_or_else(|| self.no_space(name))
    }

    #[cold]
    fn no_space(&self, name: &[u8]) -> Error {
        let spaces = self.0.map.spaces.iter();
        Error::NoSpace {
            name: String::from_utf8_lossy(name).into_owned(),
            known: join(spaces.map(|space| space.name.as_str())),
        }
    }

    fn access(&self, space: &str, address: u64, op: Op<Span>) -> Result<OpOutcome, Error> {
        let _library = CodeGuard::library();
        let Inner { bus, ports, .. } = &*self.0;
        let id = self.space_id(space.as_bytes())?;
        let outcome = ports.accesses.access_from_outside(bus, id, op)?;
        outcome.map_err(|cause| self.access_error(id, address, cause))
    }

    #[cold]
    fn access_error(&self, space: SpaceId, address: u64, cause: AccessError) -> Error {
        let space = self.0.map.space(space);
        Error::Access {
            space: space.map(|space| space.name.clone()).unwrap_or_default(),
            address,
            cause,
        }
    }
}

/// Joins names for an error message.
fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
