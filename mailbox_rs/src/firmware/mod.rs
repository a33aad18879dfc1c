//! Client for firmware in Rust. (Firmware in C includes `mailbox.h` of this crate.)
//!
//! [`Client`] has a blocking method for every service. Below it, [`Channel`] has the non-blocking
//! steps of the protocol, and accesses the channel through [`Words`]: [`Native`] is a channel in
//! the program's own memory, usually placed by a [`Region`]. [`Hooks`] are the CPU's actions around
//! accesses.
//!
//! ```no_run
//! # #![allow(unsafe_code)]
//! use mailbox_rs::firmware::{Client, NoHooks, Region};
//! use mailbox_rs::{CacheLine, Errno, Layout, OpenFlags, PtrWidth, cprint};
//!
//! const CACHE_LINE: CacheLine = CacheLine::B64;
//! const SIZE: usize = Layout::new(PtrWidth::NATIVE, CACHE_LINE).channel_size as usize;
//!
//! #[unsafe(link_section = ".mailbox")]
//! static MAILBOX: Region<SIZE> = Region::new();
//!
//! fn firmware() -> Option<Result<u64, Errno>> {
//!     // SAFETY: this is the only client of channel 0.
//!     let mut host = Client::new(unsafe { MAILBOX.channel(0, CACHE_LINE) }?, NoHooks);
//!     host.reset();
//!
//!     let passed = host.call(c"self_test", [1, 2]);
//!     cprint!(host, c"%d tests passed\n", passed);
//!     let log = host.open(c"log.txt", OpenFlags::APPEND).and_then(|fd| {
//!         host.write(fd, b"done\n")?;
//!         host.close(fd)?;
//!         Ok(fd)
//!     });
//!     host.exit(0);
//!     Some(log)
//! }
//! ```

mod channel;
mod client;
mod cprint;
mod file;
mod hooks;
mod native;
mod output;
mod posix;
mod words;

pub use channel::Channel;
pub use client::Client;
pub use cprint::{PrintfArg, PrintfArgs};
pub use file::File;
pub use hooks::{Hooks, NoHooks};
pub use native::{Native, Region};
pub use output::Output;
pub use words::Words;
