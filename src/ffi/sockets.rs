//! Sockets: TCP servers that the testbench polls.
//!
//! A handle is a number in the form of a pointer. It is looked up before use, and never
//! dereferenced.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use super::arguments::{Out, open_array, string, text};
use super::call::Call;
use super::error::Error;
use super::guard::guard;
use super::systems;
use crate::messages::sockets::{ClientId, SocketId};
use crate::sim::current_system::{NUMBERS, SystemId, current, during};
use crate::system::{self, Sockets};

/// Bits shared by all handles: "skt" above 40 bits. Small numbers, client ids and most pointers
/// lack them.
const MARK: u64 = 0x73_6b74 << 40;

/// Number of bits for a socket's number in its system. The bits above have the number of the
/// system.
const SOCKET_BITS: u32 = 28;

fn handle(system: SystemId, socket: SocketId) -> Result<*mut c_void, Error> {
    if socket.0 >> SOCKET_BITS != 0 {
        return Err(Error::TooManySockets);
    }
    let number = MARK | (system.number() as u64) << SOCKET_BITS | socket.0;
    let number = usize::try_from(number).map_err(|_| Error::NoHandles)?;
    Ok(ptr::without_provenance_mut(number))
}

/// Socket of a handle, with the number of its system.
fn socket(handle: *mut c_void) -> Result<(usize, SocketId), Error> {
    if handle.is_null() {
        return Err(Error::Null { argument: "skt" });
    }
    let number = handle.addr() as u64 ^ MARK;
    let system = usize::try_from(number >> SOCKET_BITS).ok();
    let system = system.filter(|system| *system < NUMBERS);
    let socket = SocketId(number % (1 << SOCKET_BITS));
    Ok((system.ok_or(Error::NoHandle(handle.addr()))?, socket))
}

/// Uses a socket, which may belong to another system than the current one.
fn with_socket<T>(
    call: &Call,
    handle: *mut c_void,
    act: impl FnOnce(Sockets<'_>, SocketId) -> Result<T, system::Error>,
) -> Result<T, Error> {
    let (number, socket) = socket(handle)?;
    let id = systems::of_number(call.usable_strand()?, number);
    let id = id.ok_or(Error::NoHandle(handle.addr()))?;
    during(id, || {
        call.system_state()?
            .with_sockets(|sockets| Ok(act(sockets, socket)?))
    })
}

/// Listens on a port of 127.0.0.1.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn c_skt_open(name: *const c_char, port: u32) -> *mut c_void {
    guard("c_skt_open", ptr::null_mut(), |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let name = unsafe { text(name, "name") }?;
        let port = u16::try_from(port).map_err(|_| Error::NoPort(port))?;
        let opened = call
            .system_state()?
            .with_sockets(|sockets| Ok(sockets.open(name, port)?))?;
        handle(current(), opened)
    })
}

/// Port in use.
#[unsafe(no_mangle)]
pub(super) extern "C" fn c_skt_port(skt: *mut c_void) -> c_int {
    guard("c_skt_port", -1, |call| {
        Ok(with_socket(call, skt, |sockets, socket| sockets.port(socket))?.into())
    })
}

/// Sets the greeting of later clients.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn c_skt_greet(skt: *mut c_void, greeting: *const c_char) {
    guard("c_skt_greet", (), |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let greeting = unsafe { text(greeting, "text") }?;
        with_socket(call, skt, |sockets, socket| sockets.greet(socket, greeting))
    });
}

/// Accepts a waiting client.
#[unsafe(no_mangle)]
pub(super) extern "C" fn c_skt_accept(skt: *mut c_void) -> c_int {
    guard("c_skt_accept", -1, |call| {
        let accepted = with_socket(call, skt, |sockets, socket| sockets.accept(socket))?;
        Ok(accepted.map_or(0, |client| client.0))
    })
}

