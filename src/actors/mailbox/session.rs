//! Sessions of a channel: requests in order until EXIT, responses as firmware takes them, reset at
//! any time.

use std::pin::pin;

use futures_util::future::{Either, select};
use mailbox_rs::{Index, QUEUE_LEN, RequestEntry, Response, State};

use super::channel::{Channel, RestoredSession};
use super::handshake::SessionStart;
use super::queues::are_possible;
use super::requests::RequestOutcome;
use super::watched_words::Watched;
use crate::actors::service::{Failure, ServiceEnd};
use crate::messages::checkpoint::SavedSession;
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{self, ChannelWords, MailboxStep, RequestEnd};

impl Channel {
    /// Serves sessions until one ends by EXIT.
    pub(super) async fn serve_sessions(&self) -> Result<ServiceEnd, Failure> {
        let restored = self.restored.take();
        let clears = restored.is_none() && !self.service.services.adopts;
        self.queues.take_over(clears).await?;
        self.progress.found(self.service.id, self.queues.words());
        let mut restored = restored.and_then(|RestoredSession(session)| session);
        loop {
            let session = match restored.take() {
                Some(session) => session,
                None => match self.handshake().await? {
                    SessionStart::Session(session) => session,
                    SessionStart::Refused(refused) => return Ok(refused),
                },
            };
            self.has_begun.set(true);
            self.queues.set_indices(&session);
            self.poller.assume(ChannelWords {
                state: State::READY.0,
                request_producer: session.request_consumer,
                ..ChannelWords::UNREAD
            });
            let (reset, session) = (pin!(self.wait_for_reset()), pin!(self.session(session)));
            match select(reset, session).await {
                // Dropping the session drops all futures that it awaits.
                Either::Left((reset, _)) => {
                    // The dispatcher must not poll a call without a caller, not even one of a
                    // failed channel.
                    self.service.cancel_calls();
                    reset?;
                    self.tracker.complete(RequestEnd::Reset);
                    self.service.close_files(self.service.id);
                    self.service.finish_text().await;
                }
                Either::Right((code, _)) => return code.map(ServiceEnd::Exit),
            }
        }
    }

    /// Serves requests until EXIT, starting from the state of a session. Returns the exit code.
    async fn session(&self, from: Box<SavedSession>) -> Result<u32, Failure> {
        self.watch(Watched::Requests);
        self.service.release.set(None);
        self.tracker.transition(MailboxStep::Request);
        let (requests, responses) = (&self.queues.requests, &self.queues.responses);
        if from.request.is_some() || from.response.is_some() {
            let response = Box::pin(self.resume(*from)).await;
            if let Some(response) = response {
                if responses.is_full() {
                    self.make_room(response).await?;
                }
                self.queues.push(response);
            }
        }
        loop {
            let news = |words: &ChannelWords| {
                let producer = Index(words.request_producer);
                (producer != requests.consumer()).then_some(producer)
            };
            let producer = self.poller.wait_for(news).await?;
            if !requests.can_reach(producer) {
                self.resynchronise(producer).await?;
                continue;
            }
            while requests.consumer() != producer {
                let consumer = requests.consumer();
                let entry = match self.poller.take_request(consumer) {
                    Some(entry) => entry,
                    None => self.queues.next_request().await?,
                };
                requests.take();
                self.service.release.set(Some(self.queues.release()));
                let slot = consumer.slot();
                let served = self.serve(slot, &entry).await;
                self.service.release_slot().await?;
                if self.service.has_faults()
                    && let RequestOutcome::Response(response) = served
                {
                    self.unsent_response.set(Some(response));
                    Box::pin(self.service.delay_response()).await;
                }
                self.emit(slot, &entry, &served);
                match served {
                    RequestOutcome::Exit(code) => return Ok(code),
                    RequestOutcome::Silent => self.tracker.complete(RequestEnd::Silent),
                    RequestOutcome::Response(response) => {
                        self.tracker.complete(RequestEnd::Answered(response));
                        if responses.is_full() {
                            self.make_room(response).await?;
                        }
                        self.queues.push(response);
                    }
                }
            }
        }
    }

    /// Recovers from a producer index more than a queue ahead. Adopts the indices in memory if they
    /// are consistent. Otherwise it skips the requests in between.
    async fn resynchronise(&self, producer: Index) -> Result<(), Failure> {
        let consumer = self.queues.requests.consumer();
        let in_memory = self.queues.read_request_consumer().await?;
        let moved = format!(
            "request queue: idx_p went from {:#x} to {:#x}",
            consumer.0, producer.0
        );
        if are_possible(producer, in_memory) && in_memory != consumer {
            self.service.report(
                Severity::Warning,
                &format!(
                    "{moved}, and idx_c was set to {:#x}; the host continues from there",
                    in_memory.0
                ),
            );
            return self.queues.continue_from(in_memory).await;
        }
        self.service.report_error(&format!(
            "{moved}, beyond the queue's {QUEUE_LEN} slots; the entries in between are skipped"
        ));
        self.queues.skip_to(producer).await
    }

    /// Reports the request's outcome to the taps, and to the testbench if it observes requests.
    pub(super) fn emit(&self, slot: u32, entry: &RequestEntry, served: &RequestOutcome) {
        let response = match served {
            RequestOutcome::Response(response) => Some(*response),
            RequestOutcome::Silent | RequestOutcome::Exit(_) => None,
        };
        self.service.emit_served(&self.context, || mailbox::Served {
            channel: self.service.id,
            slot,
            entry: *entry,
            since: self.tracker.since(),
            response,
        });
    }

    /// Waits until the response queue, which was full when last read, has a free slot for a
    /// response.
    async fn make_room(&self, response: Response) -> Result<(), Failure> {
        let responses = &self.queues.responses;
        let consumer = self.queues.read_response_consumer().await?;
        self.set_response_consumer(consumer);
        if responses.is_full() {
            self.unsent_response.set(Some(response));
            self.tracker.transition(MailboxStep::ResponseQueueFull);
            self.watch(Watched::Room);
            let producer = responses.producer().0;
            let room = |words: &ChannelWords| {
                words
                    .response_consumer
                    .filter(|consumer| producer.wrapping_sub(*consumer) != QUEUE_LEN)
            };
            let consumer = self.poller.wait_for(room).await?;
            self.set_response_consumer(Index(consumer));
            self.watch(Watched::Requests);
            self.tracker.transition(MailboxStep::Request);
        }
        Ok(())
    }

    /// Sets the response queue's consumer index from firmware, and reports an impossible one.
    fn set_response_consumer(&self, consumer: Index) {
        let responses = &self.queues.responses;
        if !responses.set_consumer(consumer) {
            self.service.report_error(&format!(
                "response queue: idx_c is {:#x}, where idx_p is {:#x}; the host treats all \
                 responses as taken",
                consumer.0,
                responses.producer().0
            ));
        }
    }

    /// Completes when firmware resets the channel by leaving READY.
    async fn wait_for_reset(&self) -> Result<(), Failure> {
        self.poller
            .wait_for(|words| (words.state != State::READY.0).then_some(()))
            .await
    }

    /// Polls these words from now on.
    pub(super) fn watch(&self, watched: Watched) {
        self.poller
            .watch(watched, self.queues.layout(), &self.queues.place());
    }
}
