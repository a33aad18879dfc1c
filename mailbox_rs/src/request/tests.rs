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
        // All of the words of an entry are a custom command's.
        (9_u32.., w(), any::<[u64; CUSTOM_ARGS]>()).prop_map(|(action, id, args)| {
            Request::Custom {
                action,
                id,
                args: args.into(),
            }
        }),
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
        prop_assert_eq!(RequestEntry::parse(&bytes, PtrWidth::P8), Some(entry));
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

/// One entry of each built-in request, its arguments all there.
fn built_in() -> [RequestEntry; 12] {
    let plain = |action| entry_of(action, 20, &[0x11, 0x22, 0x33, 0x44, 0x55]);
    let file = |operation| entry_of(action::FILE, 20, &[operation, 0x22, 0x33, 0x44, 0x55]);
    [
        plain(action::EXIT),
        plain(action::PRINT),
        plain(action::CPRINT),
        plain(action::MEMMOVE),
        plain(action::MEMSET),
        plain(action::MEMCMP),
        plain(action::CALL),
        file(operation::OPEN),
        file(operation::CLOSE),
        file(operation::READ),
        file(operation::WRITE),
        file(operation::SEEK),
    ]
}

#[test]
fn words_each_request_needs() {
    let needed = built_in().map(|entry| Request::try_from(&entry).unwrap().needed_words());
    assert_eq!(needed, [1, 2, 3, 3, 3, 3, 1, 3, 2, 4, 4, 3]);
}

#[test]
fn too_few_words_are_served_with_the_arguments_that_are_there() {
    for full in built_in() {
        let whole = Request::try_from(&full).unwrap();
        for words in 1..whole.needed_words() {
            let entry = RequestEntry { words, ..full };
            assert_eq!(Request::try_from(&entry), Ok(whole), "{entry}");
            assert_eq!(entry.responds(), whole.responds(), "{entry}");
        }
    }
}

#[test]
fn no_words_are_malformed_where_arguments_are_needed() {
    for full in built_in() {
        let entry = RequestEntry { words: 0, ..full };
        let action = entry.action;
        assert_eq!(
            Request::try_from(&entry),
            Err(Malformed::NoWords { action }),
            "{entry}"
        );
    }
}

#[test]
fn a_custom_command_is_handed_every_word() {
    let mut args = [0; REQUEST_ARGS];
    args.iter_mut().zip(5..).for_each(|(arg, word)| *arg = word);
    for words in [0, 1, 2, 3, 20, u32::MAX] {
        for action in [action::FILE + 1, action::OTHER, u32::MAX] {
            let entry = entry_of(action, words, &args);
            let handed = Args::try_from(&args[1..]).unwrap();
            let expected = Request::Custom {
                action,
                id: 5,
                args: handed,
            };
            assert_eq!(Request::try_from(&entry), Ok(expected), "{entry}");
        }
    }
}

#[test]
fn words_limit_what_follows_the_fixed_arguments() {
    let entry = entry_of(action::CPRINT, 4, &[0x1000, 0x2000, 7, 1, 2]);
    let Ok(Request::CPrint { args, .. }) = Request::try_from(&entry) else {
        panic!("CPRINT with an argument")
    };
    assert_eq!(args[..], [1]);
    let entry = entry_of(action::CALL, 1, &[0x1000, 1]);
    let Ok(Request::Call { args, .. }) = Request::try_from(&entry) else {
        panic!("CALL without arguments")
    };
    assert_eq!(args[..], []);
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
        said(entry_of(action::PRINT, 0, &[])),
        "PRINT with words = 0 has no arguments"
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
    let sloppy = entry_of(action::OTHER, 1, &[5, 0, 0xff]);
    let request = Request::try_from(&sloppy).unwrap();
    assert_eq!(
        request.to_string(),
        "OTHER action 0x80000000 id 0x5 args [0x0, 0xff]"
    );
    let request = Request::File(FileRequest::Read {
        fd: 10,
        ptr: 0x20,
        len: 4,
    });
    assert_eq!(request.to_string(), "FILE READ fd 10 ptr 0x20 len 4");
}
