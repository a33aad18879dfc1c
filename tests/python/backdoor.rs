//! Backdoor functions for Python code.

use std::cell::RefCell;
use std::rc::Rc;

use vhost::Progress::{Pending, Ready};
use vhost::Vhost;

use crate::fixture::{CORE32, CORE64, DATA, PythonFixture};
use crate::subprocess::Subprocess;

#[test]
fn a_callback_reads_a_string_argument_of_firmwares_while_it_is_polled() {
    let script = "
from vhost import get_space, read_string, write_string
@register_callback
async def greet(channel, address):
    space = get_space(channel)
    name = read_string(space, address)
    write_string(space, address, name.upper() + '!')
    return len(name)
";
    let test = "backdoor::a_callback_reads_a_string_argument_of_firmwares_while_it_is_polled";
    Subprocess::with(script).run(test, || {
        let fixture = PythonFixture::new();
        let mut firmware = fixture.firmware();
        // The last text is not UTF-8, so that Python can't represent it.
        for (name, back, len) in [
            (&b"otto"[..], &b"OTTO!"[..], 4),
            ("café".as_bytes(), "CAFÉ!".as_bytes(), 4),
            (b"", b"!", 0),
            (b"a\xff", b"A\xff!", 2),
        ] {
            fixture.vhost.write_string("core", DATA, name).unwrap();
            let answer = fixture.served(&mut firmware, "greet", &[DATA], 1).unwrap();
            assert_eq!(answer.rets, len);
            assert_eq!(fixture.vhost.read_string("core", DATA).unwrap(), back);
        }
    });
}

#[test]
fn words_and_bytes_of_every_size() {
    let script = "
import vhost
@register_callback
async def check(channel, at):
    space = vhost.get_space(channel)
    for bits in (8, 16, 32, 64):
        for prefix in ('', 'py_mb_backdoor_'):
            read = getattr(vhost, f'{prefix}read_u{bits}')
            write = getattr(vhost, f'{prefix}write_u{bits}')
            for value in (0, 1, 2 ** (bits - 1), 2**bits - 1):
                write(space, at, value)
                assert read(space, at) == value
                assert vhost.read_bytes(space, at, bits // 8) == value.to_bytes(bits // 8, 'little')
            for wrong in (-1, 2**bits):
                try: write(space, at, wrong)
                except OverflowError: continue
                assert False, wrong
    assert vhost.py_mb_get_space(channel) == space
    try: vhost.symbol(channel, 'main')
    except vhost.Error as error: assert 'no symbol `main`' in str(error), error
    else: assert False, 'a symbol of no image'
    try: vhost.semihost(channel, 0, 0x10, 0)
    except vhost.Error as error: assert 'no semihosting' in str(error), error
    else: assert False, 'an operation without semihosting'
    try: vhost.replace_traps(channel, 0, 16)
    except vhost.Error as error: assert 'no code in place of traps' in str(error), error
    else: assert False, 'traps without semihosting'
    vhost.write_bytes(space, at, b'12345')
    vhost.write_bytes(space, at + 5, bytearray(b'678'))
    vhost.write_bytes(space, at + 8, memoryview(b'x9y')[1:2])
    assert vhost.read_bytes(space, at, 9) == b'123456789'
    assert vhost.read_bytes(space, at, 0) == b''
    buffer = bytearray(4)
    assert vhost.read_into(space, at + 2, buffer) == 4
    assert buffer == b'3456'
    vhost.py_mb_backdoor_write_string(space, at, 'text')
    assert vhost.py_mb_backdoor_read_string(space, at) == 'text'
    return 1
";
    Subprocess::with(script).run("backdoor::words_and_bytes_of_every_size", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.poll(CORE64, "check", &[DATA]).unwrap(), Ready(1));
    });
}

#[test]
fn elements_of_any_type_are_moved() {
    let script = "
import array, vhost
@register_callback
async def move(channel, at):
    words = array.array('I', range(64))
    vhost.write_bytes('core', at, words)
    assert vhost.read_u32('core', at + 4 * 63) == 63
    back = array.array('d', bytes(256))
    assert vhost.read_into('core', at, back) == 256
    assert back.tobytes() == words.tobytes()
    grid = memoryview(bytearray(64)).cast('B').cast('H', (4, 8))
    assert vhost.read_into('core', at, grid) == 64
    assert grid.tobytes() == words.tobytes()[:64]
    for wrong, kind in ((memoryview(b'abcdef')[::2], TypeError), ('text', TypeError), (5, TypeError)):
        try: vhost.write_bytes('core', at, wrong)
        except kind: continue
        assert False, wrong
    try: vhost.read_into('core', at, b'fixed')
    except ValueError: return 1
";
    Subprocess::with(script).run("backdoor::elements_of_any_type_are_moved", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.poll(CORE64, "move", &[DATA]).unwrap(), Ready(1));
    });
}

