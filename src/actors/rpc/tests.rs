use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task;

use futures_util::FutureExt;

use super::*;
use crate::bus::{Content, Observation, ReplyFuture};
use crate::foreign::CallResult;
use crate::messages::rpc::{CallError, Cancel, PollOutcome, PyTasks, RegisterTarget, Tick};
use crate::testing::{ActorFixture, ForeignCall, Ram, map};

/// RPC dispatcher. The state is the number of ticks sent to it.
type Fixture = ActorFixture<Inbox, Arc<AtomicUsize>>;

type Reply = Result<PollOutcome, CallError>;

impl ActorFixture<Inbox, Arc<AtomicUsize>> {
    fn new() -> Self {
        let ticks = Arc::new(AtomicUsize::new(0));
        let counted = ticks.clone();
        let fixture = Self::start(&Ram::new(&map(&[])), ticks, |peers| {
            let dispatch = Dispatch::on(peers.bus);
            dispatch.serve(peers.own);
            Rpc::new(peers.context, peers.foreign, dispatch)
        });
        fixture.bus.attach(move |seen: &Observation<'_>| {
            let is_tick = matches!(seen.content, Content::Message(_))
                && seen.content.downcast_ref::<Tick>().is_some();
            counted.fetch_add(usize::from(is_tick), Ordering::Relaxed);
        });
        fixture
    }

    /// Registers a target of the host program.
    fn offer(&self, target: Target, mut callback: impl FnMut(&[u64]) -> CallResult + 'static) {
        let callback = move |_: &str, args: &[u64]| callback(args);
        self.outside
            .callbacks
            .register(target.clone(), Box::new(callback));
        self.try_ask(RegisterTarget { target }).unwrap();
    }

    /// Sends a call and runs the bus without ticks.
    fn begin(
        &self,
        channel: &str,
        target: Target,
        args: &[u64],
        schedule: Schedule,
    ) -> ReplyFuture<Reply> {
        let answer = self.actor.ask(Call {
            channel: channel.into(),
            target,
            args: args.to_vec(),
            schedule,
        });
        self.bus.run_until_idle().unwrap();
        answer
    }

    /// Polls a target now and returns its progress, from any provider.
    fn call(&self, target: Target, args: &[u64]) -> Result<Progress, CallError> {
        Ok(self.answer(target, args)?.progress)
    }

    /// Polls a target now.
    fn answer(&self, target: Target, args: &[u64]) -> Reply {
        let answer = self.begin("core0", target, args, Schedule::Now);
        answer.now_or_never().unwrap().unwrap()
    }

    /// Calls a method on the next tick.
    fn later(&self, channel: &str, name: &str) -> ReplyFuture<Reply> {
        self.begin(channel, method(name), &[], Schedule::NextTick)
    }

    fn cancel(&self, channel: &str) {
        self.ask(Cancel {
            channel: channel.into(),
        });
    }
}

fn method(name: &str) -> Target {
    Target::Method(name.into())
}

fn sv(channel: &str, method: &str, args: &[u64]) -> ForeignCall {
    ForeignCall::SvCall(channel.to_owned(), method.to_owned(), args.to_vec())
}

fn py(channel: &str, method: &str, args: &[u64]) -> ForeignCall {
    ForeignCall::PyCall(channel.to_owned(), method.to_owned(), args.to_vec())
}

fn ready(result: u64) -> Result<Progress, CallError> {
    Ok(Progress::Ready(result))
}

/// The testbench's reply, if it has come.
fn of_testbench(answer: ReplyFuture<Reply>) -> Option<Progress> {
    let answered = answer.now_or_never()?.unwrap().unwrap();
    assert_eq!(answered.by, Provider::Testbench);
    Some(answered.progress)
}

#[test]
fn a_method_of_the_testbench_is_called_with_its_arguments() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("add", |_, args| Ok(Progress::Ready(args.iter().sum())));
    let args = [1, 2, u64::MAX - 3];
    assert_eq!(fixture.call(method("add"), &args), ready(u64::MAX));
    assert_eq!(fixture.outside.calls(), [sv("core0", "add", &args)]);
}

