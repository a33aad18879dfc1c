//! Requests to memory, and errors of all requests.

use super::*;

#[test]
fn memory_requests_have_their_effect() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let empty = Some(Response::Empty.entry(PtrWidth::P4));
    let set = Request::MemSet {
        dest: DATA,
        byte: 0xa5,
        len: 300,
    };
    assert_eq!(serve(&fixture, &mut firmware, &set), empty);
    fixture.chip.ram.write(DATA, b"abcdef");
    let overlapping = Request::MemMove {
        dest: DATA + 2,
        src: DATA,
        len: 6,
    };
    assert_eq!(serve(&fixture, &mut firmware, &overlapping), empty);
    let mut moved = [0; 9];
    fixture.chip.ram.read(DATA, &mut moved);
    assert_eq!(&moved, b"ababcdef\xa5");
    let compare = |len| Request::MemCmp {
        s1: DATA,
        s2: DATA + 2,
        len,
    };
    let difference = serve(&fixture, &mut firmware, &compare(9)).unwrap();
    assert_eq!(
        difference.rets,
        u64::from((i32::from(b'a') - i32::from(b'c')) as u32)
    );
    assert_eq!(difference.words, 1);
    assert_eq!(serve(&fixture, &mut firmware, &compare(2)).unwrap().rets, 0);
    let nothing = Request::MemMove {
        dest: DATA,
        src: DATA,
        len: 0,
    };
    assert_eq!(serve(&fixture, &mut firmware, &nothing), empty);
}

#[test]
fn failed_requests_are_answered_and_reported_with_their_fields() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "missing");
    fixture.chip.ram.put_string(DATA + 0x40, "absent");
    fixture.chip.ram.put_string(DATA + 0x80, "dropped");
    let entry = |action, words, args: &[u64]| {
        let mut entry = RequestEntry {
            action,
            words,
            args: [0; 20],
        };
        entry.args[..args.len()].copy_from_slice(args);
        entry
    };
    let cases: &[(RequestEntry, Errno, &str)] = &[
        (entry(0, 0, &[]), Errno::EINVAL, "slot 0"),
        (entry(4, 0, &[]), Errno::EINVAL, "MEMMOVE with words = 0"),
        (entry(2, 2, &[0xffff_ffff, 16]), Errno::EFAULT, "PRINT"),
        (
            entry(5, 3, &[0x1000_0000, 0, 0x2000_0000]),
            Errno::EINVAL,
            "536870912 bytes are more than the limit of one request",
        ),
        (entry(2, 2, &[4, 0x1000]), Errno::EFAULT, "0x1000"),
        (
            entry(2, 2, &[4, BASE + SIZE - 2]),
            Errno::EFAULT,
            "0x80020000",
        ),
        (entry(8, 3, &[0, DATA, 1]), Errno::ENOENT, "FILE OPEN"),
        (entry(8, 3, &[9, DATA, 1]), Errno::EINVAL, "FILE"),
        (entry(7, 1, &[DATA + 0x40]), Errno::ENOSYS, "`absent`"),
        (
            entry(7, 1, &[DATA + 0x80]),
            Errno::EIO,
            "rpc did not reply to Call",
        ),
        (entry(7, 1, &[0x44]), Errno::EFAULT, "method name at 0x44"),
    ];
    for (entry, errno, named) in cases {
        assert!(firmware.try_send_entry(entry));
        fixture.tick();
        let response = firmware
            .try_receive()
            .unwrap_or_else(|| panic!("{named}: no answer"));
        let answer = Response::Error(*errno).entry(PtrWidth::P4);
        assert_eq!(
            response,
            answer,
            "{named}: {:?}",
            fixture.seen.reports.borrow()
        );
        let reports = fixture.reports();
        assert_eq!(reports.len(), 1, "{reports:?}");
        let (severity, id, text) = &reports[0];
        // Firmware that checks for a file gets a response, which is not an error for the testbench.
        let expected = match *errno {
            Errno::ENOENT => Severity::Info,
            _ => Severity::Error,
        };
        assert_eq!((*severity, id.as_str()), (expected, "core0"));
        assert!(
            text.contains(named) && text.contains(errno.name().unwrap()),
            "{text}"
        );
    }
    // Requests without a response are reported too.
    assert!(firmware.try_send_entry(&entry(3, 3, &[0x44, 0, 0])));
    fixture.tick();
    assert_eq!(firmware.try_receive(), None);
    assert_eq!(fixture.reports().len(), 1);
}
