//! One channel: handshake, requests in order, reset at any time.

use std::cell::Cell;
use std::fmt;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use mailbox_rs::{
    Index, Malformed, NEWEST, QUEUE_LEN, Request, RequestEntry, Response, State, VERSION, Version,
};

use super::notes::Notes;
use super::poller::ChannelPoller;
use super::queues::Queues;
use super::requests::{RequestHandler, Served};
use super::status_tracker::MailboxTracker;
use super::watched_words::Watched;
use crate::actors::service::{
    ChannelProgress, ChannelService, End as ChannelEnd, Failure, FrontEnd, LastStep, Opening,
    StatusTracker, severity,
};
use crate::bus::ActorContext;
use crate::mem::Span;
use crate::messages::announced::VersionOffered;
use crate::messages::checkpoint::{
    RestoreError, SaveError, SavedFrontEnd, SavedSession, SavedWait,
};
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{ChannelStatus, ChannelWords, End, Mailbox, Step, Task};
use crate::messages::{Interface, MailboxPlace};
use crate::messages::{mailbox, rpc};

/// State of one channel.
pub(crate) struct Channel {
    pub(super) service: Rc<ChannelService>,
    handler: RequestHandler,
    mailbox: MailboxPlace,
    pub(super) tracker: MailboxTracker,
    context: ActorContext,
    poller: ChannelPoller,
    progress: Rc<ChannelProgress>,
    pub(super) session: SessionState,
}

/// State of the session that the task shares, for checkpoints.
#[derive(Default)]
pub(super) struct SessionState {
    /// Consumer index of the response queue, as last read.
    pub(super) responses_taken: Cell<Index>,
    /// Tick in which the present request was taken.
    pub(super) since: Cell<u64>,
    /// Response that is held back, or waits for a free slot.
    pub(super) held: Cell<Option<Response>>,
    /// State to go on from, set by a restore.
    pub(super) restored: Cell<Option<Restored>>,
    /// True after the first session has begun: a later one is not adopted.
    pub(super) has_begun: Cell<bool>,
}

/// State to go on from: a session, or none before the handshake.
pub(super) struct Restored(pub(super) Option<Box<SavedSession>>);

/// Outcome of the wait for a session.
enum Begun {
    Session(Box<SavedSession>),
    Refused(ChannelEnd),
}

/// Words that begin a session.
enum Opened {
    /// Request for a handshake, with firmware's version.
    Handshake(u32),
    /// Session of an earlier host.
    Open(Box<SavedSession>, Version),
    /// Session of an earlier host, of a version that this one does not have.
    OtherVersion(u32),
}

/// Indices of the response queue.
#[derive(Debug, Default)]
struct Responses {
    put: Index,
    /// Consumer index last read from memory.
    taken: Index,
}

impl Responses {
    fn is_full(&self) -> bool {
        self.put.0.wrapping_sub(self.taken.0) >= QUEUE_LEN
    }
}

impl FrontEnd for Channel {
    type Protocol = Mailbox;

    fn serves(interface: &Interface) -> bool {
        matches!(interface, Interface::Mailbox(_))
    }

    fn open(opening: Opening<'_>) -> Option<Self> {
        let mailbox = opening.descriptor.mailbox()?;
        let service = ChannelService::new(&opening, mailbox.layout.ptr_width);
        let Opening {
            id,
            bus,
            context,
            peers,
            progress,
            ..
        } = opening;
        let address = mailbox.address;
        let first = Step::Handshake { address };
        let tracker = StatusTracker::new(id, first, progress.clone(), service.tasks.clone());
        let bell = bus.doorbell();
        let poller = ChannelPoller::new(id, context.clone(), bell, peers.store.clone());
        let service = Rc::new(service);
        Some(Self {
            handler: RequestHandler {
                service: service.clone(),
                notes: Notes::default(),
            },
            service,
            mailbox,
            tracker: MailboxTracker::new(tracker),
            poller,
            context,
            progress,
            session: SessionState::default(),
        })
    }

