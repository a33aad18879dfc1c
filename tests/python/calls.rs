//! Precedence and results of methods: host program, Python, testbench.

use vhost::Progress::{Absent, Pending, Ready};

use crate::fixture::{CORE32, CORE64, DATA, PythonFixture};
use crate::subprocess::Subprocess;

#[test]
fn python_comes_first_then_the_testbench() {
    let script = "
@register_callback
async def both(channel): return 2
@register_callback
async def names(channel, *args): return len(channel) * 100 + len(args)
@register_callback
async def offered(channel): return 3
";
    Subprocess::with(script).run("calls::python_comes_first_then_the_testbench", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.call("both").unwrap(), Ready(2));
        assert_eq!(fixture.poll(CORE64, "sum", &[3, 4]).unwrap(), Ready(7));
        assert_eq!(fixture.call("nobody").unwrap(), Absent);
        // More arguments than the testbench accepts.
        let args: Vec<u64> = (0..19).collect();
        assert_eq!(fixture.poll(CORE64, "names", &args).unwrap(), Ready(619));
        assert!(
            fixture
                .failure(CORE64, "sum", &args)
                .contains("`mb_sv_call` takes at most 16")
        );
        fixture
            .vhost
            .register_method("offered", |_, _| Ok(std::task::Poll::Ready(4)))
            .unwrap();
        assert_eq!(fixture.call("offered").unwrap(), Ready(4));
        assert_eq!(fixture.turns(), 0);
    });
}

#[test]
fn an_unknown_method_is_an_error_to_firmware_and_the_simulation_goes_on() {
    let script = "
@register_callback
async def add(channel, one, other): return one + other
";
    let test = "calls::an_unknown_method_is_an_error_to_firmware_and_the_simulation_goes_on";
    Subprocess::with(script).run(test, || {
        let fixture = PythonFixture::new();
        let mut firmware = fixture.firmware();
        let answer = fixture.served(&mut firmware, "launch", &[], 1).unwrap();
        assert_eq!(answer.rets, 0xffff_ffda, "-ENOSYS");
        let reports = fixture.reports();
        assert!(
            reports[0].contains("there is no method `launch`"),
            "{reports:?}"
        );
        let answer = fixture.served(&mut firmware, "add", &[40, 2], 1).unwrap();
        assert_eq!(answer.rets, 42);
        assert_eq!(fixture.reports(), [""; 0]);
    });
}

#[test]
fn a_callback_that_raises_fails_that_one_call() {
    let script = "
class Broken(Exception): pass
def inner(value): raise Broken(f'no {value:#x} here')
@register_callback
async def moody(channel, value):
    if value: inner(value)
    return 5
@register_callback
async def quotes(channel): raise Broken('firmware said \\udcff')
";
    Subprocess::with(script).run("calls::a_callback_that_raises_fails_that_one_call", || {
        let fixture = PythonFixture::new();
        let mut firmware = fixture.firmware();
        let answer = fixture.served(&mut firmware, "moody", &[0x77], 1).unwrap();
        assert_eq!(answer.rets, 0xffff_fffb, "-EIO");
        let reports = fixture.reports();
        assert_eq!(reports.len(), 1);
        for part in [
            "core32: request in slot 0, CALL",
            "method `moody` failed",
            "Traceback",
            "mbpy_calls_init.py",
            "in inner",
            "Broken: no 0x77 here",
        ] {
            assert!(reports[0].contains(part), "{part}: {reports:?}");
        }
        let answer = fixture.served(&mut firmware, "moody", &[0], 1).unwrap();
        assert_eq!(answer.rets, 5);
        // Firmware's arguments do not fit the callback.
        let failure = fixture.failure(CORE64, "moody", &[1, 2, 3]);
        assert!(failure.contains("TypeError"), "{failure}");
        assert_eq!(fixture.poll(CORE64, "moody", &[0]).unwrap(), Ready(5));
        // Half of a surrogate pair, which firmware's strings may contain.
        let failure = fixture.failure(CORE64, "quotes", &[]);
        for part in ["Traceback", "in quotes", "Broken: firmware said"] {
            assert!(failure.contains(part), "{part}: {failure}");
        }
    });
}

