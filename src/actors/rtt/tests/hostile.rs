//! Mutated control blocks.

use mailbox_rs::PtrWidth;

use super::fixture::{BASE, BLOCK, Buffer, DATA, Firmware, Fixture, SIZE};
use crate::messages::UpTarget;

/// Number of mutated control blocks.
fn count() -> u32 {
    let given = std::env::var("VHOST_HOSTILE_REQUESTS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[test]
fn mutated_control_blocks_are_survived() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut fixture = Fixture::new(PtrWidth::P4);
    for round in 0..count() {
        if round % 1000 == 0 {
            let targets = [("log", UpTarget::File("log.bin".to_owned()))];
            fixture = match round / 1000 % 2 {
                0 => Fixture::new(PtrWidth::P8),
                _ => Fixture::with_targets(&targets),
            };
        }
        let ptr_width = if round / 1000 % 2 == 0 {
            PtrWidth::P8
        } else {
            PtrWidth::P4
        };
        let mut firmware = Firmware::new(&fixture, ptr_width);
        let buffer = |name| Buffer { name, size: 32 };
        firmware.set_up(
            &[buffer("Terminal"), buffer("log")],
            &[buffer("in"), buffer("other")],
        );
        fixture.ticks(1);
        firmware.write(0, b"some bytes");
        firmware.write(1, b"more bytes\n");
        for _ in 0..random.u32(1..4) {
            let at = BLOCK + random.u64(0..38) * 4;
            let word: u32 = match random.u32(0..6) {
                0 => 0,
                1 => u32::MAX,
                2 => random.u32(0..64),
                3 => (BASE + random.u64(0..SIZE)) as u32,
                4 => DATA as u32 - random.u32(0..64),
                _ => random.u32(..),
            };
            fixture.state.ram.put(at, &word.to_le_bytes());
        }
        fixture.ticks(2);
        // Output is bounded by the buffers.
        assert!(fixture.take_text().len() <= SIZE as usize);
        fixture.state.ram.put(BLOCK, &[0; 24 + 4 * 32]);
        fixture.ticks(2);
    }
    let mut firmware = Firmware::new(&fixture, PtrWidth::P4);
    let _ = fixture.reports();
    firmware.ptr_width = PtrWidth::P4;
    let status = fixture.status();
    assert!(status.contains("waits for firmware"), "{status}");
}
