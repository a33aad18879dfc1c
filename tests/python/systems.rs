//! Several systems of the C ABI: one at a time has methods in Python.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::time::Duration;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request};

use crate::subprocess::Subprocess;
use test_support::c_host::{MAILBOX, MAILBOXES, MEMORIES, init, mb_tick, read, write};

const NAME: u64 = 0x3000;
const DATA: u64 = 0x4000;

/// Result of a call of a missing method: -ENOSYS in 32 bits.
const NO_METHOD: u64 = 0xffff_ffda;

mod c {
    use super::{c_char, c_int, c_void};

    unsafe extern "C" {
        pub(super) fn mb_system_open(name: *const c_char) -> *mut c_void;
        pub(super) safe fn mb_system_select(system: *mut c_void) -> c_int;
        pub(super) safe fn mb_system_close(system: *mut c_void) -> c_int;
    }
}

/// Further system, whose memory is accessed while it is selected.
#[derive(Clone, Copy)]
struct System(*mut c_void);

impl System {
    fn open(name: &str) -> Self {
        let name = CString::new(name).unwrap();
        // SAFETY: a C string.
        let system = unsafe { c::mb_system_open(name.as_ptr()) };
        assert_ne!(system, ptr::null_mut());
        Self(system)
    }

    fn select(self) {
        assert_eq!(c::mb_system_select(self.0), 0);
    }

    fn close(self) {
        assert_eq!(c::mb_system_close(self.0), 0);
    }
}

impl Memory for System {
    fn read(&self, address: u64, buf: &mut [u8]) {
        self.select();
        assert!(read(address, buf), "{address:#x}");
    }

    fn write(&self, address: u64, data: &[u8]) {
        self.select();
        assert!(write(address, data), "{address:#x}");
    }
}

/// Starts a system, and returns its firmware.
fn begin(name: &str) -> (System, Firmware<System>) {
    let folder = tempfile::tempdir().unwrap();
    let system = System::open(name);
    system.select();
    assert_eq!(init(folder.path(), MEMORIES, MAILBOXES), 0);
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let mut firmware = Firmware::new(system, MAILBOX, layout);
    firmware.reset();
    system.select();
    assert_eq!(mb_tick(), 1);
    assert!(firmware.is_ready());
    (system, firmware)
}

/// Result of a call by firmware. This system is also selected between ticks.
fn call(system: System, firmware: &mut Firmware<System>, method: &str, args: &[u64]) -> u64 {
    call_while(system, firmware, method, args, system)
}

/// Result of a call by firmware. The other system is selected between ticks.
fn call_while(
    system: System,
    firmware: &mut Firmware<System>,
    method: &str,
    args: &[u64],
    other: System,
) -> u64 {
    let mut name = method.as_bytes().to_vec();
    name.push(0);
    system.write(NAME, &name);
    let args = args.try_into().unwrap();
    assert!(firmware.try_send(&Request::Call { method: NAME, args }));
    let mut answers = (0..10_000).map(|_| {
        system.select();
        assert_eq!(mb_tick(), 1);
        other.select();
        std::thread::sleep(Duration::from_millis(1));
        firmware.try_receive()
    });
    answers.find_map(|answer| answer).unwrap().rets
}

const SCRIPT: &str = "
import asyncio, time, vhost
async def poke(channel, address, value):
    vhost.write_u32('core', address, value)
    await asyncio.sleep(0)
    return vhost.read_u32('core', address)
def read(address):
    while True:
        try:
            return vhost.read_u32('core', address)
        except vhost.Error as error:
            if 'several systems run' in str(error):
                return 99
            assert 'another thread is inside' in str(error), error
            time.sleep(0.0001)
async def elsewhere(channel, address):
    return await asyncio.to_thread(read, address)
register_callback(poke)
register_callback(elsewhere)
";

#[test]
fn one_system_has_methods_at_a_time() {
    let test = "systems::one_system_has_methods_at_a_time";
    let output = Subprocess::with(SCRIPT).run(test, || {
        let (left, mut of_left) = begin("left");
        let (right, mut of_right) = begin("right");
        right.write(DATA, &7_u32.to_le_bytes());
        assert_eq!(call(left, &mut of_left, "poke", &[DATA, 42]), 42);
        let mut word = [0; 4];
        right.read(DATA, &mut word);
        assert_eq!(u32::from_le_bytes(word), 7);
        left.read(DATA, &mut word);
        assert_eq!(u32::from_le_bytes(word), 42);

        // All systems have the testbench's methods.
        for _ in 0..2 {
            assert_eq!(call(right, &mut of_right, "poke", &[DATA, 1]), NO_METHOD);
            assert_eq!(call(right, &mut of_right, "sum", &[3, 4]), 7);
        }
        assert_eq!(call(left, &mut of_left, "poke", &[DATA, 43]), 43);

        // A thread of Python is refused while another system is selected, and never accesses that
        // system's memory.
        assert_eq!(call(left, &mut of_left, "elsewhere", &[DATA]), 43);
        let mut seen =
            (0..100).map(|_| call_while(left, &mut of_left, "elsewhere", &[DATA], right));
        let refused = seen.find(|seen| {
            assert!([43, 99].contains(seen), "{seen}");
            *seen == 99
        });
        assert_eq!(refused, Some(99));

        // The next system that calls a method has them.
        left.close();
        assert_eq!(call(right, &mut of_right, "poke", &[DATA, 8]), 8);
        right.close();
        let (left, mut of_left) = begin("left");
        assert_eq!(call(left, &mut of_left, "poke", &[DATA, 44]), 44);
        assert_eq!(call(left, &mut of_left, "elsewhere", &[DATA]), 44);
        left.close();
    });
    if let Some(output) = output {
        let cause = "another system of this process has the methods in Python";
        assert_eq!(output.stderr.matches(cause).count(), 1, "{}", output.stderr);
    }
}
