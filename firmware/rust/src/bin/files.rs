//! Arguments, standard streams and files of a host with protocol 0.3.
//!
//! It writes its input to the file of its first argument, and prints its size. It exits with 0, or with the error number.
#![no_std]
#![no_main]

use core::arch::global_asm;
use core::ffi::CStr;
use core::fmt::Write as _;
use core::panic::PanicInfo;

use mailbox_rs::firmware::{Client, File, Native, NoHooks, Region};
use mailbox_rs::{CacheLine, Errno, Layout, PtrWidth, Whence};

type Host = Client<Native, NoHooks>;

const SIZE: usize = Layout::new(PtrWidth::NATIVE, CacheLine::None).channel_size as usize;

#[unsafe(link_section = ".mailbox")]
static MAILBOX: Region<SIZE> = Region::new();

global_asm!(include_str!("../../../crt0.S"));

/// Entry point, called by the start-up code.
#[unsafe(no_mangle)]
extern "C" fn main() {
    // SAFETY: this is the only client of channel 0; that of a panic is created when this one is
    // gone.
    let Some(channel) = (unsafe { MAILBOX.channel(0, CacheLine::None) }) else {
        return;
    };
    let mut host = Client::new(channel, NoHooks);
    host.reset();
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

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    // SAFETY: an earlier client is not used any more.
    if let Some(channel) = unsafe { MAILBOX.channel(0, CacheLine::None) } {
        let mut host = Client::new(channel, NoHooks);
        host.exit(255);
    }
    loop {}
}
