//! Methods that HDL serves. A call of firmware waits here until HDL has answered it.
//!
//! VPI can't call a task. So the library changes a variable, or triggers an event, for which a
//! process of the testbench waits. The process takes the waiting calls, and answers each at once or
//! later.

use std::collections::BTreeSet;

use super::super::vpi_value::Trigger;

/// Statuses of `mb_sv_call`.
const READY: u32 = 0;
const PENDING: u32 = 1;
const ABSENT: u32 = 2;
const FAILED: u32 = 3;

/// Name for a trigger of all methods that have none of their own.
const ANY_METHOD: &str = "*";

/// Answer of HDL to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Result of the call.
    Result(u64),
    /// Unknown method.
    Absent,
    /// The call has failed.
    Failed,
}

/// Call of a method.
#[derive(Debug)]
pub(crate) struct CallInfo {
    number: u32,
    pub(crate) channel: String,
    pub(crate) method: String,
    pub(crate) args: Vec<u64>,
    is_taken: bool,
    answer: Option<Answer>,
    /// True if it was polled since the end of the last tick.
    is_polled: bool,
}

/// Reason why there is no call with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoCall {
    /// No call has had the number.
    Unknown,
    /// It was answered.
    Answered,
    /// It has ended without an answer: its channel was reset, or its system was shut down or
    /// restored.
    Dropped,
}

/// Method that no `$mb_on_call` serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unserved;

/// Number of dropped calls that are remembered.
const MAX_DROPPED: usize = 4096;

/// Registered methods and their calls.
#[derive(Debug)]
pub(super) struct Methods {
    registered: Vec<(String, Trigger)>,
    calls: Vec<CallInfo>,
    /// Numbers of the latest dropped calls.
    dropped: BTreeSet<u32>,
    /// Methods that were asked for, and are not served.
    unserved: Vec<String>,
    /// Number of calls so far. The number of a call is not used again.
    begun: u32,
}

impl Methods {
    pub(super) const fn new() -> Self {
        Self {
            registered: Vec::new(),
            calls: Vec::new(),
            dropped: BTreeSet::new(),
            unserved: Vec::new(),
            begun: 0,
        }
    }

    pub(super) fn register(&mut self, method: &str, trigger: Trigger) {
        self.registered.retain(|(known, _)| known != method);
        self.registered.push((method.to_owned(), trigger));
    }

    pub(super) fn any(&self) -> bool {
        !self.registered.is_empty()
    }

    fn trigger(&self, method: &str) -> Option<Trigger> {
        let of = |name: &str| self.registered.iter().find(|(known, _)| known == name);
        of(method)
            .or_else(|| of(ANY_METHOD))
            .map(|(_, trigger)| *trigger)
    }

    /// Polls a call. Returns its result and status, and for a new call its trigger and its number.
    pub(super) fn poll(
        &mut self,
        channel: &str,
        method: &str,
        args: &[u64],
    ) -> ((u64, u32), Option<(Trigger, u32)>) {
        let same = |call: &CallInfo| call.channel == channel && call.method == method;
        if let Some(at) = self.calls.iter().position(same) {
            let Some(answer) = self.calls[at].answer else {
                self.calls[at].is_polled = true;
                return ((0, PENDING), None);
            };
            self.calls.remove(at);
            let answer = match answer {
                Answer::Result(result) => (result, READY),
                Answer::Absent => (0, ABSENT),
                Answer::Failed => (0, FAILED),
            };
            return (answer, None);
        }
        let Some(trigger) = self.trigger(method) else {
            return ((0, ABSENT), None);
        };
        // 0 is not a valid number. After 2^32 calls the numbers start again.
        self.begun = self.begun.checked_add(1).unwrap_or(1);
        self.calls.push(CallInfo {
            number: self.begun,
            channel: channel.to_owned(),
            method: method.to_owned(),
            args: args.to_owned(),
            is_taken: false,
            answer: None,
            is_polled: true,
        });
        ((0, PENDING), Some((trigger, self.begun)))
    }

