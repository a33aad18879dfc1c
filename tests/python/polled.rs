//! Modules with a user-defined `poll`, whose calls wait for an event loop or for a tick function of
//! the module.

use vhost::Progress::{Pending, Ready};

use crate::fixture::{CORE32, CORE64, PythonFixture};
use crate::subprocess::Subprocess;

/// Callbacks of a module and its `poll`, which schedules them on `loop()`.
const POLL: &str = "
import asyncio
async def walk(channel, steps):
    for step in range(steps): await asyncio.sleep(0)
    return steps + len(channel)
async def blocked(channel, steps): await asyncio.Event().wait()
METHODS = {'walk': walk, 'blocked': blocked}
tasks_of_calls = {}
def poll(method, channel, *args):
    call = method, channel
    if call not in tasks_of_calls:
        if method not in METHODS: return False, False, None
        tasks_of_calls[call] = loop().create_task(METHODS[method](channel, *args))
    if not tasks_of_calls[call].done(): return True, False, None
    return True, True, tasks_of_calls.pop(call).result()
";

/// Two channels call the same callback at the same time, twice. Their own ticks are enough; later
/// ticks do nothing.
fn walks() {
    let fixture = PythonFixture::new();
    for _ in 0..2 {
        for channel in [CORE32, CORE64] {
            assert_eq!(fixture.poll(channel, "walk", &[3]).unwrap(), Pending);
        }
        for _ in 0..8 {
            fixture.tick();
        }
        assert!(fixture.turns() >= 4);
        for channel in [CORE32, CORE64] {
            assert_eq!(fixture.poll(channel, "walk", &[3]).unwrap(), Ready(9));
        }
    }
    fixture.tick();
    fixture.turns();
    fixture.tick();
    assert_eq!(fixture.turns(), 0, "nothing is left to bring forward");
}

/// Runs [`walks`] with a module of this name and this definition of `loop`.
fn with_loop(test: &str, module: &str, make_loop: &str) {
    let start = "def mbpy_calls_init(): pass\n";
    Subprocess::default()
        .module("mbpy_calls_init", start)
        .module(module, &format!("{POLL}{make_loop}"))
        .run(test, walks);
}

#[test]
fn the_current_event_loop_is_turned() {
    let current = "def loop(): return asyncio.get_event_loop()";
    with_loop(
        "polled::the_current_event_loop_is_turned",
        "pymb_rpcs",
        current,
    );
}

#[test]
fn an_event_loop_that_is_made_current_at_import_is_turned() {
    let own = "asyncio.set_event_loop(asyncio.new_event_loop())\ndef loop(): return asyncio.get_event_loop()";
    with_loop(
        "polled::an_event_loop_that_is_made_current_at_import_is_turned",
        "pymb_rpcs",
        own,
    );
}

#[test]
fn an_event_loop_in_a_variable_is_turned() {
    let lazy = "
own = None
def loop():
    global own
    own = own or asyncio.new_event_loop()
    return own
";
    with_loop(
        "polled::an_event_loop_in_a_variable_is_turned",
        "pymb_rpcs",
        lazy,
    );
}

#[test]
fn the_event_loop_of_a_shim_of_the_users_is_turned() {
    let current = "def register_callback(callback): METHODS[callback.__name__] = callback\ndef loop(): return asyncio.get_event_loop()";
    with_loop(
        "polled::the_event_loop_of_a_shim_of_the_users_is_turned",
        "pymb_rpc",
        current,
    );
}

/// The thread that owns the loop runs it.
#[test]
fn an_event_loop_that_runs_in_another_thread_is_left_alone() {
    let script = "
import asyncio, threading
own = asyncio.new_event_loop()
threading.Thread(target=own.run_forever, daemon=True).start()
async def seven(): return 7
future = None
def poll(method, channel, *args):
    global future
    future = future or asyncio.run_coroutine_threadsafe(seven(), own)
    return (True, True, future.result()) if future.done() else (True, False, None)
";
    Subprocess::with("").module("pymb_rpcs", script).run(
        "polled::an_event_loop_that_runs_in_another_thread_is_left_alone",
        || {
            let fixture = PythonFixture::new();
            while fixture.call("seven").unwrap() == Pending {
                fixture.tick();
            }
        },
    );
}

