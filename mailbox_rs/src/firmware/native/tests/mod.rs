//! A client in this process, and a host that reads and writes the same memory while the client
//! waits.

mod posix;

use super::*;
use crate::firmware::{Client, Hooks};
use crate::test_host::Host;
use crate::{Errno, FileRequest, OpenFlags, Request, RequestEntry, Response};
use core::ffi::CStr;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

/// Bytes that a client of these tests has lent.
fn bytes<'a>(ptr: u64, len: u64) -> &'a [u8] {
    // SAFETY: the client of these tests waits, and has lent that many bytes.
    unsafe { core::slice::from_raw_parts(with_exposed_provenance(ptr as usize), len as usize) }
}

fn bytes_mut<'a>(ptr: u64, len: u64) -> &'a mut [u8] {
    // SAFETY: the client of these tests waits, and has lent that many bytes for writing.
    unsafe {
        core::slice::from_raw_parts_mut(with_exposed_provenance_mut(ptr as usize), len as usize)
    }
}

fn string<'a>(ptr: u64) -> &'a str {
    // SAFETY: the client of these tests waits, and has lent a NUL-terminated string.
    let string = unsafe { CStr::from_ptr(with_exposed_provenance(ptr as usize)) };
    string.to_str().unwrap()
}

fn serve(entry: &RequestEntry, log: &mut Vec<String>) -> Response {
    let request = Request::try_from(entry).unwrap();
    match request {
        Request::Exit { code } => log.push(format!("exit {code}")),
        Request::Print { ptr, len } => {
            log.push(core::str::from_utf8(bytes(ptr, len)).unwrap().to_string());
        }
        Request::CPrint {
            format, file, args, ..
        } => {
            log.push(format!(
                "{} {} {:?}",
                string(format),
                string(file),
                &args[..]
            ));
        }
        Request::MemMove { dest, src, len } => {
            bytes_mut(dest, len).copy_from_slice(bytes(src, len))
        }
        Request::MemSet { dest, byte, len } => bytes_mut(dest, len).fill(byte),
        Request::MemCmp { s1, s2, len } => {
            let mut pairs = bytes(s1, len).iter().zip(bytes(s2, len));
            let differ = pairs.find(|(a, b)| a != b);
            return Response::signed(differ.map_or(0, |(&a, &b)| i32::from(a) - i32::from(b)));
        }
        Request::Call { method, args } if string(method) == "add" => {
            return Response::Value(args.iter().sum());
        }
        Request::Call { .. } | Request::Custom { id: 0, .. } => {
            return Response::Error(Errno::ENOSYS);
        }
        Request::Custom { id: 1, .. } => return Response::Empty,
        Request::Custom { id, args, .. } => return Response::Value(id + args[0] + args[1]),
        Request::File(FileRequest::Open { path, flags }) if string(path) == "f" => {
            assert_eq!(flags, OpenFlags::READ | OpenFlags::WRITE);
            return Response::Value(10);
        }
        Request::File(FileRequest::Open { .. }) => return Response::Error(Errno::ENOENT),
        Request::File(FileRequest::Close { fd }) => log.push(format!("close {fd}")),
        Request::File(FileRequest::Read { ptr, .. }) => {
            bytes_mut(ptr, 3).copy_from_slice(b"abc");
            return Response::Value(3);
        }
        Request::File(FileRequest::Write { ptr, len, .. }) => {
            log.push(format!("{:?}", bytes(ptr, len)));
            return Response::Value(len);
        }
        Request::File(FileRequest::Seek { position, .. }) => return Response::Value(position),
        Request::File(file) => return posix::serve(&file, log),
    }
    Response::Empty
}

/// Host that runs while the client waits, and records the operations on the cache and the
/// interrupts.
struct HostInWait {
    host: Host<Native>,
    log: Vec<String>,
    cleaned: Vec<(u64, u64)>,
    invalidated: Vec<(u64, u64)>,
    flushed: usize,
    masked: usize,
    sends: usize,
}

impl Hooks for HostInWait {
    fn clean(&mut self, address: u64, len: u64) {
        self.cleaned.push((address, len));
    }

    fn invalidate(&mut self, address: u64, len: u64) {
        self.invalidated.push((address, len));
    }

    fn flush(&mut self) {
        self.flushed += 1;
    }

