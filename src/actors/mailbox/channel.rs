//! State of one channel, and its front end.

use std::cell::Cell;
use std::rc::Rc;

use mailbox_rs::Response;

use super::poller::ChannelPoller;
use super::queues::Queues;
use super::requests::RequestHandler;
use super::status_tracker::MailboxTracker;
use super::warnings_given::WarningsGiven;
use crate::actors::service::{
    ChannelProgress, ChannelService, Failure, FrontEnd, LastStep, Opening, ServiceEnd,
    StatusTracker,
};
use crate::bus::ActorContext;
use crate::messages::Interface;
use crate::messages::checkpoint::{RestoreError, SaveError, SavedFrontEnd, SavedSession};
use crate::messages::mailbox::{ChannelStatus, Mailbox, MailboxStep, RequestEnd};

/// State of one channel.
pub(crate) struct Channel {
    pub(super) service: Rc<ChannelService>,
    pub(super) queues: Queues,
    pub(super) handler: RequestHandler,
    pub(super) tracker: MailboxTracker,
    pub(super) context: ActorContext,
    pub(super) poller: ChannelPoller,
    pub(super) progress: Rc<ChannelProgress>,
    /// Response that is delayed, or that waits for a free slot.
    pub(super) unsent_response: Cell<Option<Response>>,
    /// State to continue from, set by a restore.
    pub(super) restored: Cell<Option<RestoredSession>>,
    /// True after the start of the first session. A later one is not adopted.
    pub(super) has_begun: Cell<bool>,
}

/// State to continue from: a session; `None` before the handshake.
pub(super) struct RestoredSession(pub(super) Option<Box<SavedSession>>);

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
        let first = MailboxStep::Handshake { address };
        let tracker = StatusTracker::new(id, first, progress.clone(), service.operation.clone());
        let doorbell = bus.doorbell();
        let poller = ChannelPoller::new(id, context.clone(), doorbell, peers.store.clone());
        let queues = Queues::new(service.space, mailbox, peers.memory.clone());
        let service = Rc::new(service);
        Some(Self {
            handler: RequestHandler {
                service: service.clone(),
                warnings_given: WarningsGiven::default(),
            },
            service,
            queues,
            tracker: MailboxTracker::new(tracker),
            poller,
            context,
            progress,
            unsent_response: Cell::default(),
            restored: Cell::default(),
            has_begun: Cell::default(),
        })
    }

    fn service(&self) -> &ChannelService {
        &self.service
    }

    fn status(&self) -> ChannelStatus {
        self.tracker.status(self.service.name(), &self.queues)
    }

    fn serve(&self) -> impl Future<Output = Result<ServiceEnd, Failure>> {
        self.serve_sessions()
    }

    fn save(&self) -> Result<SavedFrontEnd, SaveError> {
        self.saved_session().map(SavedFrontEnd::Mailbox)
    }

    fn restore(&self, saved: &SavedFrontEnd) -> Result<(), RestoreError> {
        match saved {
            SavedFrontEnd::Mailbox(session) => self.restore_session(session.as_ref()),
            _ => Err(self.service.other_protocol_error()),
        }
    }

    fn enter_end(&self, last: LastStep) {
        match last {
            LastStep::Exited { code } => {
                self.tracker.complete(RequestEnd::Silent);
                self.tracker.transition(MailboxStep::Exited { code });
            }
            LastStep::Failed => self.tracker.transition(MailboxStep::Failed),
        }
    }

    fn stop(&self) {
        self.poller.end();
    }
}
