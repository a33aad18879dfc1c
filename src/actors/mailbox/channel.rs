//! One channel: handshake, requests in order, reset at any time.

use std::cell::Cell;
use std::fmt;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use mailbox_rs::{Index, QUEUE_LEN, Request, RequestEntry, Response, State, VERSION};

use super::failure::Failure;
use super::lookout::Lookout;
use super::queues::Queues;
use super::service::{Served, Service};
use super::watch::Watched;
use super::{Board, Links, Setup};
use crate::bus::{Desk, Doorbell};
use crate::messages::ChannelId;
use crate::messages::files::CloseAll;
use crate::messages::foreign::{self, Exit, Severity};
use crate::messages::mailbox::Sight;
use crate::messages::{console, mailbox, rpc};

/// What the server knows of one channel. Its task is [`run`](Self::run).
pub(super) struct Channel {
    service: Service,
    desk: Desk,
    lookout: Lookout,
    board: Rc<Board>,
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

impl Channel {
    pub(super) fn new(
        id: ChannelId,
        setup: Setup,
        bell: Doorbell,
        desk: Desk,
        links: Rc<Links>,
        board: Rc<Board>,
    ) -> Self {
        Self {
            lookout: Lookout::new(id, desk.clone(), bell, links.store.clone()),
            service: Service { id, setup, links },
            desk,
            board,
            stage: Cell::new(Stage::Handshake),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.service.name()
    }

    /// Serves the channel until it exits.
    pub(super) async fn run(self: Rc<Self>) {
        if let Err(failure) = self.serve_sessions().await {
            self.give_up(&format!("the channel is given up: {failure}"));
        }
        self.lookout.end();
    }

    async fn serve_sessions(&self) -> Result<(), Failure> {
        let queues = Queues::take_over(&self.service.setup, &self.service.links.memory).await?;
        while self.handshake(&queues).await? {
            let (reset, session) = (pin!(self.left_ready()), pin!(self.session(&queues)));
            match select(reset, session).await {
                // Dropped with all that it was waiting for.
                Either::Left((reset, _)) => {
                    reset?;
                    self.service.links.rpc.post(rpc::Cancel {
                        channel: self.service.name().to_owned(),
                    });
                    self.close().await;
                }
                Either::Right((code, _)) => {
                    let code = code?;
                    self.close().await;
                    self.stage.set(Stage::Exited { code });
                    self.board.exited(self.service.id, code);
                    self.service.links.foreign.post(Exit {
                        channel: self.service.name().to_owned(),
                        code,
                    });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Answers a handshake. False where the firmware speaks another version of the protocol.
    async fn handshake(&self, queues: &Queues) -> Result<bool, Failure> {
        self.stage.set(Stage::Handshake);
        self.lookout.expect(Sight::NOTHING);
        self.watch(Watched::Handshake, queues);
        let version = self.lookout.sighted(asks_for_handshake).await?;
        let host = u32::from(VERSION);
        if version != host {
            let firmware = mailbox_rs::Version::from(version);
            self.give_up(&format!(
                "firmware speaks mailbox protocol {firmware}, this host {VERSION}: build them for the same version"
            ));
            return Ok(false);
        }
        queues.make_ready().await?;
        self.lookout.expect(Sight {
            state: State::READY.0,
            ..Sight::NOTHING
        });
        Ok(true)
    }

    /// Serves requests until one is EXIT.
    async fn session(&self, queues: &Queues) -> Result<u32, Failure> {
        self.watch(Watched::Requests, queues);
        let mut taken = Index(0);
        let mut responses = Responses::default();
        loop {
            self.stage.set(Stage::Idle { taken: taken.0 });
            let news = |sight: &Sight| (sight.request_put != taken.0).then_some(sight.request_put);
            let put = self.lookout.sighted(news).await?;
            if put.wrapping_sub(taken.0) > QUEUE_LEN {
                self.resynchronise(queues, put, &mut taken, &mut responses)
                    .await?;
                continue;
            }
            while taken.0 != put {
                let entry = queues.take(taken).await?;
                let since = self.desk.now();
                let served = self.serve(taken.slot(), &entry).await;
                self.announce(taken.slot(), entry, since, &served);
                taken = taken.next();
                match served {
                    Served::Exit(code) => return Ok(code),
                    Served::Silent => {}
                    Served::Response(response) => {
                        self.respond(queues, &mut responses, response).await?;
                    }
                }
            }
        }
    }

    /// Request indices that can't follow from each other: believes what is in memory, where that makes sense.
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
                    "{moved}, and idx_c was set to {:#x}; the host goes on from there",
                    there.0
                ),
            );
            *taken = there;
            responses.put = queues.responses_put().await?;
            responses.taken = queues.responses_taken().await?;
            return Ok(());
        }
        self.service.complain(&format!(
            "{moved}, past the {QUEUE_LEN} slots there are; what is in between is passed over"
        ));
        *taken = Index(put);
        queues.set_requests_taken(*taken).await
    }

    /// Serves one request, whatever it is.
    async fn serve(&self, slot: u32, entry: &RequestEntry) -> Served {
        let failed = |kind: &dyn fmt::Display, failure: &Failure, responds: bool| {
            let errno = failure.errno();
            let answered = if responds { "answered " } else { "" };
            self.service.complain(&format!(
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
        match self.desk.shelter(self.service.perform(&request)).await {
            Ok(Ok(served)) => served,
            Ok(Err(failure)) => failed(&request, &failure, request.responds()),
            Err(panic) => failed(&request, &Failure::Panic(panic), request.responds()),
        }
    }

    /// Shows whoever observes the channel what came of a request.
    fn announce(&self, slot: u32, entry: RequestEntry, since: u64, served: &Served) {
        let response = match served {
            Served::Response(response) => Some(*response),
            Served::Silent | Served::Exit(_) => None,
        };
        if self.service.links.observed.get() {
            let width = self.service.setup.layout.ptr_width;
            self.service.links.foreign.post(foreign::Served {
                channel: self.service.name().to_owned(),
                slot,
                entry,
                ticks: self.desk.now() - since,
                result: response.map(|response| response.entry(width).rets),
            });
        }
        self.desk.announce(|| mailbox::Served {
            channel: self.service.id,
            slot,
            entry,
            since,
            response,
        });
    }

    /// Puts a response into the queue, once there is room.
    async fn respond(
        &self,
        queues: &Queues,
        responses: &mut Responses,
        response: Response,
    ) -> Result<(), Failure> {
        if responses.is_full() {
            let taken = queues.responses_taken().await?;
            self.taken(responses, taken);
        }
        if responses.is_full() {
            self.stage.set(Stage::Full {
                since: self.desk.now(),
            });
            self.watch(Watched::Room, queues);
            let put = responses.put.0;
            let room = |sight: &Sight| {
                sight
                    .response_taken
                    .filter(|taken| put.wrapping_sub(*taken) != QUEUE_LEN)
            };
            let taken = self.lookout.sighted(room).await?;
            self.taken(responses, Index(taken));
            self.watch(Watched::Requests, queues);
        }
        queues.put(responses.put, response);
        responses.put = responses.put.next();
        Ok(())
    }

    /// Firmware has taken responses up to this index, or says one that can't be: then the queue is as good as empty,
    /// since to wait for a better one might be to wait for ever.
    fn taken(&self, responses: &mut Responses, taken: Index) {
        let put = responses.put;
        responses.taken = taken;
        if put.0.wrapping_sub(taken.0) > QUEUE_LEN {
            self.service.complain(&format!(
                "response queue: idx_c is {:#x}, where idx_p is {:#x}; the host goes on as if all were taken",
                taken.0, put.0
            ));
            responses.taken = put;
        }
    }

    /// Ends when firmware takes READY back: it starts anew.
    async fn left_ready(&self) -> Result<(), Failure> {
        self.lookout
            .sighted(|sight| (sight.state != State::READY.0).then_some(()))
            .await
    }

    fn watch(&self, watched: Watched, queues: &Queues) {
        self.lookout
            .watch(watched, &self.service.setup.layout, queues.place());
    }

    /// Closes the files and puts out what text is left: a session is over. The text comes before all that is told next.
    async fn close(&self) {
        self.service.links.files.post(CloseAll {
            channel: self.service.id,
        });
        let finish = console::Finish {
            channel: Some(self.service.id),
        };
        // A console that fails has its own way to tell of it.
        let _ = self.service.links.console.ask(finish).await;
    }

    fn give_up(&self, text: &str) {
        self.stage.set(Stage::GivenUp);
        self.board
            .fail(&format!("channel {}: {text}", self.service.name()));
        self.service.report(Severity::Fatal, text);
    }

    /// What the channel waits for.
    pub(super) fn status(&self) -> String {
        match self.stage.get() {
            Stage::Handshake => {
                let Sight {
                    state, handshake, ..
                } = self.lookout.last();
                let version = handshake.map_or(0, |words| words.version);
                format!(
                    "waits for firmware's handshake at {:#x}; version reads {version:#x}, state {state}",
                    self.service.setup.address
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
