//! Methods that HDL serves. A call of firmware waits here until HDL has answered it.
//!
//! VPI can't call a task. So the library changes a variable, or triggers an event, for which a
//! process of the testbench waits. The process takes the waiting calls, and answers each at once or
//! later.

use super::super::vpi_value::Trigger;

/// Statuses of `mb_sv_call`.
const READY: u32 = 0;
const PENDING: u32 = 1;
const ABSENT: u32 = 2;
const FAILED: u32 = 3;

/// Name for a trigger of all methods that have none of their own.
const ANY: &str = "*";

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

/// Registered methods and their calls.
#[derive(Debug)]
pub(super) struct Methods {
    registered: Vec<(String, Trigger)>,
    calls: Vec<CallInfo>,
    /// Number of calls so far. The number of a call is not used again.
    begun: u32,
}

impl Methods {
    pub(super) const fn new() -> Self {
        Self {
            registered: Vec::new(),
            calls: Vec::new(),
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
        of(method).or_else(|| of(ANY)).map(|(_, trigger)| *trigger)
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

    /// Takes the oldest waiting call of a method, or of any method.
    pub(super) fn next(&mut self, method: Option<&str>) -> Option<u32> {
        let wanted = |call: &&mut CallInfo| {
            !call.is_taken && method.is_none_or(|method| call.method == method)
        };
        let call = self.calls.iter_mut().find(wanted)?;
        call.is_taken = true;
        Some(call.number)
    }

    pub(super) fn pending(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn get(&self, number: u64) -> Option<&CallInfo> {
        self.calls
            .iter()
            .find(|call| u64::from(call.number) == number)
    }

    pub(super) fn has_been(&self, number: u64) -> bool {
        (1..=u64::from(self.begun)).contains(&number)
    }

    pub(super) fn answer(&mut self, number: u64, answer: Answer) -> bool {
        let mut calls = self.calls.iter_mut();
        let call = calls.find(|call| u64::from(call.number) == number && call.answer.is_none());
        match call {
            Some(call) => {
                call.is_taken = true;
                call.answer = Some(answer);
                true
            }
            None => false,
        }
    }

    /// Drops the calls that were not polled since the last sweep, because their channels were
    /// reset.
    pub(super) fn sweep(&mut self) {
        self.calls
            .retain_mut(|call| std::mem::replace(&mut call.is_polled, false));
    }

    pub(super) fn forget_calls(&mut self) {
        self.calls.clear();
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
        assert_eq!(methods.next(Some("other")), None);
        assert_eq!(methods.next(Some("add")), Some(1));
        assert_eq!(methods.next(None), None);
        assert_eq!(
            methods.get(1).map(|call| call.args.clone()),
            Some(vec![1, 2])
        );
        assert_eq!(status(&mut methods, "cpu0", "add"), (0, PENDING));
        assert!(methods.answer(1, Answer::Result(3)));
        assert!(!methods.answer(1, Answer::Result(4)));
        assert_eq!(status(&mut methods, "cpu0", "add"), (3, READY));
        assert!(!methods.answer(1, Answer::Result(5)));
        assert!(methods.has_been(1) && !methods.has_been(0) && !methods.has_been(2));
    }

    #[test]
    fn channels_call_independently_and_in_order() {
        let mut methods = methods(&["*"]);
        for channel in ["a", "b"] {
            assert_eq!(status(&mut methods, channel, "m"), (0, PENDING));
        }
        assert_eq!([methods.next(None), methods.next(None)], [Some(1), Some(2)]);
        assert!(methods.answer(2, Answer::Failed) && methods.answer(1, Answer::Absent));
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
        assert!(!methods.answer(1, Answer::Result(1)));
        assert_eq!(
            methods.poll("a", "m", &[]).1.map(|(_, number)| number),
            Some(2)
        );
    }

    #[test]
    fn a_method_that_nobody_has_registered_is_absent() {
        assert_eq!(status(&mut methods(&["m"]), "a", "n"), (0, ABSENT));
        assert_eq!(status(&mut methods(&[]), "a", "m"), (0, ABSENT));
    }
}
