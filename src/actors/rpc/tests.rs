use std::cell::Cell;
use std::task;

use super::*;
use crate::bus::{Answer, Bus, Inbox as _};
use crate::foreign::scripted::{Ram, Scripted, Told, map};
use crate::foreign::{CallResult, Callbacks};
use crate::messages::rpc::{Cancel, Offer, Tick};

use futures_util::FutureExt;

struct Bench {
    bus: Bus,
    outside: Rc<Scripted>,
    rpc: Port<Inbox>,
    /// Ticks that the dispatcher was told of.
    ticks: Rc<Cell<usize>>,
}

type Reply = Result<u64, CallError>;

impl Bench {
    fn new() -> Self {
        let ram = Ram::new(&map(&[]));
        let (bus, outside, foreign) = Scripted::bus(&ram, Callbacks::default());
        let ticks = Rc::new(Cell::new(0));
        let told = ticks.clone();
        let channels = ["core0", "core1", "core2"].map(str::to_owned).to_vec();
        let rpc = bus
            .start(|own: Port<Inbox>| {
                let alarm = bus.alarm(Box::new(move |now| {
                    told.set(told.get() + 1);
                    own.post(Tick { now });
                }));
                Rpc::new(bus.desk(Inbox::PARTY), &foreign, channels, alarm)
            })
            .unwrap();
        Self {
            bus,
            outside,
            rpc,
            ticks,
        }
    }

    /// The host program answers the target.
    fn offer(&self, target: Target, callback: impl FnMut(&[u64]) -> CallResult + 'static) {
        let mut callback = callback;
        let callback = move |_: &str, args: &[u64]| callback(args);
        self.outside
            .callbacks
            .register(target.clone(), Box::new(callback));
        self.bus.ask(&self.rpc, Offer { target }).unwrap();
    }

    /// A call that is made as far as it goes without time.
    fn begin(&self, channel: u32, target: Target, args: &[u64]) -> Answer<Reply> {
        let answer = self.rpc.ask(Call {
            channel: ChannelId(channel),
            target,
            args: args.to_vec(),
        });
        self.bus.settle().unwrap();
        answer
    }

    /// A call that takes no time.
    fn call(&self, target: Target, args: &[u64]) -> Reply {
        self.begin(0, target, args).now_or_never().unwrap().unwrap()
    }

    fn tick(&self) {
        self.bus.tick().unwrap();
    }

    fn poll(&self, method: &str, args: &[u64]) -> Result<Progress, CallError> {
        let ask = Poll {
            channel: "elsewhere".to_owned(),
            method: method.to_owned(),
            args: args.to_vec(),
        };
        self.bus.ask(&self.rpc, ask).unwrap()
    }
}

fn method(name: &str) -> Target {
    Target::Method(name.to_owned())
}

fn sv(channel: &str, method: &str, args: &[u64]) -> Told {
    Told::SvCall(channel.to_owned(), method.to_owned(), args.to_vec())
}

fn is_pending(answer: &mut Answer<Reply>) -> bool {
    answer.now_or_never().is_none()
}

#[test]
fn a_method_of_the_testbench_is_called_with_its_arguments() {
    let bench = Bench::new();
    bench
        .outside
        .method("add", |_, args| Ok(Progress::Ready(args.iter().sum())));
    assert_eq!(
        bench.call(method("add"), &[1, 2, u64::MAX - 3]),
        Ok(u64::MAX)
    );
    assert_eq!(
        bench.outside.told(),
        [sv("core0", "add", &[1, 2, u64::MAX - 3])]
    );
}

#[test]
fn the_host_program_comes_first() {
    let bench = Bench::new();
    bench.outside.method("both", |_, _| Ok(Progress::Ready(1)));
    bench
        .outside
        .method("theirs", |_, _| Ok(Progress::Ready(2)));
    assert_eq!(bench.call(method("both"), &[]), Ok(1));
    bench.offer(method("both"), |_| Ok(task::Poll::Ready(3)));
    bench.outside.told();
    assert_eq!(bench.call(method("both"), &[7]), Ok(3));
    let told = Told::HostCall("core0".into(), method("both"), vec![7]);
    assert_eq!(bench.outside.told(), [told], "the testbench is not asked");
    assert_eq!(bench.call(method("theirs"), &[]), Ok(2));
}

/// Offered, but no longer there when it is called.
#[test]
fn the_testbench_is_asked_where_the_host_program_knows_nothing() {
    let bench = Bench::new();
    bench.outside.method("moved", |_, _| Ok(Progress::Ready(4)));
    let target = method("moved");
    bench.bus.ask(&bench.rpc, Offer { target }).unwrap();
    assert_eq!(bench.call(method("moved"), &[]), Ok(4));
}

