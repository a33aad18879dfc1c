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
enum Stage {
    /// Writes the words of a handshake, with `slow` turns between them; `done` are written.
    Shaking { done: usize, slow: u32 },
    /// Waits for READY.
    Waiting,
    /// Service of requests.
    Up,
    /// Exited, or permanently out of service.
    Over,
}

/// Firmware of one channel.
#[derive(Debug)]
pub struct Firmware {
    number: usize,
    stage: Stage,
    version: u32,
    /// Version that it offers, 0 for none.
    offer: u32,
    steps: VecDeque<Step>,
    put: u32,
    read: u32,
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

/// Environment of a firmware.
pub struct Board<'a> {
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
            stage: Stage::Shaking { done: 0, slow: 0 },
            version: VERSION,
            offer: channel.offer,
            steps: channel.steps.iter().cloned().collect(),
            put: 0,
            read: 0,
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
        self.stage == Stage::Over
    }

    /// True if polls get old words.
    pub fn is_stale(&self) -> bool {
        self.stale > 0
    }

    /// Ends the safety phase. No more faults follow, and a few requests that must be served.
    pub fn close(&mut self, board: &mut Board<'_>) {
        if self.closing || self.is_over() {
            return;
        }
        self.closing = true;
        self.pause = 0;
        self.deaf = 0;
        self.clear_faults(board);
        let stuck = board.session.loose || self.late.take().is_some() || self.stage != Stage::Up;
        self.steps = last_steps();
        if stuck {
            self.reset(0, board);
        }
    }

    fn clear_faults(&mut self, board: &mut Board<'_>) {
        self.stale = 0;
        self.broken = false;
        self.faulty = false;
        board.space.set_fault(None);
        board.space.set_stale(false);
    }

    /// Starts a handshake.
    fn reset(&mut self, slow: u32, board: &mut Board<'_>) {
        self.clear_faults(board);
        self.alone = false;
        self.late = None;
        self.stage = Stage::Shaking { done: 0, slow };
        self.put = 0;
        self.read = 0;
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
    pub fn turn(&mut self, board: &mut Board<'_>) {
        if self.is_over() {
            return;
        }
        if self.stale > 0 {
            self.stale -= 1;
            if self.stale == 0 {
                board.space.set_stale(false);
            }
        }
        match self.stage {
            Stage::Shaking { done, slow } => return self.shake(done, slow, board),
            Stage::Waiting if board.session.phase == Phase::Ready => self.stage = Stage::Up,
            Stage::Waiting if matches!(board.session.phase, Phase::Exited(_)) => {
                self.stage = Stage::Over
            }
            Stage::Waiting => return self.steps_in_handshake(board),
            Stage::Up | Stage::Over => {}
        }
        if matches!(board.session.phase, Phase::Exited(_)) {
            self.stage = Stage::Over;
            return;
        }
        self.take_responses(board);
        for _ in 0..board.channel.pace.max(1) {
            if self.pause > 0 {
                self.pause -= 1;
                return;
            }
            if let Some(index) = self.late.take() {
                board
                    .space
                    .store_word(board.session.at + board.session.layout.request.idx_p, index);
            }
            if board.session.loose {
                return self.reset(0, board);
            }
            let Some(step) = self.steps.front().cloned() else {
                return self.close(board);
            };
            if !self.step(&step, board) {
                return;
            }
            self.steps.pop_front();
            if self.stage != Stage::Up {
                return;
            }
        }
    }

    /// A reset may precede the response to a handshake.
    fn steps_in_handshake(&mut self, board: &mut Board<'_>) {
        if let Some(Step::Reset(slow)) = self.steps.front().cloned() {
            self.steps.pop_front();
            self.reset(slow, board);
        }
    }

    fn shake(&mut self, mut done: usize, slow: u32, board: &mut Board<'_>) {
        let (at, layout) = (board.session.at, board.session.layout);
        // An old offer was removed, or is left from firmware without version 0.3.
        let offered = match self.offer {
            0 => board.space.wanted_word(at + layout.request.start),
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
                board.session.leave(board.space, board.shared);
            }
            board.space.store_word(at + offset, *word);
            done += 1;
            if slow > 0 {
                self.pause = slow - 1;
                self.stage = Stage::Shaking { done, slow };
                return;
            }
        }
        self.stage = if self.version == VERSION {
            Stage::Waiting
        } else {
            Stage::Over
        };
    }

    fn take_responses(&mut self, board: &mut Board<'_>) {
        if board.session.loose {
            return;
        }
        let (at, queue) = (board.session.at, board.session.layout.response);
        let put = board.space.wanted_word(at + queue.idx_p);
        if put.wrapping_sub(self.read) == ENTRIES {
            board.shared.coverage.hit("full response queue");
        }
        if self.deaf > 0 {
            self.deaf -= 1;
            return;
        }
        while self.read != put {
            let pointer = board.session.layout.pointer;
            let entry = board.space.wanted(at + queue.slot(self.read), queue.entry);
            let value = crate::wire::number(&entry, pointer as usize, pointer as usize);
            if self.expected.pop_front() == Some(true)
                && (FIRST_FD..=i32::MAX as u64).contains(&value)
            {
                self.fds.push(value);
            }
            self.read = self.read.wrapping_add(1);
        }
        let taken = at + queue.idx_c;
        if board.space.wanted_word(taken) != self.read {
            board.space.store_word(taken, self.read);
        }
    }

    fn is_idle(&self, board: &Board<'_>) -> bool {
        self.expected.is_empty() && board.session.is_idle(board.space)
    }

    /// Executes a step. Returns false if it has to wait.
    fn step(&mut self, step: &Step, board: &mut Board<'_>) -> bool {
        let mut hit = |what| board.shared.coverage.hit(what);
        match step {
            Step::Request(request) => return self.send(request, None, board),
            Step::Faulty {
                request,
                skip,
                tear,
            } => {
                if !board.channel.can_fail() {
                    return self.send(request, None, board);
                }
                let fault = Fault {
                    skip: *skip,
                    tear: *tear,
                    from: board.channel.base + SCRATCH.0,
                    peeks: false,
                };
                return self.send_faulty(request, fault, board);
            }
            Step::Pause(turns) => self.pause = *turns,
            Step::Drain => return self.is_idle(board),
            Step::Deaf(turns) => {
                hit("deaf firmware");
                self.deaf = *turns;
            }
            Step::Late(turns) => {
                hit("late index");
                self.late = None;
                if let Some(Step::Request(request)) = self.steps.get(1).cloned() {
                    if !self.send(&request, Some(*turns), board) {
                        return false;
                    }
                    self.steps.remove(1);
                }
            }
            Step::Stale(turns) if board.channel.backing == Backing::Model && *turns > 0 => {
                hit("stale polling");
                self.stale = *turns;
                board.space.set_stale(true);
            }
            Step::Stale(_) => {}
            Step::Flip { at, bit } => {
                hit("flipped bit");
                let address = board.channel.base + WORK + u64::from(*at);
                if let [byte] = board.space.wanted(address, 1)[..] {
                    board.space.store(address, &[byte ^ (1 << (bit % 8))]);
                }
            }
            Step::Reset(slow) => self.reset(*slow, board),
            Step::Misbehave(how) => self.misbehave(*how, board),
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
