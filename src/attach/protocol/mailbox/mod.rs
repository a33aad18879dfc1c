//! Rules of the mailbox protocol, on both sides.

mod session;

use mailbox_rs::{Index, Layout, PtrWidth, Request, RequestEntry, ResponseEntry, State};

use self::session::Session;
use super::rules::{Breach, Pending};
use crate::bus::{Content, Inbox as _, Observation};
use crate::mem::{AccessError, Op, OpOutcome, Segments, SpaceId, Span, subrange};
use crate::messages::checkpoint::SavedFrontEnd;
use crate::messages::foreign;
use crate::messages::front_end::Restore;
use crate::messages::mailbox::{self, CACHE_HINT, ChannelWords, DoorbellRang, Served};
use crate::messages::memory::{self, Access, AccessSegments};
use crate::messages::{ChannelDescriptor, ChannelId, MailboxPlace};

/// Checked mailboxes. An index must advance by one and stay within the queue. Each side must write
/// only its own words. Each response must answer a request. Words are found by their location in
/// memory.
///
/// Attached during a session, it checks the queues of a channel from the next handshake.
pub(super) struct Mailboxes {
    channels: Vec<Queues>,
    /// Pending word reads of the host, with the channel.
    reads: Pending<(usize, Word)>,
    /// Pending accesses that take a request, with the channel.
    takes: Pending<usize>,
}

/// Observed state of a channel.
struct Queues {
    width: PtrWidth,
    space: SpaceId,
    /// Location, address and meaning of the channel's words.
    words: Vec<(Segments, Span, Word)>,
    /// Indices since an observed handshake.
    session: Option<Session>,
}

/// Words that the host writes, or reads by a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    State,
    RequestConsumer,
    ResponseProducer,
    ResponseConsumer,
}

impl Queues {
    fn new(channel: &ChannelDescriptor) -> Self {
        let Some(MailboxPlace { address, layout }) = channel.mailbox() else {
            // Words of another protocol, which has rules of its own.
            return Self {
                width: PtrWidth::P8,
                space: channel.space,
                words: Vec::new(),
                session: None,
            };
        };
        let Layout {
            state,
            request,
            response,
            ptr_width,
            ..
        } = layout;
        let words = [
            (state, Word::State),
            (request.idx_c, Word::RequestConsumer),
            (response.idx_p, Word::ResponseProducer),
            (response.idx_c, Word::ResponseConsumer),
        ];
        let words = words.map(|(offset, word)| {
            let address = address.wrapping_add(offset);
            let place = subrange(&channel.place, offset, 4);
            (place, Span { address, len: 4 }, word)
        });
        Self {
            width: ptr_width,
            space: channel.space,
            words: words.into(),
            session: None,
        }
    }

    fn word_at(&self, place: &Segments) -> Option<Word> {
        let mut words = self.words.iter();
        words
            .find(|(at, _, _)| at == place)
            .map(|(_, _, word)| *word)
    }

    fn word_of(&self, span: Span) -> Option<Word> {
        let mut words = self.words.iter();
        words
            .find(|(_, at, _)| *at == span)
            .map(|(_, _, word)| *word)
    }

    /// Checks words that the host writes to the channel, and the response written with them. A
    /// write of the request queue's `idx_c` takes a request. With `recovers`, it sets the index
    /// after an invalid one.
    fn written(
        &mut self,
        words: &[(Word, u32)],
        response: Option<ResponseEntry>,
        recovers: bool,
        breaches: &mut Vec<Breach>,
    ) {
        if words.contains(&(Word::State, State::READY.0)) {
            self.session = Some(Session::default());
            return;
        }
        let Some(session) = &mut self.session else {
            return;
        };
        for &(word, value) in words {
            let value = Index(value);
            match word {
                Word::RequestConsumer if recovers => session.request_consumer = value,
                Word::RequestConsumer => session.takes(value, breaches),
                Word::ResponseProducer => session.puts(value, response, self.width, breaches),
                Word::State | Word::ResponseConsumer => {}
            }
        }
    }

