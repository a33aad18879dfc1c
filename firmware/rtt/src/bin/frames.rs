//! Prints frames of defmt in all levels, with the crate `defmt-rtt`.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use defmt_rtt as _;

static NOW: AtomicU32 = AtomicU32::new(0);

defmt::timestamp!("{=u32:us}", {
    let now = NOW.load(Ordering::Relaxed);
    NOW.store(now + 1, Ordering::Relaxed);
    now
});

#[derive(defmt::Format)]
struct Point {
    x: i16,
    y: i16,
}

#[unsafe(no_mangle)]
extern "C" fn main() {
    defmt::trace!("begins");
    defmt::debug!("a byte {=u8:#x}", 0x2a);
    for number in 0..200_i16 {
        let y = -number;
        defmt::info!("point {} of {=str}", Point { x: number, y }, "firmware");
    }
    defmt::warn!("{=[u8]:02x}", [1, 2, 0, 0xff]);
    defmt::error!("ends");
    defmt::flush();
    rtt_firmware::exit(0);
}
