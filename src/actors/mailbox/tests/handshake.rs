//! Handshakes, and versions of the protocol.

use super::*;

#[test]
fn every_layout_shakes_hands_and_prints() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        for line in [0, 32, 64, 128, 256] {
            let line = CacheLine::from_bytes(line).unwrap_or(CacheLine::None);
            let layout = Layout::new(width, line);
            let fixture = Fixture::new(&[(BASE, layout)]);
            let mut firmware = ready(&fixture, BASE, layout);
            let request = print("hello", &fixture);
            let response = serve(&fixture, &mut firmware, &request);
            assert_eq!(response, Some(Response::Empty.entry(width)), "{layout:?}");
            assert_eq!(fixture.seen.text.take(), "hello");
            assert_eq!(fixture.reports(), []);
        }
    }
}

#[test]
fn the_handshake_waits_for_version_state_and_indices() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
    // An image with INIT in its data is not running firmware yet.
    firmware.store(layout.state, State::INIT.0);
    fixture.tick();
    assert!(!firmware.is_ready());
    firmware.set_indices(mailbox_rs::Index(3));
    firmware.misbehave(Misbehaviour::HalfReset);
    fixture.tick();
    assert!(!firmware.is_ready());
    assert!(
        fixture
            .status()
            .contains("waits for firmware's handshake at 0x80000000")
    );
    firmware.set_indices(mailbox_rs::Index(0));
    fixture.tick();
    assert!(firmware.is_ready());
    assert!(
        fixture
            .status()
            .starts_with("core0: waits for firmware to write a request")
    );
}

#[test]
fn taking_a_channel_clears_its_queues() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    assert_eq!(fixture.chip.writes.get(), 4, "two queues each");
    // Other words are unchanged.
    let firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
    assert_eq!(firmware.state(), State(0));
}

#[test]
fn another_version_is_fatal_and_names_both() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
    firmware.misbehave(Misbehaviour::Version(Version { major: 1, minor: 7 }));
    fixture.tick();
    assert!(!firmware.is_ready());
    let reports = fixture.reports();
    assert_eq!(
        (reports[0].0, reports[0].1.as_str()),
        (Severity::Fatal, "core0")
    );
    assert!(
        reports[0].2.contains("1.7") && reports[0].2.contains("0.2"),
        "{}",
        reports[0].2
    );
    assert!(
        fixture
            .progress
            .fatal()
            .unwrap()
            .starts_with("channel core0: ")
    );
}

#[test]
fn a_memory_that_never_becomes_ready_does_not_hang_a_tick() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    for state in [0, 1, 77, u32::MAX] {
        firmware.misbehave(Misbehaviour::State(state));
        fixture.tick();
        fixture.tick();
    }
    firmware.reset();
    fixture.tick();
    assert!(firmware.is_ready());
}
