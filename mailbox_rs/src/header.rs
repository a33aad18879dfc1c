//! Words before the queues: protocol version and handshake state.
//!
//! Source: protocol, sections *Layout* and *Handshake and reset*.

use core::fmt;

/// Protocol version of every host and every firmware of this crate. A handshake is written in it.
pub const VERSION: Version = Version { major: 0, minor: 2 };

/// Highest protocol version of this crate. Firmware offers it in a handshake of [`VERSION`]. A host
/// that supports it chooses it.
pub const NEWEST: Version = Version { major: 0, minor: 3 };

/// Protocol version, `major << 16 | minor` on the wire.
///
/// ```
/// use mailbox_rs::{NEWEST, VERSION, Version};
///
/// assert_eq!(u32::from(VERSION), 0x0000_0002);
/// assert_eq!(u32::from(NEWEST), 0x0000_0003);
/// assert_eq!(Version::from(0x0001_0003).to_string(), "1.3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Version {
    /// Upper half of the word.
    pub major: u16,
    /// Lower half of the word.
    pub minor: u16,
}

impl Version {
    /// Version of a session, from the `version` that firmware wrote and the highest one that it
    /// offers. `None` for a version that this crate lacks.
    ///
    /// ```
    /// use mailbox_rs::{NEWEST, VERSION, Version};
    ///
    /// assert_eq!(Version::negotiated(VERSION, Version::from(0)), Some(VERSION));
    /// assert_eq!(Version::negotiated(VERSION, Version::from(9)), Some(NEWEST));
    /// assert_eq!(Version::negotiated(NEWEST, Version::from(0)), Some(NEWEST));
    /// assert_eq!(Version::negotiated(Version::from(4), NEWEST), None);
    /// ```
    #[must_use]
    pub fn negotiated(written: Self, offered: Self) -> Option<Self> {
        match written {
            NEWEST => Some(NEWEST),
            VERSION if offered >= NEWEST => Some(NEWEST),
            VERSION => Some(VERSION),
            _ => None,
        }
    }
}

impl From<u32> for Version {
    fn from(word: u32) -> Self {
        Self {
            major: (word >> 16) as u16,
            minor: word as u16,
        }
    }
}

impl From<Version> for u32 {
    fn from(version: Version) -> Self {
        Self::from(version.major) << 16 | Self::from(version.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Handshake state; unnamed values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct State(pub u32);

impl State {
    /// Handshake requested by firmware.
    pub const INIT: Self = Self(1);
    /// Handshake completed by the host; requests may follow.
    pub const READY: Self = Self(2);
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INIT => f.write_str("INIT"),
            Self::READY => f.write_str("READY"),
            Self(other) => write!(f, "{other:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_of_a_version_word_is_a_number() {
        assert_eq!(u32::from(VERSION), 0x0000_0002);
        for number in 0..=u16::MAX {
            let other = !number;
            for (major, minor) in [(number, other), (0, number), (number, 0)] {
                let version = Version { major, minor };
                let word = u32::from(version);
                assert_eq!((word >> 16, word & 0xffff), (major.into(), minor.into()));
                assert_eq!(Version::from(word), version);
            }
        }
    }

    #[test]
    fn states_have_the_numbers_of_the_protocol() {
        assert_eq!((State::INIT, State::READY), (State(1), State(2)));
        for word in [0, 3, 0x100, 0x0100_0000, u32::MAX] {
            assert!(![State::INIT, State::READY].contains(&State(word)));
        }
    }
}
