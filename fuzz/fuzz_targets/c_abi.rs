//! Calls of the C ABI in any order, with pointers that are NULL or valid, in up to three systems.
//! Nothing panics or aborts, results are those of the header, and the first system can be used
//! again at the end.

#![no_main]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::path::PathBuf;
use std::ptr;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
// The library's symbols.
use vhost as _;

unsafe extern "C" {
    fn mb_init(memories: *const c_char, mailboxes: *const c_char, root: *const c_char) -> c_int;
    safe fn mb_tick() -> c_int;
    safe fn mb_notify();
    safe fn mb_shutdown();
    safe fn mb_observe(what: u32);
    safe fn mb_watchdog(ticks: u64, severity: c_int) -> c_int;
    fn mb_attach(list: *const c_char) -> c_int;
    fn mb_system_open(name: *const c_char) -> *mut c_void;
    safe fn mb_system_select(system: *mut c_void) -> c_int;
    safe fn mb_system_current() -> *mut c_void;
    safe fn mb_system_name() -> *const c_char;
    safe fn mb_system_close(system: *mut c_void) -> c_int;
    safe fn mb_is_rerun() -> c_int;
    safe fn mb_rerun() -> c_int;
    fn mb_set_file_root(folder: *const c_char) -> c_int;
    fn mb_save(file: *const c_char) -> c_int;
    fn mb_restore(file: *const c_char) -> c_int;
    fn mb_stdin_write(channel: *const c_char, data: *const c_void, len: u64) -> i64;
    fn mb_stdin_close(channel: *const c_char) -> c_int;
    fn mb_semihost(
        channel: *const c_char,
        hart: u32,
        operation: u64,
        argument: u64,
        result: *mut u64,
    ) -> c_int;
    fn mb_semihost_replace(channel: *const c_char, address: u64, len: u64) -> c_int;
    safe fn mb_last_error() -> *const c_char;
    safe fn mb_status() -> *const c_char;
    fn mb_exit_code(channel: *const c_char, code: *mut u32) -> c_int;
    fn mb_get_space(channel: *const c_char, space: *mut *const c_char);
    fn mb_symbol(
        place: *const c_char,
        name: *const c_char,
        value: *mut u64,
        size: *mut u64,
    ) -> c_int;
    fn mb_backdoor_write_u32(space: *const c_char, address: u64, data: u32);
    fn mb_backdoor_read_u64(space: *const c_char, address: u64, data: *mut u64);
    fn mb_backdoor_write_string(space: *const c_char, address: u64, data: *const c_char);
    fn mb_backdoor_read_string(space: *const c_char, address: u64, data: *mut *const c_char);
    fn mb_backdoor_write_mem(
        space: *const c_char,
        address: u64,
        data: *const c_void,
        len: u64,
    ) -> i64;
    fn mb_backdoor_read_mem(space: *const c_char, address: u64, data: *mut c_void, len: u64)
    -> i64;
    fn mb_load_elf(space: *const c_char, file: *const c_char) -> c_int;
    fn __mb_call(
        channel: *const c_char,
        method: *const c_char,
        len: u32,
        arguments: *const u64,
        status: *mut u32,
    ) -> u64;
    fn c_skt_open(name: *const c_char, port: u32) -> *mut c_void;
    safe fn c_skt_port(socket: *mut c_void) -> c_int;
    fn c_skt_greet(socket: *mut c_void, text: *const c_char);
    safe fn c_skt_accept(socket: *mut c_void) -> c_int;
    safe fn c_skt_write_u32(socket: *mut c_void, client: c_int, data: u32) -> c_int;
    fn c_skt_read_u16(socket: *mut c_void, client: c_int, data: *mut u16) -> c_int;
    fn c_skt_read_string(socket: *mut c_void, client: c_int, data: *mut *const c_char) -> c_int;
    safe fn c_skt_disconnect(socket: *mut c_void, client: c_int);
    safe fn c_skt_close(socket: *mut c_void);
}

/// String argument: NULL, a name that may be known, or any text.
#[derive(Arbitrary, Debug)]
enum Text {
    Null,
    Known(u8),
    Any(Vec<u8>),
}

const KNOWN: [&str; 8] = [
    "core", "core0", "core1", "", "main", "other", "check", "echo",
];

/// Handle: NULL, one of the opened ones, or any value.
#[derive(Arbitrary, Debug)]
enum Handle {
    Null,
    Opened(u8),
    Any(u64),
}

/// Address in the memory, or any address.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Address {
    Inside(u16),
    Any(u64),
}

