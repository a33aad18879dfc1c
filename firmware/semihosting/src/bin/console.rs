//! Standard output and standard error, and an end by a number.

#![no_std]
#![no_main]

use semihosting::io::Write as _;
use semihosting::{eprintln, io, print, println, process};
use semihosting_firmware as _;

#[unsafe(no_mangle)]
extern "C" fn main() {
    println!("numbers {}, {:#x}, {:>6}|", -7, 0xbeef, "text");
    for number in 0..20_u32 {
        print!("{} ", number * number);
    }
    println!();
    eprintln!("to standard error");
    let long = [b'x'; 300];
    let mut out = io::stdout().unwrap();
    out.write_all(&long).unwrap();
    out.write_all(b"\n").unwrap();
    process::exit(17);
}
