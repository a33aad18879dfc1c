//! Entries whose `words` is too small, and arguments and results that are too wide.

use super::*;

#[test]
fn a_custom_command_gets_every_word_with_any_count() {
    let layout = plain(PtrWidth::P4);
    for words in [0, 1, 2, 3, 20, u32::MAX] {
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready(&fixture, BASE, layout);
        firmware.misbehave(Misbehaviour::Words(words));
        let custom = Request::Custom {
            action: 0x1234,
            id: 5,
            args: [6, 7].into(),
        };
        assert_eq!(serve(&fixture, &mut firmware, &custom).unwrap().rets, 13);
        let call = fixture.seen.calls.borrow_mut().pop().unwrap();
        assert_eq!(call.target, Target::Command(5));
        assert_eq!(call.args[..3], [6, 7, 0], "words = {words}");
        assert_eq!(call.args.len(), 19, "words = {words}");
        assert_eq!(fixture.reports(), []);
    }
}

/// One of each built-in request that requires arguments.
fn built_in() -> [Request; 10] {
    let [dest, src, len] = [DATA, DATA + 0x40, 4];
    [
        Request::Print { ptr: src, len },
        Request::CPrint {
            format: DATA + 0x80,
            file: DATA + 0xc0,
            line: 7,
            args: [].into(),
        },
        Request::MemMove { dest, src, len },
        Request::MemSet { dest, byte: 1, len },
        Request::MemCmp {
            s1: dest,
            s2: src,
            len,
        },
        Request::File(FileRequest::Open {
            path: src,
            flags: OpenFlags::READ,
        }),
        Request::File(FileRequest::Close { fd: 10 }),
        Request::File(FileRequest::Read {
            fd: 10,
            ptr: dest,
            len,
        }),
        Request::File(FileRequest::Write {
            fd: 10,
            ptr: src,
            len,
        }),
        Request::File(FileRequest::Seek {
            fd: 10,
            position: 3,
        }),
    ]
}

#[test]
fn too_few_words_are_served_and_noted_once_for_each_kind_of_request() {
    let layout = plain(PtrWidth::P4);
    for request in built_in() {
        let kind = request.kind();
        let served = |words: Option<u32>| {
            let fixture = Fixture::new(&[(BASE, layout)]);
            let mut firmware = ready(&fixture, BASE, layout);
            fixture.chip.ram.put_string(DATA, "some");
            fixture.chip.ram.put_string(DATA + 0x40, "text");
            fixture.chip.ram.put_string(DATA + 0x80, "no arguments");
            fixture.chip.ram.put_string(DATA + 0xc0, "main.c");
            let responses = [0, 1].map(|_| {
                if let Some(words) = words {
                    firmware.misbehave(Misbehaviour::Words(words));
                }
                serve(&fixture, &mut firmware, &request)
            });
            let mut data = [0; 4];
            fixture.chip.ram.read(DATA, &mut data);
            let (text, files) = (fixture.seen.text.take(), fixture.seen.files.take());
            ((responses, data, text, files), fixture.reports())
        };
        let (expected, reports) = served(None);
        assert_eq!(reports, [], "{kind}");
        for words in 1..request.needed_words() {
            let (outcome, reports) = served(Some(words));
            assert_eq!(outcome, expected, "{kind}");
            let [(Severity::Info, id, text)] = &reports[..] else {
                panic!("{kind}: not one note: {reports:?}");
            };
            let shown = format!("{kind} with words = {words}, ");
            assert!(id == "core0" && text.starts_with(&shown), "{id}: {text}");
            let advice = format!("words = {}", request.needed_words());
            assert!(text.ends_with(&advice), "{text}");
        }
        let (_, reports) = served(Some(0));
        assert_eq!(reports.len(), 2, "{kind}: {reports:?}");
        for (severity, _, text) in reports {
            assert_eq!(severity, Severity::Error, "{text}");
            assert!(text.contains("with words = 0 has no arguments"), "{text}");
        }
    }
}

/// Sends a CPRINT with this `words` and returns the text and the reports.
fn print(
    fixture: &Fixture,
    firmware: &mut Firmware<&Ram>,
    format: u64,
    args: &[u64],
    words: u32,
) -> (String, Vec<(Severity, String, String)>) {
    let request = Request::CPrint {
        format,
        file: DATA + 0x40,
        line: 7,
        args: args.try_into().unwrap(),
    };
    firmware.misbehave(Misbehaviour::Words(words));
    assert_eq!(serve(fixture, firmware, &request), None);
    (fixture.seen.text.take(), fixture.reports())
}