#[test]
fn a_result_is_an_integer_in_the_width_of_its_channel() {
    let script = "
class Index:
    def __index__(self): return 9
RESULTS = [None, 'seven', 1.0, 2**32, -2**31 - 1, 2**64, -2**63 - 1, 10**400, 2**32 - 1, -1, -2**31, 2**64 - 1, -2**63, True, Index()]
@register_callback
async def give(channel, which): return RESULTS[which]
";
    Subprocess::with(script).run(
        "calls::a_result_is_an_integer_in_the_width_of_its_channel",
        || {
            let fixture = PythonFixture::new();
            let give = |channel, which| fixture.poll(channel, "give", &[which]);
            for (which, text) in [
                (0, "it returned None (NoneType), which is not an integer"),
                (1, "it returned 'seven' (str), which is not an integer"),
                (2, "it returned 1.0 (float), which is not an integer"),
            ] {
                assert!(
                    fixture.failure(CORE32, "give", &[which]).ends_with(text),
                    "{text}"
                );
            }
            for (channel, which, bits) in [
                (CORE32, 3, 32),
                (CORE32, 4, 32),
                (CORE32, 5, 32),
                (CORE32, 11, 32),
                (CORE64, 5, 64),
                (CORE64, 6, 64),
                (CORE64, 7, 64),
            ] {
                let failure = fixture.failure(channel, "give", &[which]);
                assert!(
                    failure.contains(&format!("does not fit into {bits} bits")),
                    "{failure}"
                );
            }
            assert_eq!(give(CORE32, 8).unwrap(), Ready(u64::from(u32::MAX)));
            assert_eq!(give(CORE32, 9).unwrap(), Ready(u64::MAX));
            assert_eq!(
                give(CORE32, 10).unwrap(),
                Ready(i64::from(i32::MIN).cast_unsigned())
            );
            assert_eq!(give(CORE64, 3).unwrap(), Ready(1 << 32));
            assert_eq!(give(CORE64, 11).unwrap(), Ready(u64::MAX));
            assert_eq!(give(CORE64, 12).unwrap(), Ready(i64::MIN.cast_unsigned()));
            assert_eq!(give(CORE64, 13).unwrap(), Ready(1));
            assert_eq!(give(CORE64, 14).unwrap(), Ready(9));
            // A channel that is not served accepts any word.
            assert_eq!(give("elsewhere", 11).unwrap(), Ready(u64::MAX));
            let mut firmware = fixture.firmware();
            let answer = fixture.served(&mut firmware, "give", &[9], 1).unwrap();
            assert_eq!((answer.words, answer.rets), (1, 0xffff_ffff));
        },
    );
}

#[test]
fn a_callback_may_wait_for_ticks() {
    let script = "
import asyncio
@register_callback
async def wait(channel, ticks):
    for _ in range(ticks): await asyncio.sleep(0)
    return ticks
";
    Subprocess::with(script).run("calls::a_callback_may_wait_for_ticks", || {
        let fixture = PythonFixture::new();
        for ticks in [1, 2, 5] {
            for _ in 0..ticks {
                assert_eq!(fixture.poll(CORE64, "wait", &[ticks]).unwrap(), Pending);
                fixture.tick();
            }
            assert_eq!(
                fixture.poll(CORE64, "wait", &[ticks]).unwrap(),
                Ready(ticks)
            );
        }
        // A call that is not polled on every tick continues: it is neither dropped nor restarted.
        for ticks in [25, 3] {
            assert_eq!(fixture.poll(CORE64, "wait", &[ticks]).unwrap(), Pending);
            for _ in 0..ticks / 10 {
                (0..10).for_each(|_| fixture.tick());
                assert_eq!(fixture.poll(CORE64, "wait", &[ticks]).unwrap(), Pending);
            }
            (0..50).for_each(|_| fixture.tick());
            assert_eq!(
                fixture.poll(CORE64, "wait", &[ticks]).unwrap(),
                Ready(ticks)
            );
        }
        // The result was returned, so the same call begins again.
        assert_eq!(fixture.poll(CORE64, "wait", &[1]).unwrap(), Pending);
        fixture.tick();
        assert_eq!(fixture.poll(CORE64, "wait", &[1]).unwrap(), Ready(1));
        fixture.tick();
        fixture.turns();
        for _ in 0..10 {
            fixture.tick();
        }
        assert_eq!(
            fixture.turns(),
            0,
            "a tick with no task alive turns nothing"
        );

        let mut firmware = fixture.firmware();
        fixture.send(&mut firmware, "wait", &[4]);
        for _ in 0..4 {
            fixture.tick();
            assert_eq!(firmware.try_receive(), None);
        }
        fixture.tick();
        assert_eq!(firmware.try_receive().unwrap().rets, 4);
    });
}

