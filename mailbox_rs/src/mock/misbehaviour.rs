//! Faults of firmware.

use crate::header::Version;

/// Fault that a host must survive. [`Firmware::misbehave`](super::Firmware::misbehave) commits it
/// once, unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Misbehaviour {
    /// Reset in this version.
    Version(Version),
    /// Reset with requests and responses pending, as after a crash.
    Reset,
    /// Version and INIT written, indices not yet zeroed.
    HalfReset,
    /// Invalid state word.
    State(u32),
    /// Request producer index advanced by this, without entries.
    JumpAhead(u32),
    /// Response consumer index advanced by this, without responses.
    SkipResponses(u32),
    /// Host's own request consumer index overwritten.
    OverwriteConsumer(u32),
    /// Host's own response producer index overwritten.
    OverwriteProducer(u32),
    /// Wrong word count in the next request; its arguments are written in full.
    Words(u32),
    /// Responses ignored until [`Firmware::behave`](super::Firmware::behave).
    Deaf,
}
