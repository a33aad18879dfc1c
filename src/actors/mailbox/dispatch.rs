//! Dispatch of one request: it is checked and performed, and its failure reported.

use std::fmt;

use mailbox_rs::{Malformed, Request, RequestEntry, Response};

use super::channel::Channel;
use super::requests::Served;
use crate::actors::service::{Failure, severity};
use crate::messages::checkpoint::SavedWait;
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{Step, Task};

impl Channel {
    /// Serves one request, valid or not: one of a checkpoint from where it waited. Its response may be held back.
    pub(super) async fn serve(
        &self,
        slot: u32,
        entry: &RequestEntry,
        waits: Option<Box<SavedWait>>,
    ) -> Result<Served, Failure> {
        self.tracker.enter(Step::Serve {
            slot,
            entry: *entry,
            task: Task::Host,
        });
        let served = match Request::try_from(entry) {
            Err(malformed) => self.refuse(slot, entry, entry.responds(), malformed),
            Ok(request) => match self.later_operation(&request) {
                Some(later) => self.refuse(slot, &request, request.responds(), later),
                None => {
                    // The future is large: not in a variable, and the rare one in a box.
                    let performed = match waits {
                        None => {
                            self.context
                                .catch_panic(self.handler.perform(entry, &request))
                                .await
                        }
                        Some(waits) => {
                            let resumed = self.handler.resume(&request, *waits);
                            Box::pin(self.context.catch_panic(resumed)).await
                        }
                    };
                    self.outcome(slot, &request, performed)
                }
            },
        };
        self.service.release_slot().await?;
        if self.service.has_faults()
            && let Served::Response(response) = served
        {
            self.held.set(Some(response));
            Box::pin(self.service.delay_response()).await;
        }
        Ok(served)
    }

    /// Reason to refuse a FILE operation that the session's version does not have.
    fn later_operation(&self, request: &Request) -> Option<Malformed> {
        match request {
            Request::File(file) if file.since() > self.service.session.version() => {
                let operation = file.operation();
                Some(Malformed::LaterFileOperation { operation })
            }
            _ => None,
        }
    }

    /// Outcome of an invalid request, which is reported.
    #[cold]
    fn refuse(
        &self,
        slot: u32,
        request: &dyn fmt::Display,
        responds: bool,
        malformed: Malformed,
    ) -> Served {
        self.failed(Severity::Error, slot, request, &malformed.into(), responds)
    }

    /// Outcome of a request that was performed, or panicked. A failure is reported.
    #[inline(always)]
    fn outcome(
        &self,
        slot: u32,
        request: &Request,
        performed: Result<Result<Served, Failure>, String>,
    ) -> Served {
        let (severity, failure) = match performed {
            Ok(Ok(served)) => return served,
            Ok(Err(failure)) => (severity(&self.service.services, request, &failure), failure),
            Err(panic) => (Severity::Error, Failure::Panic(panic)),
        };
        self.failed(severity, slot, request, &failure, request.responds())
    }

    /// Reports a request that failed. Returns its outcome.
    #[cold]
    fn failed(
        &self,
        severity: Severity,
        slot: u32,
        request: &dyn fmt::Display,
        failure: &Failure,
        responds: bool,
    ) -> Served {
        let errno = failure.errno();
        let answered = if responds { "answered " } else { "" };
        if !failure.is_reported() {
            self.service.report(
                severity,
                &format!("request in slot {slot}, {request}: {failure}; {answered}{errno}"),
            );
        }
        if responds {
            Served::Response(Response::Error(errno))
        } else {
            Served::Silent
        }
    }
}