#[test]
fn errors_are_exceptions_that_a_callback_may_catch() {
    let script = "
import vhost
@register_callback
async def outside(channel): return vhost.read_u32('core', 0x9000)
@register_callback
async def catches(channel):
    texts = []
    for ask in (
        lambda: vhost.get_space('nowhere'),
        lambda: vhost.read_u8('no space', 0),
        lambda: vhost.write_u64('core', 0x7ffc, 1),
        lambda: vhost.read_bytes('core', 0, 1 << 62),
        lambda: vhost.read_bytes('core', 2**64 - 1, 2),
    ):
        try: ask()
        except vhost.Error as error: texts.append(str(error))
    try: vhost.write_string('core', 0x4000, 'a\\0b')
    except ValueError: texts.append('NUL')
    print('\\n'.join(texts))
    return len(texts)
";
    let test = "backdoor::errors_are_exceptions_that_a_callback_may_catch";
    let printed = Subprocess::with(script).run(test, || {
        let fixture = PythonFixture::new();
        let failure = fixture.failure(CORE64, "outside", &[]);
        assert!(failure.contains("vhost.Error: "), "{failure}");
        assert!(failure.contains("0x9000"), "{failure}");
        assert_eq!(fixture.call("catches").unwrap(), Ready(6));
    });
    if let Some(printed) = printed {
        for part in ["`nowhere`", "core32, core64", "`no space`", "0x7ffc", "NUL"] {
            assert!(printed.stdout.contains(part), "{part}: {}", printed.stdout);
        }
    }
}

/// The system of a Rust program belongs to its thread; another thread has none. The GIL is released
/// while the system works; otherwise this test would hang.
#[test]
fn another_thread_has_no_system() {
    let script = "
import asyncio, threading, vhost
failed = []
def elsewhere():
    try: vhost.read_u8('core', 0)
    except vhost.Error as error: failed.append(str(error))
@register_callback
async def thread(channel):
    other = threading.Thread(target=elsewhere)
    other.start()
    while other.is_alive(): vhost.read_u8('core', 0)
    assert 'vhost is not running' in failed[0]
    return len(failed)
";
    Subprocess::with(script).run("backdoor::another_thread_has_no_system", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.call("thread").unwrap(), Ready(1));
    });
}

/// Nested foreign calls.
#[test]
fn a_method_of_the_host_program_may_call_python() {
    let script = "
import asyncio
@register_callback
async def slow(channel):
    await asyncio.sleep(0)
    return 6
";
    Subprocess::with(script).run(
        "backdoor::a_method_of_the_host_program_may_call_python",
        || {
            let fixture = PythonFixture::new();
            fixture
                .vhost
                .register_method("by_way", |vhost, call| {
                    let progress = vhost.poll_call(call.channel, "slow", &[])?;
                    Ok(match progress {
                        Ready(result) => std::task::Poll::Ready(result + 1),
                        _ => std::task::Poll::Pending,
                    })
                })
                .unwrap();
            let mut firmware = fixture.firmware();
            assert_eq!(fixture.poll(CORE32, "by_way", &[]).unwrap(), Pending);
            fixture.tick();
            assert_eq!(fixture.poll(CORE32, "by_way", &[]).unwrap(), Ready(7));
            assert_eq!(
                fixture
                    .served(&mut firmware, "by_way", &[], 3)
                    .unwrap()
                    .rets,
                7
            );
        },
    );
}

thread_local! {
    /// System that [`ask_for_seven`] uses.
    static SYSTEM: RefCell<Option<Rc<Vhost>>> = const { RefCell::new(None) };
}

/// A function that a C library may offer to Python.
extern "C" fn ask_for_seven() -> u64 {
    SYSTEM.with_borrow(|system| {
        let system = system.as_ref().unwrap();
        let progress = system.poll_call(CORE32, "seven", &[]).unwrap();
        // Inside a task, the call begins in the next turn of the event loop.
        u64::from(progress == Pending)
    })
}

/// `ctypes` releases the GIL before it calls a function, unknown to pyo3.
#[test]
fn a_callback_may_come_back_by_way_of_c() {
    let script = "
import ctypes
@register_callback
async def by_c(channel, function): return ctypes.CFUNCTYPE(ctypes.c_uint64)(function)()
@register_callback
async def seven(channel): return 7
";
    Subprocess::with(script).run("backdoor::a_callback_may_come_back_by_way_of_c", || {
        let fixture = PythonFixture::new();
        SYSTEM.set(Some(fixture.vhost.clone()));
        let function = ask_for_seven as *const () as u64;
        assert_eq!(fixture.poll(CORE64, "by_c", &[function]).unwrap(), Ready(1));
        fixture.tick();
        assert_eq!(fixture.poll(CORE32, "seven", &[]).unwrap(), Ready(7));
        SYSTEM.take();
    });
}
