//! Resets and the end of a channel.

use super::*;

const LAYOUT: Layout = Layout::new(PtrWidth::P8, CacheLine::None);

/// Firmware with a pending call, and the request of the call.
fn pending_call(bench: &Fixture) -> (Firmware<&Ram>, Request) {
    let mut firmware = ready(bench, BASE, LAYOUT);
    bench.chip.ram.put_string(DATA, "later");
    let call = Request::Call {
        method: DATA,
        args: [1, 2].into(),
    };
    assert_eq!(serve(bench, &mut firmware, &call), None);
    (firmware, call)
}

#[test]
fn a_reset_drops_a_pending_call_and_the_channel_starts_anew() {
    let bench = Fixture::new(&[(BASE, LAYOUT)]);
    let (mut firmware, call) = pending_call(&bench);
    assert!(
        bench.status().contains("calling method `later`"),
        "{}",
        bench.status()
    );

    firmware.misbehave(Misbehaviour::Reset);
    bench.tick();
    assert!(firmware.is_ready(), "in the tick that sees the reset");
    assert_eq!(bench.seen.cancelled.take(), ["core0"]);
    assert_eq!(bench.seen.files.take(), ["close all of 0"]);
    // The reply comes too late and is dropped.
    bench
        .seen
        .pending
        .take()
        .pop()
        .unwrap()
        .send(Ok(Provider::Testbench.outcome(Progress::Ready(99))));
    bench.tick();
    assert_eq!(firmware.try_receive(), None);

    bench.chip.ram.put_string(DATA, "sum");
    let response = serve(&bench, &mut firmware, &call);
    assert_eq!(response.map(|response| response.rets), Some(3));
}

/// Otherwise the dispatcher would ask once more for a call without a caller, and Python's coroutine
/// would go on.
#[test]
fn a_channel_that_fails_drops_its_pending_call() {
    let bench = Fixture::new(&[(BASE, LAYOUT)]);
    let _pending = pending_call(&bench);
    bench.chip.is_broken.set(true);
    bench.tick();
    assert_eq!(bench.statuses()[0].step, MailboxStep::Failed);
    assert!(bench.progress.fatal().unwrap().contains("out of order"));
    assert_eq!(bench.seen.cancelled.take(), ["core0"]);
}

#[test]
fn exit_ends_the_channel_and_later_resets_are_ignored() {
    let layout = plain(PtrWidth::P4);
    let bench = Fixture::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    assert_eq!(
        serve(&bench, &mut firmware, &Request::Exit { code: 3 }),
        None
    );
    assert_eq!(bench.seen.exits.take(), [("core0".to_owned(), 3)]);
    assert_eq!(
        (bench.progress.served(), bench.progress.exits()),
        (1, vec![Some(3), None])
    );
    assert_eq!(bench.seen.text.take(), "|");
    firmware.reset();
    bench.tick();
    assert!(!firmware.is_ready());
    let steps: Vec<MailboxStep> = bench.statuses().into_iter().map(|now| now.step).collect();
    let address = BASE + 0x4000;
    assert_eq!(
        steps,
        [
            MailboxStep::Exited { code: 3 },
            MailboxStep::Handshake { address }
        ]
    );
}