    fn service(&self) -> &ChannelService {
        &self.service
    }

    fn status(&self) -> ChannelStatus {
        self.tracker.status(self.service.name())
    }

    fn serve(&self) -> impl Future<Output = Result<ChannelEnd, Failure>> {
        self.serve_sessions()
    }

    fn save(&self) -> Result<SavedFrontEnd, SaveError> {
        self.saved_session().map(SavedFrontEnd::Mailbox)
    }

    fn restore(&self, saved: &SavedFrontEnd) -> Result<(), RestoreError> {
        match saved {
            SavedFrontEnd::Mailbox(session) => self.restore_session(session.as_ref()),
            _ => Err(self.service.restores_other_protocol()),
        }
    }

    fn enter_end(&self, last: LastStep) {
        match last {
            LastStep::Exited { code } => {
                self.tracker.over(End::Silent);
                self.tracker.enter(Step::Exited { code });
            }
            LastStep::GivenUp => self.tracker.enter(Step::GivenUp),
        }
    }

    fn stop(&self) {
        self.poller.end();
    }
}

impl Channel {
    /// Serves sessions until one ends by EXIT.
    async fn serve_sessions(&self) -> Result<ChannelEnd, Failure> {
        let restored = self.session.restored.take();
        let queues = Queues::take_over(
            self.service.space,
            &self.mailbox,
            &self.service.peers.memory,
            restored.is_none() && !self.service.services.adopts,
        )
        .await?;
        self.progress.found(self.service.id, queues.words());
        let queues = &queues;
        let mut restored = restored.and_then(|Restored(session)| session);
        loop {
            let session = match restored.take() {
                Some(session) => session,
                None => match self.handshake(queues).await? {
                    Begun::Session(session) => session,
                    Begun::Refused(refused) => return Ok(refused),
                },
            };
            self.session.has_begun.set(true);
            self.poller.expect(ChannelWords {
                state: State::READY.0,
                request_put: session.taken,
                ..ChannelWords::UNREAD
            });
            let (reset, session) = (pin!(self.left_ready()), pin!(self.session(queues, session)));
            match select(reset, session).await {
                // Dropping the session drops everything it was waiting for.
                Either::Left((reset, _)) => {
                    reset?;
                    self.tracker.over(End::Reset);
                    self.service.peers.rpc.port().post(rpc::Cancel {
                        channel: self.service.name().clone(),
                    });
                    self.service.close_files(self.service.id);
                    self.service.finish_text().await;
                }
                Either::Right((code, _)) => return code.map(ChannelEnd::Exit),
            }
        }
    }

    /// Completes a handshake, or adopts the session of an earlier host. Ends the channel if the firmware has another protocol version.
    async fn handshake(&self, queues: &Queues) -> Result<Begun, Failure> {
        self.tracker.enter(Step::Handshake {
            address: self.mailbox.address,
        });
        self.poller.expect(ChannelWords::UNREAD);
        self.watch(Watched::Handshake, queues);
        let version = match self.poller.wait_for(|words| self.opened(words)).await? {
            Opened::Handshake(version) => version,
            Opened::Open(session, version) => {
                self.service.session.begin(version);
                let text = format!(
                    "the channel was READY already: its session of protocol {version} is adopted, with {:#x} requests taken and {:#x} \
                     responses put",
                    session.taken, session.put
                );
                self.service.report(Severity::Info, &text);
                return Ok(Begun::Session(session));
            }
            Opened::OtherVersion(version) => {
                return Ok(Begun::Refused(refused(Version::from(version))));
            }
        };
        let firmware = Version::from(version);
        let offered = self.offered(queues);
        let Some(negotiated) = Version::negotiated(firmware, offered) else {
            return Ok(Begun::Refused(refused(firmware)));
        };
        queues.make_ready(negotiated).await?;
        self.service.session.begin(negotiated);
        Ok(Begun::Session(Box::default()))
    }

