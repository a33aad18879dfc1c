//! Checker of one channel. It compares every word that the host writes, every call and every
//! response with `docs/protocol.md`.

mod calls;
mod goals;
mod queues;
mod specials;
mod writes;

use std::collections::VecDeque;

use crate::console::Console;
use crate::coverage::Coverage;
use crate::disk::Files;
use crate::effect::{Response, Special};
use crate::event::{Event, Target};
use crate::expect::Expect;
use crate::space::Space;
use crate::wire::{Layout, errno};

/// Maximum number of ticks in which the host must do all that it can.
const MAX_IDLE_TICKS: u32 = 8;

/// Phase of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// READY is not set.
    Handshake,
    /// Requests are served.
    Ready,
    /// It has exited with this code.
    Exited(u32),
}

/// State that all channels share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Files of all channels.
    pub files: Files,
    /// Counters of the run.
    pub coverage: Coverage,
    /// True if firmware has times and numbers of files in its memory, which differ between runs.
    pub varies: bool,
}

/// Request that waits for actions of the host before its response.
#[derive(Debug)]
enum WaitingRequest {
    Call(Target, Vec<u64>),
    Special(Special, SpecialResult),
}

/// Result of a special file for a request.
#[derive(Debug, Default)]
struct SpecialResult {
    bytes: Vec<u8>,
    position: u64,
    error: Option<i32>,
}

/// Checker of one channel.
#[derive(Debug)]
pub struct Session {
    channel: usize,
    /// Layout of the channel.
    pub layout: Layout,
    /// Address of the channel.
    pub at: u64,
    is_logged: bool,
    /// Phase of the channel.
    pub phase: Phase,
    /// True if firmware has violated the protocol. Then only checks are made that this can't
    /// excuse.
    pub is_relaxed: bool,
    consumed: u32,
    produced: u32,
    current: Option<WaitingRequest>,
    expected_responses: VecDeque<Vec<Response>>,
    writes: Vec<(u64, u64)>,
    /// Range of the current request whose bytes are known in part.
    partial: Option<(u64, u64, Expect)>,
    /// Number of the tick.
    tick: u64,
    /// True if the host has accepted an offer in the present handshake.
    has_accepted_offer: bool,
    /// Text that the channel prints.
    pub console: Console,
    before_fault: Option<Console>,
    /// Requests that failed.
    pub failures: u32,
    /// True if errors of the channel may be reported without a failed request.
    pub may_report_errors: bool,
    /// Ranges with either the old or the expected content.
    uncertain: Vec<(u64, u64)>,
    was_reset: bool,
    polls: u32,
    pending: bool,
    overdue: u32,
    has_changed: bool,
    open_specials: i32,
}

type Check = Result<(), String>;

impl Session {
    /// Creates the checker of a channel at an address of its space.
    pub fn new(channel: usize, layout: Layout, at: u64, space: &Space) -> Self {
        Self {
            channel,
            layout,
            at,
            is_logged: space.logs(at),
            phase: Phase::Handshake,
            is_relaxed: false,
            consumed: 0,
            produced: 0,
            current: None,
            expected_responses: VecDeque::new(),
            writes: Vec::new(),
            partial: None,
            tick: 0,
            has_accepted_offer: false,
            console: Console::default(),
            before_fault: None,
            failures: 0,
            may_report_errors: false,
            uncertain: Vec::new(),
            was_reset: false,
            polls: 0,
            pending: false,
            overdue: 0,
            has_changed: true,
            open_specials: 0,
        }
    }

    /// True if all requests of the channel are served, and all responses taken.
    pub fn is_idle(&self, space: &Space) -> bool {
        let produced = space.expected_word(self.at + self.layout.request.idx_p);
        self.phase == Phase::Ready
            && produced == self.consumed
            && self.current.is_none()
            && self.expected_responses.is_empty()
    }

    /// True if the request in service is a call that has not returned.
    pub fn has_pending_call(&self) -> bool {
        matches!(self.current, Some(WaitingRequest::Call(..)))
    }

    /// True if requests of the session may be served that the model does not see.
    pub fn is_unchecked(&self) -> bool {
        self.is_relaxed && self.phase == Phase::Ready
    }

    /// True if the host has files of the host program open, which the model may have closed.
    pub fn has_specials(&self) -> bool {
        self.open_specials != 0
    }

    /// Ends the session, because firmware withdraws READY.
    pub fn withdraw_ready(&mut self, space: &Space, shared: &mut Shared) {
        if matches!(self.phase, Phase::Exited(_)) {
            return;
        }
        let counter = match (self.phase, &self.current) {
            (Phase::Handshake, _) => "reset in a handshake",
            (_, Some(WaitingRequest::Call(..))) => "reset with a pending call",
            _ if !self.expected_responses.is_empty() => "reset with a response to come",
            _ if space.expected_word(self.at + self.layout.request.idx_p) != self.consumed => {
                "reset with requests queued"
            }
            _ => "reset of an idle channel",
        };
        shared.coverage.hit(counter);
        if shared
            .files
            .open
            .values()
            .any(|open| open.by == self.channel)
        {
            shared.coverage.hit("reset of a closed file");
        }
        if self.is_relaxed {
            self.console.ignore();
        }
        shared.files.close_all(self.channel);
        self.console.finish();
        self.phase = Phase::Handshake;
        self.has_accepted_offer = false;
        self.partial = None;
        self.is_relaxed = false;
        self.was_reset = true;
        self.has_changed = true;
        self.overdue = 0;
        self.expected_responses.clear();
    }

