//! Prints the command line.

#![no_std]
#![no_main]

use semihosting::experimental::env::args;
use semihosting::{println, process};
use semihosting_firmware as _;

#[unsafe(no_mangle)]
extern "C" fn main() {
    let args = args::<256>().unwrap();
    let mut count = 0;
    for arg in &args {
        println!("argument {count}: {}", arg.unwrap());
        count += 1;
    }
    process::exit(count);
}
