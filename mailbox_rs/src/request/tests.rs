use super::*;
use crate::layout::PtrWidth;
use proptest::collection;
use proptest::prelude::*;
use std::string::ToString;
use std::vec;

fn entry_of(action: u32, words: u32, args: &[u64]) -> RequestEntry {
    RequestEntry {
        words,
        ..entry(action, args, &[])
    }
}

fn args<const N: usize>() -> impl Strategy<Value = Args<N>> {
    collection::vec(any::<u64>(), 0..=N).prop_map(|words| Args::try_from(&words[..]).unwrap())
}

fn request() -> impl Strategy<Value = Request> {
    let w = any::<u64>;
    prop_oneof![
        any::<u32>().prop_map(|code| Request::Exit { code }),
        (w(), w()).prop_map(|(ptr, len)| Request::Print { ptr, len }),
        (w(), w(), any::<u32>(), args()).prop_map(|(format, file, line, args)| Request::CPrint {
            format,
            file,
            line,
            args
        }),
        (w(), w(), w()).prop_map(|(dest, src, len)| Request::MemMove { dest, src, len }),
        (w(), any::<u8>(), w()).prop_map(|(dest, byte, len)| Request::MemSet { dest, byte, len }),
        (w(), w(), w()).prop_map(|(s1, s2, len)| Request::MemCmp { s1, s2, len }),
        (w(), args()).prop_map(|(method, args)| Request::Call { method, args }),
        (9_u32.., w(), args()).prop_map(|(action, id, args)| Request::Custom { action, id, args }),
        (w(), any::<u32>()).prop_map(|(path, flags)| Request::File(FileRequest::Open {
            path,
            flags: OpenFlags(flags)
        })),
        w().prop_map(|fd| Request::File(FileRequest::Close { fd })),
        (w(), w(), w()).prop_map(|(fd, ptr, len)| Request::File(FileRequest::Read {
            fd,
            ptr,
            len
        })),
        (w(), w(), w()).prop_map(|(fd, ptr, len)| Request::File(FileRequest::Write {
            fd,
            ptr,
            len
        })),
        (w(), w()).prop_map(|(fd, position)| Request::File(FileRequest::Seek { fd, position })),
    ]
}

proptest! {
    #[test]
    fn request_to_bytes_and_back(request in request()) {
        let entry = RequestEntry::from(&request);
        prop_assert_eq!(Request::try_from(&entry), Ok(request));
        prop_assert_eq!(entry.responds(), request.responds());

        let mut bytes = [0; RequestEntry::MAX_SIZE];
        entry.emit(&mut bytes, PtrWidth::P8);
        let counted = RequestEntry::counted_size(entry.words, PtrWidth::P8);
        prop_assert_eq!(RequestEntry::parse(&bytes[..counted], PtrWidth::P8), Some(entry));
    }

    #[test]
    fn any_entry_is_a_request_or_malformed(action in 0_u32..12, words: u32, first in 0_u64..8, rest: [u64; 19]) {
        let mut args = [first; REQUEST_ARGS];
        args[1..].copy_from_slice(&rest);
        let entry = RequestEntry { action, words, args };
        if let Ok(request) = Request::try_from(&entry) {
            prop_assert_eq!(entry.responds(), request.responds());
            prop_assert!(request.to_string().starts_with(request.kind()));
        }
    }
}

#[test]
fn words_each_request_needs() {
    let file = |operation| entry_of(action::FILE, 20, &[operation]);
    let plain = |action| entry_of(action, 20, &[]);
    for (full, needed) in [
        (plain(action::EXIT), 1),
        (plain(action::PRINT), 2),
        (plain(action::CPRINT), 3),
        (plain(action::MEMMOVE), 3),
        (plain(action::MEMSET), 3),
        (plain(action::MEMCMP), 3),
        (plain(action::CALL), 1),
        (plain(action::OTHER), 1),
        (file(operation::OPEN), 3),
        (file(operation::CLOSE), 2),
        (file(operation::READ), 4),
        (file(operation::WRITE), 4),
        (file(operation::SEEK), 3),
    ] {
        assert!(
            Request::try_from(&RequestEntry {
                words: needed,
                ..full
            })
            .is_ok(),
            "{full}"
        );
        let given = needed - 1;
        let short = Request::try_from(&RequestEntry {
            words: given,
            ..full
        });
        assert_eq!(
            short,
            Err(Malformed::TooFewWords {
                action: full.action,
                given,
                needed
            })
        );
    }
}

#[test]
fn more_words_than_needed_are_ignored() {
    let entry = entry_of(action::PRINT, u32::MAX, &[5, 0x1000, 77]);
    assert_eq!(
        Request::try_from(&entry),
        Ok(Request::Print {
            ptr: 0x1000,
            len: 5
        })
    );

    let entry = entry_of(action::CALL, u32::MAX, &[0x1000, 1, 2]);
    let Ok(Request::Call { args, .. }) = Request::try_from(&entry) else {
        panic!("CALL with all words")
    };
    assert_eq!((args.len(), &args[..3]), (CALL_ARGS, &[1, 2, 0][..]));
}

#[test]
fn narrow_fields_come_from_the_low_end() {
    let entry = entry_of(action::MEMSET, 3, &[1, 0xabcd, 2]);
    assert_eq!(
        Request::try_from(&entry),
        Ok(Request::MemSet {
            dest: 1,
            byte: 0xcd,
            len: 2
        })
    );
    let entry = entry_of(action::EXIT, 1, &[0xffff_ffff_0000_0003]);
    assert_eq!(Request::try_from(&entry), Ok(Request::Exit { code: 3 }));
}

#[test]
fn what_is_wrong_is_said() {
    let said = |entry| Request::try_from(&entry).unwrap_err().to_string();
    assert_eq!(said(entry_of(0, 0, &[])), "action 0 is idle, no request");
    assert_eq!(
        said(entry_of(action::PRINT, 1, &[])),
        "PRINT with words = 1, needs 2"
    );
    assert_eq!(
        said(entry_of(action::FILE, 9, &[0x50])),
        "FILE operation 0x50 is unknown, 0 to 4 exist"
    );
}

#[test]
fn shown_with_its_fields() {
    let request = Request::Call {
        method: 0x1000,
        args: [1, 0xff].into(),
    };
    assert_eq!(request.to_string(), "CALL method 0x1000 args [0x1, 0xff]");
    let request = Request::File(FileRequest::Read {
        fd: 10,
        ptr: 0x20,
        len: 4,
    });
    assert_eq!(request.to_string(), "FILE READ fd 10 ptr 0x20 len 4");
}