#[test]
fn two_channels_may_be_in_one_callback() {
    let script = "
import asyncio
@register_callback
async def slow(channel, ticks):
    for _ in range(ticks): await asyncio.sleep(0)
    return int(channel[-2:]) + ticks
";
    Subprocess::with(script).run("calls::two_channels_may_be_in_one_callback", || {
        let fixture = PythonFixture::new();
        let poll = |channel, ticks| fixture.poll(channel, "slow", &[ticks]).unwrap();
        assert_eq!(poll(CORE32, 3), Pending);
        assert_eq!(poll(CORE64, 1), Pending);
        fixture.tick();
        assert_eq!(poll(CORE32, 3), Pending);
        assert_eq!(poll(CORE64, 1), Ready(65));
        assert_eq!(poll(CORE64, 2), Pending);
        fixture.tick();
        fixture.tick();
        assert_eq!(poll(CORE32, 3), Ready(35));
        assert_eq!(poll(CORE64, 2), Ready(66));
    });
}

#[test]
fn a_reset_cancels_calls_of_the_channel() {
    let script = "
import asyncio
from vhost import write_u32, get_space
log = []
@register_callback
async def forever(channel):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append(channel)
        raise
@register_callback
async def cancelled(channel): return len(log)
";
    Subprocess::with(script).run("calls::a_reset_cancels_calls_of_the_channel", || {
        let fixture = PythonFixture::new();
        let mut firmware = fixture.firmware();
        fixture.send(&mut firmware, "forever", &[]);
        assert_eq!(fixture.call("forever").unwrap(), Pending);
        for _ in 0..5 {
            fixture.tick();
        }
        assert_eq!(fixture.call("cancelled").unwrap(), Ready(0));
        firmware.reset();
        for _ in 0..3 {
            fixture.tick();
        }
        assert!(firmware.is_ready());
        assert_eq!(fixture.call("cancelled").unwrap(), Ready(1));
        assert_eq!(
            fixture.call("forever").unwrap(),
            Pending,
            "the other channel's"
        );
        // The next session is served, and its call waits again.
        assert_eq!(fixture.served(&mut firmware, "forever", &[], 3), None);
        firmware.reset();
        for _ in 0..3 {
            fixture.tick();
        }
        assert_eq!(fixture.call("cancelled").unwrap(), Ready(2));
        assert_eq!(
            fixture
                .served(&mut firmware, "sum", &[1, 2], 1)
                .unwrap()
                .rets,
            3
        );
        assert_eq!(fixture.reports(), [""; 0]);
    });
}

#[test]
fn a_task_of_a_callback_goes_on_after_it() {
    let script = "
import asyncio
from vhost import read_u32, write_u32
async def count(address):
    for number in range(1, 4):
        write_u32('core', address, number)
        await asyncio.sleep(0)
@register_callback
async def begin(channel, address):
    global task
    task = asyncio.create_task(count(address))
    return 0
";
    Subprocess::with(script).run("calls::a_task_of_a_callback_goes_on_after_it", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.poll(CORE64, "begin", &[DATA]).unwrap(), Ready(0));
        let count = || fixture.vhost.read_u32("core", DATA).unwrap();
        assert_eq!(count(), 0);
        for expected in [1, 2, 3, 3] {
            fixture.tick();
            assert_eq!(count(), expected);
        }
        fixture.tick();
        fixture.turns();
        fixture.tick();
        assert_eq!(fixture.turns(), 0);
    });
}