    /// Checks a word read by the host.
    fn read(&mut self, word: Word, value: Index, breaches: &mut Vec<Breach>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let (what, written) = match word {
            Word::RequestConsumer => ("request queue: idx_c", &mut session.request_consumer),
            Word::ResponseProducer => ("response queue: idx_p", &mut session.response_producer),
            Word::ResponseConsumer => return session.responses_are_taken(value, breaches),
            Word::State => return,
        };
        if *written != value {
            breaches.push(format!(
                "{what} is {:#x}, but the host wrote {:#x}: firmware must not write it; {CACHE_HINT}",
                value.0, written.0
            ));
            *written = value;
        }
    }

    /// Checks a write of firmware to the channel.
    fn words_changed(
        &mut self,
        words: &ChannelWords,
        entries: &[RequestEntry],
        breaches: &mut Vec<Breach>,
    ) {
        if words.state != State::READY.0 {
            // Firmware restarts and drops all pending requests. Start-up code or a loaded image may
            // clear the words first.
            let starts = words.state == State::INIT.0 || words.state == 0;
            if self.session.take().is_some() && !starts {
                breaches.push(format!("invalid state {:#x}", words.state));
            }
        }
        if let Some(session) = &mut self.session {
            let put = Index(words.request_producer);
            session.requests_are_put(put, breaches);
            session.requests_are(put, entries);
            if let Some(taken) = words.response_consumer {
                session.responses_are_taken(Index(taken), breaches);
            }
        }
    }

    fn served(&mut self, served: &Served, breaches: &mut Vec<Breach>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let last = Index(session.request_consumer.0.wrapping_sub(1));
        if served.slot != last.slot() {
            breaches.push(format!(
                "the host serves slot {}, but took slot {} last",
                served.slot,
                last.slot()
            ));
        }
        session.owed.extend(served.response);
    }
}

impl Mailboxes {
    /// Creates the state of those channels that have mailboxes.
    pub(super) fn new(channels: &[ChannelDescriptor]) -> Self {
        Self {
            channels: channels.iter().map(Queues::new).collect(),
            reads: Pending::default(),
            takes: Pending::default(),
        }
    }

    /// Last request that was taken from a channel.
    pub(super) fn in_service(&self, channel: usize) -> Option<String> {
        let session = self.channels.get(channel)?.session.as_ref()?;
        let (slot, entry) = session.in_service()?;
        let request = Request::try_from(entry).map(|request| request.to_string());
        let request = request.unwrap_or_else(|_| entry.to_string());
        Some(format!("{request} in slot {slot}"))
    }

    /// Sets the indices of the channels that a restore replaces.
    fn restored(&mut self, restore: &Restore) {
        for saved in &restore.channels {
            let Some(channel) = self.channels.get_mut(place_of(saved.channel)) else {
                continue;
            };
            channel.session = match &saved.front_end {
                SavedFrontEnd::Mailbox(Some(session)) => Some(Session::restored(session)),
                _ => None,
            };
        }
        self.reads.clear();
        self.takes.clear();
    }

