//! Calls of methods and custom commands.

use super::{Check, Phase, Session, Shared, WaitingRequest, ensure};
use crate::effect::Response;
use crate::event::{PollResult, Target};
use crate::space::Space;
use crate::wire::errno;

impl Session {
    /// Takes requests of a memory without a log, up to the first call.
    pub(super) fn take_until_call(&mut self, space: &mut Space, shared: &mut Shared) -> Check {
        self.take_until(space, shared, |waiting| {
            matches!(waiting, WaitingRequest::Call(..))
        })?;
        let calls = self.is_relaxed || matches!(self.current, Some(WaitingRequest::Call(..)));
        ensure(calls, || "a method was called without a request".to_owned())
    }

    pub(super) fn take_until(
        &mut self,
        space: &mut Space,
        shared: &mut Shared,
        found: fn(&WaitingRequest) -> bool,
    ) -> Check {
        let index = self.at + self.layout.request.idx_c;
        while !self.is_logged
            && self.phase == Phase::Ready
            && !self.is_relaxed
            && !self.current.as_ref().is_some_and(found)
            && space.actual_word(index) != self.consumed
        {
            self.take(space, shared)?;
        }
        Ok(())
    }

    pub(super) fn check_call(
        &mut self,
        target: &Target,
        args: &[u64],
        result: PollResult,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        self.take_until_call(space, shared)?;
        let Some(WaitingRequest::Call(expected, with)) = &self.current else {
            return Ok(());
        };
        ensure((expected, &with[..]) == (target, args), || {
            format!("{target:?} was called with {args:x?}, expected {expected:?} with {with:x?}")
        })?;
        self.polls += 1;
        ensure(self.polls == 1, || {
            format!("{target:?} was polled twice in a tick")
        })?;
        let response = match result {
            PollResult::Pending => {
                shared.coverage.hit("call pending");
                return Ok(());
            }
            PollResult::Ready(value) => {
                shared.coverage.hit("call ready");
                Response::Value(value)
            }
            PollResult::Failed => {
                shared.coverage.hit("call failed");
                Response::Error(errno::EIO)
            }
        };
        self.current = None;
        if self.phase == Phase::Ready {
            self.expected_responses.push_back(vec![response]);
        }
        Ok(())
    }
}