    /// Begin of a session in the channel's words.
    fn opened(&self, words: &ChannelWords) -> Option<Opened> {
        if let Some(version) = words.asks_for_handshake() {
            return Some(Opened::Handshake(version));
        }
        if !self.service.services.adopts || self.session.has_begun.get() {
            return None;
        }
        let open = words.open_session()?;
        let Some(version) = Version::negotiated(open.version.into(), Version::from(0)) else {
            return Some(Opened::OtherVersion(open.version));
        };
        let session = SavedSession {
            taken: open.request_taken,
            put: open.response_put,
            responses_taken: words.response_taken.unwrap_or_default(),
            ..SavedSession::default()
        };
        Some(Opened::Open(Box::new(session), version))
    }

    /// Protocol version that firmware offers; that of number 0 without an offer. It is no doorbell: firmware writes it first.
    fn offered(&self, queues: &Queues) -> Version {
        if self.service.services.is_old {
            return Version::from(0);
        }
        let mut word = [0; 4];
        let mut rest = &mut word[..];
        for segment in &queues.offer() {
            let len = usize::try_from(segment.len).unwrap_or(rest.len());
            let (part, after) = rest.split_at_mut(len.min(rest.len()));
            // A memory that can't be read fails the handshake's writes, too.
            if self.service.peers.store.look(segment, part).is_err() {
                return Version::from(0);
            }
            rest = after;
        }
        let version = Version::from(u32::from_le_bytes(word));
        if version != Version::from(0) {
            let channel = self.service.id;
            self.context.emit(|| VersionOffered { channel, version });
        }
        version
    }

    /// Serves requests until EXIT, from the state of a session on. Returns the exit code.
    async fn session(&self, queues: &Queues, from: Box<SavedSession>) -> Result<u32, Failure> {
        self.watch(Watched::Requests, queues);
        self.service.taken.set(None);
        let mut taken = Index(from.taken);
        let mut responses = Responses {
            put: Index(from.put),
            taken: Index(from.responses_taken),
        };
        self.note(taken, &responses);
        self.tracker.enter(Step::Request);
        if from.request.is_some() || from.response.is_some() {
            let response = Box::pin(self.resume(*from)).await;
            if let Some(response) = response {
                if responses.is_full() {
                    self.make_room(queues, &mut responses, response).await?;
                }
                self.put(queues, &mut responses, response);
            }
        }
        loop {
            let news =
                |words: &ChannelWords| (words.request_put != taken.0).then_some(words.request_put);
            let put = self.poller.wait_for(news).await?;
            if put.wrapping_sub(taken.0) > QUEUE_LEN {
                self.resynchronise(queues, put, &mut taken, &mut responses)
                    .await?;
                self.note(taken, &responses);
                continue;
            }
            while taken.0 != put {
                let entry = match self.poller.request(taken) {
                    Some(entry) => entry,
                    None => queues.request(taken).await?,
                };
                let (since, slot) = (self.context.now(), taken.slot());
                self.session.since.set(since);
                taken = taken.next();
                self.tracker.taken.set(taken);
                self.service.taken.set(Some((self.taken_at(), taken.0)));
                let served = self.serve(slot, &entry).await;
                self.service.release_slot().await?;
                if self.service.has_faults()
                    && let Served::Response(response) = served
                {
                    self.session.held.set(Some(response));
                    Box::pin(self.service.delay_response()).await;
                }
                self.emit(slot, &entry, since, &served);
                match served {
                    Served::Exit(code) => return Ok(code),
                    Served::Silent => self.tracker.over(End::Silent),
                    Served::Response(response) => {
                        self.tracker.over(End::Answered(response));
                        if responses.is_full() {
                            self.make_room(queues, &mut responses, response).await?;
                        }
                        self.put(queues, &mut responses, response);
                    }
                }
            }
        }
    }

