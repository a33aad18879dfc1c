//! Protection of the process that loads the library: files and streams that do not affect its
//! signals, its standard streams, and the files of other runs. `docs/guest.md` has all guarantees.
//!
//! - [`descriptor`]: opens files with descriptors other than those of standard streams.
//! - [`quiet`]: writers that return an error if a write would raise a signal.
//! - [`name`]: `%p`, `%t` and `%s` in names of files.
//! - [`snapshots`], [`runs`]: copies of the process.
//! - [`output`]: file of a recording, a log or a table, with a single writer.
//!
//! All code that opens or writes a file, or writes to stderr, uses these; `tests/architecture`
//! checks that.

mod descriptor;
mod name;
mod output;
mod quiet;
pub(crate) mod runs;
mod snapshots;

use std::os::fd::AsRawFd;

use crate::sim::fork::watch_forks;
use crate::sim::inherited;
pub(crate) use crate::sim::inherited::Own;
pub(crate) use crate::sim::{os_error_text, quietly, quietly_to_file};
#[cfg(feature = "python")]
pub(crate) use descriptor::Reserved;
use descriptor::pipe;
pub(crate) use descriptor::{above_standard, create, open, read};
pub(crate) use output::{OutputError, OutputFile};
pub(crate) use quiet::{Quiet, stderr};
pub use runs::Runs;
pub use snapshots::Rerun;
pub(crate) use snapshots::{ContinuedProcess, Snapshots};

/// Keeps children of this process from sharing a socket.
pub(crate) fn own_socket(socket: &impl AsRawFd) -> Own {
    watch_forks();
    inherited::own_socket(socket)
}
