//! Firmware that keeps the rules of the queues and violates all others. The response to each
//! request is predicted.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;

use mailbox_rs::mock::{Firmware, Misbehaviour};
use mailbox_rs::{
    Errno, NEWEST, PtrWidth, REQUEST_ARGS, Request, RequestEntry, Response, ResponseEntry, State,
};
use vhost::Severity;
use vhost::messages::foreign::Report;

use crate::attacker::Attacker;
use test_support::host_fixture::{HostFixture, Plan};
use test_support::ram::Ram;

/// Misbehaving channel.
pub(crate) struct Misbehaving {
    name: &'static str,
    firmware: Firmware<Ram>,
    pub(crate) attacker: Attacker,
    /// Sent requests, up to the first one that may have no response.
    sent: VecDeque<Sent>,
    slot: u32,
    /// Number of ticks without a response.
    silent_ticks: u32,
    exited: bool,
    /// Kinds of requests already reported for too few words, and methods already reported for too
    /// wide results.
    noted: HashSet<String>,
    pub(crate) tally: Tally,
}

/// Counts of a channel's requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) reported: u64,
    pub(crate) malformed: u64,
    pub(crate) formats: u64,
    pub(crate) resets: u64,
}

struct Sent {
    entry: RequestEntry,
    slot: u32,
    report: Option<String>,
}

impl Sent {
    fn request(&self) -> Result<Request, mailbox_rs::Malformed> {
        Request::try_from(&self.entry)
    }

    fn responds(&self) -> bool {
        self.request()
            .map_or_else(|_| self.entry.responds(), |request| request.responds())
    }

    /// Fields as a report must show them.
    fn shown(&self) -> String {
        self.request()
            .map_or_else(|_| self.entry.to_string(), |request| request.to_string())
    }
}

/// Number of ticks without a response after which a channel must be waiting for the method
/// `forever`; otherwise there is a bug.
const MAX_SILENT_TICKS: u32 = 48;

impl Misbehaving {
    pub(crate) fn new(fixture: &HostFixture, plan: &Plan, attacker: Attacker) -> Self {
        Self {
            name: plan.name,
            firmware: fixture.firmware(plan),
            attacker,
            sent: VecDeque::new(),
            slot: 0,
            silent_ticks: 0,
            exited: false,
            noted: HashSet::new(),
            tally: Tally::default(),
        }
    }

    /// One step of the firmware.
    pub(crate) fn act(&mut self, fixture: &HostFixture) {
        if self.exited {
            return;
        }
        if self.firmware.state() != State::READY {
            assert!(
                self.firmware.state() != State::INIT
                    || self.slot != 0
                    || self.silent_ticks < MAX_SILENT_TICKS,
                "no handshake"
            );
        }
        let rng = &mut self.attacker.rng;
        match rng.u32(..400) {
            0 => return self.reset(),
            1..10 => self.firmware.misbehave(Misbehaviour::Deaf),
            10..60 => self.firmware.behave(),
            _ => {}
        }
        if !self.firmware.is_ready() {
            return self.reset();
        }
        for _ in 0..self.attacker.rng.u32(..10) {
            let entry = self.attacker.entry(&fixture.vhost);
            // The slot has all arguments, independent of the number of words.
            let whole = RequestEntry {
                words: REQUEST_ARGS as u32,
                ..entry
            };
            self.firmware.misbehave(Misbehaviour::Words(entry.words));
            if !self.firmware.try_send_entry(&whole) {
                break;
            }
            self.sent.push_back(Sent {
                entry,
                slot: self.slot,
                report: None,
            });
            self.slot = (self.slot + 1) % 8;
            self.tally.sent += 1;
        }
    }

    fn reset(&mut self) {
        match self.attacker.rng.u8(..3) {
            0 => self.firmware.reset(),
            _ => self.firmware.reset_offering(NEWEST),
        }
        self.sent.clear();
        self.slot = 0;
        self.silent_ticks = 0;
        self.tally.resets += 1;
    }

