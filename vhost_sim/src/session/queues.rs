//! Requests that the host takes, and responses that it puts.

use super::goals::{count_entry, count_errno};
use super::{Check, Outcome, Phase, Session, Shared, WaitingRequest, ensure};
use crate::effect::{Effect, Reply, Request};
use crate::expect::Expect;
use crate::methods;
use crate::space::Space;
use crate::wire::{Entry, Layout, READY, action, errno, file, number};

impl Session {
    /// Checks that the host may advance the consumer index of requests.
    pub(super) fn advance(&mut self, index: u32, space: &mut Space, shared: &mut Shared) -> Check {
        let put = space.wanted_word(self.at + self.layout.request.idx_p);
        let (queued, taken) = (put.wrapping_sub(self.taken), index.wrapping_sub(self.taken));
        ensure(taken <= queued, || {
            format!(
                "idx_c of requests is {index:#x} after {:#x}; idx_p is {put:#x}",
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

    /// Executes the next request, which the host has taken.
    pub(super) fn take(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        self.finish_special();
        ensure(self.current.is_none(), || {
            "a request was taken before the previous one was served".to_owned()
        })?;
        let queue = self.layout.request;
        let bytes = space.wanted(self.at + queue.slot(self.taken), queue.entry);
        let entry = Entry::parse(&bytes, self.layout.pointer);
        self.taken = self.taken.wrapping_add(1);
        space.want(self.at + queue.idx_c, &self.taken.to_le_bytes());
        count_entry(&entry, shared);
        let mut request = Request {
            channel: self.channel,
            layout: &self.layout,
            space,
            files: &mut shared.files,
            text: None,
            error_text: None,
            partial: None,
            tick: self.tick,
            unknown_text: false,
            writes: Vec::new(),
            at: self.at,
            touched: false,
            unknown_input: false,
        };
        let effect = request.perform(&entry);
        let (touched, unknown_input) = (request.touched, request.unknown_input);
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
        if let Some(text) = request.error_text {
            self.console.print_error(&text);
            shared.coverage.hit("text of standard error");
        }
        self.partial = request.partial;
        if let Some((_, _, Expect::Status { .. } | Expect::Records(_))) = self.partial {
            shared.varies = true;
        }
        self.writes = request.writes;
        if touched {
            shared.coverage.hit("request on its own channel");
        }
        if touched || unknown_input {
            self.loosen();
        }
        let [operation, fd, to, len, ..] = entry.args;
        if let Effect::Answer(replies) = &effect
            && (entry.action, operation, fd) == (action::FILE, file::READ, 0)
            && matches!(replies[..], [Reply::Value(1..)])
        {
            shared.coverage.hit("bytes of standard input");
        }
        if let Effect::Answer(replies) = &effect
            && (entry.action, operation) == (action::FILE, file::READ)
            && let [Reply::Value(read @ 1..)] = replies[..]
            && read < len
            && read == space.room(to, len.min(1 << 20))
        {
            shared.coverage.hit("read clipped at the end of the map");
        }
        match effect {
            Effect::Exit(code) => {
                self.phase = Phase::Exited(code);
                self.console.finish();
            }
            Effect::Silent { fails } => self.failures += u32::from(fails),
            Effect::Answer(replies) => self.answers.push_back(replies),
            Effect::Call(target, args) => {
                if methods::exists(&target) {
                    self.current = Some(WaitingRequest::Call(target, args));
                    self.pending = false;
                    self.polls = 0;
                } else {
                    shared.coverage.hit("call absent");
                    self.answers.push_back(vec![Reply::Error(errno::ENOSYS)]);
                }
            }
            Effect::Special(special) => {
                self.current = Some(WaitingRequest::Special(special, Outcome::default()));
            }
        }
        Ok(())
    }

    /// Checks that the host may advance the producer index of responses.
    pub(super) fn respond_up_to(
        &mut self,
        index: u32,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        self.finish_special();
        let count = index.wrapping_sub(self.put);
        let room = self.room(space);
        ensure(count <= room, || {
            format!(
                "idx_p of responses is {index:#x} after {:#x}; {room} slots are free",
                self.put
            )
        })?;
        while self.put != index {
            self.respond(space, shared)?;
        }
        Ok(())
    }

    fn respond(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        let queue = self.layout.response;
        let bytes = space.wanted(self.at + queue.slot(self.put), queue.entry);
        let words = number(&bytes, 0, 4);
        let value = number(
            &bytes,
            self.layout.pointer as usize,
            self.layout.pointer as usize,
        );
        let replies = self.answers.pop_front();
        let replies = replies.ok_or_else(|| format!("response {value:#x} without a request"))?;
        let fits = |reply: &&Reply| match reply {
            Reply::Empty => (words, value) == (0, 0),
            Reply::Value(wanted) => (words, value) == (1, self.layout.narrow(*wanted)),
            Reply::Error(errno) => (words, value) == (1, self.layout.error(*errno)),
            Reply::Opened(_) => words == 1,
        };
        let reply = replies.iter().find(fits);
        let reply = reply.ok_or_else(|| {
            format!(
                "response {:#x}: words {words}, value {value:#x}, expected one of {replies:?}",
                self.put
            )
        })?;
        self.put = self.put.wrapping_add(1);
        if let Some((address, len, expect)) = self.partial.take()
            && matches!(reply, Reply::Value(_))
        {
            // A part of it may be in a memory without a log.
            space.adopt(address, len);
            expect.check(&space.wanted(address, len))?;
            if matches!(expect, Expect::Records(_)) {
                shared.coverage.hit("entries of a directory");
            }
        }
        match reply {
            Reply::Opened(open) => {
                let fresh = shared.files.insert(value, open.clone());
                ensure(fresh, || format!("descriptor {value} is in use or invalid"))?;
            }
            Reply::Error(errno) => {
                self.failures += 1;
                count_errno(*errno, shared);
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

    pub(super) fn look_at_words(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
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
        // EXIT may have been taken as an earlier call.
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
}
