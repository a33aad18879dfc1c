//! Mock firmware on the host, for tests, benches, fuzzing and examples.
//!
//! [`Firmware`] is the firmware's side of one channel in a [`Memory`], at any address and in any
//! [`Layout`](crate::Layout). It resets, sends requests and takes responses in single steps,
//! without waiting. [`Misbehaviour`] lists faults of broken firmware. Every word of the channel can
//! also be read and overwritten.
//!
//! [`Ram`] is a simple memory. [`Window`] gives the firmware [`Client`](crate::firmware::Client)
//! access to a channel in a memory, for tests with blocking calls.
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
