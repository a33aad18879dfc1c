//! The mailbox wire protocol.
#![no_std]

#[cfg(any(test, feature = "mock"))]
extern crate std;

mod bytes;
mod errno;
pub mod firmware;
mod header;
mod index;
mod layout;
mod request;
mod response;
#[cfg(test)]
mod test_host;

pub use errno::Errno;
pub use header::{State, VERSION, Version};
pub use index::Index;
pub use layout::{CacheLine, Layout, PtrWidth, QUEUE_LEN, QueueLayout, REQUEST_ARGS};
pub use request::{
    Args, CALL_ARGS, CPRINT_ARGS, CUSTOM_ARGS, FileRequest, Malformed, OpenFlags, Request,
    RequestEntry, TooManyArgs, action, operation,
};
pub use response::{Response, ResponseEntry};
