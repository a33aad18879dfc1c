//! Checker of firmware's protocols, on both sides.
//!
//! It uses only observations, and shares no code with the front ends. The rules follow
//! `docs/protocol.md`, `docs/htif.md`, `docs/rtt.md` and `docs/semihosting.md`.
//!
//! - `rules`: interface of the rules of one channel.
//! - `mailbox`, `htif`, `rtt`, `semihosting`: rules of the protocols.
//! - `channels`: attribution of accesses, events and replies to channels with words at addresses;
//!   writes that belong to no channel.

mod channels;
mod htif;
mod mailbox;
mod rtt;
mod rules;
mod semihosting;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::channels::Channels;
use self::mailbox::Mailboxes;
use self::rules::reaches_outside;
use super::{Attach, AttachContext, AttachError, ChannelAttribution, Findings};
use crate::bus::{Inbox as _, Observation, Spawner, Tap};
use crate::mem::{AccessError, MapError, OpOutcome, Segments};
use crate::messages::foreign::Severity;
use crate::messages::{ChannelDescriptor, mailbox as mailbox_messages};

/// Checker of the protocols of firmware: mailbox, HTIF, RTT and semihosting. Each side must write
/// only its own words, each response must answer a request, and requests must stay inside the
/// memory map; `docs/attach.md` has the rules of each protocol. A violation is a finding with its
/// channel; service continues.
///
/// Attached during a session, it checks a mailbox from its next handshake. In other protocols it
/// checks the operations whose start it has observed.
#[derive(Debug, Clone, Copy)]
pub struct ProtocolChecker {
    severity: Severity,
}

impl ProtocolChecker {
    /// Creates a checker whose findings are errors.
    pub fn new() -> Self {
        Self {
            severity: Severity::Error,
        }
    }

    /// Sets the severity of the findings.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity }
    }
}

impl Default for ProtocolChecker {
    fn default() -> Self {
        Self::new()
    }
}

impl Attach for ProtocolChecker {
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        _: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        Ok(Box::new(Checker {
            severity: self.severity,
            findings: context.findings("protocol"),
            rules: AllRules::new(context.channels().clone()),
        }))
    }
}

/// Attached tap of [`ProtocolChecker`].
struct Checker {
    severity: Severity,
    findings: Findings,
    rules: AllRules,
}

impl Tap for Checker {
    fn observe(&mut self, seen: &Observation<'_>) {
        for text in self.rules.check(seen) {
            let tick = seen.tick;
            self.findings
                .raise(self.severity, format!("tick {tick}: {text}"));
        }
    }
}

/// Rules of all channels.
struct AllRules {
    channel_attribution: ChannelAttribution,
    mailboxes: Mailboxes,
    others: Channels,
}

impl AllRules {
    /// Rules of these channels, in the order of their ids.
    fn new(channels: Arc<[ChannelDescriptor]>) -> Self {
        Self {
            mailboxes: Mailboxes::new(&channels),
            others: Channels::new(&channels),
            channel_attribution: ChannelAttribution::new(channels),
        }
    }

    /// Checks one observation. Returns the findings, with the names of their channels.
    fn check(&mut self, seen: &Observation<'_>) -> Vec<String> {
        let channel_name = self.channel_attribution.channel_of(seen.into());
        let mut breaches = Vec::new();
        let at = self.mailboxes.check(seen, &mut breaches);
        let known = at.and_then(|at| self.channel_attribution.channels().get(at));
        let name = known.map(|channel| channel.name.clone()).or(channel_name);
        let mut texts = Vec::new();
        let outside = outside_of_map(seen);
        if let Some(outside) = outside
            && seen.ticket.from == mailbox_messages::Inbox::ENDPOINT
        {
            let mut channels = self.channel_attribution.channels().iter();
            let number = channels.position(|channel| Some(&channel.name) == name.as_ref());
            let request = number.and_then(|number| self.mailboxes.in_service(number));
            breaches.push(reaches_outside(request.as_deref(), outside));
        }
        for breach in breaches {
            texts.push(match &name {
                Some(name) => format!("channel `{name}`: {breach}"),
                None => breach,
            });
        }
        self.others.check(seen, outside, &mut texts);
        texts
    }
}

/// Error of an access outside of the memory map, if the observation is a reply with one.
fn outside_of_map<'a>(seen: &Observation<'a>) -> Option<&'a MapError> {
    let accessed = seen
        .content
        .downcast_ref::<Result<OpOutcome, AccessError>>();
    let accessed = accessed.and_then(|outcome| outcome.as_ref().err());
    let located = || {
        let located = seen.content.downcast_ref::<Result<Segments, AccessError>>();
        located.and_then(|outcome| outcome.as_ref().err())
    };
    match accessed.or_else(located)? {
        AccessError::Map(outside) => Some(outside),
        _ => None,
    }
}
