//! The host's obligations in `docs/protocol.md`: handshake, queues and requests.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use mailbox_rs::Index;

use super::*;

/// All ten layouts.
fn layouts() -> impl Iterator<Item = Layout> {
    let widths = [PtrWidth::P4, PtrWidth::P8].into_iter();
    widths.flat_map(|width| {
        let lines = [0, 32, 64, 128, 256].into_iter();
        lines.map(move |line| Layout::new(width, CacheLine::from_bytes(line).unwrap()))
    })
}

fn echo(value: u64) -> Request {
    Request::Custom {
        action: 0x8000_0000,
        id: 1,
        args: [value].into(),
    }
}

#[test]
fn both_queues_are_filled_with_zeros_and_nothing_else_in_every_layout() {
    for layout in layouts() {
        let ram = Ram::new(BASE, SIZE as usize);
        ram.write(BASE, &[0xa5; SIZE as usize]);
        let fixture = Fixture::on(ram, &[(BASE, layout)]);
        let mut bytes = [0; SIZE as usize];
        fixture.chip.ram.read(BASE, &mut bytes);
        let queues =
            [layout.request, layout.response].map(|queue| queue.offset..queue.offset + queue.size);
        for (at, byte) in (0..).zip(bytes) {
            let cleared = queues.iter().any(|queue| queue.contains(&at));
            assert_eq!(byte, if cleared { 0 } else { 0xa5 }, "{at:#x}, {layout:?}");
        }
    }
}

#[test]
fn every_combination_of_handshake_words_is_taken_or_waited_for() {
    let layout = plain(PtrWidth::P4);
    let indices = [
        layout.request.idx_p,
        layout.request.idx_c,
        layout.response.idx_p,
        layout.response.idx_c,
    ];
    for version in [0, 0x0000_0002, 0x0000_0001, 0x0002_0000] {
        for state in 0..4 {
            for nonzero in 0..16_u32 {
                let fixture = Fixture::new(&[(BASE, layout)]);
                let firmware = Firmware::new(&fixture.chip.ram, BASE, layout);
                firmware.store(layout.version, version);
                firmware.store(layout.state, state);
                for (bit, index) in (0..).zip(indices) {
                    firmware.store(index, nonzero >> bit & 1);
                }
                let before = indices.map(|index| firmware.load(index));
                fixture.tick();
                let after = indices.map(|index| firmware.load(index));
                let case = format!("version {version:#x}, state {state}, indices {before:?}");
                let asked = state == 1 && nonzero == 0 && version != 0;
                let taken = asked && version == 2;
                let expected = if taken { 2 } else { state };
                assert_eq!(firmware.load(layout.state), expected, "{case}");
                assert_eq!(after, before, "{case}");
                assert_eq!(
                    fixture.progress.fatal().is_some(),
                    asked && !taken,
                    "{case}"
                );
            }
        }
    }
}

#[test]
fn the_host_writes_its_own_words_and_no_others() {
    for layout in layouts() {
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready(&fixture, BASE, layout);
        let channel = || {
            let mut bytes = vec![0; layout.channel_size as usize];
            fixture.chip.ram.read(BASE, &mut bytes);
            bytes
        };
        let word = |at: u64| at..at + 4;
        let response = layout.response;
        let host: [Range<u64>; 3] = [
            word(layout.request.idx_c),
            word(response.idx_p),
            response.entries..response.entries + 8 * response.entry_size,
        ];
        for turn in 0..20 {
            assert!(firmware.try_send(&echo(turn)));
            let before = channel();
            fixture.tick();
            for (at, (before, after)) in (0..).zip(before.iter().zip(channel())) {
                let written = host.iter().any(|range| range.contains(&at));
                assert!(written || *before == after, "{at:#x}, {layout:?}");
            }
            assert_eq!(firmware.load(layout.request.idx_c), turn as u32 + 1);
            assert_eq!(firmware.load(layout.response.idx_p), turn as u32 + 1);
            assert_eq!(firmware.try_receive().map(|it| it.rets), Some(turn));
        }
    }
}

