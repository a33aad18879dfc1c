//! Echo of 64-byte messages: with the library's sockets, and with the same loop on `std::net`.

use std::ffi::{c_char, c_int, c_void};
use std::hint;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};

unsafe extern "C" {
    fn c_skt_open(name: *const c_char, port: u32) -> *mut c_void;
    fn c_skt_port(skt: *mut c_void) -> c_int;
    fn c_skt_greet(skt: *mut c_void, text: *const c_char);
    fn c_skt_accept(skt: *mut c_void) -> c_int;
    fn c_skt_read_string(skt: *mut c_void, id: c_int, s: *mut *const c_char) -> c_int;
    fn c_skt_write_string(skt: *mut c_void, id: c_int, s: *const c_char) -> c_int;
    fn c_skt_disconnect(skt: *mut c_void, id: c_int);
}

/// String of 63 bytes and its NUL.
const MESSAGE: [u8; 64] = {
    let mut message = [b'x'; 64];
    message[63] = 0;
    message
};

/// Numbers of messages that a client sends before it reads replies.
const BATCHES: [u64; 2] = [1, 256];

pub(crate) fn echo(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("echo of 64 bytes");
    group.throughput(Throughput::Elements(1));
    let library = Library::open();
    let bare = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    for batch in BATCHES {
        group.bench_function(format!("{batch} at a time, the library"), |bencher| {
            bencher.iter_custom(|times| library.serve(times, batch));
        });
        group.bench_function(format!("{batch} at a time, bare std::net"), |bencher| {
            bencher.iter_custom(|times| serve_bare(&bare, times, batch));
        });
    }
    group.finish();
}

/// Client that sends this number of messages and checks the echo.
fn client(port: u16, times: u64, batch: u64) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server");
        stream.set_nodelay(true).expect("an open connection");
        let mut left = times;
        while left > 0 {
            let now = usize::try_from(left.min(batch)).expect("a small number");
            let sent = MESSAGE.repeat(now);
            stream.write_all(&sent).expect("an open connection");
            let mut echo = vec![0; sent.len()];
            stream.read_exact(&mut echo).expect("an echo");
            assert!(echo == sent, "the echo is another");
            left -= now as u64;
        }
    })
}

struct Library(*mut c_void);

impl Library {
    fn open() -> Self {
        // SAFETY: a C string.
        let socket = unsafe { c_skt_open(c"echo".as_ptr(), 0) };
        assert!(!socket.is_null());
        // SAFETY: a C string.
        unsafe { c_skt_greet(socket, c"".as_ptr()) };
        Self(socket)
    }

    fn serve(&self, times: u64, batch: u64) -> Duration {
        // SAFETY: no pointer is dereferenced.
        let port = unsafe { c_skt_port(self.0) };
        let client = client(port.try_into().expect("a port"), times, batch);
        let id = until(|| {
            // SAFETY: as above.
            let id = unsafe { c_skt_accept(self.0) };
            (id != 0).then_some(id)
        });
        let start = Instant::now();
        for _ in 0..times {
            let message = until(|| {
                let mut message = std::ptr::null();
                // SAFETY: a valid pointer to the string.
                let len = unsafe { c_skt_read_string(self.0, id, &raw mut message) };
                (len != 0).then_some(message)
            });
            // SAFETY: the string is valid until the next read.
            let len = unsafe { c_skt_write_string(self.0, id, message) };
            assert_eq!(len, 64);
        }
        let spent = start.elapsed();
        client.join().expect("a client that is content");
        // SAFETY: no pointer is dereferenced.
        unsafe { c_skt_disconnect(self.0, id) };
        spent
    }
}

fn serve_bare(listener: &TcpListener, times: u64, batch: u64) -> Duration {
    let port = listener.local_addr().expect("its address").port();
    let client = client(port, times, batch);
    let (mut stream, _) = listener.accept().expect("a client");
    stream.set_nonblocking(true).expect("an open connection");
    stream.set_nodelay(true).expect("an open connection");
    let start = Instant::now();
    for _ in 0..times {
        let mut message = [0; 64];
        let mut at = 0;
        while at < message.len() {
            at += until(|| now(stream.read(&mut message[at..])));
        }
        let mut at = 0;
        while at < message.len() {
            at += until(|| now(stream.write(&message[at..])));
        }
    }
    let spent = start.elapsed();
    client.join().expect("a client that is content");
    spent
}

fn now(result: std::io::Result<usize>) -> Option<usize> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        result => Some(result.expect("an open connection")),
    }
}

fn until<T>(mut poll: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = poll() {
            return found;
        }
        hint::spin_loop();
    }
}
