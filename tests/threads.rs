//! C ABI from several threads at the same time, without synchronisation: each call is either served
//! as if it were the only one, or refused.
//!
//! With ThreadSanitizer, it also shows that threads use the host without a data race.
//! docs/testing.md has the command.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(
    unsafe_code,
    reason = "it calls the C ABI, which is exported by the library that it is linked with"
)]

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use test_support::c_host::{
    MAILBOXES, MEMORIES, init, last_error, mb_notify, mb_shutdown, mb_status, mb_tick, read, write,
};
use vhost::with_host;

const THREADS: u64 = 4;
const CALLS: u64 = 2000;

/// Number of calls by their outcome.
#[derive(Default)]
struct Outcomes {
    served: AtomicU64,
    refused: AtomicU64,
}

impl Outcomes {
    fn count(&self, served: bool) -> bool {
        let counter = if served { &self.served } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        served
    }
}

/// Writes a pattern to its own bytes and reads it back, while other threads tick.
fn use_host(number: u64, outcomes: &Outcomes) {
    let address = 0x4000 + 64 * number;
    for call in 0..CALLS {
        let pattern = [(number as u8) << 4 | (call as u8 & 15); 64];
        if !outcomes.count(write(address, &pattern)) {
            continue;
        }
        let mut bytes = [0; 64];
        if outcomes.count(read(address, &mut bytes)) {
            assert_eq!(bytes, pattern);
        }
        mb_notify();
        let ticked = mb_tick();
        assert!([1, -1].contains(&ticked));
        outcomes.count(ticked == 1);
        outcomes.count(with_host(|vhost| vhost.now()).is_ok());
        mb_status();
    }
}

/// Makes calls of another thread while this one is inside a call, by C and by the host program.
fn overlap(outcomes: &Outcomes) {
    let inside = with_host(|_| {
        let elsewhere = thread::spawn(|| {
            let refused = with_host(|vhost| vhost.now()).unwrap_err();
            (mb_tick(), refused.to_string())
        });
        elsewhere.join().unwrap()
    });
    let (ticked, refused) = inside.unwrap();
    assert!(!outcomes.count(ticked == 1));
    assert!(refused.contains("another thread is inside"), "{refused}");
}

#[test]
fn threads_hand_the_host_over_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        assert_eq!(init(folder.path(), MEMORIES, MAILBOXES), 0);
        let (together, outcomes) = (Barrier::new(THREADS as usize), Outcomes::default());
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (together, outcomes) = (&together, &outcomes);
                scope.spawn(move || {
                    together.wait();
                    use_host(number, outcomes);
                });
            }
        });
        overlap(&outcomes);
        assert!(outcomes.served.into_inner() > 0, "no call was ever served");
        assert!(outcomes.refused.into_inner() > 0, "none was ever refused");
        // The first call that is not refused reports the refusal, and is served.
        assert_eq!(mb_tick(), 1);
        let refused = last_error();
        assert!(
            refused.starts_with("mb_tick: a call was refused"),
            "{refused}"
        );
        mb_shutdown();
    }
}