#[test]
fn an_entry_is_copied_and_its_slot_is_returned_before_a_call() {
    for layout in layouts() {
        let args = [5, 6, 7].into();
        let method = Request::Call { method: DATA, args };
        let command = Request::Custom {
            action: 0x8000_0000,
            id: LATER,
            args: args[..].try_into().unwrap(),
        };
        for (request, target) in [
            (method, Target::Method("later".into())),
            (command, Target::Command(LATER)),
        ] {
            let fixture = Fixture::new(&[(BASE, layout)]);
            let mut firmware = ready(&fixture, BASE, layout);
            fixture.chip.ram.put_string(DATA, "later");
            assert_eq!(serve(&fixture, &mut firmware, &request), None);
            assert_eq!(firmware.queued(), 0, "{request} is pending");
            let entry = vec![0xff; layout.request.entry_size as usize];
            fixture
                .chip
                .ram
                .write(BASE + layout.request_entry(0), &entry);
            for _ in 0..3 {
                let pending = fixture.seen.pending.take().pop().unwrap();
                pending.send(Ok(Provider::Testbench.outcome(Progress::Pending)));
                fixture.tick();
                let call = fixture.seen.calls.take().pop().unwrap();
                assert_eq!((&call.target, &call.args[..3]), (&target, &[5, 6, 7][..]));
            }
        }
    }
}

/// Requests whose data is in the memory of the index itself.
#[test]
fn a_slot_is_returned_before_memory_is_accessed() {
    for layout in layouts() {
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready(&fixture, BASE, layout);
        let width = layout.ptr_width;
        let index = BASE + layout.request.idx_c;
        let print = Request::Print { ptr: index, len: 4 };
        assert!(serve(&fixture, &mut firmware, &print).is_some());
        assert_eq!(fixture.seen.text.take(), "\u{1}\0\0\0");

        fixture.chip.ram.write(DATA, &2_u32.to_le_bytes());
        let compare = Request::MemCmp {
            s1: DATA,
            s2: index,
            len: 4,
        };
        let equal = Some(Response::Value(0).entry(width));
        assert_eq!(serve(&fixture, &mut firmware, &compare), equal);

        let copy = Request::MemMove {
            dest: DATA,
            src: index,
            len: 4,
        };
        assert!(serve(&fixture, &mut firmware, &copy).is_some());
        let mut word = [0; 4];
        fixture.chip.ram.read(DATA, &mut word);
        assert_eq!(u32::from_le_bytes(word), 3);

        let set = Request::MemSet {
            dest: index,
            byte: 0xa5,
            len: 4,
        };
        assert!(serve(&fixture, &mut firmware, &set).is_some());
        assert_eq!(firmware.load(layout.request.idx_c), 0xa5a5_a5a5);
    }
}

#[test]
fn a_slot_is_returned_before_a_file_is_opened() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "f");
    let open = FileRequest::Open {
        path: DATA,
        flags: OpenFlags::READ,
    };
    assert!(firmware.try_send(&Request::File(open)));
    // The first access reads the path, the second one opens the file.
    let (chip, seen) = (fixture.chip.clone(), fixture.seen.clone());
    let taken = Rc::new(Cell::new(None));
    let found = taken.clone();
    let look = move || {
        let mut word = [0; 4];
        chip.ram.read(BASE + layout.request.idx_c, &mut word);
        found.set(Some(u32::from_le_bytes(word)));
    };
    let second = move || {
        seen.meanwhile.replace(Some(Box::new(look)));
    };
    fixture.seen.meanwhile.replace(Some(Box::new(second)));
    fixture.tick();
    assert_eq!(taken.get(), Some(1));
    assert_eq!(fixture.seen.files.take(), ["open f 1"]);
}

