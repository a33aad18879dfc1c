//! The mailbox wire protocol, version 0.2: how firmware on a simulated CPU asks its host for services.
//!
//! Firmware puts requests into a queue in its own memory; the host, which sees that memory from outside of the
//! simulation, takes them, serves them, and puts responses into a second queue. Both queues and two words for the
//! handshake make a *channel*. This crate is what both sides must agree on, and the firmware's side of it. It needs
//! no `std`, and nothing in it allocates.
//!
//! From the bytes up:
//!
//! - **layout**: where every field of a channel is, for a [`PtrWidth`] and a [`CacheLine`]: [`Layout`].
//! - **header**: the [`Version`] and the [`State`] of the handshake.
//! - **index**: the free-running counters of a queue, empty and full: [`Index`].
//! - **request**: a [`RequestEntry`] is what lies in the queue, a [`Request`] what it means. Only
//!   `Request::try_from(&entry)` leads from the one to the other, or says why not: [`Malformed`].
//! - **response**: the same two levels, [`ResponseEntry`] and [`Response`]; a failed request is answered with an
//!   [`Errno`].
//! - [`firmware`]: the client for firmware in Rust. Firmware in C includes `include/mailbox.h`, which has the same
//!   services.
//! - `mock` (feature `mock`): a firmware that runs on the host and misbehaves on request.
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
//! // The host takes it, and believes it only as a `Request`.
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
mod request;
mod response;
#[cfg(test)]
mod test_host;

pub use errno::Errno;
pub use header::{State, VERSION, Version};
pub use index::Index;
pub use layout::{CacheLine, Layout, MAX_STRING, PtrWidth, QUEUE_LEN, QueueLayout, REQUEST_ARGS};
pub use request::{
    Args, CALL_ARGS, CPRINT_ARGS, CUSTOM_ARGS, FileRequest, Malformed, OpenFlags, Request,
    RequestEntry, TooManyArgs, action, operation,
};
pub use response::{Response, ResponseEntry};