#[test]
fn the_host_program_comes_first() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("both", |_, _| Ok(Progress::Ready(1)));
    fixture
        .outside
        .method("theirs", |_, _| Ok(Progress::Ready(2)));
    assert_eq!(fixture.call(method("both"), &[]), ready(1));
    fixture.offer(method("both"), |_| Ok(task::Poll::Ready(3)));
    fixture.outside.calls();
    assert_eq!(fixture.call(method("both"), &[7]), ready(3));
    let reported = ForeignCall::HostCall("core0".into(), method("both"), vec![7]);
    assert_eq!(
        fixture.outside.calls(),
        [reported],
        "the testbench is not asked"
    );
    assert_eq!(fixture.call(method("theirs"), &[]), ready(2));
}

#[test]
fn python_comes_before_the_testbench_and_after_the_host_program() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("both", |_, _| Ok(Progress::Ready(1)));
    fixture.outside.method("sv", |_, _| Ok(Progress::Ready(2)));
    fixture
        .outside
        .py_method("both", |_, _| Ok(Progress::Ready(3)));
    assert_eq!(fixture.call(method("both"), &[7]), ready(3));
    assert_eq!(fixture.outside.calls(), [py("core0", "both", &[7])]);
    assert_eq!(fixture.call(method("sv"), &[8]), ready(2));
    assert_eq!(fixture.outside.calls(), [sv("core0", "sv", &[8])]);
    assert_eq!(fixture.call(method("none"), &[]), Ok(Progress::Absent));
    fixture.offer(method("both"), |_| Ok(task::Poll::Ready(4)));
    assert_eq!(fixture.call(method("both"), &[]), ready(4));
}

#[test]
fn a_result_names_its_provider() {
    let fixture = Fixture::new();
    fixture.outside.method("sv", |_, _| Ok(Progress::Ready(1)));
    fixture.outside.method("slow", |_, _| Ok(Progress::Pending));
    fixture
        .outside
        .py_method("py", |_, _| Ok(Progress::Pending));
    fixture.offer(method("own"), |_| Ok(task::Poll::Pending));
    let by = |target| fixture.answer(target, &[]).unwrap().by;
    assert_eq!(by(method("sv")), Provider::Testbench);
    assert_eq!(by(method("slow")), Provider::Testbench);
    assert_eq!(by(method("py")), Provider::Python);
    assert_eq!(by(method("own")), Provider::HostProgram);
    assert_eq!(
        by(method("none")),
        Provider::Testbench,
        "the last to be asked"
    );
    assert_eq!(by(Target::Command(1)), Provider::HostProgram);
}

#[test]
fn unanswered_calls_of_python_do_not_go_to_the_testbench() {
    let fixture = Fixture::new();
    for name in ["slow", "raises"] {
        fixture.outside.method(name, |_, _| Ok(Progress::Ready(1)));
    }
    fixture
        .outside
        .py_method("slow", |_, _| Ok(Progress::Pending));
    fixture.outside.py_method("raises", |_, _| {
        Err(CallError::Raised {
            target: method("raises"),
            cause: "on purpose".to_owned(),
        })
    });
    assert_eq!(fixture.call(method("slow"), &[]), Ok(Progress::Pending));
    assert!(fixture.call(method("raises"), &[]).is_err());
    let asked = ["slow", "raises"].map(|name| py("core0", name, &[]));
    assert_eq!(fixture.outside.calls(), asked);
}

#[test]
fn python_takes_more_arguments_than_the_testbench() {
    let fixture = Fixture::new();
    fixture
        .outside
        .py_method("count", |_, args| Ok(Progress::Ready(args.len() as u64)));
    assert_eq!(fixture.call(method("count"), &[1; 19]), ready(19));
}

#[test]
fn pythons_turn_comes_before_the_calls_of_a_tick() {
    let fixture = Fixture::new();
    fixture
        .outside
        .py_method("slow", |_, _| Ok(Progress::Pending));
    let _answer = fixture.later("core0", "slow");
    fixture.try_ask(PyTasks { alive: true }).unwrap();
    fixture.tick();
    assert_eq!(
        fixture.outside.calls(),
        [ForeignCall::PyTick, py("core0", "slow", &[])]
    );
}

