//! Protocol checker, with conforming and non-conforming firmware.

use mailbox_rs::mock::{Firmware, Misbehaviour};
use mailbox_rs::{Request, State};
use vhost::attach::ProtocolChecker;
use vhost::{Severity, Vhost};

use test_support::ram::Ram;
use test_support::two_channels::{NAME, builder, call, firmware, session, shake, start};

/// Findings without their ticks while `act` is the firmware of core0, after the handshake. Also
/// checks the report of their number at the end of the system.
fn found(act: impl FnOnce(&Vhost, &mut Firmware<Ram>)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(builder.attach(ProtocolChecker::new()));
    let [mut core0, _] = firmware(&vhost);
    shake(&vhost, &mut core0);
    act(&vhost, &mut core0);
    let errors = vhost.error_findings();
    vhost.shutdown();
    let reports = reports.take();
    let of = |id: &str| {
        let of = reports.iter().filter(|report| report.id == id);
        of.map(|report| report.text.clone()).collect::<Vec<_>>()
    };
    let found = of("protocol");
    assert_eq!(found.len() as u64, errors);
    let summary = match &found[..] {
        [] => Vec::new(),
        [only] => vec![format!(
            "attached checkers have found 1 error: protocol: {only}"
        )],
        [first, ..] => vec![format!(
            "attached checkers have found {errors} errors, the first: protocol: {first}"
        )],
    };
    assert_eq!(of("attach"), summary);
    found.iter().map(|text| without_tick(text)).collect()
}

/// Text of a finding behind its tick.
fn without_tick(text: &str) -> String {
    let rest = text.strip_prefix("tick ").unwrap();
    let (tick, rest) = rest.split_once(": ").unwrap();
    assert!(tick.parse::<u64>().is_ok(), "{text}");
    rest.to_owned()
}

/// The only finding.
fn breach(act: impl FnOnce(&Vhost, &mut Firmware<Ram>)) -> String {
    let found = found(act);
    let [breach] = found.as_slice() else {
        panic!("{found:#?}");
    };
    breach.clone()
}

fn tick(vhost: &Vhost) {
    vhost.notify();
    vhost.tick().unwrap();
}

const PRINT: Request = Request::Print { ptr: NAME, len: 4 };

#[test]
fn traffic_by_the_protocol_has_no_findings() {
    let found = found(|vhost, core0| {
        for round in 0..40 {
            // Fills the request queue.
            while core0.try_send(&PRINT) {}
            tick(vhost);
            if round % 3 == 0 {
                while core0.try_receive().is_some() {}
            }
            if round == 20 {
                core0.reset();
                tick(vhost);
                assert!(core0.is_ready());
            }
        }
        core0.try_send(&call(2));
        tick(vhost);
        // During a call.
        core0.misbehave(Misbehaviour::HalfReset);
        tick(vhost);
        core0.reset();
        tick(vhost);
        assert!(core0.is_ready());
        assert!(core0.try_send(&PRINT));
        tick(vhost);
        assert!(core0.try_receive().is_some());
        assert!(core0.try_send(&Request::Exit { code: 0 }));
        tick(vhost);
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn indices_that_jump_are_found() {
    let text = breach(|vhost, core0| {
        core0.misbehave(Misbehaviour::JumpAhead(100));
        tick(vhost);
    });
    assert_eq!(
        text,
        "channel `core0`: request queue: idx_p went from 0x0 to 0x64, past the 8 slots behind idx_c 0x0"
    );
}

#[test]
fn an_index_that_goes_back_is_found() {
    let text = breach(|vhost, core0| {
        core0.try_send(&PRINT);
        tick(vhost);
        core0.try_receive();
        core0.misbehave(Misbehaviour::JumpAhead(0u32.wrapping_sub(1)));
        tick(vhost);
    });
    assert!(text.contains("idx_p went from 0x1 to 0x0"), "{text}");
}

/// Among requests that wait behind a pending call, it is a lower number of them.
#[test]
fn an_index_that_decreases_is_found() {
    let text = breach(|vhost, core0| {
        for request in [&call(50), &PRINT, &PRINT] {
            assert!(core0.try_send(request));
        }
        tick(vhost);
        core0.misbehave(Misbehaviour::JumpAhead(0u32.wrapping_sub(1)));
        tick(vhost);
    });
    let expected = "channel `core0`: request queue: idx_p decreased from 0x3 to 0x2; ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn responses_that_were_never_there_are_found() {
    let text = breach(|vhost, core0| {
        core0.misbehave(Misbehaviour::SkipResponses(100));
        core0.misbehave(Misbehaviour::Deaf);
        for _ in 0..12 {
            core0.try_send(&PRINT);
            tick(vhost);
        }
    });
    assert!(
        text.starts_with("channel `core0`: response queue: idx_c is 0x64, where idx_p is 0x8"),
        "{text}"
    );
}

#[test]
fn a_state_that_is_none_is_found() {
    let text = breach(|vhost, core0| {
        core0.misbehave(Misbehaviour::State(77));
        tick(vhost);
    });
    assert_eq!(text, "channel `core0`: invalid state 0x4d");
    assert_ne!(State::READY.0, 77);
}

#[test]
fn memory_that_is_cleared_is_a_reset() {
    let found = found(|vhost, core0| {
        core0.misbehave(Misbehaviour::State(0));
        tick(vhost);
        core0.reset();
        tick(vhost);
        assert!(core0.is_ready());
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_host_s_index_that_firmware_overwrites_is_found_where_the_host_reads_it() {
    let found = found(|vhost, core0| {
        core0.misbehave(Misbehaviour::JumpAhead(100));
        core0.misbehave(Misbehaviour::OverwriteConsumer(5));
        tick(vhost);
    });
    let [jump, overwritten] = found.as_slice() else {
        panic!("{found:#?}");
    };
    assert!(jump.contains("past the 8 slots"), "{jump}");
    assert!(
        overwritten.contains("idx_c is 0x5, but the host wrote 0x0"),
        "{overwritten}"
    );
}

#[test]
fn an_access_outside_of_the_map_is_found_with_the_severity_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(builder.attach(ProtocolChecker::new().severity(Severity::Warning)));
    session(&vhost);
    assert_eq!(vhost.error_findings(), 0);
    vhost.shutdown();
    let reports = reports.take();
    assert!(reports.iter().all(|report| report.id != "attach"));
    let found: Vec<_> = reports
        .iter()
        .filter(|report| report.id == "protocol")
        .collect();
    assert_eq!(found.len(), 2, "{found:?}");
    for (report, channel) in found.iter().zip(["core0", "core1"]) {
        assert_eq!(report.severity, Severity::Warning);
        let text = without_tick(&report.text);
        let expected = format!(
            "channel `{channel}`: firmware reaches outside of the map by MEMSET dest 0x10 byte 0x0 len 4 in slot 3: space "
        );
        assert!(text.starts_with(&expected), "{report:?}");
    }
}

#[test]
fn attached_in_the_middle_it_begins_with_the_next_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, reports) = builder(folder.path());
    let vhost = start(builder);
    let [mut core0, _] = firmware(&vhost);
    shake(&vhost, &mut core0);
    core0.try_send(&PRINT);
    tick(&vhost);
    vhost.attach(ProtocolChecker::new()).unwrap();
    core0.try_send(&PRINT);
    tick(&vhost);
    assert_eq!(reports.take_of("protocol"), Vec::<String>::new());
    core0.reset();
    tick(&vhost);
    assert!(core0.is_ready());
    core0.misbehave(Misbehaviour::JumpAhead(9));
    tick(&vhost);
    assert_eq!(reports.take_of("protocol").len(), 1);
}