    /// Checks one observation. Returns its channel, if known by id, sequence number or address.
    pub(super) fn check(
        &mut self,
        seen: &Observation<'_>,
        breaches: &mut Vec<Breach>,
    ) -> Option<usize> {
        let ticket = &seen.ticket;
        if let Some(restore) = seen.content.downcast_ref::<Restore>() {
            self.restored(restore);
            return None;
        }
        if let Some(rang) = seen.content.downcast_ref::<DoorbellRang>() {
            let at = place_of(rang.channel);
            if let (Some(channel), Some(words)) = (self.channels.get_mut(at), &rang.words) {
                channel.words_changed(words, &rang.entries, breaches);
            }
            return Some(at);
        }
        if let Some(served) = seen.content.downcast_ref::<Served>() {
            let at = place_of(served.channel);
            if let Some(channel) = self.channels.get_mut(at) {
                channel.served(served, breaches);
            }
            return Some(at);
        }
        let accessed = [memory::Inbox::ENDPOINT, foreign::Inbox::ENDPOINT];
        if ticket.from != mailbox::Inbox::ENDPOINT || !accessed.contains(&ticket.to()) {
            return None;
        }
        if let Some(AccessSegments { op, .. }) = seen.content.downcast_ref() {
            return self.accessed(ticket.sequence, op, breaches);
        }
        if let Some(foreign::Access { op, .. }) = seen.content.downcast_ref() {
            return self.accessed(ticket.sequence, op, breaches);
        }
        if let Some(Access { space, op }) = seen.content.downcast_ref() {
            let word = |channel: &Queues, span: &Span| {
                let word = channel.word_of(*span);
                word.filter(|_| channel.space == *space)
            };
            let at = self.wrote(op, word, false, breaches)?;
            self.takes.insert(ticket.sequence, at);
            return Some(at);
        }
        if !matches!(seen.content, Content::Message(_)) {
            let read = self.reads.remove(ticket.sequence);
            let taking = self.takes.remove(ticket.sequence);
            let failed = seen
                .content
                .downcast_ref::<Result<OpOutcome, AccessError>>();
            let failed = failed.is_none_or(|outcome| outcome.is_err());
            if let Some(channel) = taking.and_then(|at| self.channels.get_mut(at))
                && let Some(session) = &mut channel.session
            {
                session.take_failed = failed;
            }
            if let Some(outcome) = seen
                .content
                .downcast_ref::<Result<OpOutcome, AccessError>>()
            {
                return self.answered(read, outcome, breaches);
            }
        }
        None
    }

    /// Checks an access of the host to segments.
    fn accessed(
        &mut self,
        sequence: u64,
        op: &Op<Segments>,
        breaches: &mut Vec<Breach>,
    ) -> Option<usize> {
        for (at, channel) in self.channels.iter_mut().enumerate() {
            if let Op::Read(place) = op
                && let Some(word) = channel.word_at(place)
            {
                self.reads.insert(sequence, (at, word));
                return Some(at);
            }
        }
        self.wrote(op, Queues::word_at, true, breaches)
    }

    /// Checks an access of the host that may write words of a channel. `word` finds the word at a
    /// location.
    fn wrote<P>(
        &mut self,
        op: &Op<P>,
        word: impl Fn(&Queues, &P) -> Option<Word>,
        recovers: bool,
        breaches: &mut Vec<Breach>,
    ) -> Option<usize> {
        for (at, channel) in self.channels.iter_mut().enumerate() {
            let words = op.each().iter().filter_map(|op| match op {
                // The word is four bytes wide.
                Op::Word(place, value) => Some((word(channel, place)?, *value as u32)),
                _ => None,
            });
            let words: Vec<_> = words.collect();
            if words.is_empty() {
                continue;
            }
            let response = op.each().iter().find_map(|op| match op {
                Op::Write(_, bytes) => ResponseEntry::parse(bytes, channel.width),
                _ => None,
            });
            channel.written(&words, response, recovers, breaches);
            return Some(at);
        }
        None
    }

    /// Checks a word that was read.
    fn answered(
        &mut self,
        read: Option<(usize, Word)>,
        outcome: &Result<OpOutcome, AccessError>,
        breaches: &mut Vec<Breach>,
    ) -> Option<usize> {
        let (at, word) = read?;
        let Ok(OpOutcome::Bytes(bytes)) = outcome else {
            return None;
        };
        let value = bytes.first_chunk().copied().map(u32::from_le_bytes);
        if let (Some(channel), Some(value)) = (self.channels.get_mut(at), value) {
            channel.read(word, Index(value), breaches);
        }
        Some(at)
    }
}

fn place_of(ChannelId(number): ChannelId) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
