//! User modules: the imported names, and errors in them.

use vhost::Progress::{Absent, Pending, Ready};

use crate::fixture::{CORE32, CORE64, PythonFixture};
use crate::subprocess::Subprocess;

#[test]
fn a_module_of_the_users_comes_before_the_shim() {
    let own = "
calls = []
def poll(method, channel, *args):
    if method != 'own': return False, False, None
    calls.append((channel, args))
    return True, len(calls) > 2, len(calls)
";
    Subprocess::with("@register_callback\nasync def other(channel): return 1")
        .module("pymb_rpcs", own)
        .run(
            "modules::a_module_of_the_users_comes_before_the_shim",
            || {
                let fixture = PythonFixture::new();
                assert_eq!(fixture.call("own").unwrap(), Pending);
                fixture.tick();
                assert_eq!(fixture.call("own").unwrap(), Pending);
                assert_eq!(fixture.call("own").unwrap(), Ready(3));
                assert_eq!(fixture.call("other").unwrap(), Absent);
                assert_eq!(fixture.call("both").unwrap(), Ready(1), "the testbench's");
            },
        );
}

#[test]
fn a_module_that_uses_the_shim_is_as_good_as_the_shim() {
    let own = "
from pymb_rpc import *
import asyncio
@register_callback
async def slow(channel):
    await asyncio.sleep(0)
    return 8
";
    Subprocess::with("").module("pymb_rpcs", own).run(
        "modules::a_module_that_uses_the_shim_is_as_good_as_the_shim",
        || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("slow").unwrap(), Pending);
            fixture.tick();
            assert_eq!(fixture.call("slow").unwrap(), Ready(8));
            assert_eq!(fixture.call("none").unwrap(), Absent);
        },
    );
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    let own = "
ANSWERS = {'none': None, 'two': (True, True), 'text': ('yes', 'no', 1), 'right': (True, True, 4)}
def poll(method, channel, *args): return ANSWERS[method]
";
    Subprocess::with("").module("pymb_rpcs", own).run(
        "modules::an_answer_that_is_none_is_an_error",
        || {
            let fixture = PythonFixture::new();
            for (method, answer) in [
                ("none", "None (NoneType)"),
                ("two", "(True, True) (tuple)"),
                ("text", "('yes', 'no', 1) (tuple)"),
            ] {
                let failure = fixture.failure(CORE32, method, &[]);
                let expected = format!(
                    "channel `core32`: method `{method}` failed: `poll` returned {answer}; it must \
                     return (exists, finished, result)"
                );
                assert_eq!(failure, expected);
            }
            assert!(
                fixture
                    .failure(CORE32, "other", &[])
                    .contains("KeyError: 'other'")
            );
            assert_eq!(fixture.call("right").unwrap(), Ready(4));
        },
    );
}

#[test]
fn the_start_up_function_runs_once_before_the_first_poll() {
    let start = "
from pymb_rpc import register_callback
starts = 0
def mbpy_calls_init():
    global starts
    starts += 1
    @register_callback
    async def started(channel): return starts
";
    let printed = Subprocess::default().module("mbpy_calls_init", start).run(
        "modules::the_start_up_function_runs_once_before_the_first_poll",
        || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("started").unwrap(), Ready(1));
            assert_eq!(fixture.call("started").unwrap(), Ready(1));
        },
    );
    if let Some(printed) = printed {
        assert!(!printed.stderr.contains("warning"), "{}", printed.stderr);
    }
}

#[test]
fn without_a_start_up_function_there_is_a_warning_and_no_error() {
    let printed = Subprocess::default().run(
        "modules::without_a_start_up_function_there_is_a_warning_and_no_error",
        || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("both").unwrap(), Ready(1));
            assert_eq!(fixture.call("nobody").unwrap(), Absent);
        },
    );
    if let Some(printed) = printed {
        let warning = "vhost: warning: python: there is no module `mbpy_calls_init`";
        assert_eq!(
            printed.stderr.matches(warning).count(),
            1,
            "{}",
            printed.stderr
        );
    }
}

