//! C ABI called from several threads in turn, with methods in Python, and Python threads that use
//! the backdoor.

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request};

use crate::subprocess::Subprocess;
use test_support::c_host::{MAILBOX, MAILBOXES, MEMORIES, init, mb_shutdown, mb_tick, read, write};

const NAME: u64 = 0x3000;
const DATA: u64 = 0x4000;

/// Ticks after which a call is considered lost.
const LIMIT: usize = 200_000;

/// Memory, accessed by the C ABI. Threads of Python never cause the refusal of a call.
struct Chip;

impl Memory for Chip {
    fn read(&self, address: u64, buf: &mut [u8]) {
        assert!(read(address, buf), "{address:#x}");
    }

    fn write(&self, address: u64, data: &[u8]) {
        assert!(write(address, data), "{address:#x}");
    }
}

/// Threads of a simulator that tick in turn.
struct Simulator {
    workers: Vec<(Sender<()>, Receiver<c_int>)>,
    ticks: usize,
}

impl Simulator {
    fn new(workers: usize) -> Self {
        let worker = |_| {
            let (go, reported) = channel();
            let (answer, answered) = channel();
            thread::spawn(move || {
                while reported.recv().is_ok() {
                    answer.send(mb_tick()).unwrap();
                }
            });
            (go, answered)
        };
        let workers = (0..workers).map(worker).collect();
        Self { workers, ticks: 0 }
    }

    fn tick(&mut self) {
        let (go, answered) = &self.workers[self.ticks % self.workers.len()];
        go.send(()).unwrap();
        assert_eq!(answered.recv().unwrap(), 1);
        self.ticks += 1;
    }

    /// Result of a call by firmware.
    fn call(&mut self, firmware: &mut Firmware<Chip>, method: &str, args: &[u64]) -> u64 {
        let mut name = method.as_bytes().to_vec();
        name.push(0);
        Chip.write(NAME, &name);
        let call = Request::Call {
            method: NAME,
            args: args.try_into().unwrap(),
        };
        assert!(firmware.try_send(&call));
        let mut answers = (0..LIMIT).map(|_| {
            self.tick();
            firmware.try_receive()
        });
        answers.find_map(|answer| answer).unwrap().rets
    }
}

/// Initialises the host on a separate thread, which then ends.
fn start(folder: &Path) {
    let folder = folder.to_owned();
    let started = thread::spawn(move || init(&folder, MEMORIES, MAILBOXES));
    assert_eq!(started.join().unwrap(), 0);
}

/// Runs calls on a host that one thread initialises and two others tick in turn.
fn simulate(calls: impl FnOnce(&mut Simulator, &mut Firmware<Chip>)) {
    let folder = tempfile::tempdir().unwrap();
    start(folder.path());
    let mut simulator = Simulator::new(2);
    let mut firmware = Firmware::new(Chip, MAILBOX, Layout::new(PtrWidth::P4, CacheLine::None));
    firmware.reset();
    simulator.tick();
    assert!(firmware.is_ready());
    calls(&mut simulator, &mut firmware);
    thread::spawn(|| mb_shutdown()).join().unwrap();
}

/// Callback that takes several ticks. Its result is the number of threads that ran it.
const WALK: &str = "
import asyncio, threading, vhost
async def walk(channel, address, ticks):
    threads = set()
    for step in range(ticks):
        threads.add(threading.get_ident())
        vhost.write_u32(vhost.get_space(channel), address, step)
        await asyncio.sleep(0)
        assert vhost.read_u32('core', address) == step
    return len(threads)
";

fn walks() {
    simulate(|simulator, firmware| {
        for _ in 0..20 {
            assert_eq!(simulator.call(firmware, "walk", &[DATA, 6]), 2);
        }
        assert_eq!(
            simulator.call(firmware, "sum", &[3, 4]),
            7,
            "the testbench's"
        );
    });
}

