//! Dispatch of one request: check, execution, and report of a failure.

use std::fmt;

use mailbox_rs::{Malformed, Request, RequestEntry, Response};

use super::channel::Channel;
use super::requests::RequestOutcome;
use crate::actors::service::{Failure, severity};
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::SavedWait;
use crate::messages::foreign::Severity;
use crate::messages::mailbox::MailboxStep;

impl Channel {
    /// Serves one request, valid or not.
    pub(super) async fn serve(&self, slot: u32, entry: &RequestEntry) -> RequestOutcome {
        self.tracker.transition(serving(slot, entry));
        let request = match Request::try_from(entry) {
            Ok(request) => request,
            Err(malformed) => return self.refuse(slot, entry, entry.responds(), malformed),
        };
        if let Some(later) = self.later_operation(&request) {
            return self.refuse(slot, &request, request.responds(), later);
        }
        // Not bound to a variable, because the future is large.
        let executed = self
            .context
            .catch_panic(self.handler.execute(entry, &request))
            .await;
        self.outcome(slot, &request, executed)
    }

    /// Continues a request from the point at which it waited at a checkpoint. It repeats the first
    /// part of [`serve`](Self::serve): a shared method would copy a large request once more, and
    /// one future with two callers costs each request 3 % more instructions.
    pub(super) async fn resume_request(
        &self,
        slot: u32,
        entry: &RequestEntry,
        since: u64,
        waits: SavedWait,
    ) -> RequestOutcome {
        self.tracker.resume(serving(slot, entry), since);
        let request = match Request::try_from(entry) {
            Ok(request) => request,
            Err(malformed) => return self.refuse(slot, entry, entry.responds(), malformed),
        };
        if let Some(later) = self.later_operation(&request) {
            return self.refuse(slot, &request, request.responds(), later);
        }
        let resumed = self.handler.resume(&request, waits);
        self.outcome(slot, &request, self.context.catch_panic(resumed).await)
    }

    /// Reason to refuse a FILE operation that the session's version lacks.
    fn later_operation(&self, request: &Request) -> Option<Malformed> {
        match request {
            Request::File(file) if file.since() > self.service.session.version() => {
                let operation = file.operation();
                Some(Malformed::LaterFileOperation { operation })
            }
            _ => None,
        }
    }

    /// Outcome of an invalid request. Reports the request.
    #[cold]
    fn refuse(
        &self,
        slot: u32,
        request: &dyn fmt::Display,
        responds: bool,
        malformed: Malformed,
    ) -> RequestOutcome {
        self.failed(Severity::Error, slot, request, &malformed.into(), responds)
    }

    /// Outcome of a request that was executed, or panicked. Reports a failure.
    #[inline(always)]
    fn outcome(
        &self,
        slot: u32,
        request: &Request,
        executed: Result<Result<RequestOutcome, Failure>, String>,
    ) -> RequestOutcome {
        let (severity, failure) = match executed {
            Ok(Ok(served)) => return served,
            Ok(Err(failure)) => (severity(&self.service.services, request, &failure), failure),
            Err(panic) => (Severity::Error, Failure::Panic(panic)),
        };
        self.failed(severity, slot, request, &failure, request.responds())
    }

    /// Reports a failed request. Returns its outcome.
    #[cold]
    fn failed(
        &self,
        severity: Severity,
        slot: u32,
        request: &dyn fmt::Display,
        failure: &Failure,
        responds: bool,
    ) -> RequestOutcome {
        let errno = failure.errno();
        let answered = if responds { "answered " } else { "" };
        if !failure.is_reported() {
            self.service.report(
                severity,
                &format!("request in slot {slot}, {request}: {failure}; {answered}{errno}"),
            );
        }
        if responds {
            RequestOutcome::Response(Response::Error(errno))
        } else {
            RequestOutcome::Silent
        }
    }
}

/// Step of a request that is being served.
fn serving(slot: u32, entry: &RequestEntry) -> MailboxStep {
    MailboxStep::Serve {
        slot,
        entry: *entry,
        awaits: AwaitedOperation::Host,
    }
}
