//! Front ends: their trait, and the server that they share.
//!
//! A front end reads firmware's words on a tick and turns them into requests. It provides the
//! poller of its words, the decoding of requests, and the writing of responses. The [`Server`]
//! provides a task for each channel, its end, standard input, and status.

use std::fmt::{self, Write as _};
use std::future::{Future, ready};
use std::rc::Rc;

use actix::{Actor, Handler};

use super::channel_task::{ChannelTask, Running};
use super::{ChannelProgress, ChannelService, Failure, Opening, Peers};
use crate::bus::{ActorContext, Bus, BusError, Envelope, Port, Spawner};
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::{RestoreError, SaveError, SavedChannel, SavedFrontEnd};
use crate::messages::foreign::{Exit, Severity};
use crate::messages::front_end::{
    ChannelState, Inbox, Operate, OperateError, OutputFailed, Protocol, Status, StdinError,
    StdinWrite,
};
use crate::messages::memory::{self, AccessSegments};
use crate::messages::{ChannelDescriptor, ChannelId, Interface};

/// State of one channel, served by one protocol.
pub(crate) trait FrontEnd: Sized + 'static {
    /// The protocol.
    type Protocol: Protocol;

    /// True for the channels of this protocol.
    fn serves(interface: &Interface) -> bool;

    /// State of a channel; `None` for one of another protocol.
    fn open(opening: Opening<'_>) -> Option<Self>;

    /// Services of the channel.
    fn service(&self) -> &ChannelService;

    /// Status of the channel, without its words in memory.
    fn status(&self) -> <Self::Protocol as Protocol>::Status;

    /// Serves requests until the channel ends.
    fn serve(&self) -> impl Future<Output = Result<ServiceEnd, Failure>>;

    /// Executes an operation that the testbench has observed firmware ask for.
    fn operate(&self, _: &Operate) -> impl Future<Output = Result<Option<u64>, OperateError>> {
        ready(Err(OperateError::OtherProtocol))
    }

    /// State for a checkpoint.
    ///
    /// # Errors
    /// A channel that is in the middle of an operation, or that has failed.
    fn save(&self) -> Result<SavedFrontEnd, SaveError>;

    /// Replaces the state by that of a checkpoint, while no [`serve`](Self::serve) is running. The
    /// next one continues from there.
    ///
    /// # Errors
    /// State of another protocol, or an impossible one. Nothing is changed for the former.
    fn restore(&self, saved: &SavedFrontEnd) -> Result<(), RestoreError>;

    /// Enters the last step of the channel's status.
    fn enter_end(&self, last: LastStep);

    /// Stops polling.
    fn stop(&self);
}

/// End of a channel's service.
pub(crate) enum ServiceEnd {
    /// Firmware has exited.
    Exit(u32),
    /// The channel can't be served, for this reason.
    Refused(String),
}

/// Last step of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastStep {
    /// Firmware has exited.
    Exited {
        /// Exit code.
        code: u32,
    },
    /// The service has failed.
    Failed,
}

/// Actor that serves the channels of one protocol.
pub(crate) struct Server<F: FrontEnd> {
    context: ActorContext,
    spawner: Spawner,
    channels: Vec<(ChannelId, Rc<F>)>,
    /// Tasks of the channels, in the same order.
    tasks: Vec<ChannelTask>,
    peers: Rc<ServerPeers<F::Protocol>>,
}

/// State that the tasks of all channels share.
struct ServerPeers<P: Protocol> {
    /// Own inbox of the server.
    server: Port<Inbox<P>>,
    ids: Box<[ChannelId]>,
    progress: Rc<ChannelProgress>,
}

