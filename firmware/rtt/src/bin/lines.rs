//! Prints lines over a buffer of 16 bytes and over a second channel, and echoes its input, with the
//! crate `rtt-target`.

#![no_std]
#![no_main]

use core::fmt::Write as _;

use rtt_target::ChannelMode::BlockIfFull;
use rtt_target::rtt_init;

#[unsafe(no_mangle)]
extern "C" fn main() {
    let mut channels = rtt_init! {
        up: {
            0: { size: 16, mode: BlockIfFull, name: "Terminal" }
            1: { size: 32, mode: BlockIfFull, name: "log" }
        }
        down: {
            0: { size: 16, name: "Terminal" }
        }
    };
    for number in 0..300 {
        let _ = writeln!(channels.up.0, "line {number} of a program that blocks");
        if number % 100 == 0 {
            let _ = writeln!(channels.up.1, "hundred {number}");
        }
    }
    let (mut echoed, mut bytes) = (0, [0; 8]);
    while echoed < 27 {
        let count = channels.down.0.read(&mut bytes);
        let _ = channels.up.0.write(&bytes[..count]);
        echoed += count;
    }
    rtt_firmware::exit(7);
}
