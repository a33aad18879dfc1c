//! Indices of a channel's two sides, and the rules for advancing them.

use std::collections::VecDeque;

use mailbox_rs::{Index, PtrWidth, QUEUE_LEN, RequestEntry, Response, ResponseEntry};

use crate::attach::protocol::rules::Breach;
use crate::messages::checkpoint::SavedSession;
use crate::messages::mailbox::CACHE_HINT;

/// Indices of both sides since a handshake.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) request_producer: Index,
    pub(super) request_consumer: Index,
    pub(super) response_producer: Index,
    pub(super) response_consumer: Index,
    /// Responses that were announced by an event, and not put yet.
    pub(super) owed: VecDeque<Response>,
    /// Requests by their slots; `None` for unknown ones.
    requests: [Option<RequestEntry>; QUEUE_LEN as usize],
    /// True if the last write of the request queue's consumer index failed.
    pub(super) take_failed: bool,
}

impl Session {
    /// Checks the request queue's producer index, advanced by firmware.
    pub(super) fn requests_are_put(&mut self, put: Index, breaches: &mut Vec<Breach>) {
        let taken = self.request_consumer;
        let (before, now) = (ahead(self.request_producer, taken), ahead(put, taken));
        if now > QUEUE_LEN {
            breaches.push(format!(
                "request queue: idx_p went from {:#x} to {:#x}, past the {QUEUE_LEN} slots behind idx_c {:#x}",
                self.request_producer.0, put.0, taken.0
            ));
        } else if now < before {
            breaches.push(format!(
                "request queue: idx_p decreased from {:#x} to {:#x}; {CACHE_HINT}",
                self.request_producer.0, put.0
            ));
        }
        self.request_producer = put;
    }

    /// Checks the response queue's consumer index, advanced by firmware.
    pub(super) fn responses_are_taken(&mut self, taken: Index, breaches: &mut Vec<Breach>) {
        let put = self.response_producer;
        let (before, now) = (ahead(put, self.response_consumer), ahead(put, taken));
        self.response_consumer = taken;
        if now > before {
            breaches.push(format!(
                "response queue: idx_c is {:#x}, where idx_p is {:#x}: firmware took a missing \
                 response, or decreased the index; {CACHE_HINT}",
                taken.0, put.0
            ));
            // The host recovers in the same way.
            self.response_consumer = put;
        }
    }

    /// Records the last requests before a producer index.
    pub(super) fn requests_are(&mut self, put: Index, entries: &[RequestEntry]) {
        for (distance, entry) in (1..).zip(entries.iter().rev()).take(self.requests.len()) {
            let slot = Index(put.0.wrapping_sub(distance)).slot();
            self.requests[slot as usize] = Some(*entry);
        }
    }

    /// Last request that was taken, with its slot.
    pub(super) fn in_service(&self) -> Option<(u32, &RequestEntry)> {
        let slot = Index(self.request_consumer.0.wrapping_sub(1)).slot();
        Some((slot, self.requests.get(slot as usize)?.as_ref()?))
    }