#[derive(Arbitrary, Debug)]
enum Act {
    Init,
    InitOf(Vec<u8>, Vec<u8>),
    Tick,
    Notify,
    Shutdown,
    Observe(u32),
    Watchdog(u64, i32),
    Attach(Text),
    SystemOpen(Text),
    SystemSelect(Handle),
    SystemClose(Handle),
    SystemQueries,
    FileRoot(bool),
    Save(bool),
    Restore(bool),
    RestoreOf(Vec<u8>),
    Stdin(Text, Option<Vec<u8>>),
    StdinClose(Text),
    Semihost(Text, u32, u64, u64, bool),
    SemihostReplace(Text, Address, u64),
    ExitCode(Text, bool),
    GetSpace(Text, bool),
    Symbol(Text, Text, bool),
    WriteNumber(Text, Address, u32),
    ReadNumber(Text, Address, bool),
    WriteString(Text, Address, Text),
    ReadString(Text, Address, bool),
    WriteMem(Text, Address, Option<Vec<u8>>),
    ReadMem(Text, Address, Option<u16>),
    LoadElf(Text, Vec<u8>),
    Call(Text, Text, Option<Vec<u64>>, bool),
    SocketOpen(Text),
    SocketGreet(Handle, Text),
    Socket(Handle, i32, u32),
    SocketClose(Handle),
}

const MEMORIES: &str = "\
space:
  core:
    - ram: {base: 0, size: 0x8000, path: tb.ram, width: 64, backend: static}
";

const MAILBOXES: &str = "\
core0: {space: core, base: 0x1000, ptr: 32, cache_line: 0, stdio: {stdin: testbench}}
core1: {space: core, ptr: 64, abi: semihosting, stub: none, stdio: {stdin: testbench}}
";

/// Maximum numbers of calls, systems and sockets of an input.
const CALLS: usize = 100;
const SYSTEMS: usize = 2;
const SOCKETS: usize = 8;

/// Folder of this process's files.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("vhost-fuzz-abi-{}", std::process::id()));
    fs::create_dir_all(folder.join("root")).expect("a folder for files");
    fs::write(folder.join("memories"), MEMORIES).expect("a file");
    fs::write(folder.join("mailboxes"), MAILBOXES).expect("a file");
    folder
});

fn path(name: &str) -> CString {
    let path = FOLDER.join(name).into_os_string().into_encoded_bytes();
    CString::new(path).expect("a path without NUL")
}

fn file(name: &str, content: &[u8]) -> CString {
    fs::write(FOLDER.join(name), content).expect("a file");
    path(name)
}

