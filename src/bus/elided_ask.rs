//! Plain calls in place of messages from outside of the bus.

use super::scheduler::ActorCodeGuard;
use super::{Bus, NoReply, Ticket};

/// Permission to elide the messages of one [`Bus::ask`]. Tasks that have become ready are polled
/// when it is dropped.
pub(crate) struct ElidedAsk<'a> {
    bus: &'a Bus,
    inside: Option<ActorCodeGuard<'a>>,
}

impl Drop for ElidedAsk<'_> {
    fn drop(&mut self) {
        drop(self.inside.take());
        self.bus.end_ask();
    }
}

impl Bus {
    /// Starts calls in place of [`ask`](Self::ask). `None` if the difference would be observable.
    pub(crate) fn begin_elided_ask(&self) -> Option<ElidedAsk<'_>> {
        self.can_elide_ask().then(|| ElidedAsk {
            bus: self,
            inside: Some(self.scheduler.enter_actor_code()),
        })
    }

    /// Makes the foreign call in place of a message from outside. The caller has checked that the
    /// bus [can elide](Self::can_elide_ask) it.
    ///
    /// # Errors
    /// [`NoReply`] if the call panics.
    #[inline]
    pub(crate) fn call_from_outside<T>(
        &self,
        of: Ticket,
        call: impl FnOnce() -> T,
    ) -> Result<T, NoReply> {
        let mut result = None;
        {
            let _call = self.scheduler.begin_outer_call();
            self.state.catch_panic(of, || result = Some(call()));
        }
        if self.scheduler.any_call_pending() {
            let _inside = self.scheduler.enter_actor_code();
            self.scheduler.make_calls();
        }
        self.end_ask();
        result.ok_or_else(|| self.state.unanswered(of))
    }

    /// True if a message from outside would now be handled at once, before all other work, and no
    /// tap would observe it.
    #[inline]
    pub(crate) fn can_elide_ask(&self) -> bool {
        let is_calm = match self.in_foreign_call() {
            true => !self.scheduler.any_message_pending(),
            false => !self.executor.is_ready() && !self.scheduler.any_pending(),
        };
        let refused = self.in_actor_or_tap();
        is_calm && !refused && !self.state.shows()
    }
}
