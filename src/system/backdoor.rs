//! Backdoor access to a space's memory, by address.

use bytes::Bytes;
use mailbox_rs::MAX_STRING;

use super::{Error, Inner, Vhost};
use crate::mem::{AccessError, Op, Outcome, SpaceId, Span};

/// Defines a read and a write method per word width.
macro_rules! words {
    ($($read:ident $write:ident $word:ty),+ $(,)?) => {
        impl Vhost {
            $(
                #[doc = concat!("Reads a little-endian `", stringify!($word), "`.")]
                ///
                /// # Errors
                /// A byte that no memory holds, or that can't be reached.
                pub fn $read(&self, space: &str, address: u64) -> Result<$word, Error> {
                    let mut word = [0; size_of::<$word>()];
                    self.read_into(space, address, &mut word)?;
                    Ok(<$word>::from_le_bytes(word))
                }

                #[doc = concat!("Writes a little-endian `", stringify!($word), "`.")]
                ///
                /// # Errors
                /// A byte that no memory holds, or that can't be reached.
                pub fn $write(&self, space: &str, address: u64, word: $word) -> Result<(), Error> {
                    self.write(space, address, Bytes::copy_from_slice(&word.to_le_bytes()))
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
    /// A byte that no memory holds, or that can't be reached.
    pub fn read(&self, space: &str, address: u64, len: u64) -> Result<Bytes, Error> {
        let outcome = self.access(space, address, Op::Read(Span { address, len }))?;
        Ok(outcome.into_bytes())
    }

    /// Fills a buffer.
    ///
    /// # Errors
    /// A byte that no memory holds, or that can't be reached.
    pub fn read_into(&self, space: &str, address: u64, to: &mut [u8]) -> Result<(), Error> {
        let Inner { bus, ports, .. } = &*self.0;
        let id = self.space_id(space)?;
        let read = ports.accesses.read_from_outside(bus, id, address, to)?;
        read.map_err(|cause| access_error(space, address, cause))
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// A byte that no memory holds, or that can't be reached.
    pub fn write(&self, space: &str, address: u64, data: impl Into<Bytes>) -> Result<(), Error> {
        let data = data.into();
        let span = Span {
            address,
            len: data.len() as u64,
        };
        self.access(space, address, Op::Write(span, data)).map(drop)
    }

    /// Reads a NUL-terminated string of at most [`MAX_STRING`] bytes, without its NUL.
    ///
    /// # Errors
    /// No NUL, or a byte before it that no memory holds.
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
    /// A byte that no memory holds, or that can't be reached.
    pub fn write_string(&self, space: &str, address: u64, text: &[u8]) -> Result<(), Error> {
        self.write(space, address, [text, &[0]].concat())
    }

    /// Name of a channel's space, served or not.
    ///
    /// # Errors
    /// No such channel in the mailbox configuration.
    pub fn space_of(&self, channel: &str) -> Result<&str, Error> {
        let channels = &self.0.channels;
        let found = channels.iter().find(|known| known.name == channel);
        let found = found.ok_or_else(|| Error::NoChannel {
            name: channel.to_owned(),
            known: join(channels.iter().map(|known| known.name.as_str())),
        })?;
        Ok(&found.space)
    }

    pub(super) fn space_id(&self, space: &str) -> Result<SpaceId, Error> {
        let map = &self.0.map;
        map.space_named(space).ok_or_else(|| Error::NoSpace {
            name: space.to_owned(),
            known: join(map.spaces.iter().map(|space| space.name.as_str())),
        })
    }

    fn access(&self, space: &str, address: u64, op: Op<Span>) -> Result<Outcome, Error> {
        let Inner { bus, ports, .. } = &*self.0;
        let id = self.space_id(space)?;
        let outcome = ports.accesses.access_from_outside(bus, id, op)?;
        outcome.map_err(|cause| access_error(space, address, cause))
    }
}

#[cold]
fn access_error(space: &str, address: u64, cause: AccessError) -> Error {
    Error::Access {
        space: space.to_owned(),
        address,
        cause,
    }
}

/// Word names for messages.
fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
