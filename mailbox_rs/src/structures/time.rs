//! Time as two numbers.

use super::get_u64;

/// Time since an epoch: that of POSIX for wall time, the first tick for simulated time.
///
/// ```
/// use mailbox_rs::Timestamp;
///
/// let time = Timestamp::from_nanoseconds(1_500_000_000);
/// assert_eq!((time.seconds, time.nanoseconds), (1, 500_000_000));
/// assert_eq!(Timestamp::parse(&time.bytes()), Some(time));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timestamp {
    /// Whole seconds, signed.
    pub seconds: i64,
    /// Nanoseconds below a second, 0 to 999,999,999.
    pub nanoseconds: u64,
}

impl Timestamp {
    /// Size in bytes.
    pub const SIZE: usize = 16;

    /// Time from a number of nanoseconds.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: u128) -> Self {
        const SECOND: u128 = 1_000_000_000;
        let seconds = nanoseconds / SECOND;
        Self {
            seconds: if seconds > i64::MAX as u128 {
                i64::MAX
            } else {
                seconds as i64
            },
            nanoseconds: (nanoseconds % SECOND) as u64,
        }
    }

    /// Bytes of the structure: seconds, nanoseconds.
    #[must_use]
    pub fn bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.seconds.to_le_bytes());
        bytes[8..].copy_from_slice(&self.nanoseconds.to_le_bytes());
        bytes
    }

    /// Parses the structure; `None` if `bytes` is too short.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            seconds: get_u64(bytes, 0)? as i64,
            nanoseconds: get_u64(bytes, 8)?,
        })
    }
}
