//! Replay of one actor alone on a bus: recorded input goes in, output is compared.
//!
//! Absent actors keep each message until its recorded reply. Input is sent as late as the recording
//! allows, and the actor runs when output is due: its inbox holds the same messages as in the run.
//! A message to an absent actor delivers the input that comes next in the recording: in the run,
//! the actor got it before the message's sender went on.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use parking_lot::Mutex;

use super::comparison::SharedComparison;
use super::findings::FindingSink;
use super::recorded::{RecordedDoorbells, RecordedFrames, RecordedMemory};
use super::replayed_components::{disk, hub, outputs, special};
use super::{ActorName, ReplayError, ReplaySummary};
use crate::actors::console::{Console, ConsoleClient, Lines, Text};
use crate::actors::files::Files;
use crate::actors::memory::{Memory, MemoryClient, Resolver};
use crate::actors::rpc::RpcClient;
use crate::actors::service::{ChannelProgress, Peers};
use crate::attach::{Attach, channels as served};
use crate::bus::{Bus, BusError, Endpoint, Inbox, Message, Port};
use crate::config::ChannelConfig;
use crate::mem::MemoryMap;
use crate::messages::events::{Notified, ObserveFlags, RestoreBegun, WaitOver};
use crate::messages::front_end::{Restore, Save};
use crate::messages::{ChannelDescriptor, foreign};
use crate::system::Error;
use crate::system::assembly::{start_rpc, start_sockets};
use crate::system::recorded_messages::{
    OnMessage, RecordedMessage, SendRecorded, SendReply, UnansweredMessage, absent_port,
};
use crate::system::running::{
    AnyServer, Observed, ServerComponents, absent_servers, attach_all, detach_all,
};
use crate::trace::{Content, Entry, FrameError, Header, deserialize};

/// Components for any one actor.
pub(super) struct Components<'a> {
    pub(super) header: &'a Header,
    pub(super) map: MemoryMap,
    pub(super) channels: &'a [ChannelConfig],
    /// Sink of the console's text.
    pub(super) sink: Box<dyn io::Write + Send>,
}

/// One actor; all others are absent.
pub(super) struct SingleActor(Rc<Inner>);

struct Inner {
    bus: Bus,
    /// Receiver of findings.
    findings: Port<foreign::Inbox>,
    comparison: SharedComparison,
    name: &'static str,
    /// Set once the actor is started.
    actor: OnceCell<Box<dyn AnyPort>>,
    /// Unanswered messages of the actor, by recorded number, with their reply functions.
    unanswered: RefCell<HashMap<u64, SendReply>>,
    observed: Observed,
}

impl SingleActor {
    /// Actor alone on a bus; `sink` receives the findings of attachments.
    pub(super) fn new(
        actor: ActorName,
        comparison: SharedComparison,
        components: Components<'_>,
        sink: FindingSink,
    ) -> Result<Self, Error> {
        let bus = Bus::new();
        bus.attach(comparison.tap());
        let single = Rc::new(Inner {
            findings: bus.foreign(Rc::new(move |call| sink.report(call))),
            bus,
            name: actor.name(),
            actor: OnceCell::new(),
            comparison,
            unanswered: RefCell::default(),
            observed: Observed::default(),
        });
        let port = AbsentActors(&single).start(actor, components)?;
        // This is the only place that sets it.
        let _ = single.actor.set(port);
        Ok(Self(single))
    }

    /// Attaches taps, which know the `served` channels.
    pub(super) fn attach(
        &self,
        attached: Vec<Box<dyn Attach>>,
        served: Arc<[ChannelDescriptor]>,
    ) -> Result<(), Error> {
        attach_all(&self.0.bus, attached, served, &self.0.findings).map(drop)
    }