#[test]
fn a_format_takes_the_words_of_its_entry_that_are_not_counted() {
    for (width, format, args, text) in [
        (PtrWidth::P4, "%d\n", &[42][..], "42\n"),
        (PtrWidth::P4, "%d %x\n", &[1, 0xab], "1 ab\n"),
        // A width, and two words for one number.
        (PtrWidth::P4, "%*lld\n", &[3, 7, 0], "  7\n"),
        (PtrWidth::P8, "%*lld\n", &[3, 7], "  7\n"),
    ] {
        let layout = plain(width);
        let needed = 3 + args.len() as u32;
        for words in 1..=needed {
            let fixture = Fixture::new(&[(BASE, layout)]);
            let mut firmware = ready(&fixture, BASE, layout);
            let sites = [DATA, DATA + 0x80];
            for site in sites {
                fixture.chip.ram.put_string(site, format);
            }
            fixture.chip.ram.put_string(DATA + 0x40, "main.c");
            // Each call site is reported once.
            for site in sites {
                let (printed, reports) = print(&fixture, &mut firmware, site, args, words);
                assert_eq!(printed, text);
                assert_eq!(reports.len(), usize::from(words < needed), "{reports:?}");
                for (severity, id, shown) in reports {
                    assert_eq!((severity, &*id), (Severity::Warning, "core0"));
                    let place = format!("CPRINT at main.c:7: words = {words}");
                    assert!(shown.starts_with(&place), "{shown}");
                }
                let again = print(&fixture, &mut firmware, site, args, words);
                assert_eq!(again, (text.to_owned(), Vec::new()));
            }
        }
    }
}

/// Firmware counts arguments that it has not written. The stale words that are printed in their
/// place are named.
#[test]
fn words_that_firmware_has_not_counted_are_named_where_they_are_printed() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "%d %d %d\n");
    fixture.chip.ram.put_string(DATA + 0x40, "main.c");
    fixture.chip.ram.put_string(DATA + 0x80, "%d\n");
    // A report about one call site does not suppress those about others.
    let (_, reports) = print(&fixture, &mut firmware, DATA + 0x80, &[5], 3);
    assert_eq!(reports.len(), 1, "{reports:?}");
    let (printed, reports) = print(&fixture, &mut firmware, DATA, &[1, 222, 333], 4);
    assert_eq!(printed, "1 222 333\n");
    let [(Severity::Warning, _, shown)] = &reports[..] else {
        panic!("not one warning: {reports:?}");
    };
    assert_eq!(
        shown,
        "CPRINT at main.c:7: words = 4, but 6 are needed for the 3 words of arguments of its \
         format; printed with uncounted words of the entry: 0xde, 0x14d, left over from an earlier \
         request unless firmware wrote them"
    );
}

/// If firmware narrows each argument to one counted word, no stale upper half is printed.
#[test]
fn one_word_that_is_counted_for_each_argument_is_all_that_ll_and_j_take() {
    let layout = plain(PtrWidth::P4);
    for (format, args, words, text) in [
        ("%lld\n", &[7, 222][..], 4, "7\n"),
        ("%lld %d\n", &[u64::MAX, 8, 222], 5, "-1 8\n"),
        (
            "%jx %llu %s\n",
            &[0xffff_ffff, 9, DATA + 0x40, 1, 1],
            6,
            "ffffffff 9 main.c\n",
        ),
        ("%*lld\n", &[3, 7, 1], 5, "  7\n"),
    ] {
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready(&fixture, BASE, layout);
        fixture.chip.ram.put_string(DATA, format);
        fixture.chip.ram.put_string(DATA + 0x40, "main.c");
        let (printed, reports) = print(&fixture, &mut firmware, DATA, args, words);
        assert_eq!(printed, text);
        let [(Severity::Warning, _, shown)] = &reports[..] else {
            panic!("not one warning: {reports:?}");
        };
        let expected = format!(
            "CPRINT at main.c:7: words = {words} counts one word of 4 bytes for each argument: "
        );
        assert!(shown.starts_with(&expected), "{shown}");
        let again = print(&fixture, &mut firmware, DATA, args, words);
        assert_eq!(again, (text.to_owned(), Vec::new()));
    }
}

