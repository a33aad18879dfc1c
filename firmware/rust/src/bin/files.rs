//! Uses arguments, standard streams and files of a host with protocol 0.3.
//!
//! It writes its input to the file of its first argument, and prints its size. Exits with 0, or
//! with the error number.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::fmt::Write as _;

use board::Host;
use mailbox_rs::firmware::File;
use mailbox_rs::{Errno, Whence};

/// Entry point, called by the start-up code.
#[unsafe(no_mangle)]
extern "C" fn main() {
    // SAFETY: the start-up code calls this function once.
    let Some(mut host) = (unsafe { board::host() }) else {
        return;
    };
    let outcome = copy(&mut host);
    if let Err(error) = outcome {
        let _ = writeln!(host.stderr(), "{error}");
    }
    host.exit(outcome.err().map_or(0, |error| error.0 as u32));
}

fn copy(host: &mut Host) -> Result<(), Errno> {
    let mut arguments = [0; 256];
    let arguments = host.arguments(&mut arguments)?;
    let mut words = arguments.split_inclusive(|byte| *byte == 0);
    let path = words.nth(1).ok_or(Errno::EINVAL)?;
    let path = CStr::from_bytes_with_nul(path).map_err(|_| Errno::EINVAL)?;
    let mut file = File::create(host, path)?;
    let mut bytes = [0; 512];
    loop {
        let read = host.read(0, &mut bytes)?;
        if read == 0 {
            break;
        }
        file.write_all(host, &bytes[..read])?;
    }
    let size = file.metadata(host)?.size;
    let mut first = [0; 4];
    file.seek(host, 0, Whence::Set)?;
    let read = file.read(host, &mut first)?;
    file.close(host)?;
    writeln!(
        host.stdout(),
        "{path:?} has {size} bytes, first {:?}",
        &first[..read]
    )
    .map_err(|_| Errno::EIO)
}
