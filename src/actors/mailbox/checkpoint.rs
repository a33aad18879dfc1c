//! State of a mailbox's session for checkpoints.

use mailbox_rs::{Index, Request, Response};

use super::channel::{Channel, RestoredSession};
use super::queues::are_possible;
use super::requests::RequestOutcome;
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::{RestoreError, SaveError, SavedRequest, SavedSession, SavedWait};
use crate::messages::mailbox::{MailboxStep, RequestEnd};

impl Channel {
    /// Present session; `None` before the handshake, and after the exit.
    pub(super) fn saved_session(&self) -> Result<Option<SavedSession>, SaveError> {
        let busy = || self.service.busy_error();
        let unsent_response = || self.unsent_response.get().ok_or_else(busy);
        let mut saved = self.queues.saved();
        match self.tracker.step() {
            MailboxStep::Handshake { .. } | MailboxStep::Exited { .. } => return Ok(None),
            MailboxStep::Failed => return Err(self.service.failed_error()),
            MailboxStep::Request => {}
            MailboxStep::ResponseQueueFull => saved.response = Some(unsent_response()?),
            MailboxStep::Serve {
                slot,
                entry,
                awaits,
            } => {
                let waits = match awaits {
                    AwaitedOperation::Call(call) => SavedWait::Call(call.target),
                    AwaitedOperation::Input => SavedWait::Input,
                    AwaitedOperation::Delay { until } => SavedWait::Delay {
                        until,
                        response: unsent_response()?,
                    },
                    AwaitedOperation::Host | AwaitedOperation::Memory | AwaitedOperation::File => {
                        return Err(busy());
                    }
                };
                saved.request = Some(SavedRequest {
                    slot,
                    entry,
                    since: self.tracker.since(),
                    waits,
                });
            }
        }
        Ok(Some(saved))
    }

    /// Sets the session that the task continues with.
    pub(super) fn restore_session(&self, saved: Option<&SavedSession>) -> Result<(), RestoreError> {
        if let Some(session) = saved {
            if !are_possible(
                Index(session.response_producer),
                Index(session.response_consumer),
            ) {
                let what = "more responses than the queue has slots";
                return Err(self.service.impossible_state_error(what));
            }
            if let Some(request) = &session.request
                && !is_possible(request)
            {
                let what = "a request that waits for an event of another kind of request";
                return Err(self.service.impossible_state_error(what));
            }
        }
        self.tracker.forget();
        let session = saved.cloned().map(Box::new);
        self.restored.set(Some(RestoredSession(session)));
        Ok(())
    }

    /// Continues the request of a checkpoint from the point at which it waited. Returns its
    /// response, or the response that waited for a free slot.
    pub(super) async fn resume(&self, from: SavedSession) -> Option<Response> {
        if let Some(response) = from.response {
            return Some(response);
        }
        let SavedRequest {
            slot,
            entry,
            since,
            waits,
        } = from.request?;
        let served = match waits {
            SavedWait::Delay { until, response } => {
                self.unsent_response.set(Some(response));
                let awaits = AwaitedOperation::Delay { until };
                let step = MailboxStep::Serve {
                    slot,
                    entry,
                    awaits,
                };
                self.tracker.resume(step, since);
                self.service.wait_until(until).await;
                RequestOutcome::Response(response)
            }
            waits => {
                let served = self.resume_request(slot, &entry, since, waits).await;
                if let RequestOutcome::Response(response) = served {
                    self.unsent_response.set(Some(response));
                    self.service.delay_response().await;
                }
                served
            }
        };
        self.emit(slot, &entry, &served);
        match served {
            RequestOutcome::Response(response) => {
                self.tracker.complete(RequestEnd::Answered(response));
                Some(response)
            }
            // No request waits before an exit.
            RequestOutcome::Silent | RequestOutcome::Exit(_) => {
                self.tracker.complete(RequestEnd::Silent);
                None
            }
        }
    }
}

/// True if this kind of request can wait for this event.
fn is_possible(saved: &SavedRequest) -> bool {
    let request = Request::try_from(&saved.entry);
    match &saved.waits {
        SavedWait::Call(_) => {
            matches!(request, Ok(Request::Call { .. } | Request::Custom { .. }))
        }
        SavedWait::Input => matches!(request, Ok(Request::File(_))),
        // The response of an invalid request is an error.
        SavedWait::Delay { .. } => true,
    }
}