impl<F: FrontEnd> Server<F> {
    /// Serves the channels of this protocol among `channels`, and keeps their progress in
    /// `progress`. `own` is the server's own port.
    pub(crate) fn new(
        bus: &Bus,
        context: ActorContext,
        peers: Peers,
        channels: &[ChannelDescriptor],
        progress: &Rc<ChannelProgress>,
        own: Port<Inbox<F::Protocol>>,
    ) -> Self {
        let peers = Rc::new(peers.with_sender(&context));
        let channels = (0..).map(ChannelId).zip(channels);
        let channels = channels.filter_map(|(id, descriptor)| {
            let channel = F::open(Opening {
                id,
                descriptor,
                bus,
                context: context.clone(),
                peers: peers.clone(),
                progress: progress.clone(),
            })?;
            Some((id, Rc::new(channel)))
        });
        let channels: Vec<_> = channels.collect();
        let shared = ServerPeers {
            server: own,
            ids: channels.iter().map(|(id, _)| *id).collect(),
            progress: progress.clone(),
        };
        Self {
            context,
            spawner: bus.spawner(),
            tasks: Vec::with_capacity(channels.len()),
            channels,
            peers: Rc::new(shared),
        }
    }

    /// State of all channels.
    fn save(&self) -> Result<Vec<SavedChannel>, SaveError> {
        let exits = self.peers.progress.exits();
        let channels = self.channels.iter().map(|(id, channel)| {
            let at = usize::try_from(id.0).ok();
            Ok(SavedChannel {
                channel: *id,
                exit: at.and_then(|at| exits.get(at).copied().flatten()),
                service: channel.service().saved(),
                front_end: channel.save()?,
            })
        });
        channels.collect()
    }

    /// Replaces the state of all channels. The channels continue in new futures, in the given
    /// order.
    fn restore(&self, saved: &[SavedChannel]) -> Result<(), RestoreError> {
        let of = |id: ChannelId| saved.iter().find(|saved| saved.channel == id);
        if let Some((_, other)) = self.channels.iter().find(|(id, _)| of(*id).is_none()) {
            return Err(other.service().other_protocol_error());
        }
        let own = || self.channels.iter().zip(&self.tasks);
        for saved in saved {
            let Some(((id, channel), task)) = own().find(|((id, _), _)| *id == saved.channel)
            else {
                continue;
            };
            let service = channel.service();
            let busy = |Running| service.busy_to_restore_error();
            task.end().map_err(busy)?;
            if let AwaitedOperation::Call(_) = service.operation.awaited() {
                service.cancel_calls();
            }
            channel.restore(&saved.front_end)?;
            service.restore(&saved.service);
            let progress = &self.peers.progress;
            progress.restore(*id, saved.exit, self.context.now());
            match saved.exit {
                Some(code) => {
                    channel.stop();
                    channel.enter_end(LastStep::Exited { code });
                }
                None => {
                    let serving = serve(channel.clone(), self.peers.clone());
                    task.begin(Box::pin(serving)).map_err(busy)?;
                }
            }
        }
        Ok(())
    }

    fn service(&self, wanted: ChannelId) -> Result<&ChannelService, StdinError> {
        let mut channels = self.channels.iter();
        let found = channels.find(|(id, _)| *id == wanted);
        found
            .map(|(_, channel)| channel.service())
            .ok_or(StdinError::NoChannel)
    }
}

impl<F: FrontEnd> Actor for Server<F> {
    type Context = actix::Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        for (_, channel) in &self.channels {
            let serving = serve(channel.clone(), self.peers.clone());
            let task = ChannelTask::spawn(&self.spawner);
            // The task is not running yet.
            let _ = task.begin(Box::pin(serving));
            self.tasks.push(task);
        }
    }
}

impl<F: FrontEnd> Handler<Inbox<F::Protocol>> for Server<F> {
    type Result = ();