/// An entry holds seventeen arguments.
#[test]
fn a_format_that_takes_more_words_than_an_entry_has_is_reported() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, &"%d".repeat(18));
    fixture.chip.ram.put_string(DATA + 0x40, "main.c");
    let request = Request::CPrint {
        format: DATA,
        file: DATA + 0x40,
        line: 7,
        args: [1; 17].into(),
    };
    assert_eq!(serve(&fixture, &mut firmware, &request), None);
    assert_eq!(fixture.seen.text.take(), format!("{}%d", "1".repeat(17)));
    let [(Severity::Error, _, text)] = &fixture.reports()[..] else {
        panic!("not one error");
    };
    assert!(text.contains("too few arguments"), "{text}");
}

#[test]
fn half_a_word_that_is_not_printed_is_reported_once_for_each_call_site() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let (format, other) = (DATA, DATA + 0x40);
    fixture.chip.ram.put_string(format, "%d %x\n");
    fixture.chip.ram.put_string(other, "%d, %x\n");
    fixture.chip.ram.put_string(DATA + 0x100, "main.c");
    fixture.chip.ram.put_string(DATA + 0x140, "log.c");
    let mut print = |format, file, line, args: [u64; 2]| {
        let request = Request::CPrint {
            format,
            file,
            line,
            args: args.into(),
        };
        assert_eq!(serve(&fixture, &mut firmware, &request), None);
        fixture.reports()
    };
    let (main, log) = (DATA + 0x100, DATA + 0x140);
    assert_eq!(print(format, main, 42, [u64::MAX, u64::MAX]), []);
    let wide = 0x1_0000_0002;
    let shown = |place| {
        let text =
            format!("CPRINT at {place}: `%x` takes 32 bits of 0x100000002; `%lx` takes all of it");
        vec![(Severity::Warning, "core0".to_owned(), text)]
    };
    assert_eq!(print(format, main, 42, [1, wide]), shown("main.c:42"));
    assert_eq!(print(format, main, 42, [wide, wide]), []);
    assert_eq!(print(format, main, 43, [1, wide]), shown("main.c:43"));
    // A wrapper around printf has the same file and line for all messages.
    assert_eq!(print(other, main, 42, [1, wide]), shown("main.c:42"));
    assert_eq!(print(format, log, 42, [1, wide]), shown("log.c:42"));
    assert_eq!(
        fixture.seen.text.take(),
        "-1 ffffffff\n1 2\n2 2\n1 2\n1, 2\n1 2\n"
    );
}

#[test]
fn cprint_takes_64_bits_from_two_words_of_four_bytes() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "%llu cycles, %jx, %d\n");
    let request = Request::CPrint {
        format: DATA,
        file: DATA,
        line: 1,
        args: [5, 1, 0x89ab_cdef, 0x0123_4567, 7].into(),
    };
    assert_eq!(serve(&fixture, &mut firmware, &request), None);
    assert_eq!(
        fixture.seen.text.take(),
        "4294967301 cycles, 123456789abcdef, 7\n"
    );
    assert_eq!(fixture.reports(), []);
}

#[test]
fn a_result_wider_than_a_word_is_warned_of_once_for_each_method() {
    for (width, wide) in [(PtrWidth::P4, true), (PtrWidth::P8, false)] {
        let layout = plain(width);
        let fixture = Fixture::new(&[(BASE, layout)]);
        let mut firmware = ready(&fixture, BASE, layout);
        let mut call = |request: &Request, result: u64| {
            fixture.seen.results.borrow_mut().push(result);
            let response = serve(&fixture, &mut firmware, request).unwrap();
            assert_eq!(response.rets, width.truncate(result));
            fixture.reports()
        };
        let custom = |id| Request::Custom {
            action: 0x8000_0000,
            id,
            args: [].into(),
        };
        // Checks every value that a word can hold, signed or unsigned.
        for result in [
            0,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            0xffff_ffff_8000_0000,
            u64::MAX,
        ] {
            assert_eq!(call(&custom(1), result), [], "{result:#x}");
        }
        for (id, result) in [
            (1, 1 << 32),
            (2, 0xffff_ffff_7fff_ffff),
            (3, 0xdead_beef_0000_0001),
        ] {
            let reports = call(&custom(id), result);
            assert_eq!(reports.len(), usize::from(wide), "{reports:?}");
            for (severity, channel, text) in reports {
                assert_eq!((severity, &*channel), (Severity::Warning, "core0"));
                let start = format!("custom command {id:#x} returned {result:#x}, ");
                assert!(text.starts_with(&start), "{text}");
            }
            assert_eq!(call(&custom(id), result), []);
        }
    }
}
