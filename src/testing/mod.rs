//! Test kit: peers and memories for tests of single modules.
//!
//! - [`ActorFixture`]: one actor on a bus, whose peers are mocks.
//! - [`FrontEndFixture`]: the server of one front end, with real files, console and memory.
//! - [`mock_foreign`]: the code outside of the library, with a record of its calls.
//! - [`Ram`]: memory that counts its accesses, and fails on request.
//! - [`NoFrames`]: decoders without frames.
//! - [`memories`]: maps of black boxes.
//!
//! Tests of whole systems use the public API, with `tests/support`.

mod actor_fixture;
mod front_end_fixture;
pub(crate) mod memories;
mod mock_foreign;
mod no_frames;
mod ram;

pub(crate) use actor_fixture::ActorFixture;
pub(crate) use front_end_fixture::{BASE, FrontEndFixture, SIZE};
pub(crate) use memories::{SPACE, map};
pub(crate) use mock_foreign::ForeignCall;
pub(crate) use no_frames::NoFrames;
pub(crate) use ram::Ram;