    fn handle(&mut self, message: Inbox<F::Protocol>, _: &mut Self::Context) {
        self.context.handle(message, |message| match message {
            Inbox::Status(envelope) => {
                let statuses = self.channels.iter().map(|(_, channel)| channel.status());
                envelope.reply.send(statuses.collect());
            }
            Inbox::StdinWrite(envelope) => {
                let StdinWrite { channel, data } = &envelope.message;
                let taken = self.service(*channel);
                let taken = taken.and_then(|service| service.write_input(data));
                envelope.reply.send(taken);
            }
            Inbox::StdinClose(envelope) => {
                let ended = self.service(envelope.message.channel);
                let ended = ended.and_then(ChannelService::end_input);
                envelope.reply.send(ended);
            }
            Inbox::OutputFailed(envelope) => {
                let OutputFailed {
                    channel,
                    is_error,
                    errno,
                } = envelope.message;
                if let Ok(service) = self.service(channel) {
                    service.output_failed(is_error, errno);
                }
                envelope.reply.send(());
            }
            Inbox::Save(envelope) => {
                let saved = self.save();
                envelope.reply.send(saved);
            }
            Inbox::Restore(Envelope { message, reply }) => {
                reply.send(self.restore(&message.channels));
            }
            Inbox::Operate(Envelope { message, reply }) => {
                let mut channels = self.channels.iter();
                match channels.find(|(id, _)| *id == message.channel) {
                    Some((_, channel)) => {
                        let channel = channel.clone();
                        let operate = async move { reply.send(channel.operate(&message).await) };
                        self.spawner.spawn(operate);
                    }
                    None => reply.send(Err(OperateError::NoChannel)),
                }
            }
        });
    }
}

/// Task of one channel: serves it until it ends.
async fn serve<F: FrontEnd>(channel: Rc<F>, peers: Rc<ServerPeers<F::Protocol>>) {
    match channel.serve().await {
        Ok(ServiceEnd::Exit(code)) => peers.exit(&*channel, code).await,
        Ok(ServiceEnd::Refused(reason)) => peers.give_up(&*channel, &reason).await,
        Err(failure) => {
            let reason = format!("service of the channel has ended: {}", failure.with_cause());
            peers.give_up(&*channel, &reason).await;
        }
    }
    channel.stop();
}

impl<P: Protocol> ServerPeers<P> {
    /// Ends a channel that has exited.
    async fn exit(&self, channel: &impl FrontEnd, code: u32) {
        let service = channel.service();
        // Before the first await, during which another channel may exit.
        self.progress.exited(service.id, code);
        service.close_files_after_the_last(&self.progress);
        service.finish_text().await;
        channel.enter_end(LastStep::Exited { code });
        service.peers.foreign.post(Exit {
            channel: service.name().clone(),
            code,
        });
    }

    /// Ends the service of all channels. The report includes the status of every channel of the
    /// protocol, because there may be no later one.
    async fn give_up(&self, channel: &impl FrontEnd, reason: &str) {
        channel.enter_end(LastStep::Failed);
        let service = channel.service();
        let mut text = reason.to_owned();
        let mut statuses = self.server.ask(Status::new()).await.unwrap_or_default();
        for (words, status) in self.progress.inspect(&self.ids, &mut statuses) {
            let AccessSegments { space, op } = words.access.clone();
            let read = service.peers.memory.access_at(space, op).await;
            status.show_words(read.ok().and_then(|read| words.parse(read)));
        }
        for status in statuses {
            // Writing to a `String` does not fail.
            let _ = write!(text, "\n{status}");
        }
        self.progress
            .fail(&format!("channel {}: {text}", service.name()));
        service.report(Severity::Fatal, &text);
    }
}

/// Status of each channel in `ids`, with its words in memory.
///
/// The server reports its own state, and the requester reads the words. So a status inside of a
/// memory access or of a method needs no task of the server.
///
/// # Errors
/// [`BusError`] from inside an actor or a tap.
pub(crate) fn statuses<P: Protocol>(
    bus: &Bus,
    server: &Port<Inbox<P>>,
    ids: &[ChannelId],
    memory: &Port<memory::Inbox>,
    progress: &ChannelProgress,
) -> Result<Vec<P::Status>, BusError> {
    let mut statuses = bus.ask(server, Status::new())?;
    for (words, status) in progress.inspect(ids, &mut statuses) {
        let read = bus.ask(memory, words.access.clone());
        status.show_words(read.ok().and_then(|read| words.parse(read)));
    }
    Ok(statuses)
}

impl<F: FrontEnd> fmt::Debug for Server<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("endpoint", &F::Protocol::ENDPOINT)
            .field("channels", &self.channels.len())
            .finish()
    }
}
