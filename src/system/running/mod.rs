//! State of a running system.
//!
//! - `vhost`: the system; `call`: a call of firmware to the host program.
//! - `front_ends`: servers of all protocols; `taps`: attached observers.
//! - `watchdog`, `flusher`: work of a tick beside the bus.
//! - `space_names`, `known_images`, `stub`: lookups by name.
//! - `thread_claim`: one system on a thread.
//! - `absent`, `send_recorded`: messages to and from a recording.

mod absent;
mod call;
mod flusher;
mod front_ends;

mod known_images;
mod send_recorded;
mod space_names;
mod stub;
mod taps;
mod thread_claim;
mod vhost;
mod watchdog;

pub(super) use absent::{GiveAnswer, HeldMessage, HoldMessage, absent_port};
pub use call::Call;
pub(super) use flusher::Flusher;
pub(super) use front_ends::{AnyServer, FrontEnds, Recorded, Surroundings, absent_servers};
pub(super) use known_images::{KnownImage, known_images};
pub(super) use send_recorded::SendRecorded;
pub(super) use space_names::SpaceNames;
pub(super) use stub::Stub;
pub(super) use taps::{attach, attach_all, detach_all, panics};
pub(super) use thread_claim::ThreadClaim;
pub use vhost::Vhost;
pub(super) use vhost::{Inner, Observed, Ports};
pub(crate) use watchdog::Timeout;
pub(super) use watchdog::Watchdog;
