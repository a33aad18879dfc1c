//! Tests of semihosting.

mod faults;
mod fixture;
mod hostile;
mod operations;
