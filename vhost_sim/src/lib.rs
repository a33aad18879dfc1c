//! Simulated runs of vhost, by the million: random systems, well-behaved and misbehaving firmware,
//! injected faults.
//!
//! A run is a function of one seed. The seed generates a [`scenario`]: channels with their
//! memories, the steps of their firmware, files, socket clients, taps and the pace of ticks. The
//! run executes it with the library's public API, and compares all actions of the host with a model
//! of the protocol that shares no code with the library.
//!
//! - [`scenario`], [`generator`]: a run as plain data, and its generation from a seed.
//! - [`wire`]: constants and layouts of `docs/protocol.md`. [`request`]: a request as words.
//! - [`space`], [`ram`]: memories and their expected contents. [`event`]: actions of the host.
//! - [`firmware`], [`methods`], [`special`], [`clients`]: the environment of the host.
//! - [`session`], [`effect`], [`printf`], [`disk`], [`tree`], [`content`], [`expect`],
//!   [`console`]: the model.
//! - [`run`], [`stage`], [`shrink`], [`coverage`]: runs. [`soak`]: one long run.

pub mod clients;
pub mod console;
pub mod content;
pub mod coverage;
pub mod disk;
pub mod effect;
pub mod event;
pub mod expect;
pub mod firmware;
pub mod generator;
pub mod methods;
pub mod posix_requests;
pub mod printf;
pub mod ram;
pub mod request;
pub mod requests;
pub mod run;
pub mod scenario;
pub mod session;
pub mod shrink;
pub mod soak;
pub mod space;
pub mod special;
pub mod stage;
pub mod tree;
pub mod wire;
