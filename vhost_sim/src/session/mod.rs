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
use crate::effect::{Reply, Special};
use crate::event::{Event, Target};
use crate::expect::Expect;
use crate::space::Space;
use crate::wire::{Layout, errno};

/// Maximum number of ticks in which the host must do all that it can.
const BOUND: u32 = 8;

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
    Special(Special, Outcome),
}

/// Result of a special file for a request.
#[derive(Debug, Default)]
struct Outcome {
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
    logged: bool,
    /// Stage of the channel.
    pub phase: Phase,
    /// True if firmware has violated the protocol. Then only checks are made that this can't
    /// excuse.
    pub loose: bool,
    taken: u32,
    put: u32,
    current: Option<WaitingRequest>,
    answers: VecDeque<Vec<Reply>>,
    writes: Vec<(u64, u64)>,
    /// Range of the current request whose bytes are known in part.
    partial: Option<(u64, u64, Expect)>,
    /// Number of the tick.
    tick: u64,
    /// True if the host has accepted an offer in the present handshake.
    accepted: bool,
    /// Text that the channel prints.
    pub console: Console,
    before_fault: Option<Console>,
    /// Requests that failed.
    pub failures: u32,
    /// True if errors of the channel may be reported without a failed request.
    pub excused: bool,
    /// Ranges with either the old or the expected content.
    uncertain: Vec<(u64, u64)>,
    left: bool,
    polls: u32,
    pending: bool,
    overdue: u32,
    active: bool,
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
            logged: space.logs(at),
            phase: Phase::Handshake,
            loose: false,
            taken: 0,
            put: 0,
            current: None,
            answers: VecDeque::new(),
            writes: Vec::new(),
            partial: None,
            tick: 0,
            accepted: false,
            console: Console::default(),
            before_fault: None,
            failures: 0,
            excused: false,
            uncertain: Vec::new(),
            left: false,
            polls: 0,
            pending: false,
            overdue: 0,
            active: true,
            open_specials: 0,
        }
    }

    /// True if all requests of the channel are served, and all responses taken.
    pub fn is_idle(&self, space: &Space) -> bool {
        let put = space.wanted_word(self.at + self.layout.request.idx_p);
        self.phase == Phase::Ready
            && put == self.taken
            && self.current.is_none()
            && self.answers.is_empty()
    }

    /// True if the request in service is a call that has not returned.
    pub fn has_pending_call(&self) -> bool {
        matches!(self.current, Some(WaitingRequest::Call(..)))
    }

    /// True if requests of the session may be served that the model does not see.
    pub fn is_unchecked(&self) -> bool {
        self.loose && self.phase == Phase::Ready
    }

    /// True if the host has files of the host program open, which the model may have closed.
    pub fn has_specials(&self) -> bool {
        self.open_specials != 0
    }

    /// Ends the session, because firmware withdraws READY.
    pub fn leave(&mut self, space: &Space, shared: &mut Shared) {
        if matches!(self.phase, Phase::Exited(_)) {
            return;
        }
        let what = match (self.phase, &self.current) {
            (Phase::Handshake, _) => "reset in a handshake",
            (_, Some(WaitingRequest::Call(..))) => "reset with a pending call",
            _ if !self.answers.is_empty() => "reset with a response to come",
            _ if space.wanted_word(self.at + self.layout.request.idx_p) != self.taken => {
                "reset with requests queued"
            }
            _ => "reset of an idle channel",
        };
        shared.coverage.hit(what);
        if shared
            .files
            .open
            .values()
            .any(|open| open.by == self.channel)
        {
            shared.coverage.hit("reset of a closed file");
        }
        if self.loose {
            self.console.forget();
        }
        shared.files.close_all(self.channel);
        self.console.finish();
        self.phase = Phase::Handshake;
        self.accepted = false;
        self.partial = None;
        self.loose = false;
        self.left = true;
        self.active = true;
        self.overdue = 0;
        self.answers.clear();
    }

    /// Relaxes the checks, because firmware violates the protocol.
    pub fn loosen(&mut self) {
        if self.phase == Phase::Ready {
            self.loose = true;
            self.excused = true;
        }
    }

    /// Prepares for a failure of the memory.
    pub fn expect_fault(&mut self) {
        self.before_fault = Some(self.console.clone());
    }

    /// Starts a tick.
    pub fn begin(&mut self, tick: u64) {
        self.tick = tick;
        self.polls = 0;
        self.pending = matches!(self.current, Some(WaitingRequest::Call(..)));
    }

    /// Checks one action of the host.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn see(&mut self, event: &Event, space: &mut Space, shared: &mut Shared) -> Check {
        self.active = true;
        if self.loose {
            if let Event::File { op, .. } = event {
                self.count_specials(op);
            }
            return Ok(());
        }
        match event {
            Event::Write { address, data, .. } => self.written(*address, data, space, shared),
            Event::Failed { .. } => {
                self.fault();
                Ok(())
            }
            Event::Poke { address, data, .. } => {
                self.until_call(space, shared)?;
                self.writes.push((*address, data.len() as u64));
                space.want(*address, data);
                Ok(())
            }
            Event::Peek { address, data, .. } => {
                self.until_call(space, shared)?;
                let wanted = space.wanted(*address, data.len() as u64);
                ensure(*data == wanted, || {
                    format!("a method read {data:x?} at {address:#x}, expected {wanted:x?}")
                })
            }
            Event::Call {
                target,
                args,
                answer,
                ..
            } => self.called(target, args, *answer, space, shared),
            Event::File { path, op, .. } => self.filed(path, op, space, shared),
        }
    }

    /// Records that the memory has failed an access of the current request.
    fn fault(&mut self) {
        self.uncertain.extend_from_slice(&self.writes);
        self.excused = true;
        if let Some(replies) = self.answers.back_mut() {
            replies.push(Reply::Error(errno::EIO));
        } else if self.current.is_none() {
            self.console.forget();
        }
    }

    /// Ends a tick, and compares memory with the expected content. `errors` is the number of errors
    /// reported for the channel.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn end(
        &mut self,
        space: &mut Space,
        shared: &mut Shared,
        errors: u32,
        stale: bool,
    ) -> Check {
        if self.loose {
            space.adopt_all();
            self.console.forget();
            if let Some(streams) = shared.files.streams.get_mut(&self.channel) {
                streams.is_input_unknown = !streams.input.is_empty();
            }
            return self.console.check();
        }
        if self.left {
            self.left = false;
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
        if std::mem::take(&mut self.active)
            && let Some((address, there, wanted)) = space.difference()
        {
            return Err(format!(
                "byte {address:#x} is {there:#x}, expected {wanted:#x}"
            ));
        }
        self.console.check()?;
        ensure(errors >= self.failures, || {
            format!(
                "{} requests failed, and {errors} errors were reported",
                self.failures
            )
        })?;
        ensure(self.excused || self.failures > 0 || errors == 0, || {
            "an error was reported without a failed request".to_owned()
        })?;
        let open = shared.files.open.values();
        let specials = open
            .filter(|open| open.by == self.channel && open.is_special())
            .count() as i32;
        let settled = self.answers.is_empty();
        ensure(!settled || specials == self.open_specials, || {
            format!(
                "{} special files are open, expected {specials}",
                self.open_specials
            )
        })?;
        self.wait(space, stale)
    }

    /// Derives the host's actions from a memory without a log, at the end of a tick.
    ///
    /// # Errors
    /// Fails on a violation.
    pub fn look(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        if !self.logged && !self.loose {
            self.look_at_words(space, shared)?;
        }
        self.finish_special();
        Ok(())
    }

    /// Counts ticks in which the host could have done more.
    fn wait(&mut self, space: &Space, stale: bool) -> Check {
        let put = space.wanted_word(self.at + self.layout.request.idx_p);
        let due = match self.phase {
            Phase::Handshake => self.shakes(space),
            Phase::Ready => {
                let room = self.room(space) > 0;
                room && (!self.answers.is_empty() || (self.current.is_none() && put != self.taken))
            }
            Phase::Exited(_) => false,
        };
        self.overdue = if due && !stale { self.overdue + 1 } else { 0 };
        ensure(self.overdue <= BOUND, || {
            format!(
                "{:?}: no progress in {BOUND} ticks; taken {}, idx_p {put}",
                self.phase, self.taken
            )
        })
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(otherwise()) }
}