#[test]
fn callbacks_go_on_whichever_thread_ticks() {
    let script = format!("{WALK}\nregister_callback(walk)");
    Subprocess::with(&script).run("threads::callbacks_go_on_whichever_thread_ticks", walks);
}

/// asyncio has one current event loop per thread, so the module's loop would differ between polls.
#[test]
fn a_poll_of_the_users_own_has_one_event_loop_on_all_threads() {
    let script = format!(
        "{WALK}
calls = {{}}
def poll(method, channel, *args):
    if method != 'walk': return False, False, None
    if channel not in calls:
        calls[channel] = asyncio.get_event_loop().create_task(walk(channel, *args))
    assert calls[channel].get_loop() is asyncio.get_event_loop()
    if not calls[channel].done(): return True, False, None
    return True, True, calls.pop(channel).result()
"
    );
    Subprocess::with("").module("pymb_rpcs", &script).run(
        "threads::a_poll_of_the_users_own_has_one_event_loop_on_all_threads",
        walks,
    );
}

/// The simulator's thread waits inside `mb_tick`.
#[test]
fn a_thread_that_calls_during_a_call_of_the_simulators_is_refused() {
    let script = "
import threading, vhost
@register_callback
async def during(channel, address):
    errors = []
    def elsewhere():
        for ask in (
            lambda: vhost.get_space(channel), lambda: vhost.read_u32('core', address),
            lambda: vhost.write_bytes('core', address, b'x'), lambda: vhost.read_string('core', address),
        ):
            try: ask()
            except vhost.Error as error: errors.append(str(error))
    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    return sum('another thread is inside a call of vhost' in error for error in errors)
";
    Subprocess::with(script).run(
        "threads::a_thread_that_calls_during_a_call_of_the_simulators_is_refused",
        || {
            simulate(|simulator, firmware| {
                for _ in 0..20 {
                    assert_eq!(simulator.call(firmware, "during", &[DATA]), 4);
                }
            });
        },
    );
}

#[test]
fn a_worker_thread_of_asyncio_is_served_or_refused() {
    let script = "
import asyncio, vhost
@register_callback
async def away(channel, address, calls):
    answered = 0
    for call in range(calls):
        try:
            value = await asyncio.to_thread(vhost.read_u32, 'core', address)
            assert value == 0x1234, value
        except vhost.Error as error:
            assert 'another thread is inside a call of vhost' in str(error), error
        answered += 1
    return answered
";
    Subprocess::with(script).run(
        "threads::a_worker_thread_of_asyncio_is_served_or_refused",
        || {
            simulate(|simulator, firmware| {
                Chip.write(DATA, &0x1234u32.to_le_bytes());
                assert_eq!(simulator.call(firmware, "away", &[DATA, 200]), 200);
            });
        },
    );
}

/// The process ends while a Python thread still makes calls, and Python runs while no simulator
/// thread is inside a call.
#[test]
fn python_runs_between_calls_and_does_not_hold_up_the_end() {
    /// Variable with the name of the file that the thread creates.
    const SIGN: &str = "VHOST_TEST_SIGN";
    let script = "
import os, threading, time, vhost
def forever():
    for turn in range(100): time.sleep(0)
    open(os.environ['VHOST_TEST_SIGN'], 'w').close()
    while True:
        try: vhost.read_u32('core', 0)
        except vhost.Error: pass
@register_callback
async def begin(channel):
    threading.Thread(target=forever).start()
    return 1
";
    let folder = tempfile::tempdir().unwrap();
    Subprocess::with(script)
        .variable(SIGN, folder.path().join("sign"))
        .run(
            "threads::python_runs_between_calls_and_does_not_hold_up_the_end",
            || {
                let sign = PathBuf::from(std::env::var_os(SIGN).unwrap());
                simulate(|simulator, firmware| {
                    assert_eq!(simulator.call(firmware, "begin", &[]), 1);
                    while !sign.exists() {
                        thread::yield_now();
                    }
                    for _ in 0..100 {
                        simulator.tick();
                    }
                });
            },
        );
}
