//! Status of channels: the side that must act next, and since when.

use std::cell::RefCell;
use std::rc::Rc;

use insta::assert_snapshot;
use mailbox_rs::Index;
use proptest::prelude::*;

use super::*;
use crate::messages::mailbox::{PastRequest, RequestEnd};
use crate::messages::{AwaitedOperation, PendingCall};

const LAYOUT: Layout = Layout::new(PtrWidth::P4, CacheLine::None);

fn only(fixture: &Fixture) -> ChannelStatus {
    fixture.statuses().pop().unwrap()
}

/// First line of the status, with the side that must act next.
fn first_line(fixture: &Fixture) -> String {
    let status = fixture.status();
    status.lines().next().unwrap_or_default().to_owned()
}

fn custom(value: u64) -> Request {
    Request::Custom {
        action: 0x8000_0000,
        id: 1,
        args: [value].into(),
    }
}

/// A CALL of this method.
fn call(fixture: &Fixture, method: &str) -> Request {
    fixture.chip.ram.put_string(DATA, method);
    Request::Call {
        method: DATA,
        args: [5].into(),
    }
}

#[test]
fn the_status_of_a_channel_before_its_handshake_names_the_missing_step() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = Firmware::new(&fixture.chip.ram, BASE, LAYOUT);
    firmware.set_indices(Index(3));
    firmware.misbehave(Misbehaviour::HalfReset);
    firmware.store(LAYOUT.version, 0x2);
    for _ in 0..5 {
        fixture.tick();
    }
    let status = only(&fixture);
    assert_eq!(status.step, MailboxStep::Handshake { address: BASE });
    assert_eq!((status.since, status.now), (0, 5));
    assert_eq!(
        status.to_string(),
        "core0: waits for firmware's handshake at 0x80000000 since tick 0: requires a version, \
         INIT and indices of 0; found version 0x2, INIT, and indices 0x3 0x3 0x3 0x3; stale or dirty cache line?"
    );
    firmware.set_indices(Index(0));
    assert_eq!(
        fixture.status(),
        "core0: waits for a tick: firmware of version 0x2 requests a handshake at 0x80000000"
    );
}

