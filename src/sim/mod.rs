//! Safe wrappers over symbols of the simulator and of libc.

pub(crate) mod printf;
