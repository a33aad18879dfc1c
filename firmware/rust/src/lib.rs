//! Shared parts of the programs of this package: start-up code, channel, cache hooks, end after a
//! panic.
#![no_std]

mod cache;

use core::arch::global_asm;
use core::panic::PanicInfo;

use mailbox_rs::firmware::{Client, Native, Region};
use mailbox_rs::{Layout, PtrWidth};

pub use cache::{Cache, LINE};

/// Client of the programs.
pub type Host = Client<Native, Cache>;

const SIZE: usize = Layout::new(PtrWidth::NATIVE, LINE).channel_size as usize;

#[unsafe(link_section = ".mailbox")]
static MAILBOX: Region<SIZE> = Region::new();

mailbox_rs::note!(LINE, 1);

global_asm!(include_str!("../../crt0.S"));

/// Client of the channel, after a handshake.
///
/// # Safety
///
/// Called once, at the start of the program.
pub unsafe fn host() -> Option<Host> {
    // SAFETY: this is the only client of channel 0; a panic creates another one when this one is no
    // longer used.
    let channel = unsafe { MAILBOX.channel(0, LINE) }?;
    let mut host = Client::new(channel, Cache);
    host.reset();
    Some(host)
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    // SAFETY: an earlier client is no longer used.
    if let Some(channel) = unsafe { MAILBOX.channel(0, LINE) } {
        Client::new(channel, Cache).exit(255);
    }
    loop {}
}
