//! Ticks of a settled system: no task waits, and no other call came since the last tick.
//!
//! Most ticks of a simulation are settled. They take a short path: enter the strand, poll the
//! doorbells, leave.

use std::any::Any;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::call::Call;
use super::error::Error;
use super::guard::{guard_call, leave};
use super::system_state::{FIRST_SYSTEM_STATE, Settled, served_count};
use crate::Vhost;
use crate::bus::{PolledWords, TickWork, panic_text};
use crate::sim::strand::{self, Entered};
use crate::sim::{attention, scope};

/// Outcome of the short path.
pub(super) enum Tick {
    /// The tick has ended, with this number of channels that have not exited.
    Done(c_int),
    /// There is work: the call goes on.
    Begun(Entered, BegunTick),
    /// The system is not settled. Nothing has been done.
    Unsettled(Call),
}

/// Tick with work.
pub(super) struct BegunTick {
    vhost: Rc<Vhost>,
    /// Panic of a poll, instead of work.
    work: Result<TickWork, Panic>,
}

type Panic = Box<dyn Any + Send>;

/// Begins a tick.
#[inline(always)]
pub(super) fn tick() -> Tick {
    let Some(entered) = strand::enter_free() else {
        return Tick::Unsettled(Call::enter());
    };
    if !entered.is_settled() || attention::is_needed() {
        return Tick::Unsettled(Call::enter_with(entered));
    }
    let system = FIRST_SYSTEM_STATE.get(&entered).settled.borrow();
    let settled = system.as_ref();
    let Some(settled) = settled.filter(|settled| settled.ticks.now() + 1 < settled.until) else {
        drop(system);
        return Tick::Unsettled(Call::enter_with(entered));
    };
    scope::adopt_of_call();
    let mut polled = PolledWords::default();
    let found = catch_unwind(AssertUnwindSafe(|| settled.ticks.poll(&mut polled)));
    let panic = match found {
        Ok(any_changed) => {
            if !any_changed && !settled.ticks.any_work() {
                let served = match entered.is_settled() {
                    true => settled.served,
                    // A nested call came from inside a poll.
                    false => served_count(settled.vhost.served()),
                };
                drop(system);
                leave(Call::of(entered));
                return Tick::Done(served);
            }
            None
        }
        Err(panic) => Some(panic),
    };
    // The end of a tick settles the system again.
    entered.settle(false);
    let begun = begin(settled, panic, &polled);
    drop(system);
    Tick::Begun(entered, begun)
}

/// Calls the callback of a changed doorbell, and polls the other doorbells.
#[cold]
#[inline(never)]
fn begin(settled: &Settled, panic: Option<Panic>, polled: &PolledWords) -> BegunTick {
    let finish = || settled.ticks.finish_poll(polled);
    BegunTick {
        vhost: settled.vhost.clone(),
        work: match panic {
            None => catch_unwind(AssertUnwindSafe(finish)),
            Some(panic) => Err(panic),
        },
    }
}

/// Rest of a tick that has work.
#[inline(never)]
pub(super) fn finish(entered: Entered, begun: BegunTick) -> c_int {
    guard_call(Call::of(entered), "mb_tick", -1, |call| {
        let BegunTick { vhost, work } = begun;
        let work = work.map_err(|payload| Error::Panicked(panic_text(payload.as_ref())))?;
        Ok(served_count(call.finish_tick(&vhost, work)?))
    })
}
