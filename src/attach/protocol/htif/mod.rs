//! Rules of HTIF, by `docs/htif.md`.

mod command;
mod descriptors;
mod service;
mod service_state;

use std::collections::VecDeque;

use bytes::Bytes;

use self::command::{Asks, CALL, WORD, asks, response};
use self::descriptors::Descriptors;
use self::service_state::{MAX_WAITING_COMMANDS, Service};
use super::rules::{Breach, MemoryWrite, Owner, Pending, Request, Rules, covers, is_half_of, word};
use crate::bus::Body;
use crate::mem::{AccessError, OpOutcome, Span};
use crate::messages::HtifPlace;
use crate::messages::checkpoint::SavedFrontEnd;
use crate::messages::front_end::WordsRang;
use crate::messages::htif::CommandServed;

/// Observed state of a channel.
#[derive(Debug)]
pub(super) struct Htif {
    tohost: Span,
    fromhost: Span,
    /// Content of `tohost`, as last polled or as cleared by the host; `None` before.
    command: Option<u64>,
    /// Content of `fromhost`, as last polled or as written by the host; `None` before.
    response: Option<u64>,
    service: Service,
    /// Responses that firmware has not got yet, in order.
    owed: VecDeque<u64>,
    /// Console reads without a response.
    reads: VecDeque<u64>,
    descriptors: Descriptors,
    /// True if the state is known from the start, or from a restore.
    is_known: bool,
    /// Pending reads of the words of the present system call.
    calls: Pending<()>,
}

impl Htif {
    pub(super) fn new(place: &HtifPlace) -> Self {
        let at = |address| Span { address, len: WORD };
        Self {
            tohost: at(place.tohost),
            fromhost: at(place.fromhost),
            command: None,
            response: None,
            service: Service::Idle,
            owed: VecDeque::new(),
            reads: VecDeque::new(),
            descriptors: Descriptors::default(),
            is_known: false,
            calls: Pending::default(),
        }
    }

    /// Checks the polled words.
    fn words_changed(&mut self, words: &Bytes, breaches: &mut Vec<Breach>) {
        if let Some(now) = word(words, 0, 8) {
            let at = self.tohost.address;
            if let Some(before) = self.command
                && before != 0
                && now != 0
                && !is_half_of(before, now)
            {
                breaches.push(format!(
                    "tohost at {at:#x} went from {before:#x} to {now:#x}: firmware wrote a command over one that the host has not \
                     taken; wait until the word is 0"
                ));
            }
            self.command = Some(now);
        }
        if let Some(now) = word(words, 8, 8) {
            let at = self.fromhost.address;
            if let Some(before) = self.response
                && !is_half_of(now, before)
            {
                breaches.push(format!(
                    "fromhost at {at:#x} is {now:#x}, and had {before:#x} when the host last read or wrote it: firmware must not write \
                     anything but 0 to it"
                ));
            }
            self.response = Some(now);
        }
    }

    /// Checks a write to `tohost`.
    fn takes(&mut self, value: Option<u64>, breaches: &mut Vec<Breach>) {
        let at = self.tohost.address;
        if value != Some(0) {
            let value = value.unwrap_or_default();
            breaches.push(format!(
                "the host writes {value:#x} to tohost at {at:#x}, which it only sets to 0"
            ));
            return;
        }
        self.ends(&format!("sets tohost at {at:#x} to 0"), breaches);
        match self.command.replace(0) {
            Some(0) => breaches.push(format!(
                "the host sets tohost at {at:#x} to 0, and has seen no command there"
            )),
            Some(word) => self.taken(word, breaches),
            None => {}
        }
    }

    /// Checks a write to `fromhost`.
    fn responds(&mut self, value: Option<u64>, breaches: &mut Vec<Breach>) {
        let at = self.fromhost.address;
        let value = value.unwrap_or_default();
        if let Some(before) = self.response
            && before != 0
        {
            breaches.push(format!(
                "the host writes {value:#x} to fromhost at {at:#x} over {before:#x}, which firmware has not taken"
            ));
        }
        self.response = Some(value);
        self.ends(
            &format!("writes {value:#x} to fromhost at {at:#x}"),
            breaches,
        );
        match self.owed.front() {
            Some(next) if *next == value => {
                self.owed.pop_front();
            }
            _ if !self.is_known => {}
            Some(next) => breaches.push(format!(
                "the host writes {value:#x} to fromhost at {at:#x}, where {next:#x} is the next response"
            )),
            None => breaches.push(format!(
                "the host writes {value:#x} to fromhost at {at:#x}, which answers no command"
            )),
        }
    }
}

impl Rules for Htif {
    fn start(&mut self) {
        self.is_known = true;
        self.descriptors = Descriptors::of([]);
    }

    fn restore(&mut self, saved: &SavedFrontEnd) {
        let SavedFrontEnd::Htif(saved) = saved else {
            return;
        };
        self.is_known = true;
        (self.command, self.response) = (None, None);
        self.owed = saved
            .responses
            .iter()
            .copied()
            .take(MAX_WAITING_COMMANDS)
            .collect();
        let reads = saved.reads.iter().map(|(word, _)| *word);
        self.reads = reads.take(MAX_WAITING_COMMANDS).collect();
        self.descriptors = Descriptors::of(saved.files.iter().map(|(fd, ..)| *fd));
        self.calls.clear();
        self.service = Service::Idle;
        if let Some(command) = saved.command {
            match command.delayed {
                Some((payload, _)) => self.owed.push_back(response(command.command, payload)),
                // The command is served again.
                None => self.taken(command.command, &mut Vec::new()),
            }
        }
    }

    fn event(&mut self, _: u64, body: &dyn Body, breaches: &mut Vec<Breach>) {
        if let Some(rang) = body.downcast_ref::<WordsRang>() {
            if let Some(words) = &rang.words {
                self.words_changed(words, breaches);
            }
        } else if let Some(served) = body.downcast_ref::<CommandServed>() {
            self.served(served, breaches);
        }
    }

    fn asks(&mut self, sequence: u64, request: Request) {
        if let Service::Command { word, .. } = &self.service
            && let Asks::Call { words } = asks(*word)
            && request == Request::Read(words)
        {
            self.calls.insert(sequence, ());
        }
    }

    fn replied(&mut self, sequence: u64, reply: Option<&dyn Body>, _: &mut Vec<Breach>) {
        if self.calls.remove(sequence).is_none() {
            return;
        }
        let reply = reply.and_then(|it| it.downcast_ref::<Result<OpOutcome, AccessError>>());
        if let Some(Ok(OpOutcome::Bytes(bytes))) = reply
            && bytes.len() as u64 == CALL
        {
            self.calls(bytes);
        }
    }

    fn names(&self, _: u64) -> Option<String> {
        self.in_service()
    }

    fn writes(&mut self, write: MemoryWrite, breaches: &mut Vec<Breach>) -> Owner {
        let MemoryWrite { at, value } = write;
        if let Service::Command { named, due, .. } = &mut self.service {
            let is_named = named.iter().any(|place| covers(*place, at));
            if is_named {
                if let Some(result) = due.take() {
                    named.clear();
                    if value != Some(result) {
                        breaches.push(format!(
                            "the host writes {:#x} at {:#x} as the result of a system call that has given {result:#x}",
                            value.unwrap_or_default(),
                            at.address
                        ));
                    }
                }
                return Owner::Channel;
            }
        }
        if at == self.tohost {
            self.takes(value, breaches);
        } else if at == self.fromhost {
            self.responds(value, breaches);
        } else if self.is_known {
            return Owner::Other;
        } else {
            return Owner::Unknown;
        }
        Owner::Channel
    }
}