impl Text {
    fn string(&self) -> Option<CString> {
        match self {
            Self::Null => None,
            Self::Known(which) => CString::new(KNOWN[usize::from(*which) % KNOWN.len()]).ok(),
            Self::Any(bytes) => {
                let end = bytes.iter().position(|byte| *byte == 0);
                CString::new(&bytes[..end.unwrap_or(bytes.len())]).ok()
            }
        }
    }
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

fn out<T>(given: bool, place: &mut T) -> *mut T {
    if given { place } else { ptr::null_mut() }
}

impl Handle {
    fn of(&self, opened: &[*mut c_void]) -> *mut c_void {
        match self {
            Self::Opened(which) if !opened.is_empty() => opened[usize::from(*which) % opened.len()],
            Self::Null | Self::Opened(_) => ptr::null_mut(),
            Self::Any(number) => ptr::without_provenance_mut(*number as usize),
        }
    }
}

impl Address {
    fn number(self) -> u64 {
        match self {
            Self::Inside(address) => u64::from(address),
            Self::Any(address) => address,
        }
    }
}

/// Asserts that a status is one of those in the header.
fn one_of(status: c_int, all: &[c_int]) {
    assert!(all.contains(&status), "status {status}");
}

/// Asserts that a returned string is valid.
fn returned(text: *const c_char) {
    assert!(!text.is_null());
    // SAFETY: the library returns C strings that are valid until the next call.
    let text = unsafe { CStr::from_ptr(text) };
    assert!(text.to_bytes().len() < 1 << 24);
}

#[derive(Default)]
struct World {
    systems: Vec<*mut c_void>,
    sockets: Vec<*mut c_void>,
}

fn init() -> c_int {
    let (memories, mailboxes, root) = (path("memories"), path("mailboxes"), path("root"));
    // SAFETY: all three are C strings.
    unsafe { mb_init(memories.as_ptr(), mailboxes.as_ptr(), root.as_ptr()) }
}

impl World {
    fn act(&mut self, act: &Act) {
        let strings = |texts: &[&Text]| texts.iter().map(|text| text.string()).collect::<Vec<_>>();
        // SAFETY: pointers of all calls are NULL, or valid until the call returns; handles are
        // numbers.
        unsafe {
            match act {
                Act::Init => one_of(init(), &[0, -1]),
                Act::InitOf(memories, mailboxes) => {
                    let (memories, mailboxes) =
                        (file("m.yaml", memories), file("b.yaml", mailboxes));
                    let root = path("root");
                    let status = mb_init(memories.as_ptr(), mailboxes.as_ptr(), root.as_ptr());
                    one_of(status, &[0, -1]);
                }
                Act::Tick => assert!(mb_tick() >= -1),
                Act::Notify => mb_notify(),
                Act::Shutdown => mb_shutdown(),
                Act::Observe(what) => mb_observe(*what),
                Act::Watchdog(ticks, severity) => one_of(mb_watchdog(*ticks, *severity), &[0, -1]),
                Act::Attach(list) => {
                    let list = list.string();
                    // No file outside of the folder.
                    if list
                        .as_ref()
                        .is_none_or(|list| !list.to_bytes().contains(&b'='))
                    {
                        one_of(mb_attach(pointer(&list)), &[0, -1]);
                    }
                }
                Act::SystemOpen(name) if self.systems.len() < SYSTEMS => {
                    let opened = mb_system_open(pointer(&name.string()));
                    self.systems.extend((!opened.is_null()).then_some(opened));
                }
                Act::SystemSelect(handle) => {
                    one_of(mb_system_select(handle.of(&self.systems)), &[0, -1]);
                }
                Act::SystemClose(handle) => {
                    let handle = handle.of(&self.systems);
                    let is_open = self.systems.contains(&handle);
                    assert_eq!(mb_system_close(handle) == 0, is_open);
                    self.systems.retain(|open| *open != handle);
                }
                Act::SystemQueries => {
                    let current = mb_system_current();
                    assert!(current.is_null() || self.systems.contains(&current));
                    returned(mb_system_name());
                    returned(mb_status());
                    returned(mb_last_error());
                    assert_eq!((mb_is_rerun(), mb_rerun()), (0, -1));
                }
                Act::FileRoot(good) => {
                    let folder = path(if *good { "root" } else { "memories" });
                    one_of(mb_set_file_root(folder.as_ptr()), &[0, -1]);
                }
                Act::Save(good) => {
                    let file = path(if *good { "x.ckpt" } else { "none/x.ckpt" });
                    one_of(mb_save(file.as_ptr()), &[0, -1]);
                }
                Act::Restore(good) => {
                    let file = path(if *good { "x.ckpt" } else { "none/x.ckpt" });
                    one_of(mb_restore(file.as_ptr()), &[0, -1]);
                }
                Act::RestoreOf(content) => {
                    let file = file("y.ckpt", content);
                    one_of(mb_restore(file.as_ptr()), &[0, -1]);
                }
                Act::Stdin(channel, data) => {
                    let (from, len) = data.as_ref().map_or((ptr::null(), 1), |data| {
                        (data.as_ptr().cast(), data.len() as u64)
                    });
                    let taken = mb_stdin_write(pointer(&channel.string()), from, len);
                    assert!((-1..=len as i64).contains(&taken), "{taken}");
                }
                Act::StdinClose(channel) => {
                    one_of(mb_stdin_close(pointer(&channel.string())), &[0, -1]);
                }
                Act::Semihost(channel, hart, operation, argument, given) => {
                    let (channel, mut result) = (channel.string(), 0);
                    // Every second operation is a known one.
                    let operation = if hart % 2 == 0 {
                        operation % 0x40
                    } else {
                        *operation
                    };
                    let result = out(*given, &mut result);
                    let status =
                        mb_semihost(pointer(&channel), *hart, operation, *argument, result);
                    one_of(status, &[0, 1, -1]);
                }
                Act::SemihostReplace(channel, address, len) => {
                    let channel = channel.string();
                    assert!(mb_semihost_replace(pointer(&channel), address.number(), *len) >= -1);
                }
                Act::ExitCode(channel, given) => {
                    let (channel, mut code) = (channel.string(), 0);
                    one_of(
                        mb_exit_code(pointer(&channel), out(*given, &mut code)),
                        &[0, 1, -1],
                    );
                }
                Act::GetSpace(channel, given) => {
                    let (channel, mut space) = (channel.string(), ptr::null());
                    mb_get_space(pointer(&channel), out(*given, &mut space));
                    if *given {
                        returned(space);
                    }
                }
                Act::Symbol(place, name, given) => {
                    let [place, name] = &strings(&[place, name])[..] else {
                        return;
                    };
                    let (mut value, mut size) = (0, 0);
                    let size = out(*given, &mut size);
                    let status = mb_symbol(pointer(place), pointer(name), &raw mut value, size);
                    one_of(status, &[0, -1]);
                }
                Act::WriteNumber(space, address, number) => {
                    mb_backdoor_write_u32(pointer(&space.string()), address.number(), *number);
                }
                Act::ReadNumber(space, address, given) => {
                    let (space, mut number) = (space.string(), 0);
                    let number = out(*given, &mut number);
                    mb_backdoor_read_u64(pointer(&space), address.number(), number);
                }
                Act::WriteString(space, address, text) => {
                    let [space, text] = &strings(&[space, text])[..] else {
                        return;
                    };
                    mb_backdoor_write_string(pointer(space), address.number(), pointer(text));
                }
                Act::ReadString(space, address, given) => {
                    let (space, mut text) = (space.string(), ptr::null());
                    let place = out(*given, &mut text);
                    mb_backdoor_read_string(pointer(&space), address.number(), place);
                    if *given {
                        returned(text);
                    }
                }
                Act::WriteMem(space, address, data) => {
                    let (from, len) = data.as_ref().map_or((ptr::null(), 1), |data| {
                        (data.as_ptr().cast(), data.len() as u64)
                    });
                    let space = space.string();
                    let moved = mb_backdoor_write_mem(pointer(&space), address.number(), from, len);
                    assert!([-1, len as i64].contains(&moved), "{moved}");
                }
                Act::ReadMem(space, address, len) => {
                    let mut data = vec![0_u8; len.unwrap_or_default().into()];
                    let (to, len) = match len {
                        None => (ptr::null_mut(), 1),
                        Some(len) => (data.as_mut_ptr().cast(), u64::from(*len)),
                    };
                    let space = space.string();
                    let moved = mb_backdoor_read_mem(pointer(&space), address.number(), to, len);
                    assert!([-1, len as i64].contains(&moved), "{moved}");
                }
                Act::LoadElf(space, image) => {
                    let (space, file) = (space.string(), file("x.elf", image));
                    one_of(mb_load_elf(pointer(&space), file.as_ptr()), &[0, -1]);
                }
                Act::Call(channel, method, arguments, given) => {
                    let [channel, method] = &strings(&[channel, method])[..] else {
                        return;
                    };
                    let (from, len) = arguments.as_ref().map_or((ptr::null(), 1), |arguments| {
                        (arguments.as_ptr(), arguments.len() as u32)
                    });
                    let mut status = 0;
                    let place = out(*given, &mut status);
                    __mb_call(pointer(channel), pointer(method), len, from, place);
                    assert!(status <= 3, "status {status}");
                }
                Act::SocketOpen(name) if self.sockets.len() < SOCKETS => {
                    let opened = c_skt_open(pointer(&name.string()), 0);
                    self.sockets.extend((!opened.is_null()).then_some(opened));
                }
                Act::SocketGreet(handle, text) => {
                    c_skt_greet(handle.of(&self.sockets), pointer(&text.string()));
                }
                Act::Socket(handle, client, number) => {
                    let socket = handle.of(&self.sockets);
                    let (mut number_read, mut text) = (0, ptr::null());
                    assert!(c_skt_port(socket) >= -1);
                    one_of(c_skt_accept(socket), &[0, -1]);
                    one_of(c_skt_write_u32(socket, *client, *number), &[-1]);
                    one_of(c_skt_read_u16(socket, *client, &raw mut number_read), &[-1]);
                    one_of(c_skt_read_string(socket, *client, &raw mut text), &[-1]);
                    returned(text);
                    c_skt_disconnect(socket, *client);
                }
                Act::SocketClose(handle) => c_skt_close(handle.of(&self.sockets)),
                Act::SystemOpen(_) | Act::SocketOpen(_) => {}
            }
        }
    }

    /// Ends all systems, and uses the first one again.
    fn finish(self) {
        for system in self.systems {
            assert_eq!(mb_system_close(system), 0);
        }
        assert!(mb_system_current().is_null());
        mb_shutdown();
        assert_eq!(init(), 0);
        assert_eq!(mb_tick(), 2);
        mb_shutdown();
    }
}

fuzz_target!(|acts: Vec<Act>| {
    let mut world = World::default();
    for act in acts.iter().take(CALLS) {
        world.act(act);
    }
    world.finish();
});
