//! Front ends of a system: the list of all protocols, and their started servers.

use std::rc::Rc;

use crate::actors::console::TellFrontEnd;
use crate::actors::htif::HtifChannel;
use crate::actors::mailbox::MailboxChannel;
use crate::actors::rtt::RttChannel;
use crate::actors::semihosting::SemihostingChannel;
use crate::actors::service::{ChannelProgress, FrontEnd, Peers, Server, statuses};
use crate::bus::{Bus, BusError, Endpoint, Inbox as _, Port};
use crate::messages::checkpoint::{RestoreError, SaveError, SavedChannel};
use crate::messages::front_end::{
    Inbox, Operate, OperateError, OutputFailed, Protocol, Restore, Save, StdinClose, StdinError,
    StdinWrite,
};
use crate::messages::{ChannelDescriptor, ChannelId, Interface, console, memory};
use crate::system::recorded_messages::{OnMessage, RecordedMessage, SendRecorded, absent_port};
use crate::trace::FrameError;

/// Front ends in the order in which they start. The first one starts in every system.
const FRONT_ENDS: [FrontEndKind; 4] = [
    FrontEndKind::of::<MailboxChannel>(),
    FrontEndKind::of::<HtifChannel>(),
    FrontEndKind::of::<RttChannel>(),
    FrontEndKind::of::<SemihostingChannel>(),
];

/// Protocol that can be served.
struct FrontEndKind {
    endpoint: Endpoint,
    serves: fn(&Interface) -> bool,
    start: fn(&ServerComponents<'_>) -> Result<Box<dyn AnyServer>, BusError>,
    /// Function that sends lost text to the absent server.
    absent: fn(&Bus, &OnMessage) -> Box<TellFrontEnd>,
}

impl FrontEndKind {
    const fn of<F: FrontEnd>() -> Self {
        Self {
            endpoint: F::Protocol::ENDPOINT,
            serves: F::serves,
            start: StartedServer::start::<F>,
            absent: absent::<F::Protocol>,
        }
    }
}

/// Function that sends lost text to the absent server of a protocol.
fn absent<P: Protocol>(bus: &Bus, on_message: &OnMessage) -> Box<TellFrontEnd> {
    let port = absent_port::<Inbox<P>>(bus, on_message.clone()).with_sender(console::ENDPOINT);
    Box::new(move |failed| port.post(failed))
}

/// Function that sends lost text of channels to their absent servers.
pub(in crate::system) fn absent_servers(
    bus: &Bus,
    channels: &[ChannelDescriptor],
    on_message: &OnMessage,
) -> Box<TellFrontEnd> {
    let of = |channel: &ChannelDescriptor| {
        let mut kinds = FRONT_ENDS.iter();
        let kind = kinds.find(|kind| (kind.serves)(&channel.interface))?;
        Some((kind.absent)(bus, on_message))
    };
    let servers: Vec<_> = channels.iter().map(of).collect();
    Box::new(move |failed| {
        let at = usize::try_from(failed.channel.0).ok();
        if let Some(Some(tell)) = at.and_then(|at| servers.get(at)) {
            tell(failed);
        }
    })
}

/// Parts of the system for the start of servers.
pub(in crate::system) struct ServerComponents<'a> {
    pub(in crate::system) bus: &'a Bus,
    pub(in crate::system) peers: &'a Peers,
    pub(in crate::system) channels: &'a [ChannelDescriptor],
    pub(in crate::system) progress: &'a Rc<ChannelProgress>,
}

impl ServerComponents<'_> {
    /// Starts the server at an endpoint; `None` if the endpoint is not a front end.
    pub(in crate::system) fn start_one(
        &self,
        endpoint: Endpoint,
    ) -> Result<Option<Box<dyn AnyServer>>, BusError> {
        let kind = FRONT_ENDS.iter().find(|kind| kind.endpoint == endpoint);
        kind.map(|kind| (kind.start)(self)).transpose()
    }
}

/// Started servers.
pub(in crate::system) struct FrontEnds(Vec<Box<dyn AnyServer>>);

impl FrontEnds {
    /// Starts the servers of all protocols that channels have.
    pub(in crate::system) fn start(components: &ServerComponents<'_>) -> Result<Self, BusError> {
        let mut servers = Vec::new();
        for (at, kind) in FRONT_ENDS.iter().enumerate() {
            let server = (kind.start)(components)?;
            if at == 0 || !server.ids().is_empty() {
                servers.push(server);
            }
        }
        Ok(Self(servers))
    }

    /// All servers.
    pub(in crate::system) fn iter(&self) -> impl Iterator<Item = &dyn AnyServer> {
        self.0.iter().map(|server| &**server)
    }

    /// Server of a channel.
    pub(in crate::system) fn of(&self, channel: ChannelId) -> Option<&dyn AnyServer> {
        self.iter().find(|server| server.ids().contains(&channel))
    }

