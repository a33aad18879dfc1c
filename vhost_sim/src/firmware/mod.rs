//! Firmware of one channel: executes a few of its steps in each turn, like a CPU between two ticks
//! of the host.
//!
//! - `sending`: requests, with faults and late indices. `misbehaviour`: violations of the protocol.

mod misbehaviour;
mod sending;

use std::collections::VecDeque;

use crate::ram::Fault;
use crate::scenario::{Backing, Channel, Pointer, Request, SCRATCH, Step, Text, Value, WORK};
use crate::session::{Phase, Session, Shared};
use crate::space::Space;
use crate::wire::{ENTRIES, FIRST_FD, INIT, VERSION};

/// State of firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirmwareState {
    /// Writes the words of a handshake, with `slow` turns between them; `done` are written.
    Handshaking { done: usize, slow: u32 },
    /// Waits for READY.
    Waiting,
    /// Service of requests.
    Running,
    /// Exited, or permanently out of service.
    Over,
}

/// Firmware of one channel.
#[derive(Debug)]
pub struct Firmware {
    number: usize,
    state: FirmwareState,
    version: u32,
    /// Version that it offers, 0 for none.
    offer: u32,
    steps: VecDeque<Step>,
    produced: u32,
    consumed: u32,
    /// Expected responses; true for the response to an OPEN.
    expected: VecDeque<bool>,
    /// Descriptors that it has received.
    pub fds: Vec<u64>,
    sent: u64,
    pause: u32,
    deaf: u32,
    stale: u32,
    late: Option<u32>,
    faulty: bool,
    /// True if the last request must be served before another is sent.
    alone: bool,
    broken: bool,
    /// True if the host may end the service.
    pub fatal: bool,
    closing: bool,
}

/// Description and state of a channel, for one turn of its firmware.
pub struct FirmwareContext<'a> {
    /// Description of the channel.
    pub channel: &'a Channel,
    /// Memories of the channel.
    pub space: &'a mut Space,
    /// Checker of the channel.
    pub session: &'a mut Session,
    /// State that all channels share.
    pub shared: &'a mut Shared,
    /// Last descriptor of each channel that has exited.
    pub left: &'a [Option<u64>],
}

impl Firmware {
    /// Creates firmware that starts with a handshake.
    pub fn new(number: usize, channel: &Channel) -> Self {
        Self {
            number,
            state: FirmwareState::Handshaking { done: 0, slow: 0 },
            version: VERSION,
            offer: channel.offer,
            steps: channel.steps.iter().cloned().collect(),
            produced: 0,
            consumed: 0,
            expected: VecDeque::new(),
            fds: Vec::new(),
            sent: 0,
            pause: 0,
            deaf: 0,
            stale: 0,
            late: None,
            faulty: false,
            alone: false,
            broken: false,
            fatal: false,
            closing: false,
        }
    }

    /// True if no steps are left.
    pub fn is_over(&self) -> bool {
        self.state == FirmwareState::Over
    }

    /// True if polls get old words.
    pub fn is_stale(&self) -> bool {
        self.stale > 0
    }

    /// Ends the safety phase. No more faults follow, and a few requests that must be served.
    pub fn close(&mut self, context: &mut FirmwareContext<'_>) {
        if self.closing || self.is_over() {
            return;
        }
        self.closing = true;
        self.pause = 0;
        self.deaf = 0;
        self.clear_faults(context);
        let stuck = context.session.is_relaxed
            || self.late.take().is_some()
            || self.state != FirmwareState::Running;
        self.steps = last_steps();
        if stuck {
            self.reset(0, context);
        }
    }

    fn clear_faults(&mut self, context: &mut FirmwareContext<'_>) {
        self.stale = 0;
        self.broken = false;
        self.faulty = false;
        context.space.set_fault(None);
        context.space.set_stale(false);
    }

    /// Starts a handshake.
    fn reset(&mut self, slow: u32, context: &mut FirmwareContext<'_>) {
        self.clear_faults(context);
        self.alone = false;
        self.late = None;
        self.state = FirmwareState::Handshaking { done: 0, slow };
        self.produced = 0;
        self.consumed = 0;
        self.expected.clear();
        self.fds.clear();
        self.pause = 0;
        self.deaf = 0;
        if self.closing {
            // Those that were sent are dropped.
            self.steps = last_steps();
        }
    }

    /// Executes one turn.
    pub fn turn(&mut self, context: &mut FirmwareContext<'_>) {
        if self.is_over() {
            return;
        }
        if self.stale > 0 {
            self.stale -= 1;
            if self.stale == 0 {
                context.space.set_stale(false);
            }
        }
        match self.state {
            FirmwareState::Handshaking { done, slow } => {
                return self.write_handshake(done, slow, context);
            }
            FirmwareState::Waiting if context.session.phase == Phase::Ready => {
                self.state = FirmwareState::Running
            }
            FirmwareState::Waiting if matches!(context.session.phase, Phase::Exited(_)) => {
                self.state = FirmwareState::Over
            }
            FirmwareState::Waiting => return self.steps_in_handshake(context),
            FirmwareState::Running | FirmwareState::Over => {}
        }
        if matches!(context.session.phase, Phase::Exited(_)) {
            self.state = FirmwareState::Over;
            return;
        }
        self.take_responses(context);
        for _ in 0..context.channel.pace.max(1) {
            if self.pause > 0 {
                self.pause -= 1;
                return;
            }
            if let Some(index) = self.late.take() {
                context.space.store_word(
                    context.session.at + context.session.layout.request.idx_p,
                    index,
                );
            }
            if context.session.is_relaxed {
                return self.reset(0, context);
            }
            let Some(step) = self.steps.front().cloned() else {
                return self.close(context);
            };
            if !self.step(&step, context) {
                return;
            }
            self.steps.pop_front();
            if self.state != FirmwareState::Running {
                return;
            }
        }
    }

