//! Calls of methods and custom commands.

use super::{Check, Phase, Session, Shared, WaitingRequest, ensure};
use crate::effect::Reply;
use crate::event::{Answer, Target};
use crate::space::Space;
use crate::wire::errno;

impl Session {
    /// Takes requests of a memory without a log, up to the first call.
    pub(super) fn until_call(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        self.until(space, shared, |waiting| {
            matches!(waiting, WaitingRequest::Call(..))
        })?;
        let calls = self.loose || matches!(self.current, Some(WaitingRequest::Call(..)));
        ensure(calls, || "a method was called without a request".to_owned())
    }

    pub(super) fn until(
        &mut self,
        space: &mut Space,
        shared: &mut Shared,
        found: fn(&WaitingRequest) -> bool,
    ) -> Check {
        let there = self.at + self.layout.request.idx_c;
        while !self.logged
            && self.phase == Phase::Ready
            && !self.loose
            && !self.current.as_ref().is_some_and(found)
            && space.word_there(there) != self.taken
        {
            self.take(space, shared)?;
        }
        Ok(())
    }

    pub(super) fn called(
        &mut self,
        target: &Target,
        args: &[u64],
        answer: Answer,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        self.until_call(space, shared)?;
        let Some(WaitingRequest::Call(wanted, with)) = &self.current else {
            return Ok(());
        };
        ensure((wanted, &with[..]) == (target, args), || {
            format!("{target:?} was called with {args:x?}, expected {wanted:?} with {with:x?}")
        })?;
        self.polls += 1;
        ensure(self.polls == 1, || {
            format!("{target:?} was polled twice in a tick")
        })?;
        let reply = match answer {
            Answer::Pending => {
                shared.coverage.hit("call pending");
                return Ok(());
            }
            Answer::Ready(value) => {
                shared.coverage.hit("call ready");
                Reply::Value(value)
            }
            Answer::Failed => {
                shared.coverage.hit("call failed");
                Reply::Error(errno::EIO)
            }
        };
        self.current = None;
        if self.phase == Phase::Ready {
            self.answers.push_back(vec![reply]);
        }
        Ok(())
    }
}