#[test]
fn python_has_turns_while_it_has_tasks() {
    let fixture = Fixture::new();
    let tasks = |alive| fixture.try_ask(PyTasks { alive }).unwrap();
    fixture.tick();
    tasks(true);
    assert_eq!(fixture.outside.calls(), [], "not before the tick");
    fixture.tick();
    // A call that waits for a tick and one that is cancelled don't stop Python's turns.
    drop(fixture.later("core0", "none"));
    fixture.tick();
    fixture.cancel("core0");
    fixture.outside.calls();
    fixture.tick();
    assert_eq!(fixture.outside.calls(), [ForeignCall::PyTick]);
    fixture.state.swap(0, Ordering::Relaxed);
    tasks(false);
    fixture.tick();
    assert_eq!(fixture.outside.calls(), []);
    assert_eq!(
        fixture.state.load(Ordering::Relaxed),
        0,
        "that costs nothing"
    );
}

#[test]
fn python_hears_of_a_reset() {
    let fixture = Fixture::new();
    fixture.cancel("core1");
    assert_eq!(
        fixture.outside.calls(),
        [ForeignCall::PyCancel("core1".to_owned())]
    );
}

#[test]
fn a_custom_command_is_for_the_host_program_alone() {
    let fixture = Fixture::new();
    fixture.outside.method("5", |_, _| Ok(Progress::Ready(0)));
    assert_eq!(fixture.call(Target::Command(5), &[]), Ok(Progress::Absent));
    assert_eq!(fixture.outside.calls(), []);
    fixture.offer(Target::Command(5), |args| {
        Ok(task::Poll::Ready(args[0] + 1))
    });
    assert_eq!(fixture.call(Target::Command(5), &[5]), ready(6));
}

#[test]
fn failures_and_pending_results_are_forwarded() {
    let fixture = Fixture::new();
    fixture.outside.method("fails", |_, _| Ok(Progress::Failed));
    fixture.outside.method("slow", |_, _| Ok(Progress::Pending));
    fixture.outside.method("away", |_, _| {
        Err(CallError::Unreachable {
            target: method("away"),
            cause: "no scope".to_owned(),
        })
    });
    fixture.offer(method("raises"), |_| Err("on purpose".into()));
    let call = |name| fixture.call(method(name), &[]);
    assert_eq!(call("nowhere"), Ok(Progress::Absent));
    assert_eq!(call("fails"), Ok(Progress::Failed));
    assert_eq!(call("slow"), Ok(Progress::Pending));
    assert_eq!(
        call("away").unwrap_err().to_string(),
        "method `away` can't be called: no scope"
    );
    assert_eq!(
        call("raises").unwrap_err().to_string(),
        "method `raises` failed: on purpose"
    );
}

#[test]
fn a_panic_outside_reaches_the_caller_and_service_goes_on() {
    let fixture = Fixture::new();
    fixture.outside.method("moody", |_, args| {
        assert!(!args.is_empty(), "no arguments");
        Ok(Progress::Ready(1))
    });
    let answer = fixture.begin("core0", method("moody"), &[], Schedule::Now);
    let error = answer.now_or_never().unwrap().unwrap_err().to_string();
    assert_eq!(
        error,
        "foreign did not reply to MethodCall: it panicked: no arguments"
    );
    assert_eq!(fixture.bus.take_panics(), []);
    assert_eq!(fixture.call(method("moody"), &[1]), ready(1));
}

#[test]
fn the_testbench_takes_sixteen_arguments_the_host_program_all() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("count", |_, args| Ok(Progress::Ready(args.len() as u64)));
    let args: Vec<u64> = (0..19).collect();
    assert_eq!(fixture.call(method("count"), &args[..16]), ready(16));
    fixture.outside.calls();
    let error = fixture.call(method("count"), &args[..17]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "method `count` has 17 arguments; `mb_sv_call` takes at most 16"
    );
    assert_eq!(fixture.outside.calls(), []);
    fixture.offer(method("count"), |args| {
        Ok(task::Poll::Ready(args.len() as u64))
    });
    assert_eq!(fixture.call(method("count"), &args), ready(19));
}

#[test]
fn ticks_are_requested_only_while_calls_are_pending() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("quick", |_, _| Ok(Progress::Ready(0)));
    fixture.tick();
    fixture.call(method("quick"), &[]).unwrap();
    fixture.tick();
    assert_eq!(fixture.state.swap(0, Ordering::Relaxed), 0);
    let mut answer = fixture.later("core0", "quick");
    assert!(
        (&mut answer).now_or_never().is_none(),
        "not before the tick"
    );
    fixture.tick();
    assert_eq!(of_testbench(answer), Some(Progress::Ready(0)));
    assert_eq!(fixture.state.swap(0, Ordering::Relaxed), 1);
    assert_eq!(fixture.bus.tick(), Ok(false));
}

