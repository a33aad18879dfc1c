//! Abort: no text, and a status that is not 0.

#![no_std]
#![no_main]

use semihosting::{println, process};
use semihosting_firmware as _;

#[unsafe(no_mangle)]
extern "C" fn main() {
    println!("before");
    process::abort();
}
