//! One channel: handshake, requests in order, reset at any time.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::Bytes;
use futures_util::future::{Either, select};
use mailbox_rs::{
    Index, QUEUE_LEN, REQUEST_ARGS, Request, RequestEntry, Response, ResponseEntry, State, VERSION,
};

use super::failure::Failure;
use super::service::Served;
use super::watch::Watched;
use super::{Board, Links, Setup};
use crate::bus::{Desk, Doorbell, Port};
use crate::mem::{AccessError, Op, Outcome, Segments, Span};
use crate::messages::ChannelId;
use crate::messages::files::CloseAll;
use crate::messages::foreign::{Exit, Report, Severity};
use crate::messages::mailbox::{Inbox, Ring, Sight};
use crate::messages::memory::{Access, Locate};
use crate::messages::{console, mailbox, rpc};

/// What the server knows of one channel. Its task is [`run`](Self::run).
pub(super) struct Channel {
    pub(super) id: ChannelId,
    pub(super) setup: Setup,
    pub(super) links: Rc<Links>,
    desk: Desk,
    bell: Doorbell,
    rings: Port<Inbox>,
    board: Rc<Board>,
    /// What the doorbell has seen last.
    sight: Cell<Sight>,
    /// Why it could not look.
    blind: Rc<RefCell<Option<AccessError>>>,
    /// The task, while it waits for a sight.
    task: Cell<Option<Waker>>,
    stage: Cell<Stage>,
}

/// What a channel is doing.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Handshake,
    Idle {
        taken: u32,
    },
    Serving {
        kind: &'static str,
        slot: u32,
        since: u64,
    },
    Full {
        since: u64,
    },
    Exited {
        code: u32,
    },
    GivenUp,
}

/// The host's side of the response queue.
#[derive(Debug, Default)]
struct Responses {
    put: Index,
    /// How far firmware had taken them when that was last looked at.
    taken: Index,
}

impl Responses {
    fn is_full(&self) -> bool {
        self.put.0.wrapping_sub(self.taken.0) >= QUEUE_LEN
    }
}

/// What the doorbell has seen before it has seen anything.
const NOTHING: Sight = Sight {
    state: 0,
    request_put: 0,
    handshake: None,
    response_taken: None,
};