#[test]
fn pending_calls_are_polled_in_order_of_arrival() {
    let fixture = Fixture::new();
    fixture.outside.method("slow", |_, _| Ok(Progress::Pending));
    for _ in 0..3 {
        let channels = ["core2", "core0", "core1"];
        let answers = channels.map(|channel| fixture.later(channel, "slow"));
        assert_eq!(fixture.outside.calls(), []);
        fixture.tick();
        let expected = channels.map(|channel| sv(channel, "slow", &[]));
        assert_eq!(fixture.outside.calls(), expected);
        for answer in answers {
            assert_eq!(of_testbench(answer), Some(Progress::Pending));
        }
    }
}

/// If a method's own call advances the time, the method is polled again on the tick after.
#[test]
fn calls_begun_during_a_tick_wait_for_the_next() {
    let fixture = Fixture::new();
    let (rpc, kept) = (fixture.actor.clone(), Rc::new(Cell::new(None)));
    let answer = kept.clone();
    fixture.outside.method("first", move |_, _| {
        let call = Call {
            channel: "core1".into(),
            target: method("second"),
            args: vec![],
            schedule: Schedule::NextTick,
        };
        kept.set(Some(rpc.ask(call)));
        Ok(Progress::Ready(1))
    });
    let first = fixture.later("core0", "first");
    fixture.tick();
    assert_eq!(of_testbench(first), Some(Progress::Ready(1)));
    assert_eq!(fixture.outside.calls(), [sv("core0", "first", &[])]);
    fixture.tick();
    assert_eq!(fixture.outside.calls(), [sv("core1", "second", &[])]);
    let second = answer.take().unwrap();
    assert_eq!(of_testbench(second), Some(Progress::Absent));
}

#[test]
fn a_call_that_is_cancelled_is_not_made() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("slow", |_, _| Ok(Progress::Ready(1)));
    let cancelled = fixture.later("core0", "slow");
    let other = fixture.later("core1", "slow");
    fixture.cancel("core0");
    let unanswered = cancelled.now_or_never().unwrap().unwrap_err();
    assert_eq!(unanswered.to_string(), "rpc did not reply to Call");
    fixture.outside.calls();
    fixture.tick();
    assert_eq!(fixture.outside.calls(), [sv("core1", "slow", &[])]);
    assert_eq!(of_testbench(other), Some(Progress::Ready(1)));

    let _cancelled = fixture.later("core1", "slow");
    fixture.cancel("core1");
    fixture.state.swap(0, Ordering::Relaxed);
    fixture.tick();
    assert_eq!(
        fixture.state.load(Ordering::Relaxed),
        0,
        "nobody waits any more"
    );
    assert_eq!(fixture.call(method("slow"), &[]), ready(1));
}

/// A reset of the channel within the tick drops its call before a provider is polled.
#[test]
fn an_abandoned_call_is_not_made() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("fine", |_, _| Ok(Progress::Ready(2)));
    fixture.offer(method("own"), |_| panic!("nobody waits for it"));
    for name in ["fine", "own"] {
        drop(fixture.actor.ask(Call {
            channel: "core0".into(),
            target: method(name),
            args: vec![],
            schedule: Schedule::Now,
        }));
    }
    fixture.bus.run_until_idle().unwrap();
    assert_eq!(fixture.outside.calls(), []);
    assert_eq!(fixture.bus.take_panics(), []);
    assert_eq!(fixture.call(method("fine"), &[]), ready(2));
}

/// A posted call is made, although its result is not awaited.
#[test]
fn a_posted_call_is_made() {
    let fixture = Fixture::new();
    fixture
        .outside
        .method("fine", |_, _| Ok(Progress::Ready(2)));
    fixture.actor.post(Call {
        channel: "core0".into(),
        target: method("fine"),
        args: vec![],
        schedule: Schedule::Now,
    });
    fixture.bus.run_until_idle().unwrap();
    assert_eq!(fixture.outside.calls(), [sv("core0", "fine", &[])]);
}
