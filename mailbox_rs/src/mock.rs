//! A firmware that runs on the host, for tests, benches, fuzzing and examples.
//!
//! [`Firmware`] plays the firmware's side of one channel that lies in a [`Memory`], wherever the host under test finds
//! it, in any [`Layout`](crate::Layout): it resets, sends requests and takes responses, one step at a time, and never
//! waits. [`Misbehaviour`] is what real firmware does when it is broken or unlucky; every word of the channel can be
//! read and overwritten besides.
//!
//! [`Ram`] is a memory for those that have none yet. [`Window`] makes a channel in a memory one that the firmware
//! [`Client`](crate::firmware::Client) can use, for tests that want waiting calls.
//!
//! ```
//! use mailbox_rs::mock::{Firmware, Memory, Misbehaviour, Ram};
//! use mailbox_rs::{CacheLine, Layout, PtrWidth, Request, State};
//!
//! let ram = Ram::new(0x8000_0000, 0x1_0000);
//! let layout = Layout::new(PtrWidth::P4, CacheLine::None);
//! let mut firmware = Firmware::new(&ram, 0x8000_1000, layout);
//!
//! firmware.reset();
//! // Here a host answers the handshake. This one does so by hand:
//! firmware.store(layout.state, State::READY.0);
//! assert!(firmware.is_ready());
//!
//! ram.write(0x8000_0000, b"hello\n");
//! assert!(firmware.try_send(&Request::Print { ptr: 0x8000_0000, len: 6 }));
//! assert_eq!(firmware.queued(), 1);
//! assert_eq!(firmware.try_receive(), None);
//!
//! firmware.misbehave(Misbehaviour::JumpAhead(100));
//! ```

mod firmware;
mod memory;
mod misbehaviour;
mod window;

pub use firmware::Firmware;
pub use memory::{Memory, Ram};
pub use misbehaviour::Misbehaviour;
pub use window::Window;

#[cfg(test)]
mod tests;