/// The module's tick function is called on each tick; only while its `tasks` are not empty, if it
/// has `tasks`.
fn own_tick(test: &str, name: &str, tasks: &str, idle: usize) {
    let script = format!(
        "
left = 0
{tasks}
def {name}():
    global left
    left -= 1
    if not left and 'tasks' in globals(): tasks.clear()
def poll(method, channel, *args):
    global left
    if left <= 0:
        if left < 0: left = 0; return True, True, 5
        left = 4
        if 'tasks' in globals(): tasks.append(method)
    return (True, False, None) if left > 1 else (True, True, 5)
"
    );
    Subprocess::with("")
        .module("pymb_rpcs", &script)
        .run(test, || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("own").unwrap(), Pending);
            for _ in 0..3 {
                fixture.tick();
            }
            assert_eq!(fixture.turns(), 3);
            assert_eq!(fixture.call("own").unwrap(), Ready(5));
            fixture.tick();
            fixture.tick();
            fixture.turns();
            fixture.tick();
            assert_eq!(fixture.turns(), idle);
        });
}

#[test]
fn a_tick_of_the_modules_own_is_called() {
    own_tick("polled::a_tick_of_the_modules_own_is_called", "tick", "", 1);
}

#[test]
fn a_tick_by_its_other_name_is_called() {
    own_tick(
        "polled::a_tick_by_its_other_name_is_called",
        "py_tick",
        "",
        1,
    );
}

#[test]
fn a_module_that_reports_its_tasks_is_ticked_while_it_has_some() {
    let test = "polled::a_module_that_reports_its_tasks_is_ticked_while_it_has_some";
    own_tick(test, "tick", "tasks = []", 0);
}

#[test]
fn a_poll_around_the_shims_has_the_shim_ticked() {
    let script = "
import asyncio, pymb_rpc
@pymb_rpc.register_callback
async def slow(channel):
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return 8
def poll(method, channel, *args): return pymb_rpc.poll(method, channel, *args)
";
    Subprocess::with("").module("pymb_rpcs", script).run(
        "polled::a_poll_around_the_shims_has_the_shim_ticked",
        || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("slow").unwrap(), Pending);
            fixture.tick();
            fixture.tick();
            assert_eq!(fixture.call("slow").unwrap(), Ready(8));
        },
    );
}

#[test]
fn a_hidden_loop_is_found_and_turned_and_is_a_warning_once() {
    let hidden = format!(
        "{POLL}
class Hidden:
    def __init__(self): self.loop = asyncio.new_event_loop()
hidden = {{'core32': Hidden(), 'core64': Hidden()}}
def loop(): return hidden[asking].loop
by_task = poll
def poll(method, channel, *args):
    global asking
    asking = channel
    return by_task(method, channel, *args)
"
    );
    let printed = Subprocess::with("").module("pymb_rpcs", &hidden).run(
        "polled::a_hidden_loop_is_found_and_turned_and_is_a_warning_once",
        || {
            let fixture = PythonFixture::new();
            for channel in [CORE32, CORE64, CORE32] {
                let mut polls = 0;
                while fixture.poll(channel, "walk", &[3]).unwrap() == Pending {
                    fixture.tick();
                    polls += 1;
                    assert!(polls < 20, "{channel}: nobody turns the loop");
                }
            }
        },
    );
    if let Some(printed) = printed {
        let warning = "vhost: warning: python: channel `core32`: method `walk` is pending";
        assert_eq!(
            printed.stderr.matches(warning).count(),
            1,
            "{}",
            printed.stderr
        );
        assert_eq!(
            printed.stderr.matches("warning").count(),
            1,
            "{}",
            printed.stderr
        );
        for part in ["but is not running", "`pymb_rpcs`", "`py_tick`"] {
            assert!(printed.stderr.contains(part), "{part}: {}", printed.stderr);
        }
    }
}

/// The search must not ask objects for their class.
#[test]
fn a_search_passes_over_objects_without_a_class() {
    let hidden = format!(
        "{POLL}
import weakref
class Gone: pass
gone = Gone()
proxy = weakref.proxy(gone)
del gone
class Lazy:
    @property
    def __class__(self): raise RuntimeError('not yet')
lazy = Lazy()
class Hidden: loop = asyncio.new_event_loop()
def loop(): return Hidden.loop
"
    );
    Subprocess::with("").module("pymb_rpcs", &hidden).run(
        "polled::a_search_passes_over_objects_without_a_class",
        || {
            let fixture = PythonFixture::new();
            let mut polls = 0;
            while fixture.poll(CORE32, "walk", &[3]).unwrap() == Pending {
                fixture.tick();
                polls += 1;
                assert!(polls < 20, "nobody turns the loop");
            }
        },
    );
}