    /// Takes this channel's reports and responses at the end of a tick.
    pub(crate) fn collect(&mut self, fixture: &HostFixture, reports: &[Report]) {
        let name = self.name;
        for report in reports.iter().filter(|report| report.id == name) {
            self.on_report(report);
        }
        let waits = self.sent.iter().any(Sent::responds);
        while let Some(response) = self.firmware.try_receive() {
            self.silent_ticks = 0;
            self.answered(response);
        }
        if !self.sent.iter().any(Sent::responds) && self.firmware.queued() == 0 {
            // Requests without response are complete.
            while let Some(sent) = self.sent.pop_front() {
                self.over(&sent);
            }
        }
        self.silent_ticks = if waits { self.silent_ticks + 1 } else { 0 };
        if self.silent_ticks > MAX_SILENT_TICKS / 2 {
            self.firmware.behave();
            if self.attacker.rng.bool() {
                self.reset();
            } else {
                fixture.released.store(true, Ordering::Relaxed);
            }
        }
        let state = fixture.vhost.status().expect("the status");
        assert!(
            self.silent_ticks < MAX_SILENT_TICKS,
            "{}: {} is not answered\n{state}",
            self.name,
            self.sent[0].shown()
        );
    }

    fn on_report(&mut self, report: &Report) {
        let Report {
            severity,
            text,
            id: name,
        } = report;
        if let Some((kind, _)) = text.split_once(" with words = ")
            && *severity == Severity::Info
        {
            assert!(self.noted.insert(kind.to_owned()), "noted again: {text}");
            return;
        }
        if text.starts_with("CPRINT at ") {
            let warned = [" takes 32 bits of 0x", ": words = "];
            let is_warning = *severity == Severity::Warning
                && warned.iter().any(|printed| text.contains(printed));
            assert!(is_warning || *severity == Severity::Error, "{text}");
            self.tally.formats += 1;
            return;
        }
        if let Some((of, _)) = text.split_once(" returned 0x")
            && *severity == Severity::Warning
        {
            assert!(self.noted.insert(of.to_owned()), "warned again: {text}");
            return;
        }
        let is_probe = *severity == Severity::Info && text.contains("; answered ");
        assert!(is_probe || *severity == Severity::Error, "{text}");
        let (slot, rest) = text
            .strip_prefix("request in slot ")
            .and_then(|rest| rest.split_once(", "))
            .unwrap_or_else(|| panic!("{}: an unexpected report: {text}", self.name));
        let slot: u32 = slot.parse().expect("a slot");
        // While no response is read, two requests may have used the same slot.
        let notified = |sent: &&mut Sent| {
            sent.slot == slot
                && sent.report.is_none()
                && rest.starts_with(&format!("{}: ", sent.shown()))
        };
        let sent = self.sent.iter_mut().find(notified);
        let sent =
            sent.unwrap_or_else(|| panic!("{name}: nothing was sent that is reported: {text}"));
        sent.report = Some(rest.to_owned());
        self.tally.reported += 1;
    }

    fn answered(&mut self, response: ResponseEntry) {
        self.tally.answered += 1;
        while let Some(sent) = self.sent.pop_front() {
            if sent.responds() {
                self.tally.malformed += u64::from(sent.request().is_err());
                return check(&sent, response, self.attacker.width);
            }
            self.over(&sent);
        }
        panic!("{}: nothing was sent that {response:?} answers", self.name);
    }

    /// Checks a served request without response.
    fn over(&mut self, sent: &Sent) {
        match sent.request() {
            Ok(Request::Exit { .. }) => self.exited = true,
            Ok(_) => {}
            Err(_) => {
                self.tally.malformed += 1;
                assert!(
                    sent.report.is_some(),
                    "{}: no report of {}",
                    self.name,
                    sent.shown()
                );
            }
        }
    }
}

/// Checks that the response belongs to this request; returns true if an error was reported.
fn check(sent: &Sent, response: ResponseEntry, width: PtrWidth) {
    let shown = sent.shown();
    let error = Errno::from_word(response.rets, width).filter(|_| response.words == 1);
    match sent.request() {
        Err(_) => {
            assert!(sent.report.is_some(), "no report of {shown}");
            assert_eq!(
                response,
                Response::Error(Errno::EINVAL).entry(width),
                "{shown}"
            );
        }
        Ok(_) if sent.report.is_some() => {
            let report = sent.report.as_deref().unwrap_or_default();
            let errno = error.unwrap_or_else(|| panic!("answered {response:?}, reported {report}"));
            assert!(
                report.ends_with(&format!("; answered {errno}")),
                "answered {errno}, reported {report}"
            );
            assert!(
                errno == Errno::EIO || !report.contains("panicked"),
                "{report}"
            );
        }
        Ok(Request::Print { .. } | Request::MemMove { .. } | Request::MemSet { .. }) => {
            assert_eq!(response, Response::Empty.entry(width), "{shown}");
        }
        Ok(Request::File(_)) => assert!(
            error.is_none(),
            "no report of {shown}, answered {response:?}"
        ),
        // Any value is possible.
        Ok(_) => assert_eq!(response.words, 1, "{shown}"),
    }
}