impl Channel {
    pub(super) fn new(
        id: ChannelId,
        setup: Setup,
        bell: Doorbell,
        desk: Desk,
        rings: Port<Inbox>,
        links: Rc<Links>,
        board: Rc<Board>,
    ) -> Self {
        Self {
            id,
            setup,
            links,
            desk,
            bell,
            rings,
            board,
            sight: Cell::new(NOTHING),
            blind: Rc::default(),
            task: Cell::default(),
            stage: Cell::new(Stage::Handshake),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.setup.name
    }

    /// The doorbell rang.
    pub(super) fn rung(&self, sight: Option<Sight>) {
        if let Some(sight) = sight {
            self.sight.set(sight);
        }
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Serves the channel until it exits.
    pub(super) async fn run(self: Rc<Self>) {
        if let Err(failure) = self.serve_sessions().await {
            self.give_up(&format!("the channel is given up: {failure}"));
        }
        self.bell.silence();
    }

    async fn serve_sessions(&self) -> Result<(), Failure> {
        let place = self.take_over().await?;
        while self.handshake(&place).await? {
            let (reset, session) = (pin!(self.left_ready()), pin!(self.session(&place)));
            match select(reset, session).await {
                // Dropped with all that it was waiting for.
                Either::Left((reset, _)) => {
                    reset?;
                    self.links.rpc.post(rpc::Cancel {
                        channel: self.name().to_owned(),
                    });
                    self.close();
                }
                Either::Right((code, _)) => {
                    let code = code?;
                    self.close();
                    self.stage.set(Stage::Exited { code });
                    self.board.exited(self.id, code);
                    self.links.foreign.post(Exit {
                        channel: self.id,
                        code,
                    });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Finds the channel and clears its queues.
    async fn take_over(&self) -> Result<Segments, Failure> {
        let layout = &self.setup.layout;
        let span = Span {
            address: self.setup.address,
            len: layout.channel_size,
        };
        let place = self.links.memory.ask(Locate {
            space: self.setup.space,
            span,
        });
        let place = place.await??;
        let queues = [&layout.request, &layout.response];
        let clear = queues.map(|queue| Op::Fill(self.span(queue.offset, queue.size), 0));
        self.access(Op::Batch(clear.into())).await?;
        Ok(place)
    }

    /// Answers a handshake. False where the firmware speaks another version of the protocol.
    async fn handshake(&self, place: &Segments) -> Result<bool, Failure> {
        self.stage.set(Stage::Handshake);
        self.sight.set(NOTHING);
        self.watch(Watched::Handshake, place);
        let version = self.sighted(asks_for_handshake).await?;
        let host = u32::from(VERSION);
        if version != host {
            let firmware = mailbox_rs::Version::from(version);
            self.give_up(&format!(
                "firmware speaks mailbox protocol {firmware}, this host {VERSION}: build them for the same version"
            ));
            return Ok(false);
        }
        let layout = &self.setup.layout;
        let indices = [
            layout.request.idx_p,
            layout.request.idx_c,
            layout.response.idx_p,
            layout.response.idx_c,
        ];
        let mut writes: Vec<_> = indices
            .iter()
            .map(|index| self.write_u32(*index, 0))
            .collect();
        writes.push(self.write_u32(layout.state, State::READY.0));
        self.access(Op::Batch(writes)).await?;
        self.sight.set(Sight {
            state: State::READY.0,
            ..NOTHING
        });
        Ok(true)
    }

    /// Serves requests until one is EXIT.
    async fn session(&self, place: &Segments) -> Result<u32, Failure> {
        self.watch(Watched::Requests, place);
        let mut taken = Index(0);
        let mut responses = Responses::default();
        loop {
            self.stage.set(Stage::Idle { taken: taken.0 });
            let news = |sight: &Sight| (sight.request_put != taken.0).then_some(sight.request_put);
            let put = self.sighted(news).await?;
            if put.wrapping_sub(taken.0) > QUEUE_LEN {
                self.resynchronise(put, &mut taken, &mut responses).await?;
                continue;
            }
            while taken.0 != put {
                let entry = self.take(taken).await?;
                let since = self.desk.now();
                let served = self.serve(taken.slot(), &entry).await;
                self.announce(taken.slot(), entry, since, &served);
                taken = taken.next();
                match served {
                    Served::Exit(code) => return Ok(code),
                    Served::Silent => {}
                    Served::Response(response) => {
                        self.respond(&mut responses, response, place).await?;
                    }
                }
            }
        }
    }

    /// Request indices that can't follow from each other: believes what is in memory, where that makes sense.
    async fn resynchronise(
        &self,
        put: u32,
        taken: &mut Index,
        responses: &mut Responses,
    ) -> Result<(), Failure> {
        let layout = &self.setup.layout;
        let there = Index(self.read_u32(layout.request.idx_c).await?);
        let moved = format!("request queue: idx_p went from {:#x} to {put:#x}", taken.0);
        if put.wrapping_sub(there.0) <= QUEUE_LEN && there != *taken {
            self.report(
                Severity::Warning,
                &format!(
                    "{moved}, and idx_c was set to {:#x}; the host goes on from there",
                    there.0
                ),
            );
            *taken = there;
            responses.put = Index(self.read_u32(layout.response.idx_p).await?);
            responses.taken = Index(self.read_u32(layout.response.idx_c).await?);
            return Ok(());
        }
        self.complain(&format!(
            "{moved}, past the {QUEUE_LEN} slots there are; what is in between is passed over"
        ));
        *taken = Index(put);
        self.access(self.write_u32(layout.request.idx_c, put))
            .await?;
        Ok(())
    }

    /// Copies a request out of the queue, and gives its slot back to firmware.
    async fn take(&self, index: Index) -> Result<RequestEntry, Failure> {
        let layout = &self.setup.layout;
        let width = layout.ptr_width;
        let entry = self.span(
            layout.request_entry(index.slot()),
            layout.request.entry_size,
        );
        let advance = self.write_u32(layout.request.idx_c, index.next().0);
        let mut outcomes = self
            .access(Op::Batch(vec![Op::Read(entry), advance]))
            .await?
            .into_batch();
        let bytes = outcomes
            .drain(..)
            .next()
            .map_or_else(Bytes::new, Outcome::into_bytes);
        // As many bytes as an entry has were read.
        Ok(RequestEntry::parse(&bytes, width).unwrap_or(RequestEntry {
            action: 0,
            words: 0,
            args: [0; REQUEST_ARGS],
        }))
    }

    /// Serves one request, whatever it is.
    async fn serve(&self, slot: u32, entry: &RequestEntry) -> Served {
        let failed = |kind: &dyn fmt::Display, failure: &Failure, responds: bool| {
            let errno = failure.errno();
            let answered = if responds { "answered " } else { "" };
            self.complain(&format!(
                "request in slot {slot}, {kind}: {failure}; {answered}{errno}"
            ));
            if responds {
                Served::Response(Response::Error(errno))
            } else {
                Served::Silent
            }
        };
        let request = match Request::try_from(entry) {
            Ok(request) => request,
            Err(malformed) => return failed(entry, &malformed.into(), entry.responds()),
        };
        self.stage.set(Stage::Serving {
            kind: request.kind(),
            slot,
            since: self.desk.now(),
        });
        match self.desk.shelter(self.perform(&request)).await {
            Ok(Ok(served)) => served,
            Ok(Err(failure)) => failed(&request, &failure, request.responds()),
            Err(panic) => failed(&request, &Failure::Panic(panic), request.responds()),
        }
    }

    /// Shows whoever observes the channel what came of a request.
    fn announce(&self, slot: u32, entry: RequestEntry, since: u64, served: &Served) {
        self.desk.announce(|| mailbox::Served {
            channel: self.id,
            slot,
            entry,
            since,
            response: match served {
                Served::Response(response) => Some(*response),
                Served::Silent | Served::Exit(_) => None,
            },
        });
    }

    /// Puts a response into the queue, once there is room.
    async fn respond(
        &self,
        responses: &mut Responses,
        response: Response,
        place: &Segments,
    ) -> Result<(), Failure> {
        let layout = &self.setup.layout;
        if responses.is_full() {
            let taken = self.read_u32(layout.response.idx_c).await?;
            self.taken(responses, taken);
        }
        if responses.is_full() {
            self.stage.set(Stage::Full {
                since: self.desk.now(),
            });
            self.watch(Watched::Room, place);
            let put = responses.put.0;
            let room = |sight: &Sight| {
                sight
                    .response_taken
                    .filter(|taken| put.wrapping_sub(*taken) != QUEUE_LEN)
            };
            let taken = self.sighted(room).await?;
            self.taken(responses, taken);
            self.watch(Watched::Requests, place);
        }
        let width = layout.ptr_width;
        let size = ResponseEntry::size(width);
        let mut bytes = [0; ResponseEntry::MAX_SIZE];
        response.entry(width).emit(&mut bytes, width);
        let entry = self.span(layout.response_entry(responses.put.slot()), size as u64);
        let entry = Op::Write(entry, Bytes::copy_from_slice(&bytes[..size]));
        responses.put = responses.put.next();
        let advance = self.write_u32(layout.response.idx_p, responses.put.0);
        self.access(Op::Batch(vec![entry, advance])).await?;
        Ok(())
    }

    /// Firmware has taken responses up to this index, or says one that can't be: then the queue is as good as empty,
    /// since to wait for a better one might be to wait for ever.
    fn taken(&self, responses: &mut Responses, taken: u32) {
        let put = responses.put;
        responses.taken = Index(taken);
        if put.0.wrapping_sub(taken) > QUEUE_LEN {
            self.complain(&format!(
                "response queue: idx_c is {taken:#x}, where idx_p is {:#x}; the host goes on as if all were taken",
                put.0
            ));
            responses.taken = put;
        }
    }

    /// Ends when firmware takes READY back: it starts anew.
    async fn left_ready(&self) -> Result<(), Failure> {
        self.sighted(|sight| (sight.state != State::READY.0).then_some(()))
            .await
    }

    /// Waits until what the doorbell sees is what `wanted` looks for.
    async fn sighted<T>(&self, wanted: impl Fn(&Sight) -> Option<T>) -> Result<T, Failure> {
        poll_fn(|context| {
            if let Some(cause) = self.blind.take() {
                return Poll::Ready(Err(cause.into()));
            }
            let found = wanted(&self.sight.get());
            if found.is_none() {
                self.wake_later(context.waker());
            }
            found.map_or(Poll::Pending, |found| Poll::Ready(Ok(found)))
        })
        .await
    }

    /// Has the next ring wake the channel's task.
    fn wake_later(&self, waker: &Waker) {
        let known = self.task.take().filter(|known| known.will_wake(waker));
        self.task.set(known.or_else(|| Some(waker.clone())));
    }

    /// Has the doorbell look at these words from now on.
    fn watch(&self, watched: Watched, place: &Segments) {
        let look = Rc::new(watched.look(&self.setup.layout, place));
        let (store, blind, plan) = (self.links.store.clone(), self.blind.clone(), look.clone());
        let read = move |to: &mut [u8]| {
            let mut rest = to;
            for segment in &plan.segments {
                let len = usize::try_from(segment.len)
                    .unwrap_or(rest.len())
                    .min(rest.len());
                let (part, after) = std::mem::take(&mut rest).split_at_mut(len);
                if let Err(error) = store.read(segment, part) {
                    blind.replace(Some(error));
                    return false;
                }
                rest = after;
            }
            true
        };
        let (rings, channel, len) = (self.rings.clone(), self.id, look.len);
        let ring = move |bytes: Option<&[u8]>| {
            let sight = bytes.and_then(|bytes| look.sight(bytes));
            rings.post(Ring { channel, sight });
        };
        self.bell.watch(len, Box::new(read), Box::new(ring));
    }

    /// Puts out what text is left and closes the files: a session is over.
    fn close(&self) {
        self.links.console.post(console::Finish {
            channel: Some(self.id),
        });
        self.links.files.post(CloseAll { channel: self.id });
    }

    /// One access in the channel's space.
    pub(super) async fn access(&self, op: Op<Span>) -> Result<Outcome, Failure> {
        Ok(self
            .links
            .memory
            .ask(Access {
                space: self.setup.space,
                op,
            })
            .await??)
    }

    fn span(&self, offset: u64, len: u64) -> Span {
        // The channel was located: its addresses don't wrap.
        Span {
            address: self.setup.address.wrapping_add(offset),
            len,
        }
    }

    async fn read_u32(&self, offset: u64) -> Result<u32, Failure> {
        let bytes = self
            .access(Op::Read(self.span(offset, 4)))
            .await?
            .into_bytes();
        Ok(bytes
            .first_chunk()
            .map_or(0, |word| u32::from_le_bytes(*word)))
    }

    fn write_u32(&self, offset: u64, value: u32) -> Op<Span> {
        Op::Write(
            self.span(offset, 4),
            Bytes::copy_from_slice(&value.to_le_bytes()),
        )
    }

    /// Tells the user of an error; service goes on.
    pub(super) fn complain(&self, text: &str) {
        self.report(Severity::Error, text);
    }

    fn give_up(&self, text: &str) {
        self.stage.set(Stage::GivenUp);
        self.board.fail(&format!("channel {}: {text}", self.name()));
        self.report(Severity::Fatal, text);
    }

    fn report(&self, severity: Severity, text: &str) {
        let id = self.name().to_owned();
        self.links.foreign.post(Report {
            severity,
            id,
            text: text.to_owned(),
        });
    }

    /// What the channel waits for.
    pub(super) fn status(&self) -> String {
        match self.stage.get() {
            Stage::Handshake => {
                let Sight {
                    state, handshake, ..
                } = self.sight.get();
                let version = handshake.map_or(0, |words| words.version);
                format!(
                    "waits for firmware's handshake at {:#x}; version reads {version:#x}, state {state}",
                    self.setup.address
                )
            }
            Stage::Idle { taken } => format!("waits for a request; {taken} were served"),
            Stage::Serving { kind, slot, since } => {
                format!("serves {kind} in slot {slot} since tick {since}")
            }
            Stage::Full { since } => {
                format!(
                    "waits since tick {since} for firmware to take a response: the queue is full"
                )
            }
            Stage::Exited { code } => format!("exited with code {code}"),
            Stage::GivenUp => "is given up".to_owned(),
        }
    }
}

/// The version of the firmware, where it asks for a handshake (protocol, section *Handshake and reset*).
fn asks_for_handshake(sight: &Sight) -> Option<u32> {
    let handshake = sight.handshake?;
    let indices = [
        sight.request_put,
        handshake.request_taken,
        handshake.response_put,
        sight.response_taken.unwrap_or_default(),
    ];
    let asks = handshake.version != 0 && sight.state == State::INIT.0 && indices == [0; 4];
    asks.then_some(handshake.version)
}