    fn mask(&mut self) -> usize {
        self.masked += 1;
        self.sends += 1;
        7
    }

    fn unmask(&mut self, state: usize) {
        assert_eq!(state, 7);
        self.masked -= 1;
    }

    fn wait(&mut self) {
        assert_eq!(self.masked, 0, "interrupts are masked around a send only");
        self.host.step(|entry| serve(entry, &mut self.log));
    }
}

fn client(cache_line: CacheLine) -> Client<Native, HostInWait> {
    let region: &'static Region<4096> = Box::leak(Box::default());
    // SAFETY: the two are used in turns, on this thread.
    let host = unsafe { region.channel(0, cache_line) }.unwrap();
    // SAFETY: as above.
    let firmware = unsafe { region.channel(0, cache_line) }.unwrap();
    let hooks = HostInWait {
        host: Host(host),
        log: vec![],
        cleaned: vec![],
        invalidated: vec![],
        flushed: 0,
        masked: 0,
        sends: 0,
    };
    let mut client = Client::new(firmware, hooks);
    client.reset();
    client
}

/// Log of the host, after it has served all queued requests.
fn log(client: &mut Client<Native, HostInWait>) -> Vec<String> {
    client.channel().hooks().wait();
    core::mem::take(&mut client.channel().hooks().log)
}

#[test]
fn prints_and_exits() {
    use core::fmt::Write;

    let mut client = client(CacheLine::None);
    client.print("hello\n").unwrap();
    write!(client, "{} and {}", 1, 2).unwrap();
    crate::cprint!(client, c"%d %s %f\n", -1, c"x".as_ptr(), 1.5_f32);
    client.exit(3);

    let log = log(&mut client);
    assert_eq!(log[0], "hello\n");
    assert_eq!(log[1..log.len() - 2].concat(), "1 and 2");
    assert!(log[log.len() - 2].starts_with("%d %s %f\n "), "{log:?}");
    assert!(
        log[log.len() - 2].contains("tests/mod.rs [18446744073709551615, "),
        "{log:?}"
    );
    assert!(
        log[log.len() - 2].ends_with(&format!(", {}]", 0x3fc0_0000)),
        "{log:?}"
    );
    assert_eq!(log[log.len() - 1], "exit 3");
}

#[test]
fn moves_memory() {
    let mut client = client(CacheLine::B64);
    let mut buf = [0; 6];
    client.memset(&mut buf, 0xab).unwrap();
    assert_eq!(buf, [0xab; 6]);
    client.memmove(&mut buf[1..], b"xyz").unwrap();
    assert_eq!(buf, [0xab, b'x', b'y', b'z', 0xab, 0xab]);
    assert_eq!(client.memcmp(&buf[1..], b"xyz"), 0);
    assert_eq!(client.memcmp(b"a", b"c"), -2);
}

#[test]
fn calls() {
    let mut client = client(CacheLine::None);
    assert_eq!(client.call(c"add", [1, 2, 3]), 6);
    assert_eq!(client.call(c"add", []), 0);
    assert_eq!(
        client.call(c"none", []),
        Errno::ENOSYS.to_word(PtrWidth::NATIVE)
    );
    assert_eq!(client.custom(5, [1, 1]), Some(7));
    assert_eq!(client.custom(1, []), None);
    assert_eq!(
        client.custom(0, []),
        Some(Errno::ENOSYS.to_word(PtrWidth::NATIVE))
    );
}

#[test]
fn works_with_files() {
    let mut client = client(CacheLine::B256);
    let flags = OpenFlags::READ | OpenFlags::WRITE;
    assert_eq!(client.open(c"absent", flags), Err(Errno::ENOENT));
    let fd = client.open(c"f", flags).unwrap();
    assert_eq!(fd, 10);
    let mut buf = [0; 5];
    assert_eq!(client.read(fd, &mut buf), Ok(3));
    assert_eq!(&buf, b"abc\0\0");
    assert_eq!(client.read(fd, &mut []), Ok(0));
    assert_eq!(client.write(fd, &[1, 2]), Ok(2));
    assert_eq!(client.seek(fd, 4), Ok(4));
    client.close(fd).unwrap();
    assert_eq!(log(&mut client), ["[1, 2]", "close 10"]);
}

