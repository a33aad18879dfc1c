//! Queues: bursts, indices at their ends, wrong indices, several channels.

use super::*;

#[test]
fn bursts_fill_the_queues_and_their_indices_wrap() {
    let layout = Layout::new(PtrWidth::P4, CacheLine::B64);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let mut expected = 0;
    for round in 0..50_u64 {
        let mut sent = 0;
        while firmware.try_send(&Request::Custom {
            action: 0x8000_0000,
            id: 1,
            args: [round, sent].into(),
        }) {
            sent += 1;
        }
        assert_eq!(sent, 8);
        fixture.tick();
        for at in 0..8 {
            let response = firmware.try_receive().expect("all are served in one tick");
            assert_eq!(response.rets, round + at);
            expected += 1;
        }
        assert_eq!(firmware.try_receive(), None);
    }
    assert_eq!(fixture.seen.calls.borrow().len(), expected);
}

#[test]
fn indices_set_near_their_end_wrap_at_two_to_the_32() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    firmware.set_indices(mailbox_rs::Index(u32::MAX - 2));
    for turn in 0..20 {
        let request = Request::Custom {
            action: 0x8000_0000,
            id: 1,
            args: [turn].into(),
        };
        let response = serve(&fixture, &mut firmware, &request);
        assert_eq!(response.map(|response| response.rets), Some(turn));
    }
    let severities: Vec<_> = fixture
        .reports()
        .into_iter()
        .map(|(severity, ..)| severity)
        .collect();
    assert_eq!(severities, [Severity::Warning], "said once");
}

#[test]
fn a_full_response_queue_waits_for_firmware() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let request = |at: u64| Request::Custom {
        action: 0x8000_0000,
        id: 1,
        args: [at].into(),
    };
    for at in 0..8 {
        assert!(firmware.try_send(&request(at)));
    }
    fixture.tick();
    for at in 8..12 {
        assert!(firmware.try_send(&request(at)));
    }
    fixture.tick();
    assert!(
        fixture.status().contains("the queue is full"),
        "{}",
        fixture.status()
    );
    assert_eq!(
        firmware.queued(),
        3,
        "one more was taken, its response waits"
    );
    let mut received = Vec::new();
    for _ in 0..8 {
        received.extend(firmware.try_receive().map(|response| response.rets));
        fixture.tick();
    }
    while let Some(response) = firmware.try_receive() {
        received.push(response.rets);
        fixture.tick();
    }
    assert_eq!(received, (0..12).collect::<Vec<_>>());
    assert_eq!(fixture.reports(), []);
}

#[test]
fn responses_go_on_where_firmware_took_more_than_there_were() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let request = Request::MemSet {
        dest: DATA,
        byte: 0,
        len: 1,
    };
    firmware.misbehave(Misbehaviour::SkipResponses(100));
    for _ in 0..9 {
        assert!(firmware.try_send(&request));
        fixture.tick();
    }
    assert_eq!(firmware.queued(), 0);
    assert_eq!(firmware.load(layout.response.idx_p), 9);
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0]
            .2
            .starts_with("response queue: idx_c is 0x64, where idx_p is 0x8; ")
    );
}

#[test]
fn indices_that_jump_are_reported_and_service_goes_on() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    firmware.misbehave(Misbehaviour::JumpAhead(1000));
    fixture.tick();
    let reports = fixture.reports();
    assert!(
        reports[0].2.contains("idx_p went from 0x0 to 0x3e8"),
        "{reports:?}"
    );
    let request = print("on it goes", &fixture);
    assert!(serve(&fixture, &mut firmware, &request).is_some());
    assert_eq!(fixture.seen.text.take(), "on it goes");
}

#[test]
fn channels_of_mixed_layouts_are_served_side_by_side() {
    let layouts = [
        Layout::new(PtrWidth::P4, CacheLine::None),
        Layout::new(PtrWidth::P8, CacheLine::None),
        Layout::new(PtrWidth::P4, CacheLine::B32),
        Layout::new(PtrWidth::P8, CacheLine::B128),
    ];
    let channels: Vec<_> = (0..).map(|at| BASE + at * 0x2000).zip(layouts).collect();
    let fixture = Fixture::new(&channels);
    let mut firmwares: Vec<_> = channels
        .iter()
        .map(|(base, layout)| ready(&fixture, *base, *layout))
        .collect();
    for turn in 0..30_u64 {
        for (at, firmware) in (0_u64..).zip(&mut firmwares) {
            let args = [turn, at].into();
            assert!(firmware.try_send(&Request::Custom {
                action: 1 << 31,
                id: 1,
                args
            }));
        }
        fixture.tick();
        for (at, firmware) in (0_u64..).zip(&mut firmwares) {
            assert_eq!(
                firmware.try_receive().map(|response| response.rets),
                Some(turn + at)
            );
        }
    }
    assert_eq!(fixture.reports(), []);
}
