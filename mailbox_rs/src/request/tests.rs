use super::*;
use crate::header::{NEWEST, VERSION};
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
        // A custom command has all words of an entry.
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
        posix().prop_map(Request::File),
    ]
}

/// Operations of protocol 0.3.
fn posix() -> impl Strategy<Value = FileRequest> {
    let w = any::<u64>;
    let bits = any::<u32>;
    prop_oneof![
        (w(), bits(), bits()).prop_map(|(path, flags, mode)| FileRequest::PosixOpen {
            path,
            flags: PosixFlags(flags),
            mode
        }),
        w().prop_map(|fd| FileRequest::CheckedClose { fd }),
        (w(), w(), any::<i64>(), w()).prop_map(|(fd, whence, offset, result)| {
            FileRequest::Lseek {
                fd,
                whence: Whence::of(whence % 5),
                offset,
                result,
            }
        }),
        (w(), w()).prop_map(|(fd, result)| FileRequest::Fstat { fd, result }),
        (w(), w()).prop_map(|(path, result)| FileRequest::Stat { path, result }),
        (w(), bits()).prop_map(|(path, mode)| FileRequest::Access {
            path,
            mode: AccessMode(mode)
        }),
        w().prop_map(|path| FileRequest::Unlink { path }),
        (w(), w()).prop_map(|(from, to)| FileRequest::Rename { from, to }),
        (w(), bits()).prop_map(|(path, mode)| FileRequest::Mkdir { path, mode }),
        w().prop_map(|path| FileRequest::Rmdir { path }),
        (w(), w(), w()).prop_map(|(fd, ptr, len)| FileRequest::Readdir { fd, ptr, len }),
        (w(), w()).prop_map(|(fd, len)| FileRequest::Ftruncate { fd, len }),
        w().prop_map(|fd| FileRequest::Fsync { fd }),
        (w(), w()).prop_map(|(ptr, len)| FileRequest::Argv { ptr, len }),
        (w(), w()).prop_map(|(ptr, len)| FileRequest::Env { ptr, len }),
        w().prop_map(|result| FileRequest::Time { result }),
        (w(), w()).prop_map(|(ptr, len)| FileRequest::Random { ptr, len }),
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
    fn any_entry_is_a_request_or_malformed(action in 0_u32..12, words: u32, first in 0_u64..24, rest: [u64; 19]) {
        let mut args = [first; REQUEST_ARGS];
        args[1..].copy_from_slice(&rest);
        let entry = RequestEntry { action, words, args };
        if let Ok(request) = Request::try_from(&entry) {
            prop_assert_eq!(entry.responds(), request.responds());
            prop_assert!(request.to_string().starts_with(request.kind()));
        }
    }
}

/// One entry of each built-in request, with all arguments.
fn built_in() -> vec::Vec<RequestEntry> {
    let plain = |action| entry_of(action, 20, &[0x11, 0x22, 0x33, 0x44, 0x55]);
    let file = |operation| entry_of(action::FILE, 20, &[operation, 0x22, 0x33, 0x44, 0x55, 0x66]);
    let actions = action::EXIT..action::FILE;
    let operations = operation::OPEN..=operation::LAST;
    actions.map(plain).chain(operations.map(file)).collect()
}

#[test]
fn words_each_request_needs() {
    let requests = built_in();
    let requests = requests
        .iter()
        .map(|entry| Request::try_from(entry).unwrap());
    let needed: vec::Vec<_> = requests.map(|request| request.needed_words()).collect();
    assert_eq!(needed[..7], [1, 2, 3, 3, 3, 3, 1]);
    assert_eq!(needed[7..12], [3, 2, 4, 4, 3]);
    assert_eq!(
        needed[12..],
        [4, 2, 6, 3, 3, 3, 2, 3, 3, 2, 4, 4, 2, 3, 3, 2, 3]
    );
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
fn words_limit_arguments_after_the_fixed_ones() {
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
fn every_decoding_error_has_its_text() {
    let printed = |entry| Request::try_from(&entry).unwrap_err().to_string();
    assert_eq!(printed(entry_of(0, 0, &[])), "action 0 is idle, no request");
    assert_eq!(
        printed(entry_of(action::PRINT, 0, &[])),
        "PRINT with words = 0 has no arguments"
    );
    assert_eq!(
        printed(entry_of(action::FILE, 9, &[0x50])),
        "FILE operation 0x50 is unknown, 0 to 21 exist"
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

/// Request by the protocol's tables: name, number of fixed words, and maximum number of further
/// words. `None` for an invalid one.
fn of_the_protocol(action: u32, words: u32, operation: u64) -> Option<(&'static str, u32, u32)> {
    Some(match (action, words, operation) {
        (0, ..) | (1..=8, 0, _) => return None,
        (1, ..) => ("EXIT", 1, 0),
        (2, ..) => ("PRINT", 2, 0),
        (3, ..) => ("CPRINT", 3, 17),
        (4, ..) => ("MEMMOVE", 3, 0),
        (5, ..) => ("MEMSET", 3, 0),
        (6, ..) => ("MEMCMP", 3, 0),
        (7, ..) => ("CALL", 1, 19),
        (8, _, 0) => ("FILE OPEN", 3, 0),
        (8, _, 1) => ("FILE CLOSE", 2, 0),
        (8, _, 2) => ("FILE READ", 4, 0),
        (8, _, 3) => ("FILE WRITE", 4, 0),
        (8, _, 4) => ("FILE SEEK", 3, 0),
        (8, _, 5) => ("FILE POSIX_OPEN", 4, 0),
        (8, _, 6) => ("FILE CHECKED_CLOSE", 2, 0),
        (8, _, 7) => ("FILE LSEEK", 6, 0),
        (8, _, 8) => ("FILE FSTAT", 3, 0),
        (8, _, 9) => ("FILE STAT", 3, 0),
        (8, _, 10) => ("FILE ACCESS", 3, 0),
        (8, _, 11) => ("FILE UNLINK", 2, 0),
        (8, _, 12) => ("FILE RENAME", 3, 0),
        (8, _, 13) => ("FILE MKDIR", 3, 0),
        (8, _, 14) => ("FILE RMDIR", 2, 0),
        (8, _, 15) => ("FILE READDIR", 4, 0),
        (8, _, 16) => ("FILE FTRUNCATE", 4, 0),
        (8, _, 17) => ("FILE FSYNC", 2, 0),
        (8, _, 18) => ("FILE ARGV", 3, 0),
        (8, _, 19) => ("FILE ENV", 3, 0),
        (8, _, 20) => ("FILE TIME", 2, 0),
        (8, _, 21) => ("FILE RANDOM", 3, 0),
        (8, ..) => return None,
        _ => ("OTHER", 0, 20),
    })
}

/// Words of the fields of a decoded request, in the order of its entry.
fn fields(request: &Request) -> vec::Vec<u64> {
    match *request {
        Request::Exit { code } => vec![code.into()],
        Request::Print { ptr, len } => vec![len, ptr],
        Request::CPrint {
            format,
            file,
            line,
            ref args,
        } => [&[format, file, line.into()], &args[..]].concat(),
        Request::MemMove { dest, src, len } => vec![dest, src, len],
        Request::MemSet { dest, byte, len } => vec![dest, byte.into(), len],
        Request::MemCmp { s1, s2, len } => vec![s1, s2, len],
        Request::Call { method, ref args } => [&[method], &args[..]].concat(),
        Request::Custom { id, ref args, .. } => [&[id], &args[..]].concat(),
        Request::File(FileRequest::Open { path, flags }) => vec![0, path, flags.0.into()],
        Request::File(FileRequest::Close { fd }) => vec![1, fd],
        Request::File(FileRequest::Read { fd, ptr, len }) => vec![2, fd, ptr, len],
        Request::File(FileRequest::Write { fd, ptr, len }) => vec![3, fd, ptr, len],
        Request::File(FileRequest::Seek { fd, position }) => vec![4, fd, position],
        Request::File(file) => posix_fields(&file),
    }
}

/// Words of the fields of an operation of protocol 0.3.
fn posix_fields(file: &FileRequest) -> vec::Vec<u64> {
    let halves = |number: u64| [number & 0xffff_ffff, number >> 32];
    match *file {
        FileRequest::PosixOpen { path, flags, mode } => vec![5, path, flags.0.into(), mode.into()],
        FileRequest::CheckedClose { fd } => vec![6, fd],
        FileRequest::Lseek {
            fd,
            whence,
            offset,
            result,
        } => {
            let [low, high] = halves(offset as u64);
            vec![7, fd, whence.number(), low, high, result]
        }
        FileRequest::Fstat { fd, result } => vec![8, fd, result],
        FileRequest::Stat { path, result } => vec![9, path, result],
        FileRequest::Access { path, mode } => vec![10, path, mode.0.into()],
        FileRequest::Unlink { path } => vec![11, path],
        FileRequest::Rename { from, to } => vec![12, from, to],
        FileRequest::Mkdir { path, mode } => vec![13, path, mode.into()],
        FileRequest::Rmdir { path } => vec![14, path],
        FileRequest::Readdir { fd, ptr, len } => vec![15, fd, ptr, len],
        FileRequest::Ftruncate { fd, len } => {
            let [low, high] = halves(len);
            vec![16, fd, low, high]
        }
        FileRequest::Fsync { fd } => vec![17, fd],
        FileRequest::Argv { ptr, len } => vec![18, ptr, len],
        FileRequest::Env { ptr, len } => vec![19, ptr, len],
        FileRequest::Time { result } => vec![20, result],
        FileRequest::Random { ptr, len } => vec![21, ptr, len],
        ref other => panic!("{other:?} is of protocol 0.2"),
    }
}

#[test]
fn operations_that_can_fail_have_their_names() {
    let requests = built_in();
    let requests = requests
        .iter()
        .map(|entry| Request::try_from(entry).unwrap());
    let custom = Request::Custom {
        action: action::OTHER,
        id: 0,
        args: Args::EMPTY,
    };
    let mut names: vec::Vec<_> = requests
        .chain([custom])
        .map(|request| request.operation_name())
        .filter(|name| *name != "exit")
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut expected = OPERATION_NAMES;
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn every_half_of_a_number_of_64_bits_counts_in_both_widths() {
    for bit in 0..64 {
        for offset in [1_i64 << bit, !(1_i64 << bit)] {
            let lseek = FileRequest::Lseek {
                fd: 10,
                whence: Whence::End,
                offset,
                result: 0x1000,
            };
            let truncate = FileRequest::Ftruncate {
                fd: 10,
                len: offset as u64,
            };
            for request in [lseek, truncate].map(Request::File) {
                let entry = RequestEntry::from(&request);
                assert!(entry.args.iter().all(|word| *word <= u32::MAX.into()));
                for width in [PtrWidth::P4, PtrWidth::P8] {
                    let mut bytes = [0; RequestEntry::MAX_SIZE];
                    entry.emit(&mut bytes, width);
                    let parsed = RequestEntry::parse(&bytes, width).unwrap();
                    assert_eq!(Request::try_from(&parsed), Ok(request));
                }
            }
        }
    }
    // The upper half of the lower word is ignored.
    let entry = entry_of(action::FILE, 4, &[16, 10, u64::MAX, 1]);
    let truncate = FileRequest::Ftruncate {
        fd: 10,
        len: 0x1_ffff_ffff,
    };
    assert_eq!(Request::try_from(&entry), Ok(Request::File(truncate)));
}

#[test]
fn operations_have_the_version_that_brought_them() {
    for entry in built_in() {
        if let Request::File(file) = Request::try_from(&entry).unwrap() {
            let version = if entry.args[0] < 5 { VERSION } else { NEWEST };
            assert_eq!(file.since(), version, "{entry}");
            assert_eq!(file.operation(), entry.args[0]);
        }
    }
}

#[test]
fn every_action_and_count_of_words_is_decoded_by_the_protocol() {
    let actions = (0..=20).chain((9..32).map(|bit| 1 << bit));
    let words = (0..=24).chain([0x100, 0x8000_0000, u32::MAX]);
    let operations = (0..=23).chain([0x104, u64::MAX]);
    for action in actions.chain([u32::MAX]) {
        for (words, operation) in words.clone().flat_map(|words| {
            let operations = operations.clone();
            operations.map(move |operation| (words, operation))
        }) {
            let mut args = [0; REQUEST_ARGS];
            // Below 256, so that no narrow field is truncated.
            args.iter_mut().zip(100..).for_each(|(arg, n)| *arg = n);
            args[0] = operation;
            if action == action::EXIT {
                args[0] &= 0xff;
            }
            let entry = RequestEntry {
                action,
                words,
                args,
            };
            let request = Request::try_from(&entry);
            // EXIT, CPRINT and CLOSE have no response, but a FILE without words has one.
            let silent = [1, 3].contains(&action) || (action == 8 && operation == 1 && words > 0);
            assert_eq!(entry.responds(), !silent, "{entry}");
            let Some((name, fixed, more)) = of_the_protocol(action, words, operation) else {
                assert!(request.is_err(), "{entry}");
                continue;
            };
            let request = request.unwrap();
            assert_eq!(request.responds(), !silent, "{entry}");
            assert_eq!(request.kind(), name, "{entry}");
            assert_eq!(request.needed_words(), fixed, "{entry}");
            // If the count is below the fixed words, all others are taken. A custom command has
            // every word.
            let taken = match words {
                words if more > 0 && words >= fixed && fixed > 0 => words.min(fixed + more),
                _ => fixed + more,
            };
            assert_eq!(fields(&request), args[..taken as usize], "{entry}");
        }
    }
}

#[test]
fn every_word_of_an_entry_is_little_endian_at_its_place() {
    for (width, p) in [(PtrWidth::P4, 4), (PtrWidth::P8, 8)] {
        let size = 8 + 20 * p;
        assert_eq!(RequestEntry::size(width), size);
        for at in 0..size {
            let mut bytes = vec![0; size];
            bytes[at] = 0xa5;
            let mut expected = entry_of(0, 0, &[]);
            match at {
                0..4 => expected.action = 0xa5 << (8 * at),
                4..8 => expected.words = 0xa5 << (8 * (at - 4)),
                _ => expected.args[(at - 8) / p] = 0xa5 << (8 * ((at - 8) % p)),
            }
            assert_eq!(RequestEntry::parse(&bytes, width), Some(expected));
            let mut emitted = vec![0xff; size];
            expected.emit(&mut emitted, width);
            assert_eq!(emitted, bytes);
        }
    }
}
