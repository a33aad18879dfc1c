//! Ticks of a settled system: nothing waits, and no other call came since the last tick.
//!
//! Most ticks of a simulation are such ones. They take a short path: enter the strand, poll the doorbells, leave.

use std::rc::Rc;

use super::call::Call;
use super::error::{Error, catch};
use super::guard::leave;
use super::process::PROCESS;
use crate::Vhost;
use crate::bus::TickWork;
use crate::sim::attention;
use crate::sim::strand;

/// Outcome of the short path.
pub(super) enum Tick {
    /// The tick is over: number of channels that have not exited.
    Done(usize),
    /// There is work, or a poll has panicked: the call goes on.
    Begun(Call, Result<Begun, Error>),
}

/// Tick with work.
pub(super) struct Begun {
    pub(super) vhost: Rc<Vhost>,
    pub(super) work: TickWork,
}

/// Begins a tick, if the system is settled.
#[inline(always)]
pub(super) fn tick() -> Option<Tick> {
    let entered = strand::enter_settled()?;
    if attention::is_needed() {
        return None;
    }
    let vhost = PROCESS.get(&entered).settled()?;
    let work = match catch(|| Ok(vhost.begin_settled_tick())) {
        Ok(None) => {
            let served = vhost.served();
            drop(vhost);
            leave(Call::of(entered));
            return Some(Tick::Done(served));
        }
        Ok(Some(work)) => Ok(Begun { vhost, work }),
        Err(error) => Err(error),
    };
    Some(Tick::Begun(Call::of(entered), work))
}
