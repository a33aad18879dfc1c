//! Firmware of one channel: carries out its steps, a few per turn, as a CPU does between two ticks of the host.

use std::collections::VecDeque;

use crate::coverage::Coverage;
use crate::ram::Fault;
use crate::request::{Words, assemble};
use crate::scenario::{
    Backing, Channel, Fd, Misbehaviour, Pointer, Request, SCRATCH, Step, Text, Value, WORK,
};
use crate::session::{Phase, Session, Shared};
use crate::space::Space;
use crate::wire::{ENTRIES, FIRST_FD, INIT, NEWEST, VERSION, action};

/// Turns between a violation of the protocol and the reset that follows.
const AFTERMATH: u32 = 3;

/// Stage of firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Writes of a handshake that are left, with `slow` turns between them.
    Shaking { done: usize, slow: u32 },
    /// Waits for READY.
    Waiting,
    /// Service of requests.
    Up,
    /// Exited, or out of service for good.
    Over,
}

/// Firmware of one channel.
#[derive(Debug)]
pub struct Firmware {
    number: usize,
    stage: Stage,
    version: u32,
    steps: VecDeque<Step>,
    put: u32,
    read: u32,
    /// Responses to come; true for the response to an OPEN.
    expected: VecDeque<bool>,
    /// Descriptors that it has received.
    pub fds: Vec<u64>,
    sent: u64,
    pause: u32,
    deaf: u32,
    stale: u32,
    late: Option<u32>,
    faulty: bool,
    /// The last request is served before another is sent.
    alone: bool,
    broken: bool,
    /// The host may end the service.
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
    /// Firmware that begins with a handshake.
    pub fn new(number: usize, steps: &[Step]) -> Self {
        Self {
            number,
            stage: Stage::Shaking { done: 0, slow: 0 },
            version: VERSION,
            steps: steps.iter().cloned().collect(),
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

    /// Tests for firmware without steps.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Tests for polling that sees old words.
    pub fn is_stale(&self) -> bool {
        self.stale > 0
    }

    /// Ends the safety phase: no more faults, and a few requests that must be served.
    pub fn close(&mut self, board: &mut Board<'_>) {
        if self.closing || self.is_over() {
            return;
        }
        self.closing = true;
        self.pause = 0;
        self.deaf = 0;
        self.clear_faults(board);
        let stuck = board.session.loose || self.late.take().is_some() || self.stage != Stage::Up;
        self.steps = [
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
        .into();
        if stuck {
            self.reset(0, board);
        }
    }

    fn clear_faults(&mut self, board: &mut Board<'_>) {
        self.stale = 0;
        self.broken = false;
        self.faulty = false;
        self.alone = false;
        board.space.set_fault(None);
        board.space.set_stale(false);
    }

    /// Begins a handshake.
    fn reset(&mut self, slow: u32, board: &mut Board<'_>) {
        self.clear_faults(board);
        self.late = None;
        self.stage = Stage::Shaking { done: 0, slow };
        self.put = 0;
        self.read = 0;
        self.expected.clear();
        self.fds.clear();
        self.pause = 0;
        self.deaf = 0;
    }

    /// One turn.
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

    /// A reset may come before the handshake is answered.
    fn steps_in_handshake(&mut self, board: &mut Board<'_>) {
        if let Some(Step::Reset(slow)) = self.steps.front().cloned() {
            self.steps.pop_front();
            self.reset(slow, board);
        }
    }

    fn shake(&mut self, mut done: usize, slow: u32, board: &mut Board<'_>) {
        let (at, layout) = (board.session.at, board.session.layout);
        let writes = [
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

    /// Carries out a step. Returns false if it has to wait.
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

    fn misbehave(&mut self, how: Misbehaviour, board: &mut Board<'_>) {
        let (at, layout) = (board.session.at, board.session.layout);
        let add = |space: &mut Space, offset, by: u32| {
            let word = space.wanted_word(at + offset);
            space.store_word(at + offset, word.wrapping_add(by));
        };
        board.session.loosen();
        self.pause = AFTERMATH;
        let what = match how {
            Misbehaviour::Jump(by) => {
                add(board.space, layout.request.idx_p, by);
                "misbehaviour jump"
            }
            Misbehaviour::Skip(by) => {
                add(board.space, layout.response.idx_c, by);
                "misbehaviour skip"
            }
            Misbehaviour::Consumer(by) => {
                add(board.space, layout.request.idx_c, by);
                "misbehaviour consumer"
            }
            Misbehaviour::Producer(by) => {
                add(board.space, layout.response.idx_p, by);
                "misbehaviour producer"
            }
            Misbehaviour::Scribble { word, value } => {
                // Not the version, which would end the service.
                let words = layout.size / 4 - 1;
                let offset = 4 + u64::from(word) % words * 4;
                // The word before the requests offers a version. The model has no later one.
                let is_offer = offset + 4 == layout.request.idx_p;
                let value = if is_offer {
                    value % (VERSION + 1)
                } else {
                    value
                };
                board.space.store_word(at + offset, value);
                "misbehaviour scribble"
            }
            Misbehaviour::Broken(skip) => {
                if board.channel.can_fail() {
                    self.fatal = true;
                    self.broken = true;
                    board.space.set_fault(Some(Fault {
                        skip,
                        tear: false,
                        from: 0,
                        peeks: true,
                    }));
                    add(board.space, layout.request.idx_p, 1);
                }
                "fault in a mailbox"
            }
            Misbehaviour::Version(version) => {
                self.fatal = true;
                self.reset(0, board);
                self.version = if [VERSION, NEWEST].contains(&version) {
                    NEWEST + 1
                } else {
                    version.max(1)
                };
                self.fatal = true;
                return;
            }
        };
        board.shared.coverage.hit(what);
    }

    fn send_faulty(&mut self, request: &Request, fault: Fault, board: &mut Board<'_>) -> bool {
        if self.faulty {
            if !self.is_idle(board) {
                return false;
            }
            board.space.set_fault(None);
            self.faulty = false;
            return true;
        }
        if self.is_idle(board) && self.send(request, None, board) {
            board.session.expect_fault();
            board.space.set_fault(Some(fault));
            board.shared.coverage.hit(if fault.tear {
                "fault in a write, torn"
            } else {
                "fault in a read"
            });
            self.faulty = true;
        }
        false
    }

    /// Sends a request. Returns false if the queue is full.
    fn send(&mut self, request: &Request, late: Option<u32>, board: &mut Board<'_>) -> bool {
        let (at, layout) = (board.session.at, board.session.layout);
        let taken = board.space.wanted_word(at + layout.request.idx_c);
        if self.put.wrapping_sub(taken) >= ENTRIES {
            return false;
        }
        let Some(descriptor) = self.descriptor(request, board) else {
            return true;
        };
        let special =
            descriptor.and_then(|fd| Some(board.shared.files.open.get(&fd)?.is_special()));
        let alone = needs_idle(request) || special == Some(true);
        if (alone || self.alone) && !self.is_idle(board) {
            return false;
        }
        self.alone = alone;
        let scratch = board.channel.base + SCRATCH.0 + self.sent % SCRATCH.2 * SCRATCH.1;
        self.sent += 1;
        let Words {
            action,
            words,
            args,
            stores,
        } = assemble(request, board.channel, scratch, descriptor.unwrap_or(0));
        for (address, data) in stores {
            board.space.store(address, &data);
        }
        let args: Vec<u64> = args.iter().map(|arg| layout.narrow(*arg)).collect();
        let bytes = crate::wire::Entry::emit(action, words, &args, layout.pointer);
        board
            .space
            .store(at + layout.request.slot(self.put), &bytes);
        let slot = board
            .space
            .wanted(at + layout.request.slot(self.put), layout.request.entry);
        let entry = crate::wire::Entry::parse(&slot, layout.pointer);
        self.put = self.put.wrapping_add(1);
        if entry.responds() {
            let opens = entry.action == action::FILE && entry.args[0] == crate::wire::file::OPEN;
            self.expected.push_back(opens);
        }
        match late {
            Some(turns) if turns > 0 => {
                self.late = Some(self.put);
                self.pause = turns;
            }
            _ => board.space.store_word(at + layout.request.idx_p, self.put),
        }
        true
    }

    /// Descriptor of a request: `Some(None)` for a request without one. `None` skips the request.
    fn descriptor(&self, request: &Request, board: &mut Board<'_>) -> Option<Option<u64>> {
        let (Request::Close { fd }
        | Request::Read { fd, .. }
        | Request::Write { fd, .. }
        | Request::Seek { fd, .. }) = request
        else {
            return Some(None);
        };
        Some(Some(match fd {
            Fd::Own(back) => {
                let at = self.fds.len().checked_sub(1 + *back as usize);
                at.map_or(9, |at| self.fds[at])
            }
            Fd::Other(channel) => {
                let channel = *channel as usize;
                let fd = board.left.get(channel).copied().flatten();
                let fd = fd.filter(|_| channel != self.number)?;
                board.shared.coverage.hit("file of another channel");
                fd
            }
            Fd::Raw(fd) => *fd,
        }))
    }
}

/// Tests for a request that must not be sent together with others: it shares their bytes, or its
/// effects could not be distinguished from theirs.
fn needs_idle(request: &Request) -> bool {
    let text = match request {
        Request::Print { text, .. } | Request::CPrint { format: text, .. } => text,
        Request::Call { method, .. } => method,
        Request::Open { path, .. } => {
            let special =
                matches!(path, Text::Some(path) if path.starts_with(crate::disk::SPECIAL));
            return special || matches!(path, Text::Unterminated(_));
        }
        Request::Close { fd }
        | Request::Read { fd, .. }
        | Request::Write { fd, .. }
        | Request::Seek { fd, .. } => {
            return !matches!(fd, Fd::Raw(_));
        }
        _ => return false,
    };
    matches!(text, Text::Unterminated(_))
}

impl Coverage {
    /// Counts the properties of a channel.
    pub fn describe(&mut self, channel: &Channel) {
        self.hit(if channel.pointer == 4 {
            "pointer 4"
        } else {
            "pointer 8"
        });
        match channel.line {
            32 => self.hit("line of cache 32"),
            64 => self.hit("line of cache 64"),
            128 => self.hit("line of cache 128"),
            256 => self.hit("line of cache 256"),
            _ => {}
        }
        self.hit(match channel.backing {
            Backing::Model => "backing model",
            Backing::Direct { .. } => "backing direct",
            Backing::Banked { .. } => "backing banked",
        });
        if channel.device.is_some() {
            self.hit("device in front of a memory");
        }
    }
}
