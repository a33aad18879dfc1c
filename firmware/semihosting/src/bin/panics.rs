//! Panic: its text goes to standard error, and the status is 101.

#![no_std]
#![no_main]

use semihosting::println;
use semihosting_firmware as _;

#[unsafe(no_mangle)]
extern "C" fn main() {
    println!("before");
    let numbers = [1, 2, 3];
    let at = core::hint::black_box(5);
    println!("{}", numbers[at]);
}