    /// Recovers from a producer index more than a queue ahead. Adopts the indices in memory if they are consistent, else skips the requests
    /// in between.
    async fn resynchronise(
        &self,
        queues: &Queues,
        put: u32,
        taken: &mut Index,
        responses: &mut Responses,
    ) -> Result<(), Failure> {
        let there = queues.requests_taken().await?;
        let moved = format!("request queue: idx_p went from {:#x} to {put:#x}", taken.0);
        if put.wrapping_sub(there.0) <= QUEUE_LEN && there != *taken {
            self.service.report(
                Severity::Warning,
                &format!(
                    "{moved}, and idx_c was set to {:#x}; the host continues from there",
                    there.0
                ),
            );
            *taken = there;
            responses.put = queues.responses_put().await?;
            responses.taken = queues.responses_taken().await?;
            self.session.responses_taken.set(responses.taken);
            return Ok(());
        }
        self.service.complain(&format!(
            "{moved}, beyond the queue's {QUEUE_LEN} slots; the entries in between are skipped"
        ));
        *taken = Index(put);
        queues.set_requests_taken(*taken).await
    }

    /// Serves one request, valid or not.
    async fn serve(&self, slot: u32, entry: &RequestEntry) -> Served {
        self.enter_service(slot, entry);
        let request = match Request::try_from(entry) {
            Ok(request) => request,
            Err(malformed) => return self.refuse(slot, entry, entry.responds(), malformed),
        };
        if let Some(later) = self.later_operation(&request) {
            return self.refuse(slot, &request, request.responds(), later);
        }
        // Not in a variable: the future is large.
        let performed = self
            .context
            .catch_panic(self.handler.perform(entry, &request))
            .await;
        self.outcome(slot, &request, performed)
    }

    /// Serves a request from where it waited at a checkpoint. It begins as [`serve`](Self::serve) does, without a call for that part: the
    /// result would be one more copy of a large request, and a future of both would cost each request.
    pub(super) async fn resume_request(
        &self,
        slot: u32,
        entry: &RequestEntry,
        waits: SavedWait,
    ) -> Served {
        self.enter_service(slot, entry);
        let request = match Request::try_from(entry) {
            Ok(request) => request,
            Err(malformed) => return self.refuse(slot, entry, entry.responds(), malformed),
        };
        if let Some(later) = self.later_operation(&request) {
            return self.refuse(slot, &request, request.responds(), later);
        }
        let resumed = self.handler.resume(&request, waits);
        self.outcome(slot, &request, self.context.catch_panic(resumed).await)
    }

    fn enter_service(&self, slot: u32, entry: &RequestEntry) {
        self.tracker.enter(Step::Serve {
            slot,
            entry: *entry,
            task: Task::Host,
        });
    }

    /// Reason to refuse a FILE operation that the session's version does not have.
    fn later_operation(&self, request: &Request) -> Option<Malformed> {
        match request {
            Request::File(file) if file.since() > self.service.session.version() => {
                let operation = file.operation();
                Some(Malformed::LaterFileOperation { operation })
            }
            _ => None,
        }
    }

    /// Outcome of an invalid request, which is reported.
    #[cold]
    fn refuse(
        &self,
        slot: u32,
        request: &dyn fmt::Display,
        responds: bool,
        malformed: Malformed,
    ) -> Served {
        self.failed(Severity::Error, slot, request, &malformed.into(), responds)
    }

    /// Outcome of a request that was performed, or panicked. A failure is reported.
    #[inline(always)]
    fn outcome(
        &self,
        slot: u32,
        request: &Request,
        performed: Result<Result<Served, Failure>, String>,
    ) -> Served {
        let (severity, failure) = match performed {
            Ok(Ok(served)) => return served,
            Ok(Err(failure)) => (severity(&self.service.services, request, &failure), failure),
            Err(panic) => (Severity::Error, Failure::Panic(panic)),
        };
        self.failed(severity, slot, request, &failure, request.responds())
    }

