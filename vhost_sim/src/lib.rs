//! Simulated runs of vhost, by the million: random systems, well-behaved and misbehaving firmware,
//! injected faults.
//!
//! A run is a function of one seed. The seed generates a [`scenario`]: channels with their
//! memories, the steps of their firmware, files, socket clients, taps and the pace of ticks. The
//! run executes it with the library's public API, and compares all actions of the host with a model
//! of the protocol that shares no code with the library.
//!
//! - [`scenario`], [`generator`]: a run as plain data, and its generation from a seed.
//!   [`random_requests`], [`random_posix_requests`]: requests of a generated scenario.
//! - [`wire`]: constants and layouts of `docs/protocol.md`. [`request_words`]: a request as words.
//! - [`space`], [`ram`]: memories and their expected contents. [`event`]: actions of the host.
//! - [`firmware`], [`methods`], [`special`], [`clients`]: the environment of the host.
//! - [`session`], [`effect`], [`printf`], [`disk`], [`tree`], [`content`], [`expect`],
//!   [`console`]: the model.
//! - [`run`], [`environment`], [`shrink`], [`coverage`]: runs. [`soak`]: one long run.

pub mod clients;
pub mod console;
pub mod content;
pub mod coverage;
pub mod disk;
pub mod effect;
pub mod environment;
pub mod event;
pub mod expect;
pub mod firmware;
pub mod generator;
pub mod methods;
pub mod printf;
pub mod ram;
pub mod random_posix_requests;
pub mod random_requests;
pub mod request_words;
pub mod run;
pub mod scenario;
pub mod session;
pub mod shrink;
pub mod soak;
pub mod space;
pub mod special;
pub mod tree;
pub mod wire;
