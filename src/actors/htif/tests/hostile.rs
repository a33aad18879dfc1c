//! Firmware that writes arbitrary words: no panic, no hang, bounded memory, and continued service.

use std::iter;

use super::fixture::{BASE, CWD, FROMHOST, SIZE};
use super::*;

/// Number of words written to `tohost`, set by `VHOST_HOSTILE_REQUESTS`.
fn words() -> u64 {
    let given = std::env::var("VHOST_HOSTILE_REQUESTS");
    given.map_or(10_000, |words| words.parse().unwrap())
}

/// Pseudo-random numbers of a seed.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    move || match random.u8(..8) {
        0 => random.u64(..),
        1 => random.u64(..8),
        2 => (-random.i64(..256)).cast_unsigned(),
        _ => BASE + random.u64(..SIZE + 64),
    }
}

#[test]
fn any_word_is_survived() {
    let mut fixture = Fixture::new();
    let mut number = numbers(7);
    let calls = [
        17, 25, 34, 35, 37, 38, 46, 48, 49, 56, 57, 62, 63, 64, 67, 68, 78, 79, 80, 291, 1039, 2011,
    ];
    for at in 0..words() {
        for (address, word) in (CALL..)
            .step_by(8)
            .zip(iter::repeat_with(&mut number).take(8))
        {
            fixture.put_word(address, word);
        }
        // Bounded, as a transfer of the whole memory takes long.
        fixture.put_word(CALL + 24, number() & 0xffff);
        fixture.put_word(CALL, calls[(number() % calls.len() as u64) as usize]);
        let word = match at % 4 {
            0 => number() & !1,
            1 => number() & 0x03ff_ffff_ffff_ffff & !1,
            2 => 0x0100 << 48 | number() & 0x01ff_0000_0000_00ff,
            _ => CALL,
        };
        fixture.command(word);
        fixture.response();
        // The address may be of words that are an exit by chance.
        if fixture.reports_and_exit().1.is_some() {
            fixture = Fixture::new();
        }
    }
    let (path, len) = fixture.path("f");
    fixture.put_word(CALL, 0);
    for _ in 0..200 {
        fixture.tick();
        fixture.response();
    }
    assert!(fixture.call(79, &[CWD, path, len, BUFFER, 0]) < 0);
    fixture.command(1);
    assert_eq!(
        fixture.reports_and_exit().1,
        Some(0),
        "{}",
        fixture.status()
    );
}

/// A channel whose firmware takes no responses is not served further; its memory in the host is
/// bounded.
#[test]
fn responses_that_are_not_taken_end_the_commands() {
    let fixture = Fixture::new();
    fixture.put_word(FROMHOST, 1);
    let identify = 0x00ff << 48 | BUFFER << 8;
    let taken = iter::from_fn(|| {
        fixture.command(identify);
        (fixture.word(TOHOST) == 0).then_some(())
    });
    assert_eq!(taken.take(1000).count(), 64);
    fixture.put_word(FROMHOST, 0);
    fixture.tick();
    fixture.tick();
    assert_eq!(fixture.word(TOHOST), 0);
}
