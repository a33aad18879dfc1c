//! Services of protocol 0.3.

use super::*;
use crate::{
    AccessMode, DirectoryRecord, FileStatus, FileType, NEWEST, PosixFlags, Timestamp, Whence,
};

const STATUS: FileStatus = FileStatus {
    size: 1 << 40,
    inode: 7,
    blocks: 8,
    accessed: TIME,
    modified: TIME,
    changed: TIME,
    mode: 0o100_644,
    links: 1,
};

const TIME: Timestamp = Timestamp {
    seconds: 1 << 33,
    nanoseconds: 999_999_999,
};

const ARGUMENTS: &[u8] = b"program\0-v\0";

/// Host of these operations, which records each of them.
pub(super) fn serve(request: &FileRequest, log: &mut Vec<String>) -> Response {
    let put = |ptr: u64, data: &[u8]| {
        bytes_mut(ptr, data.len() as u64).copy_from_slice(data);
        Response::Value(0)
    };
    match *request {
        FileRequest::PosixOpen { path, flags, mode } => {
            log.push(format!("open {} {:#o} {mode:#o}", string(path), flags.0));
            Response::Value(10)
        }
        FileRequest::Lseek {
            whence: Whence::End,
            offset,
            result,
            ..
        } => put(
            result,
            &STATUS.size.wrapping_add_signed(offset).to_le_bytes(),
        ),
        FileRequest::Lseek { .. } => Response::Error(Errno::ESPIPE),
        FileRequest::Fstat { result, .. } | FileRequest::Stat { result, .. } => {
            put(result, &STATUS.bytes())
        }
        FileRequest::Rename { from, to } => {
            log.push(format!("rename {} {}", string(from), string(to)));
            Response::Value(0)
        }
        FileRequest::Access { path, .. }
        | FileRequest::Unlink { path }
        | FileRequest::Mkdir { path, .. }
        | FileRequest::Rmdir { path } => {
            log.push(format!("{} {}", request.kind(), string(path)));
            Response::Value(0)
        }
        FileRequest::Readdir { ptr, len, .. } => {
            let record = DirectoryRecord {
                inode: 3,
                file_type: FileType::Directory,
                name: b"sub",
            };
            let size = record.emit(bytes_mut(ptr, len)).unwrap();
            Response::Value(size as u64)
        }
        FileRequest::Argv { ptr, len } | FileRequest::Env { ptr, len } => {
            let len = (len as usize).min(ARGUMENTS.len());
            put(ptr, &ARGUMENTS[..len]);
            Response::Value(ARGUMENTS.len() as u64)
        }
        FileRequest::Time { result } => put(result, &TIME.bytes()),
        FileRequest::Random { ptr, len } => {
            bytes_mut(ptr, len).fill(0x5a);
            Response::Value(len)
        }
        ref other => {
            log.push(format!("{}{other}", other.kind()));
            Response::Value(0)
        }
    }
}

#[test]
fn files_are_used_as_in_posix() {
    let mut client = client(CacheLine::B64);
    assert_eq!(client.version(), NEWEST);
    let flags = PosixFlags::READ_WRITE | PosixFlags::CREATE | PosixFlags::EXCLUSIVE;
    assert_eq!(client.posix_open(c"new", flags, 0o644), Ok(10));
    assert_eq!(client.lseek(10, -1, Whence::End), Ok((1 << 40) - 1));
    assert_eq!(client.lseek(10, 0, Whence::Current), Err(Errno::ESPIPE));
    assert_eq!(client.fstat(10), Ok(STATUS));
    assert_eq!(client.stat(c"new"), Ok(STATUS));
    client.truncate(10, 1 << 33).unwrap();
    client.sync(10).unwrap();
    client.checked_close(10).unwrap();
    client.access(c"new", AccessMode::READ).unwrap();
    client.rename(c"new", c"old").unwrap();
    client.unlink(c"old").unwrap();
    client.mkdir(c"sub", 0o755).unwrap();
    client.rmdir(c"sub").unwrap();
    assert_eq!(
        log(&mut client),
        [
            "open new 0o302 0o644",
            "FILE FTRUNCATE fd 10 len 8589934592",
            "FILE FSYNC fd 10",
            "FILE CHECKED_CLOSE fd 10",
            "FILE ACCESS new",
            "rename new old",
            "FILE UNLINK old",
            "FILE MKDIR sub",
            "FILE RMDIR sub",
        ]
    );
}

#[test]
fn directories_arguments_time_and_random_bytes_are_read() {
    let mut client = client(CacheLine::None);
    let mut buf = [0; DirectoryRecord::MAX_SIZE];
    let len = client.read_directory(11, &mut buf).unwrap();
    let (record, size) = DirectoryRecord::parse(&buf[..len]).unwrap();
    assert_eq!((record.name, size), (&b"sub"[..], len));

    assert_eq!(client.arguments(&mut buf), Ok(ARGUMENTS));
    assert_eq!(client.environment(&mut buf[..11]), Ok(ARGUMENTS));
    assert_eq!(client.arguments(&mut buf[..10]), Err(Errno::ERANGE));
    assert_eq!(client.time(), Ok(TIME));
    client.random(&mut buf).unwrap();
    assert!(buf.iter().all(|byte| *byte == 0x5a));
}

#[test]
fn formatted_text_is_written_in_blocks_of_whole_characters() {
    use core::fmt::Write as _;
    let mut client = client(CacheLine::B32);
    writeln!(client.stdout(), "{} of {:?}", 3, "them").unwrap();
    let mut errors = client.stderr();
    write!(errors, "{:é>129}", "").unwrap();
    errors.flush().unwrap();
    errors.flush().unwrap();
    drop(errors);
    drop(client.stdout());
    let written = |text: &str| format!("{:?}", text.as_bytes());
    assert_eq!(
        log(&mut client),
        [
            written("3 of \"them\"\n"),
            written(&"é".repeat(64)),
            written(&"é".repeat(64)),
            written("é"),
        ]
    );
}

#[test]
fn a_file_is_a_handle_of_a_descriptor() {
    use crate::firmware::File;
    let mut client = client(CacheLine::None);
    let host = &mut client;
    let mut file = File::create(host, c"log.txt").unwrap();
    assert_eq!(file.fd(), 10);
    file.write_all(host, b"line").unwrap();
    assert_eq!(file.write(host, b"more"), Ok(4));
    assert_eq!(file.seek(host, -4, Whence::End), Ok((1 << 40) - 4));
    let mut bytes = [0; 6];
    assert_eq!(file.read(host, &mut bytes[..4]), Ok(3));
    file.read_exact(host, &mut bytes).unwrap();
    assert_eq!(bytes, *b"abcabc");
    assert_eq!(file.metadata(host), Ok(STATUS));
    file.truncate(host, 2).unwrap();
    file.sync(host).unwrap();
    file.close(host).unwrap();
    let read = File::open(host, c"log.txt").unwrap();
    read.close(host).unwrap();
    assert_eq!(
        log(&mut client),
        [
            "open log.txt 0o1102 0o666".to_string(),
            format!("{:?}", b"line"),
            format!("{:?}", b"more"),
            "FILE FTRUNCATE fd 10 len 2".to_string(),
            "FILE FSYNC fd 10".to_string(),
            "FILE CHECKED_CLOSE fd 10".to_string(),
            "open log.txt 0o0 0o666".to_string(),
            "FILE CHECKED_CLOSE fd 10".to_string(),
        ]
    );
}
