//! Mailbox wire protocol, versions 0.2 and 0.3, between firmware on a simulated CPU and its host.
//!
//! Firmware puts requests into a queue in its own memory. The host accesses that memory from
//! outside of the simulation, takes the requests, serves them, and puts responses into a second
//! queue. Both queues and two handshake words form a *channel*. This crate has the protocol's
//! common definitions and firmware's client. It is `no_std` and does not allocate.
//!
//! Modules:
//!
//! - **layout**: field offsets of a channel, for a [`PtrWidth`] and a [`CacheLine`]: [`Layout`].
//! - **header**: [`Version`] and handshake [`State`].
//! - **note**: [`ImageNote`], an image's note about its channels; [`note!`] adds it.
//! - **index**: free-running counters of a queue: [`Index`].
//! - **request**: [`RequestEntry`], the raw entry, and [`Request`], its checked meaning.
//!   `Request::try_from(&entry)` is the only conversion; its error is [`Malformed`].
//! - **response**: [`ResponseEntry`] and [`Response`], likewise; a failed request is answered with
//!   an [`Errno`].
//! - **record**: structures that the host writes to firmware's memory: [`FileStatus`],
//!   [`DirectoryRecord`], [`Timestamp`].
//! - [`firmware`]: client for firmware in Rust. Firmware in C includes `include/mailbox.h`, with
//!   the same services.
//! - `mock` (feature `mock`): firmware that runs on the host and misbehaves on request.
//!
//! Feature `serde` makes the values serializable.
//!
//! # Example
//!
//! A host for one request, its memory an array:
//!
//! ```
//! use mailbox_rs::{CacheLine, Errno, Layout, PtrWidth, Request, RequestEntry, Response};
//!
//! let layout = Layout::new(PtrWidth::P4, CacheLine::None);
//! let mut channel = vec![0; layout.channel_size as usize];
//!
//! // Firmware puts a request into slot 0.
//! let request = Request::Call { method: 0x8000_0040, args: [1, 2].into() };
//! let slot = layout.request_entry(0) as usize;
//! RequestEntry::from(&request).emit(&mut channel[slot..], layout.ptr_width);
//!
//! // The host takes it, and uses it only as a checked `Request`.
//! let entry = RequestEntry::parse(&channel[slot..], layout.ptr_width).expect("a whole channel");
//! let response = match Request::try_from(&entry) {
//!     Ok(Request::Call { args, .. }) => Response::Value(args.iter().sum()),
//!     Ok(_) => Response::Error(Errno::ENOSYS),
//!     Err(malformed) => {
//!         eprintln!("{entry}: {malformed}");
//!         Response::Error(Errno::EINVAL)
//!     }
//! };
//! let slot = layout.response_entry(0) as usize;
//! response.entry(layout.ptr_width).emit(&mut channel[slot..], layout.ptr_width);
//! assert_eq!(channel[slot..slot + 8], [1, 0, 0, 0, 3, 0, 0, 0]);
//! ```
#![no_std]

#[cfg(any(test, feature = "mock"))]
extern crate std;

mod bytes;
mod errno;
pub mod firmware;
mod header;
mod index;
mod layout;
#[cfg(feature = "mock")]
pub mod mock;
mod note;
mod request;
mod response;
mod structures;
#[cfg(test)]
mod test_host;

pub use errno::Errno;
pub use header::{NEWEST, State, VERSION, Version};
pub use index::Index;
pub use layout::{CacheLine, Layout, MAX_STRING, PtrWidth, QUEUE_LEN, QueueLayout, REQUEST_ARGS};
pub use note::{BadNote, ImageNote, NOTE_SECTION, NOTE_SIZE};
pub use request::{
    AccessMode, Args, CALL_ARGS, CPRINT_ARGS, CUSTOM_ARGS, FILE_WORDS, FileRequest, Malformed,
    OPERATION_NAMES, OpenFlags, PosixFlags, Request, RequestEntry, TooManyArgs, Whence, action,
    operation,
};
pub use response::{Response, ResponseEntry};
pub use structures::{DirectoryRecord, FileStatus, FileType, NAME_MAX, NameTooLong, Timestamp};