#[test]
fn requests_without_response_are_queued_until_the_queue_is_full() {
    let mut client = client(CacheLine::None);
    for i in 0..8 {
        crate::cprint!(client, c"%d", i);
    }
    assert_eq!(client.channel().hooks().log, [""; 0], "nobody waited yet");
    crate::cprint!(client, c"%d", 8);
    assert_eq!(log(&mut client).len(), 9);
}

#[test]
fn the_cache_is_cleaned_and_invalidated_for_accesses_of_the_host() {
    let mut client = client(CacheLine::B64);
    let base = client.channel().words().base();
    let layout = *client.channel().words().layout();
    let text = "text";
    let mut buf = [0; 2];
    let hooks = client.channel().hooks();
    hooks.cleaned.clear();
    hooks.invalidated.clear();
    hooks.sends = 0;

    client.print(text).unwrap();
    client.memset(&mut buf, 1).unwrap();

    let ptr = |data: &[u8]| data.as_ptr() as u64;
    let hooks = client.channel().hooks();
    assert_eq!(
        hooks.cleaned[..4],
        [
            (ptr(text.as_bytes()), 4),
            (base + layout.request_entry(0), 24),
            (base + layout.request.idx_p, 4),
            (base + layout.response.idx_c, 4),
        ]
    );
    assert_eq!(hooks.cleaned[4], (ptr(&buf), 2));
    assert_eq!(hooks.invalidated[0], (base + layout.request.idx_c, 4));
    assert_eq!(hooks.invalidated[1], (base + layout.response.idx_p, 4));
    assert!(
        hooks
            .invalidated
            .contains(&(base + layout.response_entry(0), 16))
    );
    assert_eq!(hooks.invalidated.last(), Some(&(ptr(&buf), 2)));
    assert_eq!(hooks.sends, 2);
}

#[test]
fn strings_of_cprint_and_memory_of_calls_are_written_back() {
    let mut client = client(CacheLine::B64);
    let text = c"some text";
    crate::cprint!(client, c"%d %s %s\n", 1, text, c"x");
    let hooks = client.channel().hooks();
    let at = (text.as_ptr() as u64, 10);
    assert!(hooks.cleaned.contains(&at), "{:?}", hooks.cleaned);
    assert_eq!(hooks.flushed, 0);

    let mut buf = [1, 2, 3];
    assert_eq!(client.call(c"add", []), 0);
    assert_eq!(client.channel().hooks().flushed, 0);
    client.call(c"add", [1]);
    client.custom(5, [1, 1]);
    let lent = client.lend(&mut buf);
    client.take_back(&mut buf);
    let hooks = client.channel().hooks();
    assert_eq!(hooks.flushed, 4);
    assert_eq!(hooks.cleaned.last(), Some(&(lent as u64, 3)));
    assert_eq!(hooks.invalidated.last(), Some(&(lent as u64, 3)));
}

/// Hooks of a write-back cache.
struct WriteBack;

impl Hooks for WriteBack {
    const WRITE_BACK: bool = true;
}

#[test]
#[should_panic = "a write-back cache needs a cache line"]
fn a_write_back_cache_without_lines_is_refused() {
    let region: &'static Region<4096> = Box::leak(Box::default());
    // SAFETY: it is the only one.
    let channel = unsafe { region.channel(0, CacheLine::None) }.unwrap();
    Client::new(channel, WriteBack).reset();
}

#[test]
fn a_channel_past_the_end_of_its_region_is_none() {
    static REGION: Region<{ 2 * 1512 }> = Region::new();
    for (mb_id, fits) in [(0, true), (1, true), (2, false), (usize::MAX, false)] {
        // SAFETY: it is dropped at once.
        let channel = unsafe { REGION.channel(mb_id, CacheLine::None) };
        assert_eq!(channel.is_some(), fits, "{mb_id}");
    }
}

#[test]
fn accesses_outside_of_the_channel_go_nowhere() {
    static REGION: Region<4096> = Region::new();
    // SAFETY: it is the only one.
    let channel = unsafe { REGION.channel(0, CacheLine::None) }.unwrap();
    let end = channel.layout().channel_size;
    for offset in [1, end, u64::MAX - 3] {
        channel.store(offset, 1);
        assert_eq!(channel.load(offset), 0);
    }
    channel.store(end - 4, 1);
    assert_eq!(channel.load(end - 4), 1);
}