    /// Relaxes the checks, because firmware violates the protocol.
    pub fn relax(&mut self) {
        if self.phase == Phase::Ready {
            self.is_relaxed = true;
            self.may_report_errors = true;
        }
    }

    /// Prepares for a failure of the memory.
    pub fn expect_fault(&mut self) {
        self.before_fault = Some(self.console.clone());
    }

    /// Starts a tick.
    pub fn begin_tick(&mut self, tick: u64) {
        self.tick = tick;
        self.polls = 0;
        self.pending = matches!(self.current, Some(WaitingRequest::Call(..)));
    }

    /// Checks one action of the host.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn check_event(&mut self, event: &Event, space: &mut Space, shared: &mut Shared) -> Check {
        self.has_changed = true;
        if self.is_relaxed {
            if let Event::File { op, .. } = event {
                self.count_specials(op);
            }
            return Ok(());
        }
        match event {
            Event::Write { address, data, .. } => self.check_write(*address, data, space, shared),
            Event::Failed { .. } => {
                self.record_fault();
                Ok(())
            }
            Event::Poke { address, data, .. } => {
                self.take_until_call(space, shared)?;
                self.writes.push((*address, data.len() as u64));
                space.set_expected(*address, data);
                Ok(())
            }
            Event::Peek { address, data, .. } => {
                self.take_until_call(space, shared)?;
                let expected = space.expected(*address, data.len() as u64);
                ensure(*data == expected, || {
                    format!("a method read {data:x?} at {address:#x}, expected {expected:x?}")
                })
            }
            Event::Call {
                target,
                args,
                result,
                ..
            } => self.check_call(target, args, *result, space, shared),
            Event::File { path, op, .. } => self.check_file_operation(path, op, space, shared),
        }
    }

    /// Records that the memory has failed an access of the current request.
    fn record_fault(&mut self) {
        self.uncertain.extend_from_slice(&self.writes);
        self.may_report_errors = true;
        if let Some(responses) = self.expected_responses.back_mut() {
            responses.push(Response::Error(errno::EIO));
        } else if self.current.is_none() {
            self.console.ignore();
        }
    }

    /// Ends a tick, and compares memory with the expected content. `errors` is the number of errors
    /// reported for the channel.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn end_tick(
        &mut self,
        space: &mut Space,
        shared: &mut Shared,
        errors: u32,
        stale: bool,
    ) -> Check {
        if self.is_relaxed {
            space.adopt_all();
            self.console.ignore();
            if let Some(streams) = shared.files.streams.get_mut(&self.channel) {
                streams.is_input_unknown = !streams.input.is_empty();
            }
            return self.console.check();
        }
        if self.was_reset {
            self.was_reset = false;
            self.current = None;
            shared.files.reset_seen(self.channel);
        }
        if let Some(WaitingRequest::Call(target, _)) = &self.current {
            let polled = self.polls == 1;
            ensure(polled, || format!("{target:?} was not polled in a tick"))?;
        }
        for (address, len) in std::mem::take(&mut self.uncertain) {
            space.adopt(address, len);
        }
        if std::mem::take(&mut self.has_changed)
            && let Some((address, actual, expected)) = space.difference()
        {
            return Err(format!(
                "byte {address:#x} is {actual:#x}, expected {expected:#x}"
            ));
        }
        self.console.check()?;
        ensure(errors >= self.failures, || {
            format!(
                "{} requests failed, and {errors} errors were reported",
                self.failures
            )
        })?;
        // A request that fails without an access is reported at once, and its consumption is
        // visible with its response, which may wait for a free slot.
        let unseen_failures = u32::from(self.free_slots(space) == 0);
        ensure(
            self.may_report_errors || self.failures > 0 || errors <= unseen_failures,
            || "an error was reported without a failed request".to_owned(),
        )?;
        let open = shared.files.open.values();
        let specials = open
            .filter(|open| open.by == self.channel && open.is_special())
            .count() as i32;
        let settled = self.expected_responses.is_empty();
        ensure(!settled || specials == self.open_specials, || {
            format!(
                "{} special files are open, expected {specials}",
                self.open_specials
            )
        })?;
        self.check_progress(space, stale)
    }

    /// Derives the host's actions from a memory without a log, at the end of a tick.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn check_memory(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        if !self.is_logged && !self.is_relaxed {
            self.check_words_in_memory(space, shared)?;
        }
        self.finish_special();
        Ok(())
    }

    /// Counts ticks in which the host could have done more.
    fn check_progress(&mut self, space: &Space, stale: bool) -> Check {
        let produced = space.expected_word(self.at + self.layout.request.idx_p);
        let due = match self.phase {
            Phase::Handshake => self.has_handshake(space),
            Phase::Ready => {
                let room = self.free_slots(space) > 0;
                room && (!self.expected_responses.is_empty()
                    || (self.current.is_none() && produced != self.consumed))
            }
            Phase::Exited(_) => false,
        };
        self.overdue = if due && !stale { self.overdue + 1 } else { 0 };
        ensure(self.overdue <= MAX_IDLE_TICKS, || {
            format!(
                "{:?}: no progress in {MAX_IDLE_TICKS} ticks; consumed {}, idx_p {produced}",
                self.phase, self.consumed
            )
        })
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(otherwise()) }
}
