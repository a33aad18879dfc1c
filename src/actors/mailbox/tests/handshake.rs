//! Handshakes, and versions of the protocol.

use super::*;

#[test]
fn every_layout_shakes_hands_and_prints() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        for line in [0, 32, 64, 128, 256] {
            let line = CacheLine::from_bytes(line).unwrap_or(CacheLine::None);
            let layout = Layout::new(width, line);
            let bench = Fixture::new(&[(BASE, layout)]);
            let mut firmware = ready(&bench, BASE, layout);
            let request = print("hello", &bench);
            let response = serve(&bench, &mut firmware, &request);
            assert_eq!(response, Some(Response::Empty.entry(width)), "{layout:?}");
            assert_eq!(bench.seen.text.take(), "hello");
            assert_eq!(bench.reports(), []);
        }
    }
}

#[test]
fn the_handshake_waits_for_version_state_and_indices() {
    let layout = plain(PtrWidth::P4);
    let bench = Fixture::new(&[(BASE, layout)]);
    let mut firmware = Firmware::new(&bench.chip.ram, BASE, layout);
    // An image with INIT in its data is not running firmware yet.
    firmware.store(layout.state, State::INIT.0);
    bench.tick();
    assert!(!firmware.is_ready());
    firmware.set_indices(mailbox_rs::Index(3));
    firmware.misbehave(Misbehaviour::HalfReset);
    bench.tick();
    assert!(!firmware.is_ready());
    assert!(
        bench
            .status()
            .contains("waits for firmware's handshake at 0x80000000")
    );
    firmware.set_indices(mailbox_rs::Index(0));
    bench.tick();
    assert!(firmware.is_ready());
    assert!(
        bench
            .status()
            .starts_with("core0: waits for firmware to write a request")
    );
}

#[test]
fn taking_a_channel_clears_its_queues() {
    let layout = plain(PtrWidth::P8);
    let bench = Fixture::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    assert_eq!(bench.chip.writes.get(), 4, "two queues each");
    // Other words are unchanged.
    let firmware = Firmware::new(&bench.chip.ram, BASE, layout);
    assert_eq!(firmware.state(), State(0));
}

#[test]
fn another_version_is_fatal_and_names_both() {
    let layout = plain(PtrWidth::P4);
    let bench = Fixture::new(&[(BASE, layout)]);
    let mut firmware = Firmware::new(&bench.chip.ram, BASE, layout);
    firmware.misbehave(Misbehaviour::Version(Version { major: 1, minor: 7 }));
    bench.tick();
    assert!(!firmware.is_ready());
    let reports = bench.reports();
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
        bench
            .progress
            .fatal()
            .unwrap()
            .starts_with("channel core0: ")
    );
}

#[test]
fn a_memory_that_never_becomes_ready_does_not_hang_a_tick() {
    let layout = plain(PtrWidth::P4);
    let bench = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    for state in [0, 1, 77, u32::MAX] {
        firmware.misbehave(Misbehaviour::State(state));
        bench.tick();
        bench.tick();
    }
    firmware.reset();
    bench.tick();
    assert!(firmware.is_ready());
}