#[test]
fn the_status_of_an_idle_channel_names_the_next_side() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = ready(&fixture, BASE, LAYOUT);
    assert_snapshot!(fixture.status(), @r"
    core0: waits for firmware to write a request since tick 1
      requests: 0 put, 0 taken; responses: 0 put, 0 taken
    ");
    assert!(firmware.try_send(&custom(7)));
    assert_snapshot!(fixture.status(), @r"
    core0: waits for a tick: a request is not yet taken
      requests: 1 put, 0 taken; responses: 0 put, 0 taken
    ");
    fixture.tick();
    let status = only(&fixture);
    assert_eq!((&status.step, status.since), (&MailboxStep::Request, 2));
    assert_snapshot!(status, @r"
    core0: waits for firmware to take a response, or to write a request, since tick 2; stale or dirty cache line?
      requests: 1 put, 1 taken; responses: 1 put, 0 taken
      slot 0, tick 2: OTHER action 0x80000000 id 0x1 args [0x7]; gives 0x7
    ");
    assert!(firmware.try_receive().is_some());
    fixture.tick();
    assert_eq!(
        first_line(&fixture),
        "core0: waits for firmware to write a request since tick 2"
    );
    firmware.reset();
    assert_eq!(
        first_line(&fixture),
        "core0: waits for a tick: firmware has reset the channel"
    );
}

#[test]
fn the_status_of_a_call_has_its_provider_and_number_of_polls() {
    for by in [Provider::Testbench, Provider::Python, Provider::HostProgram] {
        let fixture = Fixture::new(&[(BASE, LAYOUT)]);
        let mut firmware = ready(&fixture, BASE, LAYOUT);
        let request = call(&fixture, "later");
        assert_eq!(serve(&fixture, &mut firmware, &request), None);
        assert!(
            first_line(&fixture)
                .starts_with("core0: is calling method `later` since tick 2; slot 0 has CALL"),
            "{}",
            fixture.status()
        );
        for answers in 1..=3 {
            let pending = fixture.seen.pending.take().pop().unwrap();
            pending.send(Ok(by.outcome(Progress::Pending)));
            fixture.bus.run_until_idle().unwrap();
            let status = only(&fixture);
            let MailboxStep::Serve {
                slot: 0,
                entry,
                awaits: AwaitedOperation::Call(asked),
            } = &status.step
            else {
                panic!("{status}");
            };
            assert_eq!(Request::try_from(entry).unwrap(), request);
            let expected = PendingCall {
                target: Target::Method("later".into()),
                by: Some(by),
                answers,
                tick: status.now,
            };
            assert_eq!((asked, status.since), (&expected, 2));
            let times = match answers {
                1 => "once".to_owned(),
                answers => format!("{answers} times"),
            };
            let reported = format!(
                "core0: waits for {by}: method `later` is pending since tick 2 (polled {times})"
            );
            assert!(status.to_string().starts_with(&reported), "{status}");
            fixture.tick();
            assert!(
                fixture.status().contains(", being polled now"),
                "{}",
                fixture.status()
            );
        }
        let pending = fixture.seen.pending.take().pop().unwrap();
        pending.send(Ok(by.outcome(Progress::Ready(3))));
        fixture.tick();
        let status = only(&fixture);
        assert_eq!(status.step, MailboxStep::Request);
        let [past] = &status.recent[..] else {
            panic!("{status}");
        };
        assert_eq!((past.from, past.to), (2, 6));
        assert_eq!(past.end, RequestEnd::Answered(Response::Value(3)));
    }
}

/// Requests the status during an access of the testbench, such as that of a black-box memory.
#[test]
fn the_status_names_an_access_in_progress() {
    for (request, awaited, words) in [
        (
            Request::Print { ptr: DATA, len: 3 },
            AwaitedOperation::Memory,
            "core0: waits for memory since tick 2; slot 0 has PRINT ptr 0x80010000 len 3",
        ),
        (
            Request::File(FileRequest::Seek { fd: 3, position: 0 }),
            AwaitedOperation::File,
            "core0: waits for a file since tick 2; slot 0 has FILE",
        ),
    ] {
        let fixture = Rc::new(Fixture::new(&[(BASE, LAYOUT)]));
        let mut firmware = ready(&fixture, BASE, LAYOUT);
        let (inside, reported) = (fixture.clone(), Rc::new(RefCell::new(None)));
        let tell = reported.clone();
        fixture.seen.meanwhile.replace(Some(Box::new(move || {
            tell.replace(Some(only(&inside)));
        })));
        serve(&fixture, &mut firmware, &request);
        let status = reported.take().unwrap();
        assert!(
            matches!(&status.step, MailboxStep::Serve { awaits: known, .. } if *known == awaited),
            "{status:?}"
        );
        assert!(status.to_string().starts_with(words), "{status}");
        assert_eq!((status.request_consumer, status.response_producer), (1, 0));
        assert_eq!(only(&fixture).step, MailboxStep::Request);
    }
}

#[test]
fn a_full_response_queue_waits_for_firmware_to_take_one() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = ready(&fixture, BASE, LAYOUT);
    for at in 0..10 {
        assert!(firmware.try_send(&custom(at)));
        fixture.tick();
    }
    let status = only(&fixture);
    assert_eq!(
        (&status.step, status.since),
        (&MailboxStep::ResponseQueueFull, 10)
    );
    assert_snapshot!(status, @r"
    core0: waits for firmware to take a response since tick 10: the queue is full; stale or dirty cache line?
      requests: 10 put, 9 taken; responses: 8 put, 0 taken
      slot 1, tick 3: OTHER action 0x80000000 id 0x1 args [0x1]; gives 0x1
      slot 2, tick 4: OTHER action 0x80000000 id 0x1 args [0x2]; gives 0x2
      slot 3, tick 5: OTHER action 0x80000000 id 0x1 args [0x3]; gives 0x3
      slot 4, tick 6: OTHER action 0x80000000 id 0x1 args [0x4]; gives 0x4
      slot 5, tick 7: OTHER action 0x80000000 id 0x1 args [0x5]; gives 0x5
      slot 6, tick 8: OTHER action 0x80000000 id 0x1 args [0x6]; gives 0x6
      slot 7, tick 9: OTHER action 0x80000000 id 0x1 args [0x7]; gives 0x7
      slot 0, tick 10: OTHER action 0x80000000 id 0x1 args [0x8]; gives 0x8
    ");
}

#[test]
fn a_channel_that_has_exited_has_its_tick_and_is_not_polled() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = ready(&fixture, BASE, LAYOUT);
    serve(&fixture, &mut firmware, &Request::Exit { code: 3 });
    for _ in 0..4 {
        fixture.tick();
    }
    let reads = fixture.chip.reads.get();
    assert_snapshot!(fixture.status(), @r"
    core0: exited with code 3 in tick 2
      slot 0, tick 2: EXIT code 3; done
    ");
    assert_eq!(fixture.chip.reads.get(), reads);
}

#[test]
fn a_fatal_report_has_the_status_of_every_channel() {
    let fixture = Fixture::new(&[(BASE, LAYOUT), (BASE + 0x4000, LAYOUT)]);
    let mut other = Firmware::new(&fixture.chip.ram, BASE + 0x4000, LAYOUT);
    other.reset();
    fixture.tick();
    let mut firmware = Firmware::new(&fixture.chip.ram, BASE, LAYOUT);
    firmware.misbehave(Misbehaviour::Version(Version { major: 1, minor: 7 }));
    fixture.tick();
    let reports = fixture.reports();
    let [(Severity::Fatal, _, text)] = &reports[..] else {
        panic!("{reports:?}");
    };
    for line in [
        "\ncore0: service failed in tick 2",
        "\ncore1: waits for firmware to write a request since tick 1",
    ] {
        assert!(text.contains(line), "{text}");
        assert!(fixture.progress.fatal().unwrap().contains(line));
    }
    assert_eq!(fixture.statuses()[0].step, MailboxStep::Failed);
}

#[test]
fn the_last_requests_are_kept_with_their_ends() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = ready(&fixture, BASE, LAYOUT);
    for at in 0..20 {
        serve(&fixture, &mut firmware, &custom(at));
    }
    let recent = only(&fixture).recent;
    let kept: Vec<_> = recent.iter().map(|past| (past.slot, past.end)).collect();
    let expected: Vec<_> = (12..20_u32)
        .map(|at| (at % 8, RequestEnd::Answered(Response::Value(at.into()))))
        .collect();
    assert_eq!(kept, expected);

    // Closing a file has no response.
    serve(
        &fixture,
        &mut firmware,
        &Request::File(FileRequest::Close { fd: 10 }),
    );
    // The address is not mapped.
    serve(&fixture, &mut firmware, &Request::Print { ptr: 1, len: 1 });
    // A malformed request is shown by its numbers.
    let nonsense = RequestEntry {
        action: 0,
        words: 0,
        args: [0; _],
    };
    assert!(firmware.try_send_entry(&nonsense));
    fixture.tick();
    let status = only(&fixture);
    let ends: Vec<RequestEnd> = status.recent.iter().skip(5).map(|past| past.end).collect();
    assert_eq!(ends[0], RequestEnd::Silent, "{status}");
    assert!(
        matches!(ends[1], RequestEnd::Answered(Response::Error(_))),
        "{status}"
    );
    assert!(
        status.to_string().contains("action 0x0 words 0"),
        "{status}"
    );
}

#[test]
fn a_request_that_a_reset_drops_is_kept_as_dropped() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = ready(&fixture, BASE, LAYOUT);
    let request = call(&fixture, "later");
    assert_eq!(serve(&fixture, &mut firmware, &request), None);
    fixture.tick();
    firmware.reset();
    fixture.tick();
    assert!(firmware.is_ready());
    let status = only(&fixture);
    let entry = RequestEntry::from(&request);
    let dropped = PastRequest {
        slot: 0,
        entry,
        from: 2,
        to: 4,
        end: RequestEnd::Reset,
    };
    assert_eq!(status.recent, [dropped]);
    assert_eq!(
        (status.request_consumer, status.response_producer),
        (0, 0),
        "the queues begin anew"
    );
    assert!(
        status.to_string().ends_with("; dropped by a reset"),
        "{status}"
    );
}