#[test]
fn a_custom_command_is_for_the_host_program_alone() {
    let bench = Bench::new();
    bench.outside.method("5", |_, _| Ok(Progress::Ready(0)));
    let error = bench.call(Target::Command(5), &[]).unwrap_err();
    let text = "there is no custom command 0x5: neither the host program nor the testbench has it";
    assert_eq!(error.to_string(), text);
    assert_eq!(bench.outside.told(), []);
    bench.offer(Target::Command(5), |args| {
        Ok(task::Poll::Ready(args[0] + 1))
    });
    assert_eq!(bench.call(Target::Command(5), &[5]), Ok(6));
}

#[test]
fn each_failure_says_what_it_is() {
    let bench = Bench::new();
    bench.outside.method("fails", |_, _| Ok(Progress::Failed));
    bench.outside.method("away", |_, _| {
        Err(CallError::Unreachable {
            target: method("away"),
            cause: "no scope".to_owned(),
        })
    });
    bench.offer(method("raises"), |_| Err("on purpose".into()));
    let error = |name| bench.call(method(name), &[]).unwrap_err().to_string();
    assert_eq!(
        error("nowhere"),
        "there is no method `nowhere`: neither the host program nor the testbench has it"
    );
    assert_eq!(error("fails"), "method `fails` failed");
    assert_eq!(error("away"), "method `away` can't be called: no scope");
    assert_eq!(error("raises"), "method `raises` failed: on purpose");
}

#[test]
fn a_panic_outside_is_a_failed_call_and_service_goes_on() {
    let bench = Bench::new();
    bench.outside.method("moody", |_, args| {
        assert!(!args.is_empty(), "no arguments");
        Ok(Progress::Ready(1))
    });
    let error = bench.call(method("moody"), &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "method `moody` failed: foreign gave no answer to SvCall: it panicked: no arguments"
    );
    assert_eq!(bench.bus.take_panics(), []);
    assert_eq!(bench.call(method("moody"), &[1]), Ok(1));
    bench.offer(Target::Command(1), |_| panic!("the callback's"));
    let error = bench.call(Target::Command(1), &[]).unwrap_err().to_string();
    assert!(error.ends_with("the callback's"), "{error}");
}

#[test]
fn the_testbench_takes_sixteen_arguments_the_host_program_all() {
    let bench = Bench::new();
    bench
        .outside
        .method("count", |_, args| Ok(Progress::Ready(args.len() as u64)));
    let args: Vec<u64> = (0..19).collect();
    assert_eq!(bench.call(method("count"), &args[..16]), Ok(16));
    bench.outside.told();
    let error = bench.call(method("count"), &args[..17]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "method `count` was given 17 arguments; `mb_sv_call` takes 16 at most"
    );
    assert_eq!(bench.outside.told(), []);
    bench.offer(method("count"), |args| {
        Ok(task::Poll::Ready(args.len() as u64))
    });
    assert_eq!(bench.call(method("count"), &args), Ok(19));
}

#[test]
fn who_answers_pending_is_asked_once_a_tick() {
    let bench = Bench::new();
    bench.outside.method_after("slow", 3, Progress::Ready(9));
    let mut answer = bench.begin(1, method("slow"), &[5]);
    assert_eq!(bench.outside.told(), [sv("core1", "slow", &[5])]);
    for _ in 0..2 {
        assert!(is_pending(&mut answer));
        bench.tick();
        assert_eq!(bench.outside.told(), [sv("core1", "slow", &[5])]);
    }
    assert!(is_pending(&mut answer));
    bench.tick();
    assert_eq!(answer.now_or_never(), Some(Ok(Ok(9))));
}

#[test]
fn who_fails_after_pending_is_asked_no_more() {
    let bench = Bench::new();
    bench.outside.method_after("slow", 1, Progress::Failed);
    let answer = bench.begin(0, method("slow"), &[]);
    bench.tick();
    assert_eq!(
        answer.now_or_never(),
        Some(Ok(Err(CallError::Failed(method("slow")))))
    );
    bench.outside.told();
    bench.tick();
    assert_eq!(bench.outside.told(), []);
}

#[test]
fn time_is_only_asked_for_while_somebody_waits() {
    let bench = Bench::new();
    bench.outside.method_after("slow", 2, Progress::Ready(0));
    bench.outside.method_after("slower", 3, Progress::Ready(0));
    bench.tick();
    assert_eq!(bench.ticks.take(), 0);
    let answers = [
        bench.begin(0, method("slow"), &[]),
        bench.begin(1, method("slower"), &[]),
    ];
    for _ in 0..10 {
        bench.tick();
    }
    assert_eq!(bench.ticks.take(), 3, "as many as the longer one takes");
    assert!(
        answers
            .into_iter()
            .all(|answer| answer.now_or_never().is_some())
    );
    assert_eq!(bench.bus.tick(), Ok(false));
}