    /// Plays the whole recording.
    pub(super) fn play(&self) -> Result<(), BusError> {
        let Inner {
            bus, comparison, ..
        } = &*self.0;
        while let Some(entry) = comparison.next() {
            if entry.tick > bus.now() {
                bus.run_until_idle()?;
                comparison.begin_tick(entry.tick);
                bus.advance_to(entry.tick - 1);
                bus.begin_tick_and_poll();
                bus.run_until_idle()?;
            }
            if !comparison.is_next(entry.frame) {
                continue;
            }
            if entry.kind.name == WaitOver::NAME && comparison.is_output(&entry) {
                // The woken task runs after all timers.
                bus.run_timers();
            } else if comparison.is_output(&entry) {
                bus.run_until_idle()?;
                if comparison.is_next(entry.frame) && bus.run_timers() {
                    bus.run_until_idle()?;
                }
                if comparison.is_next(entry.frame) {
                    bus.poll_new_watches();
                }
            } else {
                if is_between_ticks(&entry) {
                    bus.run_until_idle()?;
                }
                self.0.deliver(&entry);
            }
            if comparison.is_next(entry.frame) {
                comparison.missing();
            }
        }
        bus.run_until_idle()
    }

    /// Result of the replay.
    pub(super) fn end(self) -> Result<ReplaySummary, ReplayError> {
        let Inner {
            bus,
            comparison,
            findings,
            ..
        } = &*self.0;
        let replayed = comparison.end(bus.now());
        detach_all(bus, findings);
        replayed
    }
}

impl Inner {
    /// Keeps a message of the actor, and sends the next input, up to the reply of the message.
    fn suspend(
        &self,
        UnansweredMessage {
            sequence,
            send_reply,
        }: UnansweredMessage,
    ) {
        // An unrecorded message has ended the replay.
        let Some(recorded) = self.comparison.recorded(sequence) else {
            return;
        };
        drop(self.unanswered.borrow_mut().insert(recorded, send_reply));
        while self.unanswered.borrow().contains_key(&recorded)
            && let Some(entry) = self.comparison.next()
            && entry.tick <= self.bus.now()
            && !self.comparison.is_output(&entry)
            && !is_between_ticks(&entry)
        {
            self.deliver(&entry);
            self.bus.handle_posted();
            if self.comparison.is_next(entry.frame) {
                return;
            }
        }
    }

    /// Sends the actor its recorded input.
    fn deliver(&self, entry: &Entry) {
        let delivered = match &entry.content {
            Content::Message { body, awaited } if entry.kind.to == self.name => {
                self.send(entry, body, *awaited)
            }
            Content::Message { body, .. } => self.emit(entry, body),
            // Removed first: a reply may complete further messages.
            Content::Reply { body } => match self.take(entry) {
                Some(send_reply) => send_reply(body),
                None => Ok(()),
            },
            Content::Dropped => {
                drop(self.take(entry));
                Ok(())
            }
        };
        if let Err(damage) = delivered {
            self.comparison.damaged(entry, damage);
        }
    }

    fn take(&self, entry: &Entry) -> Option<SendReply> {
        self.unanswered.borrow_mut().remove(&entry.sequence)
    }

    fn send(&self, entry: &Entry, body: &[u8], awaited: bool) -> Result<(), FrameError> {
        let actors = ActorName::ALL.map(ActorName::endpoint);
        let others = [Endpoint::EXTERNAL, foreign::Inbox::ENDPOINT];
        let mut senders = actors.into_iter().chain(others);
        let known = senders.find(|from| from.name() == entry.kind.from);
        let sent = known.and_then(|from| {
            let actor = self.actor.get()?;
            actor.send(from, &entry.kind.name, body, awaited)
        });
        sent.unwrap_or(Ok(()))
    }

    /// Plays an external event, as far as actors depend on it.
    fn emit(&self, entry: &Entry, body: &[u8]) -> Result<(), FrameError> {
        match entry.kind.name.as_str() {
            ObserveFlags::NAME => self.observed.add(deserialize(body)?),
            Notified::NAME => self.bus.notify(),
            RestoreBegun::NAME => {
                let RestoreBegun { tick, .. } = deserialize(body)?;
                self.comparison.begin_tick(tick);
                self.bus.set_now(tick);
            }
            _ => {}
        }
        self.comparison.played();
        Ok(())
    }
}

/// True for messages of checkpoints, which are sent while no task is running.
fn is_between_ticks(entry: &Entry) -> bool {
    let name = entry.kind.name.as_str();
    [Save::NAME, Restore::NAME, RestoreBegun::NAME].contains(&name)
}

/// Ports of the absent actors, among which the actor starts.
struct AbsentActors<'a>(&'a Rc<Inner>);

