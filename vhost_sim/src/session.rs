//! Checker of one channel: every word that the host writes, every call and every answer, against `docs/protocol.md`.

use std::collections::VecDeque;

use crate::console::Console;
use crate::coverage::Coverage;
use crate::disk::Files;
use crate::event::{Answer, Event, FileOp, Target};
use crate::meaning::{Meaning, Reply, Request, Special};
use crate::methods;
use crate::space::Space;
use crate::wire::{ENTRIES, Entry, INIT, Layout, READY, VERSION, action, errno, file};

/// Ticks within which the host has to do what it can do.
const BOUND: u32 = 8;

/// Stage of a channel.
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
}

/// Request that waits for acts of the host before its response.
#[derive(Debug)]
enum Waiting {
    Call(Target, Vec<u64>),
    Special(Special, Outcome),
}

/// Acts of a special file for a request.
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
    /// True if firmware has broken the protocol: only checks that this can't excuse are made.
    pub loose: bool,
    taken: u32,
    put: u32,
    current: Option<Waiting>,
    answers: VecDeque<Vec<Reply>>,
    writes: Vec<(u64, u64)>,
    /// Text that the channel prints.
    pub console: Console,
    before_fault: Option<Console>,
    /// Requests that failed.
    pub failures: u32,
    /// Errors of the channel may be reported without a failed request.
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
    /// Checker of a channel at an address of its space.
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

    /// Tests for a channel whose requests are all served and answered.
    pub fn is_idle(&self, space: &Space) -> bool {
        let put = space.wanted_word(self.at + self.layout.request.idx_p);
        self.phase == Phase::Ready
            && put == self.taken
            && self.current.is_none()
            && self.answers.is_empty()
    }

    /// Firmware withdraws READY: the session ends.
    pub fn leave(&mut self, space: &Space, shared: &mut Shared) {
        if matches!(self.phase, Phase::Exited(_)) {
            return;
        }
        let what = match (self.phase, &self.current) {
            (Phase::Handshake, _) => "reset in a handshake",
            (_, Some(Waiting::Call(..))) => "reset with a pending call",
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
        self.loose = false;
        self.left = true;
        self.active = true;
        self.overdue = 0;
        self.answers.clear();
    }

    /// Firmware breaks the protocol.
    pub fn loosen(&mut self) {
        if self.phase == Phase::Ready {
            self.loose = true;
            self.excused = true;
        }
    }

    /// The memory is about to fail.
    pub fn expect_fault(&mut self) {
        self.before_fault = Some(self.console.clone());
    }

    /// Begins a tick.
    pub fn begin(&mut self) {
        self.polls = 0;
        self.pending = matches!(self.current, Some(Waiting::Call(..)));
    }

    /// Checks one act of the host.
    ///
    /// # Errors
    /// A violation.
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
                    format!("a method reads {data:x?} at {address:#x}, where {wanted:x?} is")
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

    fn written(
        &mut self,
        address: u64,
        data: &[u8],
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        let offset = address.wrapping_sub(self.at);
        if offset >= self.layout.size {
            return self.written_for_request(address, data, space, shared);
        }
        let queue = self.layout.response;
        if (queue.entries..queue.slot(7) + queue.entry).contains(&offset) {
            let slot = ((offset - queue.entries) / queue.entry) as u32;
            let free = self.put..self.put.wrapping_add(self.room(space));
            let is_free =
                self.phase == Phase::Ready && free.into_iter().any(|index| index % ENTRIES == slot);
            space.want(address, data);
            return ensure(is_free, || {
                format!("response slot {slot} written, which is not free")
            });
        }
        for (at, word) in data.chunks(4).enumerate() {
            let word = crate::wire::number(word, 0, 4) as u32;
            self.word(offset + 4 * at as u64, word, space, shared)?;
        }
        space.want(address, data);
        Ok(())
    }

    /// Checks a write outside of the channel, which the current request must ask for.
    fn written_for_request(
        &mut self,
        address: u64,
        data: &[u8],
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        let len = data.len() as u64;
        let index = self.at + self.layout.request.idx_c;
        loop {
            let inside = |(from, of): &(u64, u64)| address >= *from && address + len <= from + of;
            let asked = self.writes.iter().any(inside);
            let wanted = space.wanted(address, len);
            if asked && data == wanted || self.loose {
                return Ok(());
            }
            // If the channel itself has no log, the write may belong to a later request.
            if self.logged || self.phase != Phase::Ready || space.word_there(index) == self.taken {
                let what = if asked {
                    "wanted there"
                } else {
                    "there, and no request asks for a write"
                };
                return Err(format!(
                    "{data:x?} written at {address:#x}, {wanted:x?} is {what}"
                ));
            }
            self.take(space, shared)?;
        }
    }

    /// Checks a write to a word of the channel.
    fn word(&mut self, offset: u64, word: u32, space: &mut Space, shared: &mut Shared) -> Check {
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        let indices = [request.idx_p, request.idx_c, response.idx_p, response.idx_c];
        match self.phase {
            Phase::Handshake => {
                ensure(self.shakes(space), || {
                    format!(
                        "word {offset:#x} of the channel written before a handshake is complete"
                    )
                })?;
                if offset == state && word == READY {
                    self.ready(shared);
                    return Ok(());
                }
                let zero = indices.contains(&offset) && word == 0;
                ensure(zero, || {
                    format!("{word:#x} written to word {offset:#x} in a handshake")
                })
            }
            Phase::Ready if offset == request.idx_c => self.advance(word, space, shared),
            Phase::Ready if offset == response.idx_p => self.respond_up_to(word, space, shared),
            _ => Err(format!(
                "{word:#x} written to word {offset:#x}, which is firmware's"
            )),
        }
    }

    /// Tests for a complete handshake of firmware.
    fn shakes(&self, space: &Space) -> bool {
        let word = |offset| space.wanted_word(self.at + offset);
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        let indices = [request.idx_p, request.idx_c, response.idx_p, response.idx_c];
        word(0) == VERSION && word(state) == INIT && indices.iter().all(|index| word(*index) == 0)
    }

    fn ready(&mut self, shared: &mut Shared) {
        shared.coverage.hit("handshake");
        self.phase = Phase::Ready;
        self.taken = 0;
        self.put = 0;
        self.current = None;
        self.answers.clear();
        self.writes.clear();
        self.overdue = 0;
        self.console.restart();
    }

    /// Free slots of the response queue.
    fn room(&self, space: &Space) -> u32 {
        let read = space.wanted_word(self.at + self.layout.response.idx_c);
        ENTRIES.saturating_sub(self.put.wrapping_sub(read))
    }

    /// The host has advanced the consumer index of requests.
    fn advance(&mut self, index: u32, space: &mut Space, shared: &mut Shared) -> Check {
        let put = space.wanted_word(self.at + self.layout.request.idx_p);
        let (queued, taken) = (put.wrapping_sub(self.taken), index.wrapping_sub(self.taken));
        ensure(taken <= queued, || {
            format!(
                "idx_c of requests is {index:#x}, after {:#x}, where idx_p is {put:#x}",
                self.taken
            )
        })?;
        while self.taken != index && self.phase == Phase::Ready && !self.loose {
            self.take(space, shared)?;
        }
        ensure(self.loose || self.taken == index, || {
            "a request was taken after EXIT".to_owned()
        })
    }

    /// The host takes the next request.
    fn take(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        self.finish_special();
        ensure(self.current.is_none(), || {
            "a request was taken before the one before was served".to_owned()
        })?;
        let queue = self.layout.request;
        let bytes = space.wanted(self.at + queue.slot(self.taken), queue.entry);
        let entry = Entry::parse(&bytes, self.layout.pointer);
        self.taken = self.taken.wrapping_add(1);
        space.want(self.at + queue.idx_c, &self.taken.to_le_bytes());
        count(&entry, shared);
        let mut request = Request {
            channel: self.channel,
            layout: &self.layout,
            space,
            files: &mut shared.files,
            text: None,
            unknown_text: false,
            writes: Vec::new(),
            at: self.at,
            touched: false,
        };
        let meaning = request.perform(&entry);
        let touched = request.touched;
        if request.unknown_text {
            self.console.forget();
            self.excused = true;
        }
        if let Some(text) = request.text {
            self.console.print(&text);
            if self.console.has_begun() {
                shared.coverage.hit("text without an end of line");
            }
        }
        self.writes = request.writes;
        if touched {
            shared.coverage.hit("request on its own channel");
            self.loosen();
        }
        let [operation, _, to, len, ..] = entry.args;
        if let Meaning::Answer(replies) = &meaning
            && (entry.action, operation) == (action::FILE, file::READ)
            && let [Reply::Value(read @ 1..)] = replies[..]
            && read < len
            && read == space.room(to, len.min(1 << 20))
        {
            shared.coverage.hit("read clipped at the end of the map");
        }
        match meaning {
            Meaning::Exit(code) => {
                self.phase = Phase::Exited(code);
                self.console.finish();
            }
            Meaning::Silent { fails } => self.failures += u32::from(fails),
            Meaning::Answer(replies) => self.answers.push_back(replies),
            Meaning::Call(target, args) => {
                if methods::exists(&target) {
                    self.current = Some(Waiting::Call(target, args));
                    self.pending = false;
                    self.polls = 0;
                } else {
                    shared.coverage.hit("call absent");
                    self.answers.push_back(vec![Reply::Error(errno::ENOSYS)]);
                }
            }
            Meaning::Special(special) => {
                self.current = Some(Waiting::Special(special, Outcome::default()));
            }
        }
        Ok(())
    }

    /// The host has advanced the producer index of responses.
    fn respond_up_to(&mut self, index: u32, space: &mut Space, shared: &mut Shared) -> Check {
        self.finish_special();
        let count = index.wrapping_sub(self.put);
        let room = self.room(space);
        ensure(count <= room, || {
            format!(
                "idx_p of responses is {index:#x}, after {:#x}, where {room} slots are free",
                self.put
            )
        })?;
        while self.put != index {
            self.respond(space, shared)?;
        }
        Ok(())
    }

    fn respond(&mut self, space: &Space, shared: &mut Shared) -> Check {
        let queue = self.layout.response;
        let bytes = space.wanted(self.at + queue.slot(self.put), queue.entry);
        let words = crate::wire::number(&bytes, 0, 4);
        let value = crate::wire::number(
            &bytes,
            self.layout.pointer as usize,
            self.layout.pointer as usize,
        );
        let replies = self.answers.pop_front();
        let replies = replies.ok_or_else(|| format!("response {value:#x} to no request"))?;
        let fits = |reply: &&Reply| match reply {
            Reply::Empty => (words, value) == (0, 0),
            Reply::Value(wanted) => (words, value) == (1, self.layout.narrow(*wanted)),
            Reply::Error(errno) => (words, value) == (1, self.layout.error(*errno)),
            Reply::Opened(_) => words == 1,
        };
        let reply = replies.iter().find(fits);
        let reply = reply.ok_or_else(|| {
            format!("response {:#x}: words {words}, value {value:#x}, where one of {replies:?} is wanted", self.put)
        })?;
        self.put = self.put.wrapping_add(1);
        match reply {
            Reply::Opened(open) => {
                let fresh = shared.files.insert(value, open.clone());
                ensure(fresh, || {
                    format!("descriptor {value} was given before, or is none")
                })?;
            }
            Reply::Error(errno) => {
                self.failures += 1;
                hit_errno(*errno, shared);
                if *errno == errno::EIO
                    && let Some(before) = self.before_fault.take()
                {
                    self.console = before;
                }
            }
            Reply::Empty | Reply::Value(_) => {}
        }
        self.before_fault = None;
        Ok(())
    }

    /// The memory has failed an access of the current request.
    fn fault(&mut self) {
        self.uncertain.extend_from_slice(&self.writes);
        self.excused = true;
        if let Some(replies) = self.answers.back_mut() {
            replies.push(Reply::Error(errno::EIO));
        } else if self.current.is_none() {
            self.console.forget();
        }
    }

    /// Takes requests of a memory without a log, until one is a call.
    fn until_call(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        self.until(space, shared, |waiting| {
            matches!(waiting, Waiting::Call(..))
        })?;
        let calls = self.loose || matches!(self.current, Some(Waiting::Call(..)));
        ensure(calls, || {
            "a method was called that no request asks for".to_owned()
        })
    }

    fn until(
        &mut self,
        space: &mut Space,
        shared: &mut Shared,
        found: fn(&Waiting) -> bool,
    ) -> Check {
        let there = self.at + self.layout.request.idx_c;
        while !self.logged
            && self.phase == Phase::Ready
            && !self.loose
            && !self.current.as_ref().is_some_and(found)
            && space.word_there(there) != self.taken
        {
            self.take(space, shared)?;
        }
        Ok(())
    }

    fn called(
        &mut self,
        target: &Target,
        args: &[u64],
        answer: Answer,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        self.until_call(space, shared)?;
        let Some(Waiting::Call(wanted, with)) = &self.current else {
            return Ok(());
        };
        ensure((wanted, &with[..]) == (target, args), || {
            format!(
                "{target:?} was called with {args:x?}, where {wanted:?} with {with:x?} is wanted"
            )
        })?;
        self.polls += 1;
        ensure(self.polls == 1, || {
            format!("{target:?} was polled twice in a tick")
        })?;
        let reply = match answer {
            Answer::Pending => {
                shared.coverage.hit("call pending");
                return Ok(());
            }
            Answer::Ready(value) => {
                shared.coverage.hit("call ready");
                Reply::Value(value)
            }
            Answer::Failed => {
                shared.coverage.hit("call failed");
                Reply::Error(errno::EIO)
            }
        };
        self.current = None;
        if self.phase == Phase::Ready {
            self.answers.push_back(vec![reply]);
        }
        Ok(())
    }

    fn count_specials(&mut self, op: &FileOp) {
        match op {
            FileOp::Open(Ok(())) => self.open_specials += 1,
            FileOp::Drop => self.open_specials -= 1,
            _ => {}
        }
    }

    fn filed(&mut self, path: &str, op: &FileOp, space: &mut Space, shared: &mut Shared) -> Check {
        self.count_specials(op);
        if *op == FileOp::Drop {
            return Ok(());
        }
        self.until(space, shared, |waiting| {
            matches!(waiting, Waiting::Special(..))
        })?;
        if self.loose {
            return Ok(());
        }
        let Some(Waiting::Special(special, outcome)) = &mut self.current else {
            return Err(format!("file `{path}`: {op:?}, which no request asks for"));
        };
        match (special, op) {
            (Special::Open(open), FileOp::Open(result)) if open.path == path => {
                outcome.error = result.err();
            }
            (Special::Read(address, most), FileOp::Read(result)) => {
                match result {
                    Err(errno) => outcome.error = Some(*errno),
                    Ok(data) => {
                        let done = outcome.bytes.len() as u64;
                        ensure(done + data.len() as u64 <= *most, || {
                            format!("file `{path}`: more than {most} bytes read")
                        })?;
                        if !data.is_empty() && (data.len() as u64) < *most {
                            shared.coverage.hit("short read");
                        }
                        space.want(*address + done, data);
                        outcome.bytes.extend_from_slice(data);
                        self.writes.push((*address, outcome.bytes.len() as u64));
                    }
                };
            }
            (Special::Write(wanted), FileOp::Write(result)) => match result {
                Err(errno) => outcome.error = Some(*errno),
                Ok(data) => {
                    let done = outcome.bytes.len();
                    let matches = wanted
                        .get(done..)
                        .is_some_and(|rest| rest.starts_with(data));
                    ensure(matches, || {
                        format!("file `{path}`: {data:x?} written at {done} of {wanted:x?}")
                    })?;
                    if data.len() < wanted.len() {
                        shared.coverage.hit("short write");
                    }
                    outcome.bytes.extend_from_slice(data);
                }
            },
            (Special::Seek(wanted), FileOp::Seek(result)) => match result {
                Err(errno) => outcome.error = Some(*errno),
                Ok(position) => {
                    outcome.position = *position;
                    ensure(position == wanted, || {
                        format!("file `{path}`: sought {position}, not {wanted}")
                    })?;
                }
            },
            (special, op) => {
                return Err(format!(
                    "file `{path}`: {op:?}, where {special:?} is wanted"
                ));
            }
        }
        Ok(())
    }

    /// Completes a request to a special file.
    fn finish_special(&mut self) {
        let Some(Waiting::Special(..)) = &self.current else {
            return;
        };
        let Some(Waiting::Special(special, outcome)) = self.current.take() else {
            return;
        };
        let moved = outcome.bytes.len() as u64;
        // Bytes read before an error may be in memory or not.
        if outcome.error.is_some() {
            self.uncertain.extend_from_slice(&self.writes);
        }
        let mut replies: Vec<Reply> = outcome.error.map(Reply::Error).into_iter().collect();
        match special {
            Special::Open(open) if replies.is_empty() => replies.push(Reply::Opened(open)),
            Special::Seek(_) if replies.is_empty() => replies.push(Reply::Value(outcome.position)),
            Special::Read(..) | Special::Write(_) if replies.is_empty() || moved > 0 => {
                replies.push(Reply::Value(moved));
            }
            Special::Close => return,
            _ => {}
        }
        self.answers.push_back(replies);
    }

    /// Ends a tick: compares memory with the expected content. `errors` is the number of errors
    /// reported for the channel.
    ///
    /// # Errors
    /// A violation.
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
            return self.console.check();
        }
        if self.left {
            self.left = false;
            self.current = None;
        }
        if let Some(Waiting::Call(target, _)) = &self.current {
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
                "byte {address:#x} is {there:#x}, where {wanted:#x} is wanted"
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
            "an error was reported without a request that failed".to_owned()
        })?;
        let open = shared.files.open.values();
        let specials = open
            .filter(|open| open.by == self.channel && open.is_special())
            .count() as i32;
        let settled = self.answers.is_empty();
        ensure(!settled || specials == self.open_specials, || {
            format!(
                "{} special files are open, where {specials} are wanted",
                self.open_specials
            )
        })?;
        self.wait(space, stale)
    }

    /// Derives, at the end of a tick, the host's acts from a memory without a log.
    ///
    /// # Errors
    /// A violation.
    pub fn look(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        if !self.logged && !self.loose {
            self.look_at_words(space, shared)?;
        }
        self.finish_special();
        Ok(())
    }

    fn look_at_words(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        if self.phase == Phase::Handshake {
            if space.word_there(self.at + state) != space.wanted_word(self.at + state) {
                self.active = true;
                self.word(state, space.word_there(self.at + state), space, shared)?;
                space.store_word(self.at + state, READY);
            }
            return Ok(());
        }
        let (taken, put) = (self.at + request.idx_c, self.at + response.idx_p);
        let (now_taken, now_put) = (space.word_there(taken), space.word_there(put));
        if self.phase == Phase::Ready && self.loose {
            return Ok(());
        }
        self.active |= (now_taken, now_put) != (space.wanted_word(taken), space.wanted_word(put));
        // EXIT may have been taken for an earlier call.
        if self.phase == Phase::Ready || now_taken != self.taken {
            self.advance(now_taken, space, shared)?;
        }
        if self.loose {
            return Ok(());
        }
        space.want(taken, &now_taken.to_le_bytes());
        for index in 0..self.room(space) {
            let slot = self.at + response.slot(self.put.wrapping_add(index));
            space.adopt(slot, response.entry);
        }
        self.respond_up_to(now_put, space, shared)?;
        space.want(put, &now_put.to_le_bytes());
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
                "{:?}: nothing was done in {BOUND} ticks; taken {}, idx_p {put}",
                self.phase, self.taken
            )
        })
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn count(entry: &Entry, shared: &mut Shared) {
    let what = match (entry.action, entry.args[0]) {
        (0, _) => "request malformed",
        (action::EXIT, _) => "request EXIT",
        (action::PRINT, _) => "request PRINT",
        (action::CPRINT, _) => "request CPRINT",
        (action::MEMMOVE, _) => "request MEMMOVE",
        (action::MEMSET, _) => "request MEMSET",
        (action::MEMCMP, _) => "request MEMCMP",
        (action::CALL, _) => "request CALL",
        (action::FILE, file::OPEN) => "request FILE OPEN",
        (action::FILE, file::CLOSE) => "request FILE CLOSE",
        (action::FILE, file::READ) => "request FILE READ",
        (action::FILE, file::WRITE) => "request FILE WRITE",
        (action::FILE, file::SEEK) => "request FILE SEEK",
        (action::FILE, _) => "request malformed",
        _ => "request OTHER",
    };
    shared.coverage.hit(what);
    if (1..=8).contains(&entry.action) {
        match entry.words {
            0 => shared.coverage.hit("entry without words"),
            1 if !matches!(entry.action, action::EXIT | action::CALL) => {
                shared.coverage.hit("entry with few words")
            }
            _ => {}
        }
    }
}

fn hit_errno(errno: i32, shared: &mut Shared) {
    let what = match errno {
        errno::ENOENT => "errno ENOENT",
        errno::EIO => "errno EIO",
        errno::EBADF => "errno EBADF",
        errno::EACCES => "errno EACCES",
        errno::EFAULT => "errno EFAULT",
        errno::EISDIR => "errno EISDIR",
        errno::EINVAL => "errno EINVAL",
        errno::EMFILE => "errno EMFILE",
        errno::ENOSPC => "errno ENOSPC",
        errno::ENOSYS => "errno ENOSYS",
        _ => return,
    };
    shared.coverage.hit(what);
}