/// Fruitless searches are repeated at growing intervals.
#[test]
fn a_loop_is_found_that_gets_tasks_late() {
    let late = format!(
        "{POLL}
class Hidden: loop = asyncio.new_event_loop()
def loop(): return Hidden.loop
by_task = poll
polls = 0
def poll(method, channel, *args):
    global polls
    polls += 1
    return (True, False, None) if polls < 5000 else by_task(method, channel, *args)
"
    );
    Subprocess::with("").module("pymb_rpcs", &late).run(
        "polled::a_loop_is_found_that_gets_tasks_late",
        || {
            let fixture = PythonFixture::new();
            for _ in 0..6100 {
                if fixture.poll(CORE32, "walk", &[3]).unwrap() != Pending {
                    return;
                }
                fixture.tick();
            }
            panic!("nobody turns the loop");
        },
    );
}

/// Calls of one method that need no loop do not delay the search for another method.
#[test]
fn a_search_for_one_method_does_not_wait_for_another_s() {
    let two = format!(
        "{POLL}
class Hidden: loop = asyncio.new_event_loop()
def loop(): return Hidden.loop
by_task = poll
def poll(method, channel, *args):
    if method == 'slow': return True, False, None
    return by_task(method, channel, *args)
"
    );
    Subprocess::with("").module("pymb_rpcs", &two).run(
        "polled::a_search_for_one_method_does_not_wait_for_another_s",
        || {
            let fixture = PythonFixture::new();
            for _ in 0..600 {
                assert_eq!(fixture.poll(CORE64, "slow", &[]).unwrap(), Pending);
                fixture.tick();
            }
            let mut polls = 0;
            while fixture.poll(CORE32, "walk", &[3]).unwrap() == Pending {
                fixture.tick();
                polls += 1;
                assert!(polls < 20, "nobody turns the loop");
            }
        },
    );
}

/// Polls a method that stays pending, in a module with this beginning.
fn stays_pending(test: &str, start: &str, warnings: usize) {
    let script = format!("{start}\ndef poll(method, channel, *args): return True, False, None\n");
    let printed = Subprocess::with("")
        .module("pymb_rpcs", &script)
        .run(test, || {
            let fixture = PythonFixture::new();
            for _ in 0..5000 {
                assert_eq!(fixture.poll(CORE32, "slow", &[]).unwrap(), Pending);
            }
        });
    let warning =
        "vhost: warning: python: channel `core32`: method `slow` has been pending for 1024 polls";
    for (part, count) in [
        ("warning", warnings),
        (warning, warnings),
        ("`py_tick`", warnings),
    ] {
        let Some(printed) = &printed else { return };
        assert_eq!(
            printed.stderr.matches(part).count(),
            count,
            "{}",
            printed.stderr
        );
    }
}

#[test]
fn a_call_without_an_event_loop_is_a_warning_once() {
    let test = "polled::a_call_without_an_event_loop_is_a_warning_once";
    stays_pending(test, "from asyncio import sleep", 1);
}

#[test]
fn a_call_of_a_module_without_asyncio_may_stay_pending() {
    let test = "polled::a_call_of_a_module_without_asyncio_may_stay_pending";
    stays_pending(test, "import math", 0);
}

/// A callback scheduled by a callback also runs while no call is pending.
#[test]
fn callbacks_of_callbacks_run_to_the_end() {
    let script = "
import asyncio
def poll(method, channel, *args):
    loop = asyncio.get_event_loop()
    if method == 'count': return True, True, count
    def later(left):
        global count
        count += 1
        if left: loop.call_soon(later, left - 1)
    loop.call_soon(later, 5)
    return True, True, 0
count = 0
";
    Subprocess::with("").module("pymb_rpcs", script).run(
        "polled::callbacks_of_callbacks_run_to_the_end",
        || {
            let fixture = PythonFixture::new();
            assert_eq!(fixture.call("begin").unwrap(), Ready(0));
            for _ in 0..10 {
                fixture.tick();
            }
            assert_eq!(fixture.call("count").unwrap(), Ready(6));
            fixture.tick();
            fixture.turns();
            fixture.tick();
            assert_eq!(fixture.turns(), 0, "nothing is left to bring forward");
        },
    );
}

#[test]
fn a_loop_that_poll_makes_current_is_turned() {
    let own = "
class Hidden: loop = None
def loop():
    if Hidden.loop is None:
        Hidden.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(Hidden.loop)
    return asyncio.get_event_loop()
";
    with_loop(
        "polled::a_loop_that_poll_makes_current_is_turned",
        "pymb_rpcs",
        own,
    );
}

