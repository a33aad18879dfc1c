//! Start of a session: a handshake, or the adoption of an earlier host's session.

use mailbox_rs::{NEWEST, VERSION, Version};

use super::channel::Channel;
use super::watched_words::Watched;
use crate::actors::service::{Failure, ServiceEnd};
use crate::messages::checkpoint::SavedSession;
use crate::messages::events::VersionOffered;
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{ChannelWords, MailboxStep};

/// Outcome of the wait for a session.
pub(super) enum SessionStart {
    Session(Box<SavedSession>),
    Refused(ServiceEnd),
}

/// Words with which a session starts.
enum SessionWords {
    /// Request for a handshake, with firmware's version.
    Handshake(u32),
    /// Session of an earlier host.
    Open(Box<SavedSession>, Version),
    /// Session of an earlier host, in a version that this host lacks.
    OtherVersion(u32),
}

impl Channel {
    /// Completes a handshake, or adopts the session of an earlier host. Ends the channel if the
    /// firmware has another protocol version.
    pub(super) async fn handshake(&self) -> Result<SessionStart, Failure> {
        self.tracker.transition(MailboxStep::Handshake {
            address: self.queues.address(),
        });
        self.poller.assume(ChannelWords::UNREAD);
        self.watch(Watched::Handshake);
        let version = match self
            .poller
            .wait_for(|words| self.session_words(words))
            .await?
        {
            SessionWords::Handshake(version) => version,
            SessionWords::Open(session, version) => {
                self.service.session.begin(version);
                let text = format!(
                    "the channel was READY already: its session of protocol {version} is adopted, with {:#x} requests taken and {:#x} \
                     responses put",
                    session.request_consumer, session.response_producer
                );
                self.service.report(Severity::Info, &text);
                return Ok(SessionStart::Session(session));
            }
            SessionWords::OtherVersion(version) => {
                return Ok(SessionStart::Refused(refused(Version::from(version))));
            }
        };
        let firmware = Version::from(version);
        let offered = self.offered();
        let Some(negotiated) = Version::negotiated(firmware, offered) else {
            return Ok(SessionStart::Refused(refused(firmware)));
        };
        self.queues.make_ready(negotiated).await?;
        self.service.session.begin(negotiated);
        Ok(SessionStart::Session(Box::default()))
    }

    /// Session that starts with the channel's words.
    fn session_words(&self, words: &ChannelWords) -> Option<SessionWords> {
        if let Some(version) = words.asks_for_handshake() {
            return Some(SessionWords::Handshake(version));
        }
        if !self.service.services.adopts || self.has_begun.get() {
            return None;
        }
        let open = words.open_session()?;
        let Some(version) = Version::negotiated(open.version.into(), Version::from(0)) else {
            return Some(SessionWords::OtherVersion(open.version));
        };
        let session = SavedSession {
            request_consumer: open.request_consumer,
            response_producer: open.response_producer,
            response_consumer: words.response_consumer.unwrap_or_default(),
            ..SavedSession::default()
        };
        Some(SessionWords::Open(Box::new(session), version))
    }

    /// Protocol version that firmware offers; version 0 without an offer. It is not polled, because
    /// firmware writes it before the state.
    fn offered(&self) -> Version {
        if self.service.services.is_old {
            return Version::from(0);
        }
        let mut word = [0; 4];
        let mut rest = &mut word[..];
        for segment in &self.queues.offer() {
            let len = usize::try_from(segment.len).unwrap_or(rest.len());
            let (part, after) = rest.split_at_mut(len.min(rest.len()));
            // If the memory can't be read, the writes of the handshake fail, too.
            if self.service.peers.store.peek(segment, part).is_err() {
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
}

/// End of a channel whose firmware has another protocol version.
fn refused(firmware: Version) -> ServiceEnd {
    ServiceEnd::Refused(format!(
        "firmware speaks mailbox protocol {firmware}, this host {VERSION} and {NEWEST}: build them for the same version"
    ))
}