#[test]
fn the_status_has_indices_as_firmware_has_set_them() {
    let fixture = Fixture::new(&[(BASE, LAYOUT)]);
    let mut firmware = ready(&fixture, BASE, LAYOUT);
    firmware.set_indices(Index(u32::MAX - 1));
    for at in 0..4 {
        serve(&fixture, &mut firmware, &custom(at));
    }
    let status = fixture.status();
    assert!(
        status.contains("requests: 2 put, 2 taken; responses: 2 put, 2 taken"),
        "{status}"
    );
}

/// Step of a run.
#[derive(Debug, Clone, Copy)]
enum Act {
    Send,
    Receive,
    Tick,
}

proptest! {
    /// Compares indices and recent requests with a model of counters.
    #[test]
    fn the_indices_are_those_of_the_run(
        acts in prop::collection::vec(prop::sample::select(vec![Act::Send, Act::Receive, Act::Tick]), 0..200)
    ) {
        let fixture = Fixture::new(&[(BASE, LAYOUT)]);
        let mut firmware = ready(&fixture, BASE, LAYOUT);
        let (mut sent, mut received, mut served) = (0, 0, 0);
        for act in acts {
            match act {
                Act::Send => sent += u32::from(firmware.try_send(&custom(0))),
                Act::Receive => received += u32::from(firmware.try_receive().is_some()),
                Act::Tick => {
                    fixture.tick();
                    // One more request is served while its response waits for a free slot.
                    served = sent.min(received + 9).max(served);
                }
            }
            let status = only(&fixture);
            let words = status.words.unwrap();
            prop_assert_eq!((words.request_producer, words.response_consumer), (sent, Some(received)));
            prop_assert_eq!(status.request_consumer, served);
            let put = status.response_producer;
            prop_assert!(put <= served && served - put <= 1);
            prop_assert_eq!(status.recent.len(), served.min(8) as usize);
            prop_assert_eq!(matches!(status.step, MailboxStep::ResponseQueueFull), put != served);
        }
    }
}