    /// Session of a checkpoint.
    pub(super) fn restored(saved: &SavedSession) -> Self {
        Self {
            request_producer: Index(saved.request_consumer),
            request_consumer: Index(saved.request_consumer),
            response_producer: Index(saved.response_producer),
            response_consumer: Index(saved.response_consumer),
            owed: saved.response.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Checks the request queue's consumer index, advanced by the host or written again after a
    /// failed access.
    pub(super) fn takes(&mut self, next: Index, breaches: &mut Vec<Breach>) {
        let taken = self.request_consumer;
        if std::mem::take(&mut self.take_failed) && next == taken {
            return;
        }
        if next != taken.next() {
            breaches.push(format!(
                "request queue: the host moves idx_c from {:#x} to {:#x}",
                taken.0, next.0
            ));
        } else if taken == self.request_producer {
            breaches.push(format!(
                "request queue: the host takes request {:#x}, which is missing",
                taken.0
            ));
        }
        self.request_consumer = next;
    }

    /// Checks a response put by the host.
    pub(super) fn puts(
        &mut self,
        next: Index,
        entry: Option<ResponseEntry>,
        width: PtrWidth,
        breaches: &mut Vec<Breach>,
    ) {
        let put = self.response_producer;
        if next != put.next() {
            breaches.push(format!(
                "response queue: the host moves idx_p from {:#x} to {:#x}",
                put.0, next.0
            ));
        } else if ahead(put, self.response_consumer) >= QUEUE_LEN {
            breaches.push(format!(
                "response queue: the host puts response {:#x} into a full queue",
                put.0
            ));
        }
        self.response_producer = next;
        let owed = self.owed.pop_front();
        if owed.is_none() {
            breaches.push(format!(
                "response queue: response {:#x} answers no request",
                put.0
            ));
        } else if entry != owed.map(|owed| owed.entry(width)) {
            breaches.push(format!(
                "response queue: response {:#x} is not the answer to its request",
                put.0
            ));
        }
    }
}

/// Distance by which the first index is ahead of the second.
fn ahead(one: Index, other: Index) -> u32 {
    one.0.wrapping_sub(other.0)
}

#[cfg(test)]
mod tests {
    use mailbox_rs::Errno;

    use super::*;

    /// Violations found by `act`.
    fn breaches(act: impl FnOnce(&mut Session, &mut Vec<Breach>)) -> Vec<Breach> {
        let mut breaches = Vec::new();
        act(&mut Session::default(), &mut breaches);
        breaches
    }

    const OK: Response = Response::Value(3);

    fn entry(response: Response) -> Option<ResponseEntry> {
        Some(response.entry(PtrWidth::P4))
    }

    #[test]
    fn a_request_that_is_taken_and_answered_is_in_order() {
        let none = breaches(|session, breaches| {
            session.requests_are_put(Index(1), breaches);
            session.takes(Index(1), breaches);
            session.owed.push_back(OK);
            session.puts(Index(1), entry(OK), PtrWidth::P4, breaches);
            session.responses_are_taken(Index(1), breaches);
        });
        assert_eq!(none, Vec::<Breach>::new());
    }

    #[test]
    fn a_host_takes_single_present_requests() {
        let skips = breaches(|session, breaches| {
            session.requests_are_put(Index(3), breaches);
            session.takes(Index(2), breaches);
        });
        assert_eq!(
            skips,
            ["request queue: the host moves idx_c from 0x0 to 0x2"]
        );
        let nothing = breaches(|session, breaches| session.takes(Index(1), breaches));
        assert_eq!(
            nothing,
            ["request queue: the host takes request 0x0, which is missing"]
        );
    }

    #[test]
    fn an_index_is_written_again_after_a_failed_access_only() {
        for failed in [false, true] {
            let again = breaches(|session, breaches| {
                session.requests_are_put(Index(1), breaches);
                session.takes(Index(1), breaches);
                session.take_failed = failed;
                session.takes(Index(1), breaches);
            });
            assert_eq!(again.is_empty(), failed, "{again:?}");
        }
    }

    #[test]
    fn a_response_needs_a_request() {
        let unasked = breaches(|session, breaches| {
            session.puts(Index(1), entry(OK), PtrWidth::P4, breaches);
        });
        assert_eq!(unasked, ["response queue: response 0x0 answers no request"]);
    }

    #[test]
    fn a_response_is_the_one_that_was_announced() {
        let other = breaches(|session, breaches| {
            session.owed.push_back(Response::Error(Errno::EIO));
            session.puts(Index(1), entry(OK), PtrWidth::P4, breaches);
        });
        assert_eq!(
            other,
            ["response queue: response 0x0 is not the answer to its request"]
        );
    }

    #[test]
    fn a_queue_takes_no_more_than_it_has_room_for() {
        let full = breaches(|session, breaches| {
            for put in 1..=QUEUE_LEN + 1 {
                session.owed.push_back(OK);
                session.puts(Index(put), entry(OK), PtrWidth::P4, breaches);
            }
        });
        assert_eq!(
            full,
            ["response queue: the host puts response 0x8 into a full queue"]
        );
    }

    #[test]
    fn indices_wrap() {
        let none = breaches(|session, breaches| {
            let last = Index(u32::MAX);
            (session.request_producer, session.request_consumer) = (last, last);
            session.requests_are_put(Index(1), breaches);
            session.takes(Index(0), breaches);
            session.takes(Index(1), breaches);
        });
        assert_eq!(none, Vec::<Breach>::new());
    }
}
