//! Standard input, up to its end.

#![no_std]
#![no_main]

use semihosting::io::Read as _;
use semihosting::{io, println, process};
use semihosting_firmware as _;

#[unsafe(no_mangle)]
extern "C" fn main() {
    let mut input = io::stdin().unwrap();
    let mut bytes = [0; 7];
    let mut total = 0;
    loop {
        let count = input.read(&mut bytes).unwrap();
        if count == 0 {
            break;
        }
        total += count;
    }
    println!("{total} bytes of input");
    process::exit(total as i32);
}
