//! Resets and the end of a channel.

use super::*;

const LAYOUT: Layout = Layout::new(PtrWidth::P8, CacheLine::None);

/// Firmware with a pending call, and the request of the call.
fn pending_call(fixture: &Fixture) -> (Firmware<&Ram>, Request) {
    let mut firmware = ready(fixture, BASE, LAYOUT);
    fixture.chip.ram.put_string(DATA, "later");
    let call = Request::Call {
        method: DATA,
        args: [1, 2].into(),
    };
    assert_eq!(serve(fixture, &mut firmware, &call), None);
    (firmware, call)
}

#[test]
fn a_reset_drops_a_pending_call_and_the_channel_starts_anew() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let (mut firmware, call) = pending_call(&fixture);
    assert!(
        fixture.status().contains("calling method `later`"),
        "{}",
        fixture.status()
    );

    firmware.misbehave(Misbehaviour::Reset);
    fixture.tick();
    assert!(firmware.is_ready(), "in the tick that sees the reset");
    assert_eq!(fixture.seen.cancelled.take(), ["core0"]);
    assert_eq!(fixture.seen.files.take(), ["close all of 0"]);
    // The reply comes too late and is dropped.
    fixture
        .seen
        .pending
        .take()
        .pop()
        .unwrap()
        .send(Ok(Provider::Testbench.outcome(Progress::Ready(99))));
    fixture.tick();
    assert_eq!(firmware.try_receive(), None);

    fixture.chip.ram.put_string(DATA, "sum");
    let response = serve(&fixture, &mut firmware, &call);
    assert_eq!(response.map(|response| response.rets), Some(3));
}

/// Otherwise the dispatcher would ask once more for a call without a caller, and Python's coroutine
/// would go on.
#[test]
fn a_channel_that_fails_drops_its_pending_call() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let _pending = pending_call(&fixture);
    fixture.chip.is_broken.set(true);
    fixture.tick();
    assert_eq!(fixture.statuses()[0].step, MailboxStep::Failed);
    assert!(fixture.progress.fatal().unwrap().contains("out of order"));
    assert_eq!(fixture.seen.cancelled.take(), ["core0"]);
}

#[test]
fn exit_ends_the_channel_and_later_resets_are_ignored() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    assert_eq!(
        serve(&fixture, &mut firmware, &Request::Exit { code: 3 }),
        None
    );
    assert_eq!(fixture.seen.exits.take(), [("core0".to_owned(), 3)]);
    assert_eq!(
        (fixture.progress.served(), fixture.progress.exits()),
        (1, vec![Some(3), None])
    );
    assert_eq!(fixture.seen.text.take(), "|");
    firmware.reset();
    fixture.tick();
    assert!(!firmware.is_ready());
    let steps: Vec<MailboxStep> = fixture.statuses().into_iter().map(|now| now.step).collect();
    let address = BASE + 0x4000;
    assert_eq!(
        steps,
        [
            MailboxStep::Exited { code: 3 },
            MailboxStep::Handshake { address }
        ]
    );
}