impl AbsentActors<'_> {
    fn start(
        &self,
        actor: ActorName,
        components: Components<'_>,
    ) -> Result<Box<dyn AnyPort>, Error> {
        let Components {
            header,
            map,
            channels,
            sink,
        } = components;
        let Inner {
            bus,
            comparison,
            observed,
            ..
        } = &**self.0;
        let context = bus.context(actor.endpoint());
        let served = served(&map, channels);
        let foreign = self.port::<foreign::Inbox>();
        Ok(match actor {
            ActorName::Mailbox | ActorName::Htif | ActorName::Rtt | ActorName::Semihosting => {
                let doorbells = RecordedDoorbells::new(comparison.clone(), &map, channels);
                let peers = Peers {
                    memory: MemoryClient::new(&self.port(), &foreign, self.resolver(map), None),
                    rpc: RpcClient::new(context.clone(), &self.port(), None),
                    files: self.port(),
                    console: ConsoleClient::new(&self.port(), None),
                    sockets: self.port(),
                    frames: Rc::new(RecordedFrames::new(comparison.clone())),
                    foreign,
                    store: Rc::new(doorbells),
                    served: observed.served.clone(),
                };
                let progress = Rc::new(ChannelProgress::of(&served));
                let surroundings = ServerComponents {
                    bus,
                    peers: &peers,
                    channels: &served,
                    progress: &progress,
                };
                let server = surroundings.start_one(actor.endpoint())?;
                Box::new(FrontEndPort(server))
            }
            ActorName::Memory => {
                let resolver = self.resolver(map);
                Box::new(bus.start(|_| Memory::new(context, resolver, &foreign))?)
            }
            ActorName::Rpc => Box::new(start_rpc(bus, &foreign)?.0),
            ActorName::Files => {
                let disk = disk(header, comparison);
                Box::new(bus.start(|_| Files::new(context, &foreign, disk, special(header)))?)
            }
            ActorName::Console => {
                let names = served.iter().map(|channel| channel.name.clone()).collect();
                let [sink, error_sink] = outputs(comparison, sink);
                let text = Text::new(names, sink).with_error_sink(error_sink);
                let lines = Lines::new(context.clone(), Arc::new(Mutex::new(text)), &foreign);
                lines.set_front_ends(absent_servers(bus, &served, &self.on_message()));
                Box::new(bus.start(|_| Console::new(context, lines))?)
            }
            ActorName::Sockets => Box::new(start_sockets(bus, &foreign, hub(header, comparison))?),
        })
    }

    /// Recorded memories of `map`.
    fn resolver(&self, map: MemoryMap) -> Rc<Resolver> {
        Rc::new(Resolver {
            map: Rc::new(map),
            local: Rc::new(RecordedMemory::new(self.0.comparison.clone())),
            observed: self.0.observed.written.clone(),
        })
    }

    /// Port of an absent actor: keeps messages until their recorded replies.
    fn port<I: Inbox>(&self) -> Port<I> {
        absent_port(&self.0.bus, self.on_message())
    }

    fn on_message(&self) -> OnMessage {
        let single: Weak<Inner> = Rc::downgrade(self.0);
        Rc::new(move |message| {
            if let Some(single) = single.upgrade() {
                single.suspend(message);
            }
        })
    }
}

/// Reference to the actor of any type.
trait AnyPort {
    /// Sends a recorded message; `None` for an unknown one.
    fn send(
        &self,
        from: Endpoint,
        name: &str,
        body: &[u8],
        awaited: bool,
    ) -> Option<Result<(), FrameError>>;
}

/// Server of a front end; `None` if the actor is not a front end.
struct FrontEndPort(Option<Box<dyn AnyServer>>);

impl AnyPort for FrontEndPort {
    fn send(
        &self,
        from: Endpoint,
        name: &str,
        body: &[u8],
        awaited: bool,
    ) -> Option<Result<(), FrameError>> {
        let sent = RecordedMessage {
            from,
            body,
            awaited,
            bus: None,
        };
        self.0.as_ref()?.send_recorded(name, sent)
    }
}

impl<I: Inbox> AnyPort for Port<I> {
    fn send(
        &self,
        from: Endpoint,
        name: &str,
        body: &[u8],
        awaited: bool,
    ) -> Option<Result<(), FrameError>> {
        let port = &self.with_sender(from);
        I::by_name(
            name,
            SendRecorded {
                port,
                body,
                awaited,
                bus: None,
            },
        )
    }
}