    /// Reports a request that failed. Returns its outcome.
    #[cold]
    fn failed(
        &self,
        severity: Severity,
        slot: u32,
        request: &dyn fmt::Display,
        failure: &Failure,
        responds: bool,
    ) -> Served {
        let errno = failure.errno();
        let answered = if responds { "answered " } else { "" };
        if !failure.is_reported() {
            self.service.report(
                severity,
                &format!("request in slot {slot}, {request}: {failure}; {answered}{errno}"),
            );
        }
        if responds {
            Served::Response(Response::Error(errno))
        } else {
            Served::Silent
        }
    }

    /// Reports the request's outcome to the taps, and to the testbench if it observes requests.
    pub(super) fn emit(&self, slot: u32, entry: &RequestEntry, since: u64, served: &Served) {
        let response = match served {
            Served::Response(response) => Some(*response),
            Served::Silent | Served::Exit(_) => None,
        };
        self.service.emit_served(&self.context, || mailbox::Served {
            channel: self.service.id,
            slot,
            entry: *entry,
            since,
            response,
        });
    }

    /// Waits until the response queue, which was full when last read, has a free slot for a response.
    async fn make_room(
        &self,
        queues: &Queues,
        responses: &mut Responses,
        response: Response,
    ) -> Result<(), Failure> {
        let taken = queues.responses_taken().await?;
        self.taken(responses, taken);
        if responses.is_full() {
            self.session.held.set(Some(response));
            self.session.responses_taken.set(responses.taken);
            self.tracker.enter(Step::Room);
            self.watch(Watched::Room, queues);
            let put = responses.put.0;
            let room = |words: &ChannelWords| {
                words
                    .response_taken
                    .filter(|taken| put.wrapping_sub(*taken) != QUEUE_LEN)
            };
            let taken = self.poller.wait_for(room).await?;
            self.taken(responses, Index(taken));
            self.watch(Watched::Requests, queues);
            self.tracker.enter(Step::Request);
        }
        Ok(())
    }

    /// Puts a response into the queue, which has a free slot.
    #[inline]
    fn put(&self, queues: &Queues, responses: &mut Responses, response: Response) {
        queues.put(responses.put, response);
        responses.put = responses.put.next();
        self.tracker.put.set(responses.put);
    }

    /// Sets the response queue's consumer index from firmware. An impossible index counts as an empty queue: a valid one may never follow.
    fn taken(&self, responses: &mut Responses, taken: Index) {
        let put = responses.put;
        responses.taken = taken;
        self.session.responses_taken.set(taken);
        if put.0.wrapping_sub(taken.0) > QUEUE_LEN {
            self.service.complain(&format!(
                "response queue: idx_c is {:#x}, where idx_p is {:#x}; the host treats all \
                 responses as taken",
                taken.0, put.0
            ));
            responses.taken = put;
            self.session.responses_taken.set(put);
        }
    }

    /// Completes when firmware resets the channel by leaving READY.
    async fn left_ready(&self) -> Result<(), Failure> {
        self.poller
            .wait_for(|words| (words.state != State::READY.0).then_some(()))
            .await
    }

    fn watch(&self, watched: Watched, queues: &Queues) {
        self.poller
            .watch(watched, &self.mailbox.layout, queues.place());
    }

    /// Address of the request queue's consumer index.
    fn taken_at(&self) -> Span {
        let MailboxPlace { address, layout } = &self.mailbox;
        Span {
            address: address.wrapping_add(layout.request.idx_c),
            len: 4,
        }
    }

    fn note(&self, taken: Index, responses: &Responses) {
        self.tracker.taken.set(taken);
        self.tracker.put.set(responses.put);
        self.session.responses_taken.set(responses.taken);
    }
}

/// End of a channel whose firmware has another protocol version.
fn refused(firmware: Version) -> ChannelEnd {
    ChannelEnd::Refused(format!(
        "firmware speaks mailbox protocol {firmware}, this host {VERSION} and {NEWEST}: build them for the same version"
    ))
}
