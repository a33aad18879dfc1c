//! Files: written, read back in parts, appended to, renamed and removed.

#![no_std]
#![no_main]

use semihosting::fs::{self, File};
use semihosting::io::{Read as _, Seek as _, SeekFrom, Write as _};
use semihosting::{println, process};
use semihosting_firmware as _;

#[unsafe(no_mangle)]
extern "C" fn main() {
    fs::write(c"first", b"0123456789abcdef").unwrap();
    let mut file = File::open(c"first").unwrap();
    println!("{} bytes", file.metadata().unwrap().len());
    let mut bytes = [0; 5];
    let mut sum = 0;
    loop {
        let count = file.read(&mut bytes).unwrap();
        if count == 0 {
            break;
        }
        sum += bytes[..count]
            .iter()
            .map(|byte| u32::from(*byte))
            .sum::<u32>();
        println!("read {count}");
    }
    println!("sum {sum}");
    file.seek(SeekFrom::Start(10)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    println!("{:?}", core::str::from_utf8(&bytes).unwrap());
    drop(file);
    let mut log = File::options()
        .write(true)
        .append(true)
        .create(true)
        .open(c"log")
        .unwrap();
    for line in 0..5 {
        writeln!(log, "line {line}").unwrap();
    }
    drop(log);
    fs::rename(c"first", c"second").unwrap();
    println!("renamed: {}", File::open(c"first").is_err());
    fs::write(c"third", b"gone").unwrap();
    fs::remove_file(c"third").unwrap();
    println!("removed: {}", fs::remove_file(c"third").is_err());
    process::exit(0);
}