#[test]
fn those_who_wait_are_asked_in_order_of_arrival() {
    let bench = Bench::new();
    bench.outside.method("slow", |_, _| Ok(Progress::Pending));
    let channels = [2, 0, 1];
    let mut answers = channels.map(|channel| bench.begin(channel, method("slow"), &[]));
    let expected = ["core2", "core0", "core1"].map(|channel| sv(channel, "slow", &[]));
    assert_eq!(bench.outside.told(), expected);
    for _ in 0..5 {
        bench.tick();
        assert_eq!(bench.outside.told(), expected);
    }
    assert!(answers.iter_mut().all(is_pending));
}

#[test]
fn two_channels_in_one_method_have_each_their_own_result() {
    let bench = Bench::new();
    bench.outside.method("slow", {
        let mut polls = 0;
        move |channel, args| {
            polls += 1;
            // The one that asked first waits longest.
            Ok(match (polls, channel) {
                (4, "core1") | (5, "core0") => Progress::Ready(args[0]),
                _ => Progress::Pending,
            })
        }
    });
    let mut first = bench.begin(0, method("slow"), &[10]);
    let second = bench.begin(1, method("slow"), &[11]);
    bench.tick();
    assert_eq!(second.now_or_never(), Some(Ok(Ok(11))));
    assert!(is_pending(&mut first));
    bench.tick();
    assert_eq!(first.now_or_never(), Some(Ok(Ok(10))));
}

#[test]
fn a_call_that_is_cancelled_is_asked_no_more() {
    let bench = Bench::new();
    bench.outside.method("slow", |_, _| Ok(Progress::Pending));
    let cancelled = bench.begin(0, method("slow"), &[]);
    let mut other = bench.begin(1, method("slow"), &[]);
    let channel = ChannelId(0);
    bench.bus.ask(&bench.rpc, Cancel { channel }).unwrap();
    let unanswered = cancelled.now_or_never().unwrap().unwrap_err();
    assert_eq!(unanswered.to_string(), "rpc gave no answer to Call");
    bench.outside.told();
    bench.tick();
    assert_eq!(bench.outside.told(), [sv("core1", "slow", &[])]);
    assert!(is_pending(&mut other));
    // The channel calls anew.
    bench.outside.method("slow", |_, _| Ok(Progress::Ready(1)));
    assert_eq!(bench.call(method("slow"), &[]), Ok(1));
    let channel = ChannelId(1);
    bench.bus.ask(&bench.rpc, Cancel { channel }).unwrap();
    bench.ticks.take();
    bench.tick();
    assert_eq!(bench.ticks.get(), 0, "nobody waits any more");
}

/// The channel is reset from inside its own method: the answer comes when nobody waits for it.
#[test]
fn an_answer_after_its_cancellation_harms_nobody() {
    let bench = Bench::new();
    let rpc = bench.rpc.clone();
    bench.outside.method("resets", move |_, _| {
        rpc.post(Cancel {
            channel: ChannelId(0),
        });
        Ok(Progress::Ready(1))
    });
    let answer = bench.begin(0, method("resets"), &[]);
    assert!(answer.now_or_never().unwrap().is_err());
    assert_eq!(bench.bus.take_panics(), []);
    bench.outside.method("fine", |_, _| Ok(Progress::Ready(2)));
    assert_eq!(bench.call(method("fine"), &[]), Ok(2));
}

/// Cancelled when the call waits in the outbox already: it may still be made, and answers nobody.
#[test]
fn a_call_may_be_cancelled_before_it_is_made() {
    let bench = Bench::new();
    bench.outside.method("fine", |_, _| Ok(Progress::Ready(2)));
    let channel = ChannelId(0);
    let call = Call {
        channel,
        target: method("fine"),
        args: vec![],
    };
    let answer = bench.rpc.ask(call);
    bench.rpc.post(Cancel { channel });
    bench.bus.settle().unwrap();
    assert!(answer.now_or_never().unwrap().is_err());
    assert_eq!(bench.call(method("fine"), &[]), Ok(2));
}

#[test]
fn a_poll_asks_once() {
    let bench = Bench::new();
    bench.outside.method_after("slow", 1, Progress::Ready(3));
    assert_eq!(bench.poll("slow", &[4]), Ok(Progress::Pending));
    assert_eq!(bench.outside.told(), [sv("elsewhere", "slow", &[4])]);
    bench.tick();
    assert_eq!(bench.ticks.get(), 0);
    assert_eq!(bench.outside.told(), []);
    assert_eq!(bench.poll("slow", &[4]), Ok(Progress::Ready(3)));
    assert_eq!(bench.poll("nowhere", &[]), Ok(Progress::Absent));
    let too_many = bench.poll("slow", &[0; 17]).unwrap_err();
    assert!(matches!(
        too_many,
        CallError::TooManyArguments { given: 17, .. }
    ));
}

#[test]
fn a_channel_that_nobody_knows_has_no_name() {
    let bench = Bench::new();
    bench.outside.method("who", |channel, _| {
        Ok(Progress::Ready(channel.len() as u64))
    });
    let answer = bench.begin(u32::MAX, method("who"), &[]);
    assert_eq!(answer.now_or_never(), Some(Ok(Ok(0))));
}