#[test]
fn an_end_of_the_event_loop_is_reported_and_service_goes_on() {
    let script = "
import asyncio
@register_callback
async def leave(channel):
    await asyncio.sleep(0)
    raise SystemExit(3)
@register_callback
async def leave_now(channel): raise KeyboardInterrupt
@register_callback
async def fine(channel):
    await asyncio.sleep(0)
    return 1
";
    let test = "calls::an_end_of_the_event_loop_is_reported_and_service_goes_on";
    let printed = Subprocess::with(script).run(test, || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.call("leave").unwrap(), Pending);
        fixture.tick();
        assert!(
            fixture
                .failure(CORE64, "leave", &[])
                .contains("SystemExit: 3")
        );
        assert!(
            fixture
                .failure(CORE64, "leave_now", &[])
                .contains("KeyboardInterrupt")
        );
        assert_eq!(fixture.call("fine").unwrap(), Pending);
        fixture.tick();
        assert_eq!(fixture.call("fine").unwrap(), Ready(1));
    });
    if let Some(printed) = printed {
        assert!(
            printed.stderr.contains("vhost: error: python: Traceback"),
            "{}",
            printed.stderr
        );
    }
}

#[test]
fn a_test_waits_for_firmware() {
    let script = "
import asyncio
@register_callback
async def report(channel, value):
    await asyncio.sleep(0)
    if value == 3: raise ValueError('three')
    return value
seen = []
async def test():
    seen.append(await report())
    seen.append(await report())
    try: await report()
    except ValueError as error: seen.append(len(str(error)))
@register_callback
async def begin(channel):
    global task
    task = asyncio.create_task(test())
    return 0
@register_callback
async def seen_so_far(channel): return sum(v * 10 ** i for i, v in enumerate(seen))
";
    Subprocess::with(script).run("calls::a_test_waits_for_firmware", || {
        let fixture = PythonFixture::new();
        fixture.call("begin").unwrap();
        fixture.tick();
        for (value, seen) in [(7, 7), (2, 27)] {
            assert_eq!(fixture.poll(CORE64, "report", &[value]).unwrap(), Pending);
            fixture.tick();
            assert_eq!(
                fixture.poll(CORE64, "report", &[value]).unwrap(),
                Ready(value)
            );
            fixture.tick();
            assert_eq!(fixture.call("seen_so_far").unwrap(), Ready(seen));
        }
        assert_eq!(fixture.poll(CORE64, "report", &[3]).unwrap(), Pending);
        fixture.tick();
        fixture.failure(CORE64, "report", &[3]);
        fixture.tick();
        assert_eq!(fixture.call("seen_so_far").unwrap(), Ready(527));
    });
}

/// Variable with the number of calls of [`calls_leave_nothing_behind`].
const CALLS: &str = "VHOST_PYTHON_CALLS";

/// Resident memory of the process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn calls_leave_nothing_behind() {
    let script = "
import asyncio
from vhost import read_bytes, Error
@register_callback
async def quick(channel, value): return len(read_bytes('core', 0, value % 100))
@register_callback
async def slow(channel, value):
    await asyncio.sleep(0)
    return value
@register_callback
async def fails(channel, value):
    try: read_bytes('core', 0, 1 << 40)
    except Error as error: raise ValueError(value) from error
";
    Subprocess::with(script).run("calls::calls_leave_nothing_behind", || {
        let calls = std::env::var(CALLS).map_or(10_000, |calls| calls.parse().unwrap());
        let fixture = PythonFixture::new();
        let make = |calls: u64| {
            // Two calls per round, and some that take several ticks.
            for value in 0..calls / 2 {
                fixture.poll(CORE64, "quick", &[value]).unwrap();
                fixture
                    .poll(CORE64, &format!("nobody{value}"), &[])
                    .unwrap();
                if value % 8 == 0 {
                    assert_eq!(fixture.poll(CORE64, "slow", &[value]).unwrap(), Pending);
                    fixture.tick();
                    assert_eq!(
                        fixture.poll(CORE64, "slow", &[value]).unwrap(),
                        Ready(value)
                    );
                }
                if value % 64 == 0 {
                    fixture.failure(CORE64, "fails", &[value]);
                }
            }
        };
        make(5_000);
        let before = resident();
        make(calls);
        let grown = resident().saturating_sub(before);
        assert!(grown < 2 << 20, "{grown} bytes more after {calls} calls");
    });
}
