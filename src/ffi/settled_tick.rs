//! Ticks of a settled system: nothing waits, and no other call came since the last tick.
//!
//! Most ticks of a simulation are such ones. They take a short path: enter the strand, poll the doorbells, leave.

use std::ffi::c_int;

use super::call::Call;
use super::error::{Error, catch};
use super::guard::leave;
use super::process::{PROCESS, Process};
use crate::bus::{PolledWords, TickWork};
use crate::sim::strand::{self, Abroad};
use crate::sim::{attention, scope};

/// Outcome of the short path.
pub(super) enum Tick {
    /// The tick is over: number of channels that have not exited.
    Done(c_int),
    /// There is work, which [`ring`] returns, or a poll has panicked: the call goes on.
    Begun(Call, Result<(), Error>),
    /// The system is not settled. Nothing has been done.
    Unsettled(Call),
}

/// Begins a tick.
#[inline(always)]
pub(super) fn tick(polled: &mut PolledWords) -> Tick {
    let Some(entered) = strand::enter_free() else {
        return Tick::Unsettled(Call::enter());
    };
    if !entered.is_settled() || attention::is_needed() {
        return Tick::Unsettled(Call::enter_with(entered));
    }
    let system = PROCESS.get(&entered).settled.borrow();
    let settled = system.as_ref();
    let Some(settled) = settled.filter(|settled| settled.ticks.now() + 1 < settled.until) else {
        drop(system);
        return Tick::Unsettled(Call::enter_with(entered));
    };
    scope::adopt_of_call();
    let found = catch(|| {
        let _abroad = Abroad::begin_polls(&entered);
        let rang = settled.ticks.poll(polled);
        Ok(rang || settled.ticks.any_work())
    });
    let served = settled.served;
    drop(system);
    let call = Call::of(entered);
    match found {
        Ok(false) => {
            leave(call);
            Tick::Done(served)
        }
        found => Tick::Begun(call, found.map(drop)),
    }
}

/// Calls the callback of a doorbell that has changed, and polls the others. Returns the resulting work.
pub(super) fn ring(process: &Process, polled: &PolledWords) -> TickWork {
    let settled = process.settled.borrow();
    let settled = settled.as_ref();
    settled.map_or_else(TickWork::default, |settled| settled.ticks.ring(polled))
}