#[test]
fn the_later_of_two_of_a_name_counts() {
    let script = "
import asyncio
@register_callback
async def twice(channel):
    await asyncio.sleep(0)
    @register_callback
    async def twice(channel): return 2
    return 1
";
    Subprocess::with(script).run("modules::the_later_of_two_of_a_name_counts", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.call("twice").unwrap(), Pending);
        assert_eq!(fixture.poll(CORE32, "twice", &[]).unwrap(), Pending);
        fixture.tick();
        // A call in progress ends when its module is replaced.
        assert_eq!(fixture.call("twice").unwrap(), Ready(1));
        assert_eq!(fixture.call("twice").unwrap(), Ready(2));
        assert_eq!(fixture.poll(CORE32, "twice", &[]).unwrap(), Ready(1));
    });
}

#[test]
fn a_callback_that_is_no_coroutine_function_is_refused_at_once() {
    let script = "
refused = 0
def plain(channel): return 1
async def generator(channel): yield 1
for wrong in (plain, generator, 5, print):
    try: register_callback(wrong)
    except TypeError as error: refused += 'coroutine function' in str(error)
@register_callback
async def count(channel): return refused
";
    Subprocess::with(script).run(
        "modules::a_callback_that_is_no_coroutine_function_is_refused_at_once",
        || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("count").unwrap(), Ready(4));
            assert_eq!(fixture.call("plain").unwrap(), Absent);
        },
    );
}

#[test]
fn a_module_that_can_not_be_imported_fails_every_call() {
    let script = "import no_such_module_at_all";
    Subprocess::with(script).run(
        "modules::a_module_that_can_not_be_imported_fails_every_call",
        || {
            let fixture = PythonFixture::new();
            for method in ["sum", "other"] {
                let failure = fixture.failure(CORE64, method, &[]);
                assert!(failure.contains("mbpy_calls_init.py"), "{failure}");
                assert!(
                    failure.contains("No module named 'no_such_module_at_all'"),
                    "{failure}"
                );
            }
            // Methods of the host program need no Python.
            fixture
                .vhost
                .register_method("own", |_, _| Ok(std::task::Poll::Ready(4)))
                .unwrap();
            assert_eq!(fixture.call("own").unwrap(), Ready(4));
        },
    );
}

#[test]
fn a_second_system_begins_anew() {
    let script = "
import asyncio
@register_callback
async def slow(channel, value):
    await asyncio.sleep(0)
    return value
";
    Subprocess::with(script).run("modules::a_second_system_begins_anew", || {
        let fixture = PythonFixture::new();
        assert_eq!(fixture.poll(CORE64, "slow", &[1]).unwrap(), Pending);
        drop(fixture);
        let fixture = PythonFixture::new();
        assert_eq!(fixture.poll(CORE64, "slow", &[2]).unwrap(), Pending);
        fixture.tick();
        assert_eq!(
            fixture.poll(CORE64, "slow", &[2]).unwrap(),
            Ready(2),
            "not the first one's"
        );
    });
}

/// The shim of cocotb on `PYTHONPATH`, as for a run with cocotb, in a process without cocotb.
#[test]
fn the_shim_of_cocotb_is_passed_over_without_cocotb() {
    let shim = concat!(env!("CARGO_MANIFEST_DIR"), "/python/cocotb");
    let start = "
import sys
sys.path.insert(0, SHIM)
";
    let user = "
from pymb_rpc import register_callback
def mbpy_calls_init(): pass
@register_callback
async def one(channel): return 1
";
    let customize = start.replace("SHIM", &format!("{shim:?}"));
    let printed = Subprocess::default()
        .module("sitecustomize", &customize)
        .module("mbpy_calls_init", user)
        .run(
            "modules::the_shim_of_cocotb_is_passed_over_without_cocotb",
            || {
                let fixture = PythonFixture::new();
                assert_eq!(fixture.call("one").unwrap(), Ready(1));
                assert_eq!(fixture.call("one").unwrap(), Ready(1));
            },
        );
    if let Some(printed) = printed {
        let reported = printed.stderr.matches("this is no run of cocotb").count();
        assert_eq!(reported, 1, "{}", printed.stderr);
        assert!(
            printed
                .stderr
                .contains("python/cocotb is on the search path")
        );
    }
}