    /// Takes the oldest waiting call of a method, of the methods without a trigger of their own for
    /// `*`, or of any method.
    ///
    /// # Errors
    /// A method that is not served, once.
    pub(super) fn next(&mut self, method: Option<&str>) -> Result<Option<u32>, Unserved> {
        if let Some(method) = method
            && self.trigger(method).is_none()
            && !self.unserved.iter().any(|known| known == method)
        {
            self.unserved.push(method.to_owned());
            return Err(Unserved);
        }
        let registered = &self.registered;
        let is_of = |call: &CallInfo, method: &str| {
            call.method == method
                || method == ANY_METHOD
                    && !registered.iter().any(|(known, _)| *known == call.method)
        };
        let wanted = |call: &&mut CallInfo| {
            !call.is_taken && method.is_none_or(|method| is_of(call, method))
        };
        let Some(call) = self.calls.iter_mut().find(wanted) else {
            return Ok(None);
        };
        call.is_taken = true;
        Ok(Some(call.number))
    }

    pub(super) fn pending(&self) -> usize {
        self.calls.len()
    }

    fn position(&self, number: u64) -> Result<usize, NoCall> {
        let same = |call: &CallInfo| u64::from(call.number) == number;
        self.calls.iter().position(same).ok_or_else(|| {
            let number = u32::try_from(number).unwrap_or(0);
            match (1..=self.begun).contains(&number) {
                false => NoCall::Unknown,
                true if self.dropped.contains(&number) => NoCall::Dropped,
                true => NoCall::Answered,
            }
        })
    }

    /// Call with a number. An answered one is there until firmware has its answer.
    pub(super) fn get(&self, number: u64) -> Result<&CallInfo, NoCall> {
        Ok(&self.calls[self.position(number)?])
    }

    pub(super) fn answer(&mut self, number: u64, answer: Answer) -> Result<(), NoCall> {
        let at = self.position(number)?;
        let call = &mut self.calls[at];
        if call.answer.is_some() {
            return Err(NoCall::Answered);
        }
        call.is_taken = true;
        call.answer = Some(answer);
        Ok(())
    }

    /// Drops the calls that were not polled since the last sweep, because their channels were
    /// reset.
    pub(super) fn sweep(&mut self) {
        let dropped = self.calls.iter().filter(|call| !call.is_polled);
        self.dropped.extend(dropped.map(|call| call.number));
        while self.dropped.len() > MAX_DROPPED {
            self.dropped.pop_first();
        }
        self.calls
            .retain_mut(|call| std::mem::replace(&mut call.is_polled, false));
    }