#[test]
fn a_reset_drops_requests_and_responses_that_wait() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    for round in [0..8, 8..12] {
        round.for_each(|value| assert!(firmware.try_send(&echo(value))));
        fixture.tick();
    }
    // Eight responses in the queue, one that waits for room, and three requests.
    assert_eq!(fixture.seen.calls.take().len(), 9);
    assert_eq!(firmware.queued(), 3);
    firmware.misbehave(Misbehaviour::Reset);
    fixture.tick();
    assert!(firmware.is_ready());
    fixture.tick();
    assert_eq!((fixture.seen.calls.take().len(), firmware.queued()), (0, 0));
    assert_eq!(firmware.try_receive(), None);
    let response = serve(&fixture, &mut firmware, &echo(77)).unwrap();
    assert_eq!((response.rets, firmware.try_receive()), (77, None));
}

#[test]
fn strings_have_4096_bytes_with_their_nul() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let call = Request::Call {
        method: DATA,
        args: [7].into(),
    };
    let open = Request::File(FileRequest::Open {
        path: DATA,
        flags: OpenFlags::READ,
    });
    let print = |format, args: &[u64]| Request::CPrint {
        format,
        file: format,
        line: 1,
        args: args.try_into().unwrap(),
    };
    fixture.chip.ram.put_string(DATA + 0x2000, "%s");
    let einval = Some(Response::Error(Errno::EINVAL).entry(PtrWidth::P4));
    for (len, fits) in [(0, true), (1, true), (4095, true), (4096, false)] {
        fixture.chip.ram.put_string(DATA, &"x".repeat(len));
        for (request, result) in [(&call, 7), (&open, 10)] {
            let response = serve(&fixture, &mut firmware, request);
            let expected = if fits {
                Some(Response::Value(result).entry(PtrWidth::P4))
            } else {
                einval
            };
            assert_eq!(response, expected, "{len} bytes, {request}");
        }
        let of_format = serve(&fixture, &mut firmware, &print(DATA, &[]));
        let of_string = serve(&fixture, &mut firmware, &print(DATA + 0x2000, &[DATA]));
        assert_eq!((of_format, of_string), (None, None));
        let text = fixture.seen.text.take();
        if fits {
            assert_eq!(text, "x".repeat(2 * len));
            assert_eq!(fixture.reports(), []);
        } else {
            // The format can't be printed, and the conversion is copied.
            assert_eq!((text.as_str(), fixture.reports().len()), ("%s", 4));
        }
    }
}

#[test]
fn no_request_moves_more_than_256_mib() {
    // The range is in a memory of 1 GiB; in the mock, its first bytes are the channel's.
    let (large, most) = (0x1010_0000, 256 << 20);
    for width in [PtrWidth::P4, PtrWidth::P8] {
        let layout = plain(width);
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready(&fixture, BASE, layout);
        let mut errno = |request: &Request| {
            let response = serve(&fixture, &mut firmware, request).unwrap();
            response.result(width).err()
        };
        let (dest, src, byte) = (large, large, 0);
        assert_eq!(
            errno(&Request::MemSet {
                dest,
                byte,
                len: most
            }),
            None
        );
        for len in [most + 1, 1 << 29] {
            for request in [
                Request::Print { ptr: src, len },
                Request::MemMove { dest, src, len },
                Request::MemSet { dest, byte, len },
                Request::MemCmp {
                    s1: dest,
                    s2: src,
                    len,
                },
                Request::File(FileRequest::Write {
                    fd: 10,
                    ptr: src,
                    len,
                }),
            ] {
                assert_eq!(errno(&request), Some(Errno::EINVAL), "{request}");
            }
        }
        assert_eq!(fixture.reports().len(), 10);
        assert_eq!(fixture.seen.files.take(), [""; 0]);
    }
}

#[test]
fn every_index_of_a_session_has_its_slot() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    for turn in 0..40_u64 {
        let slot = turn as u32 % 8;
        assert!(firmware.try_send(&echo(turn + 100)));
        fixture.tick();
        let place = layout.response.entries + u64::from(slot) * 8;
        assert_eq!(u64::from(firmware.load(place + 4)), turn + 100);
        assert_eq!(firmware.load(layout.response.idx_p), turn as u32 + 1);
        assert_eq!(Index(turn as u32).slot(), slot);
        assert!(firmware.try_receive().is_some());
    }
}