    /// A reset may precede the response to a handshake.
    fn steps_in_handshake(&mut self, context: &mut FirmwareContext<'_>) {
        if let Some(Step::Reset(slow)) = self.steps.front().cloned() {
            self.steps.pop_front();
            self.reset(slow, context);
        }
    }

    fn write_handshake(&mut self, mut done: usize, slow: u32, context: &mut FirmwareContext<'_>) {
        let (at, layout) = (context.session.at, context.session.layout);
        // An old offer was removed, or is left from firmware without version 0.3.
        let offered = match self.offer {
            0 => context.space.expected_word(at + layout.request.start),
            offer => offer,
        };
        let writes = [
            (layout.request.start, offered),
            (0, self.version),
            (layout.state, INIT),
            (layout.request.idx_p, 0),
            (layout.request.idx_c, 0),
            (layout.response.idx_p, 0),
            (layout.response.idx_c, 0),
        ];
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        while let Some((offset, word)) = writes.get(done) {
            if *offset == layout.state {
                context
                    .session
                    .withdraw_ready(context.space, context.shared);
            }
            context.space.store_word(at + offset, *word);
            done += 1;
            if slow > 0 {
                self.pause = slow - 1;
                self.state = FirmwareState::Handshaking { done, slow };
                return;
            }
        }
        self.state = if self.version == VERSION {
            FirmwareState::Waiting
        } else {
            FirmwareState::Over
        };
    }

    fn take_responses(&mut self, context: &mut FirmwareContext<'_>) {
        if context.session.is_relaxed {
            return;
        }
        let (at, queue) = (context.session.at, context.session.layout.response);
        let produced = context.space.expected_word(at + queue.idx_p);
        if produced.wrapping_sub(self.consumed) == ENTRIES {
            context.shared.coverage.hit("full response queue");
        }
        if self.deaf > 0 {
            self.deaf -= 1;
            return;
        }
        while self.consumed != produced {
            let pointer = context.session.layout.pointer;
            let entry = context
                .space
                .expected(at + queue.slot(self.consumed), queue.entry);
            let value = crate::wire::number(&entry, pointer as usize, pointer as usize);
            if self.expected.pop_front() == Some(true)
                && (FIRST_FD..=i32::MAX as u64).contains(&value)
            {
                self.fds.push(value);
            }
            self.consumed = self.consumed.wrapping_add(1);
        }
        let taken = at + queue.idx_c;
        if context.space.expected_word(taken) != self.consumed {
            context.space.store_word(taken, self.consumed);
        }
    }

    fn is_idle(&self, context: &FirmwareContext<'_>) -> bool {
        self.expected.is_empty() && context.session.is_idle(context.space)
    }

    /// Executes a step. Returns false if it has to wait.
    fn step(&mut self, step: &Step, context: &mut FirmwareContext<'_>) -> bool {
        let mut hit = |what| context.shared.coverage.hit(what);
        match step {
            Step::Request(request) => return self.send(request, None, context),
            Step::Faulty {
                request,
                skip,
                tear,
            } => {
                if !context.channel.can_fail() {
                    return self.send(request, None, context);
                }
                let fault = Fault {
                    skip: *skip,
                    tear: *tear,
                    from: context.channel.base + SCRATCH.0,
                    peeks: false,
                };
                return self.send_faulty(request, fault, context);
            }
            Step::Pause(turns) => self.pause = *turns,
            Step::Drain => return self.is_idle(context),
            Step::Deaf(turns) => {
                hit("deaf firmware");
                self.deaf = *turns;
            }
            Step::Late(turns) => {
                hit("late index");
                self.late = None;
                if let Some(Step::Request(request)) = self.steps.get(1).cloned() {
                    if !self.send(&request, Some(*turns), context) {
                        return false;
                    }
                    self.steps.remove(1);
                }
            }
            Step::Stale(turns) if context.channel.backing == Backing::Model && *turns > 0 => {
                hit("stale polling");
                self.stale = *turns;
                context.space.set_stale(true);
            }
            Step::Stale(_) => {}
            Step::Flip { at, bit } => {
                hit("flipped bit");
                let address = context.channel.base + WORK + u64::from(*at);
                if let [byte] = context.space.expected(address, 1)[..] {
                    context.space.store(address, &[byte ^ (1 << (bit % 8))]);
                }
            }
            Step::Reset(slow) => self.reset(*slow, context),
            Step::Misbehave(how) => self.misbehave(*how, context),
        }
        true
    }
}

/// Requests after the safety phase, which must be served.
fn last_steps() -> VecDeque<Step> {
    [
        Step::Request(Request::Print {
            text: Text::Some("alive\n".into()),
            len: None,
        }),
        Step::Request(Request::MemCmp {
            one: Pointer::Work(0),
            other: Pointer::Work(16),
            len: 64,
        }),
        Step::Request(Request::Call {
            method: Text::Some("echo".into()),
            args: vec![Value::Word(7)],
            words: None,
        }),
        Step::Request(Request::Exit { code: 0 }),
    ]
    .into()
}
