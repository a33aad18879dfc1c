//! What firmware does when it is broken or unlucky.

use crate::header::Version;

/// Something that a host has to survive. Done once by [`Firmware::misbehave`](super::Firmware::misbehave), where
/// nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Misbehaviour {
    /// Resets, in this version.
    Version(Version),
    /// Resets, with requests and responses under way, as a firmware does that crashed.
    Reset,
    /// Writes version and INIT, and is still about to zero the indices.
    HalfReset,
    /// Writes this into the state.
    State(u32),
    /// Adds this to the producer's index of requests, without any entry written.
    JumpAhead(u32),
    /// Adds this to the consumer's index of responses, as if so many had been there and been read.
    SkipResponses(u32),
    /// Writes this over the host's own consumer's index of requests.
    OverwriteConsumer(u32),
    /// Writes this over the host's own producer's index of responses.
    OverwriteProducer(u32),
    /// Says in the next request sent that so many words count, whose arguments are written all the same.
    Words(u32),
    /// Reads no response any more, until [`Firmware::behave`](super::Firmware::behave).
    Deaf,
}
