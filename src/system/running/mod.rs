//! State of a running system.
//!
//! - `vhost`: the system; `host_program_call`: a call of firmware to the host program.
//! - `front_ends`: servers of all protocols; `taps`: attached observers.
//! - `watchdog`, `flusher`: work of a tick beside the bus.
//! - `space_names`, `known_images`, `stub`: lookups by name.
//! - `thread_claim`: one system on a thread.

mod flusher;
mod front_ends;
mod host_program_call;
mod known_images;
mod space_names;
mod stub;
mod taps;
mod thread_claim;
mod vhost;
mod watchdog;

pub(super) use flusher::Flusher;
pub(super) use front_ends::{AnyServer, FrontEnds, ServerComponents, absent_servers};
pub use host_program_call::HostProgramCall;
pub(super) use known_images::{KnownImage, known_images};
pub(super) use space_names::SpaceNames;
pub(super) use stub::Stub;
pub(super) use taps::{attach, attach_all, detach_all, report_panics_of_taps};
pub(super) use thread_claim::ThreadClaim;
pub use vhost::Vhost;
pub(super) use vhost::{Inner, Observed, Ports};
pub(super) use watchdog::Watchdog;
pub(crate) use watchdog::WatchdogTimeout;