    /// Server at an endpoint.
    pub(in crate::system) fn at(&self, endpoint: &str) -> Option<&dyn AnyServer> {
        self.iter()
            .find(|server| server.endpoint().name() == endpoint)
    }
}

/// Server of one protocol.
pub(in crate::system) trait AnyServer {
    /// Endpoint of the server.
    fn endpoint(&self) -> Endpoint;

    /// Channels of the server.
    fn ids(&self) -> &[ChannelId];

    /// Status of each channel of the server.
    fn statuses(
        &self,
        bus: &Bus,
        memory: &Port<memory::Inbox>,
        progress: &ChannelProgress,
    ) -> Result<Vec<String>, BusError>;

    /// Adds bytes to the standard input of a channel.
    fn write_stdin(
        &self,
        bus: &Bus,
        write: StdinWrite,
    ) -> Result<Result<u64, StdinError>, BusError>;

    /// Ends the standard input of a channel.
    fn close_stdin(&self, bus: &Bus, close: StdinClose)
    -> Result<Result<(), StdinError>, BusError>;

    /// Carries out a semihosting operation of a trap that the testbench has detected.
    fn operate(
        &self,
        bus: &Bus,
        operate: Operate,
    ) -> Result<Result<Option<u64>, OperateError>, BusError>;

    /// State of the server's channels.
    fn save(&self, bus: &Bus) -> Result<Result<Vec<SavedChannel>, SaveError>, BusError>;

    /// Replaces the state of the server's channels.
    fn restore(
        &self,
        bus: &Bus,
        channels: Vec<SavedChannel>,
    ) -> Result<Result<(), RestoreError>, BusError>;

    /// Posts a message on lost text, with the console as its sender.
    fn output_failed(&self, failed: OutputFailed);

    /// Sends a recorded message; `None` for an unknown one.
    fn send_recorded(
        &self,
        name: &str,
        sent: RecordedMessage<'_>,
    ) -> Option<Result<(), FrameError>>;
}

/// Port of a server, and its channels.
struct StartedServer<P: Protocol> {
    port: Port<Inbox<P>>,
    ids: Vec<ChannelId>,
}

impl<P: Protocol> StartedServer<P> {
    fn start<F: FrontEnd<Protocol = P>>(
        components: &ServerComponents<'_>,
    ) -> Result<Box<dyn AnyServer>, BusError> {
        let ServerComponents {
            bus,
            peers,
            channels,
            progress,
        } = *components;
        let numbered = (0..).map(ChannelId).zip(channels);
        let own = numbered.filter(|(_, channel)| F::serves(&channel.interface));
        let ids = own.map(|(id, _)| id).collect();
        let context = bus.context(P::ENDPOINT);
        let peers = peers.clone();
        let start = |own| Server::<F>::new(bus, context, peers, channels, progress, own);
        let port = bus.start(start)?;
        Ok(Box::new(Self { port, ids }))
    }
}

impl<P: Protocol> AnyServer for StartedServer<P> {
    fn endpoint(&self) -> Endpoint {
        P::ENDPOINT
    }

    fn ids(&self) -> &[ChannelId] {
        &self.ids
    }

    fn statuses(
        &self,
        bus: &Bus,
        memory: &Port<memory::Inbox>,
        progress: &ChannelProgress,
    ) -> Result<Vec<String>, BusError> {
        let statuses = statuses(bus, &self.port, &self.ids, memory, progress)?;
        Ok(statuses.iter().map(ToString::to_string).collect())
    }

    fn write_stdin(
        &self,
        bus: &Bus,
        write: StdinWrite,
    ) -> Result<Result<u64, StdinError>, BusError> {
        bus.ask(&self.port, write)
    }

    fn close_stdin(
        &self,
        bus: &Bus,
        close: StdinClose,
    ) -> Result<Result<(), StdinError>, BusError> {
        bus.ask(&self.port, close)
    }

    fn operate(
        &self,
        bus: &Bus,
        operate: Operate,
    ) -> Result<Result<Option<u64>, OperateError>, BusError> {
        bus.ask(&self.port, operate)
    }

    fn save(&self, bus: &Bus) -> Result<Result<Vec<SavedChannel>, SaveError>, BusError> {
        bus.ask(&self.port, Save)
    }

    fn restore(
        &self,
        bus: &Bus,
        channels: Vec<SavedChannel>,
    ) -> Result<Result<(), RestoreError>, BusError> {
        bus.ask(&self.port, Restore { channels })
    }

    fn output_failed(&self, failed: OutputFailed) {
        self.port.with_sender(console::ENDPOINT).post(failed);
    }

    fn send_recorded(
        &self,
        name: &str,
        sent: RecordedMessage<'_>,
    ) -> Option<Result<(), FrameError>> {
        let RecordedMessage {
            from,
            body,
            awaited,
            bus,
        } = sent;
        let port = &self.port.with_sender(from);
        Inbox::by_name(
            name,
            SendRecorded {
                port,
                body,
                awaited,
                bus,
            },
        )
    }
}
