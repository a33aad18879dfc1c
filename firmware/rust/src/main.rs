//! The checks of `../selftest.c` in Rust: every service, each response checked.
//!
//! It exits with 0, with the line of the first failed check, or with 255 after a panic. Start-up
//! code and linker script are those of the firmware in C.
#![no_std]
#![no_main]

use core::ffi::CStr;

use board::Host;
use mailbox_rs::{Errno, OpenFlags, cprint};

/// Argument of a conversion of real numbers.
#[cfg(not(feature = "rocket"))]
const EIGHTH: f32 = -0.125;

/// Bits of that argument: this Rocket has no floating-point unit, with which the target passes real
/// numbers.
#[cfg(feature = "rocket")]
const EIGHTH: u32 = (-0.125_f32).to_bits();

/// Buffer for data of the host, in cache lines of its own: the stack around it changes while the
/// host writes.
#[repr(C, align(64))]
struct Lines<const N: usize>([u8; N]);

/// Line of a failed check.
type Failed = u32;

macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            return Err(line!());
        }
    };
}

/// Entry point, called by the start-up code.
#[unsafe(no_mangle)]
extern "C" fn main() {
    // SAFETY: the start-up code calls this function once.
    let Some(mut host) = (unsafe { board::host() }) else {
        return;
    };
    let services = [print, memory, files, call, refusals];
    let outcome = services.iter().try_for_each(|service| service(&mut host));
    cprint!(host, c"%u services\n", services.len());
    host.exit(outcome.err().unwrap_or(0));
}

fn print(host: &mut Host) -> Result<(), Failed> {
    check!(host.print("hello from firmware in Rust, café\n").is_ok());
    cprint!(host, c"%d %#x %s %.2f\n", -1, 0xbeef_u32, c"text", EIGHTH);
    cprint!(
        host,
        c"64 bits: %lld %llu, then %d\n",
        -2_i64,
        1_u64 << 40,
        5
    );
    // More than the eight entries of a queue.
    cprint!(host, c"counting:");
    for i in 0..20 {
        cprint!(host, c" %d", i);
    }
    check!(host.print("\n").is_ok());
    Ok(())
}

fn memory(host: &mut Host) -> Result<(), Failed> {
    let mut bytes = Lines([0; 64]);
    check!(host.memset(&mut bytes.0, 0x55).is_ok());
    check!(bytes.0 == [0x55; 64]);
    check!(host.memmove(&mut bytes.0, b"moved").is_ok());
    check!(bytes.0.starts_with(b"movedUU"));
    check!(host.memcmp(&bytes.0, b"moved") == 0);
    check!(host.memcmp(b"abc", b"abd") == -1);
    Ok(())
}

fn files(host: &mut Host) -> Result<(), Failed> {
    let path = c"notes.txt";
    let mut text = Lines([0; 32]);
    let Ok(fd) = host.open(
        path,
        OpenFlags::READ | OpenFlags::WRITE | OpenFlags::TRUNCATE,
    ) else {
        return Err(line!());
    };
    check!(host.write(fd, b"first line\n") == Ok(11));
    check!(host.seek(fd, 6) == Ok(6));
    check!(host.read(fd, &mut text.0) == Ok(5));
    check!(text.0.starts_with(b"line\n"));
    check!(host.read(fd, &mut text.0) == Ok(0));
    check!(host.close(fd).is_ok());
    Ok(())
}

fn call(host: &mut Host) -> Result<(), Failed> {
    check!(host.call(c"add", [1, 2, 3]) == 6);
    check!(host.call(c"wait", [10]) == 10);
    let mut name = Lines(*b"firmware\0");
    let address = name.0.as_mut_ptr().expose_provenance();
    check!(host.call(c"greet", [address]) == 8);
    check!(CStr::from_bytes_with_nul(core::hint::black_box(&name.0)) == Ok(c"FIRMWARE"));
    Ok(())
}

fn refusals(host: &mut Host) -> Result<(), Failed> {
    check!(host.open(c"missing.txt", OpenFlags::READ) == Err(Errno::ENOENT));
    check!(host.read(99, &mut Lines([0]).0) == Err(Errno::EBADF));
    check!(host.call(c"no_such_method", []) as usize as isize == -(Errno::ENOSYS.0 as isize));
    Ok(())
}
