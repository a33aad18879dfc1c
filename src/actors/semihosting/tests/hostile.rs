//! Parameter blocks of any content.

use mailbox_rs::PtrWidth;

use super::fixture::{BASE, BLOCK, DATA, Fixture, NAME, SIZE};

/// Number of parameter blocks.
fn count() -> u32 {
    let given = std::env::var("VHOST_HOSTILE_REQUESTS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[test]
fn parameter_blocks_of_any_content_are_answered() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut fixture = Fixture::new(PtrWidth::P4);
    for round in 0..count() {
        if round % 2000 == 0 {
            fixture = Fixture::new(match round / 2000 % 2 {
                0 => PtrWidth::P8,
                _ => PtrWidth::P4,
            });
            fixture.state.ram.put(NAME, b"file");
        }
        let operation = match random.u32(0..20) {
            0 => random.u64(..),
            1 => random.u64(0..0x100),
            _ => random.u64(0..0x17),
        };
        let words = [(); 4].map(|()| match random.u32(0..7) {
            0 => random.u64(..),
            1 => u64::MAX - random.u64(0..8),
            2 => BASE + random.u64(0..SIZE),
            3 => NAME,
            4 => DATA,
            5 => BASE + SIZE - random.u64(0..8),
            _ => random.u64(0..16),
        });
        let argument = match random.u32(0..10) {
            0 => random.u64(..),
            1 => BASE + SIZE - random.u64(0..24),
            _ => BLOCK,
        };
        fixture
            .state
            .ram
            .put(BLOCK, words.map(u64::to_le_bytes).as_flattened());
        // Exits end the channel.
        if !matches!(operation, 0x18 | 0x20) {
            let result = fixture.operate(operation, argument);
            // Without input, no character is available.
            let is_answered = result.is_some() || operation == 0x07;
            assert!(is_answered, "{operation:#x} {words:x?}");
        }
        if round % 100 == 0 {
            let _ = fixture.reports();
        }
    }
    assert!(fixture.open("file", 4) > 0 || fixture.operate(0x13, 0) == Some(24));
}