    /// Drops all calls.
    pub(super) fn drop_calls(&mut self) {
        for call in &mut self.calls {
            call.is_polled = false;
        }
        self.sweep();
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;

    fn methods(names: &[&str]) -> Methods {
        let mut methods = Methods::new();
        for name in names {
            methods.register(name, Trigger::of(NonNull::dangling()));
        }
        methods
    }

    fn status(methods: &mut Methods, channel: &str, method: &str) -> (u64, u32) {
        methods.poll(channel, method, &[1, 2]).0
    }

    #[test]
    fn a_call_waits_until_it_is_answered_and_is_answered_once() {
        let mut methods = methods(&["add"]);
        let (polled, pulled) = methods.poll("cpu0", "add", &[1, 2]);
        assert_eq!(
            (polled, pulled.map(|(_, number)| number)),
            ((0, PENDING), Some(1))
        );
        assert_eq!(methods.next(Some("add")), Ok(Some(1)));
        assert_eq!(methods.next(None), Ok(None));
        let args = methods.get(1).map(|call| call.args.clone());
        assert_eq!(args, Ok(vec![1, 2]));
        assert_eq!(status(&mut methods, "cpu0", "add"), (0, PENDING));
        let answer = |methods: &mut Methods, number| methods.answer(number, Answer::Result(3));
        assert_eq!(answer(&mut methods, 1), Ok(()));
        assert_eq!(answer(&mut methods, 1), Err(NoCall::Answered));
        assert!(methods.get(1).is_ok(), "firmware has no answer yet");
        assert_eq!(status(&mut methods, "cpu0", "add"), (3, READY));
        assert_eq!(answer(&mut methods, 1), Err(NoCall::Answered));
        assert_eq!(methods.get(1).map(drop), Err(NoCall::Answered));
        for number in [0, 2, 1 << 32 | 1] {
            assert_eq!(answer(&mut methods, number), Err(NoCall::Unknown));
            assert_eq!(methods.get(number).map(drop), Err(NoCall::Unknown));
        }
    }

    #[test]
    fn a_method_that_is_not_served_is_an_error_once() {
        let mut methods = methods(&["add"]);
        assert_eq!(methods.next(Some("ad")), Err(Unserved));
        assert_eq!(methods.next(Some("ad")), Ok(None));
        assert_eq!(methods.next(Some("*")), Err(Unserved));
        assert_eq!(methods.next(Some("add")), Ok(None));
    }

    #[test]
    fn the_method_of_all_takes_those_without_a_trigger_of_their_own() {
        let mut methods = methods(&["add", "*"]);
        for method in ["add", "sub", "mul"] {
            status(&mut methods, "cpu0", method);
        }
        assert_eq!(methods.next(Some("mul")), Ok(Some(3)));
        assert_eq!(methods.next(Some("*")), Ok(Some(2)));
        assert_eq!(methods.next(Some("*")), Ok(None));
        assert_eq!(methods.next(None), Ok(Some(1)));
    }

    #[test]
    fn channels_call_independently_and_in_order() {
        let mut methods = methods(&["*"]);
        for channel in ["a", "b"] {
            assert_eq!(status(&mut methods, channel, "m"), (0, PENDING));
        }
        assert_eq!(methods.next(None), Ok(Some(1)));
        assert_eq!(methods.next(None), Ok(Some(2)));
        assert_eq!(methods.answer(2, Answer::Failed), Ok(()));
        assert_eq!(methods.answer(1, Answer::Absent), Ok(()));
        assert_eq!(status(&mut methods, "a", "m"), (0, ABSENT));
        assert_eq!(status(&mut methods, "b", "m"), (0, FAILED));
    }

    #[test]
    fn a_call_of_a_channel_that_was_reset_is_dropped() {
        let mut methods = methods(&["m"]);
        status(&mut methods, "a", "m");
        methods.sweep();
        assert_eq!(methods.pending(), 1, "it was polled in this tick");
        methods.sweep();
        assert_eq!(methods.pending(), 0);
        assert_eq!(methods.answer(1, Answer::Result(1)), Err(NoCall::Dropped));
        assert_eq!(methods.get(1).map(drop), Err(NoCall::Dropped));
        assert_eq!(
            methods.poll("a", "m", &[]).1.map(|(_, number)| number),
            Some(2)
        );
        methods.drop_calls();
        assert_eq!(methods.answer(2, Answer::Failed), Err(NoCall::Dropped));
    }

    #[test]
    fn the_latest_dropped_calls_are_remembered() {
        let mut methods = methods(&["m"]);
        for _ in 0..=MAX_DROPPED {
            status(&mut methods, "a", "m");
            methods.drop_calls();
        }
        assert_eq!(methods.dropped.len(), MAX_DROPPED);
        assert_eq!(methods.get(2).map(drop), Err(NoCall::Dropped));
    }

    #[test]
    fn an_unregistered_method_is_absent() {
        assert_eq!(status(&mut methods(&["m"]), "a", "n"), (0, ABSENT));
        assert_eq!(status(&mut methods(&[]), "a", "m"), (0, ABSENT));
    }
}