/// `asyncio.run` removes the current event loop; later users still find one.
#[test]
fn asyncio_run_in_poll_leaves_a_current_event_loop() {
    let script = format!(
        "{POLL}
def loop(): return asyncio.get_event_loop()
by_task = poll
async def nine(): return 9
def poll(method, channel, *args):
    if method == 'nine': return True, True, asyncio.run(nine())
    return by_task(method, channel, *args)
"
    );
    Subprocess::with("").module("pymb_rpcs", &script).run(
        "polled::asyncio_run_in_poll_leaves_a_current_event_loop",
        || {
            let fixture = PythonFixture::new();
            for _ in 0..2 {
                assert_eq!(fixture.call("nine").unwrap(), Ready(9));
                assert_eq!(fixture.poll(CORE32, "walk", &[1]).unwrap(), Pending);
                assert_eq!(fixture.call("nine").unwrap(), Ready(9));
                for _ in 0..4 {
                    fixture.tick();
                }
                assert_eq!(fixture.poll(CORE32, "walk", &[1]).unwrap(), Ready(7));
            }
        },
    );
}

/// A callback waits for the chip, in a task of the library's loop or without a loop.
#[test]
fn a_call_that_takes_long_is_no_warning() {
    let script = format!(
        "{POLL}
def loop(): return asyncio.get_event_loop()
by_task = poll
def poll(method, channel, *args):
    return (True, False, None) if method == 'polled' else by_task(method, channel, *args)
"
    );
    let printed = Subprocess::with("").module("pymb_rpcs", &script).run(
        "polled::a_call_that_takes_long_is_no_warning",
        || {
            let fixture = PythonFixture::new();
            for _ in 0..2500 {
                assert_eq!(fixture.poll(CORE32, "polled", &[]).unwrap(), Pending);
                assert_eq!(fixture.poll(CORE64, "blocked", &[0]).unwrap(), Pending);
            }
        },
    );
    if let Some(printed) = printed {
        assert!(!printed.stderr.contains("warning"), "{}", printed.stderr);
    }
}

#[test]
fn a_cancel_of_the_modules_own_is_called_at_a_reset() {
    let script = "
cancelled = []
def cancel(channel): cancelled.append(channel)
def poll(method, channel, *args):
    if method == 'cancelled': return True, True, cancelled.count('core32')
    return True, False, None
";
    Subprocess::with("").module("pymb_rpcs", script).run(
        "polled::a_cancel_of_the_modules_own_is_called_at_a_reset",
        || {
            let fixture = PythonFixture::new();
            let mut firmware = fixture.firmware();
            assert_eq!(fixture.served(&mut firmware, "waits", &[], 3), None);
            let before = fixture.call("cancelled").unwrap();
            assert_eq!(before, Ready(0));
            firmware.reset();
            fixture.tick();
            assert_eq!(fixture.call("cancelled").unwrap(), Ready(1));
        },
    );
}

#[test]
fn errors_of_the_modules_own_functions_have_their_traceback() {
    let script = "
def inner(what): raise ValueError(f'no {what}')
def poll(method, channel, *args): inner('answer')
def tick(): inner('turn')
def cancel(channel): inner('end')
";
    let printed = Subprocess::with("").module("pymb_rpcs", script).run(
        "polled::errors_of_the_modules_own_functions_have_their_traceback",
        || {
            let fixture = PythonFixture::new();
            let failure = fixture.failure(CORE64, "any", &[]);
            for part in [
                "Traceback",
                "pymb_rpcs.py\", line 3, in poll",
                "in inner",
                "ValueError: no answer",
            ] {
                assert!(failure.contains(part), "{part}: {failure}");
            }
            fixture.tick();
            let mut firmware = fixture.firmware();
            firmware.reset();
            fixture.tick();
        },
    );
    if let Some(printed) = printed {
        let [_, reports @ ..] = &printed
            .stderr
            .split("vhost: error: python: ")
            .collect::<Vec<_>>()[..]
        else {
            panic!("nothing is said");
        };
        for (function, what) in [("tick", "turn"), ("cancel", "end")] {
            let of_it = reports.iter().find(|printed| printed.contains(what));
            let of_it = of_it.unwrap_or_else(|| panic!("{what}: {}", printed.stderr));
            for part in ["Traceback", &format!("in {function}\n"), "in inner"] {
                assert!(of_it.contains(part), "{part}: {of_it}");
            }
        }
    }
}
