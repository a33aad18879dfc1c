//! Requests that the host takes, and responses that it puts.

use super::goals::{count_entry, count_errno};
use super::{Check, Phase, Session, Shared, SpecialResult, WaitingRequest, ensure};
use crate::effect::{Effect, RequestModel, Response};
use crate::expect::Expect;
use crate::methods;
use crate::space::Space;
use crate::wire::{Entry, Layout, READY, action, errno, file, number};

impl Session {
    /// Checks that the host may advance the consumer index of requests.
    pub(super) fn advance(&mut self, index: u32, space: &mut Space, shared: &mut Shared) -> Check {
        let produced = space.expected_word(self.at + self.layout.request.idx_p);
        let (queued, consumed) = (
            produced.wrapping_sub(self.consumed),
            index.wrapping_sub(self.consumed),
        );
        ensure(consumed <= queued, || {
            format!(
                "idx_c of requests is {index:#x} after {:#x}; idx_p is {produced:#x}",
                self.consumed
            )
        })?;
        while self.consumed != index && self.phase == Phase::Ready && !self.is_relaxed {
            self.take(space, shared)?;
        }
        ensure(self.is_relaxed || self.consumed == index, || {
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
        let bytes = space.expected(self.at + queue.slot(self.consumed), queue.entry);
        let entry = Entry::parse(&bytes, self.layout.pointer);
        self.consumed = self.consumed.wrapping_add(1);
        space.set_expected(self.at + queue.idx_c, &self.consumed.to_le_bytes());
        count_entry(&entry, shared);
        let mut request = RequestModel {
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
            self.console.ignore();
            self.may_report_errors = true;
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
            self.relax();
        }
        let [operation, fd, to, len, ..] = entry.args;
        if let Effect::Respond(responses) = &effect
            && (entry.action, operation, fd) == (action::FILE, file::READ, 0)
            && matches!(responses[..], [Response::Value(1..)])
        {
            shared.coverage.hit("bytes of standard input");
        }
        if let Effect::Respond(responses) = &effect
            && (entry.action, operation) == (action::FILE, file::READ)
            && let [Response::Value(read @ 1..)] = responses[..]
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
            Effect::Respond(responses) => self.expected_responses.push_back(responses),
            Effect::Call(target, args) => {
                if methods::exists(&target) {
                    self.current = Some(WaitingRequest::Call(target, args));
                    self.pending = false;
                    self.polls = 0;
                } else {
                    shared.coverage.hit("call absent");
                    self.expected_responses
                        .push_back(vec![Response::Error(errno::ENOSYS)]);
                }
            }
            Effect::Special(special) => {
                self.current = Some(WaitingRequest::Special(special, SpecialResult::default()));
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
        let count = index.wrapping_sub(self.produced);
        let room = self.free_slots(space);
        ensure(count <= room, || {
            format!(
                "idx_p of responses is {index:#x} after {:#x}; {room} slots are free",
                self.produced
            )
        })?;
        while self.produced != index {
            self.respond(space, shared)?;
        }
        Ok(())
    }

    fn respond(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        let queue = self.layout.response;
        let bytes = space.expected(self.at + queue.slot(self.produced), queue.entry);
        let words = number(&bytes, 0, 4);
        let value = number(
            &bytes,
            self.layout.pointer as usize,
            self.layout.pointer as usize,
        );
        let responses = self.expected_responses.pop_front();
        let responses =
            responses.ok_or_else(|| format!("response {value:#x} without a request"))?;
        let fits = |response: &&Response| match response {
            Response::Empty => (words, value) == (0, 0),
            Response::Value(expected) => (words, value) == (1, self.layout.narrow(*expected)),
            Response::Error(errno) => (words, value) == (1, self.layout.error(*errno)),
            Response::Opened(_) => words == 1,
        };
        let response = responses.iter().find(fits);
        let response = response.ok_or_else(|| {
            format!(
                "response {:#x}: words {words}, value {value:#x}, expected one of {responses:?}",
                self.produced
            )
        })?;
        self.produced = self.produced.wrapping_add(1);
        if let Some((address, len, expect)) = self.partial.take()
            && matches!(response, Response::Value(_))
        {
            // A part of it may be in a memory without a log.
            space.adopt(address, len);
            expect.check(&space.expected(address, len))?;
            if matches!(expect, Expect::Records(_)) {
                shared.coverage.hit("entries of a directory");
            }
        }
        match response {
            Response::Opened(open) => {
                let fresh = shared.files.insert(value, open.clone());
                ensure(fresh, || format!("descriptor {value} is in use or invalid"))?;
            }
            Response::Error(errno) => {
                self.failures += 1;
                count_errno(*errno, shared);
                if *errno == errno::EIO
                    && let Some(before) = self.before_fault.take()
                {
                    self.console = before;
                }
            }
            Response::Empty | Response::Value(_) => {}
        }
        self.before_fault = None;
        Ok(())
    }

    pub(super) fn check_words_in_memory(
        &mut self,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        if self.phase == Phase::Handshake {
            if space.actual_word(self.at + state) != space.expected_word(self.at + state) {
                self.has_changed = true;
                self.word(state, space.actual_word(self.at + state), space, shared)?;
                space.store_word(self.at + state, READY);
            }
            return Ok(());
        }
        let (consumed, produced) = (self.at + request.idx_c, self.at + response.idx_p);
        let (now_consumed, now_produced) =
            (space.actual_word(consumed), space.actual_word(produced));
        if self.phase == Phase::Ready && self.is_relaxed {
            return Ok(());
        }
        self.has_changed |= (now_consumed, now_produced)
            != (space.expected_word(consumed), space.expected_word(produced));
        // EXIT may have been taken as an earlier call.
        if self.phase == Phase::Ready || now_consumed != self.consumed {
            self.advance(now_consumed, space, shared)?;
        }
        if self.is_relaxed {
            return Ok(());
        }
        space.set_expected(consumed, &now_consumed.to_le_bytes());
        for index in 0..self.free_slots(space) {
            let slot = self.at + response.slot(self.produced.wrapping_add(index));
            space.adopt(slot, response.entry);
        }
        self.respond_up_to(now_produced, space, shared)?;
        space.set_expected(produced, &now_produced.to_le_bytes());
        Ok(())
    }
}
