//! Tests of semihosting.

mod bench;
mod faults;
mod hostile;
mod operations;
