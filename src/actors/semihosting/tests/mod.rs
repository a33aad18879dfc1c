//! Tests of semihosting.

mod bench;
mod hostile;
mod operations;