macro_rules! numbers {
    ($($write:ident, $read:ident: $number:ty;)+) => {$(
        /// Sends one number, little endian.
        #[unsafe(no_mangle)]
        pub(super) extern "C" fn $write(skt: *mut c_void, id: c_int, data: $number) -> c_int {
            guard(stringify!($write), -1, |call| {
                write(call, skt, id, data.to_le_bytes().to_vec())
            })
        }

        /// Reads one number, little endian, after all its bytes have arrived.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $read(skt: *mut c_void, id: c_int, data: *mut $number) -> c_int {
            guard(stringify!($read), -1, |call| {
                // SAFETY: C gives NULL or room for a number until this returns.
                let data = unsafe { Out::new(data, 0, "data") }?;
                let read = with_socket(call, skt, |sockets, socket| sockets.read_exactly(socket, ClientId(id)))?;
                Ok(read.map_or(0, |bytes| {
                    data.set(<$number>::from_le_bytes(bytes));
                    count(bytes.len())
                }))
            })
        }
    )+};
}

numbers! {
    c_skt_write_u8, c_skt_read_u8: u8;
    c_skt_write_u16, c_skt_read_u16: u16;
    c_skt_write_u32, c_skt_read_u32: u32;
    c_skt_write_u64, c_skt_read_u64: u64;
}

/// Sends a string and its NUL.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn c_skt_write_string(
    skt: *mut c_void,
    id: c_int,
    data: *const c_char,
) -> c_int {
    guard("c_skt_write_string", -1, |call| {
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let data = unsafe { string(data, "s") }?;
        write(call, skt, id, [data, &[0]].concat())
    })
}

/// Reads a string up to its NUL, after that has arrived.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn c_skt_read_string(
    skt: *mut c_void,
    id: c_int,
    data: *mut *const c_char,
) -> c_int {
    guard("c_skt_read_string", -1, |call| {
        // SAFETY: C gives NULL or room for a pointer until this returns.
        let data = unsafe { Out::new(data, c"".as_ptr(), "s") }?;
        let client = ClientId(id);
        let read = with_socket(call, skt, |sockets, socket| {
            sockets.read_string(socket, client)
        })?;
        // Has no NUL: reading stops at the first one.
        let read = CString::new(read.unwrap_or_default()).unwrap_or_default();
        let len = count(read.as_bytes().len());
        data.set(call.system_state()?.returned.socket_string.store(read));
        Ok(len)
    })
}

/// Sends a whole SystemVerilog array.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn c_skt_write_bytes(
    skt: *mut c_void,
    id: c_int,
    data: *mut c_void,
) -> c_int {
    guard("c_skt_write_bytes", -1, |call| {
        // SAFETY: it is imported with `byte unsigned data[]`.
        let data = unsafe { open_array(data, "data") }?;
        write(call, skt, id, data.to_vec()?)
    })
}

/// Reads the bytes that have arrived, at most the size of a SystemVerilog array.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn c_skt_read_bytes(
    skt: *mut c_void,
    id: c_int,
    data: *mut c_void,
) -> c_int {
    guard("c_skt_read_bytes", -1, |call| {
        // SAFETY: it is imported with `byte unsigned data[]`.
        let data = unsafe { open_array(data, "data") }?;
        let client = ClientId(id);
        let read = with_socket(call, skt, |sockets, socket| {
            sockets.read(socket, client, data.len())
        })?;
        let read = read.unwrap_or_default();
        data.fill(&read)?;
        Ok(count(read.len()))
    })
}

/// Closes a connection.
#[unsafe(no_mangle)]
pub(super) extern "C" fn c_skt_disconnect(skt: *mut c_void, id: c_int) {
    guard("c_skt_disconnect", (), |call| {
        let client = ClientId(id);
        with_socket(call, skt, |sockets, socket| {
            sockets.disconnect(socket, client)
        })
    });
}

/// Stops listening.
#[unsafe(no_mangle)]
pub(super) extern "C" fn c_skt_close(skt: *mut c_void) {
    guard("c_skt_close", (), |call| {
        with_socket(call, skt, |sockets, socket| sockets.close(socket))
    });
}

fn write(call: &Call, skt: *mut c_void, id: c_int, data: Vec<u8>) -> Result<c_int, Error> {
    let len = count(data.len());
    with_socket(call, skt, |sockets, socket| {
        sockets.write(socket, ClientId(id), data)
    })?;
    Ok(len)
}

/// Number of bytes as a C `int`.
fn count(bytes: usize) -> c_int {
    c_int::try_from(bytes).unwrap_or(c_int::MAX)
}
