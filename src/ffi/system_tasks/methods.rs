//! Methods in HDL, whose processes take firmware's calls and answer them.

use super::super::call::Call;
use super::super::error::Error;
use super::lifecycle::{named, number, signed_number, text};
use crate::sim::SimError;
use crate::sim::system_task::RunningCall;
use crate::sim::vpi_testbench::{self, Answer, CallInfo, NoCall, Unserved};

/// Serves a method by a variable or an event.
pub(super) fn on_call(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let method = named(running, 0, "method")?;
    let trigger = running.trigger(1).map_err(SimError::from)?;
    vpi_testbench::on_call(&method, trigger);
    Ok(0)
}

/// Takes the oldest waiting call. Returns its number, 0 if there is none.
pub(super) fn next(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let method = match running.has(0) {
        true => Some(named(running, 0, "method")?),
        false => None,
    };
    match vpi_testbench::next_call(method.as_deref()) {
        Ok(next) => Ok(next.map_or(0, Into::into)),
        Err(Unserved) => Err(Error::NotServed {
            method: method.unwrap_or_default(),
        }),
    }
}

/// Number of calls without a result.
pub(super) fn pending(_: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    Ok(vpi_testbench::pending_calls() as i64)
}

/// Uses a call by its number. A call that has ended by a reset of its channel has the default
/// value.
///
/// # Errors
/// [`Error::NoSuchCall`] for a number that no call has had, [`Error::CallAnswered`] for a call
/// whose answer firmware has.
fn with_call<T: Default>(
    running: &RunningCall,
    act: impl FnOnce(&CallInfo) -> T,
) -> Result<T, Error> {
    let number = number(running, 0)?;
    vpi_testbench::with_call(number, act).or_else(|reason| unless_dropped(number, reason))
}

/// Default value for a dropped call, whose channel was reset meanwhile; otherwise an error.
fn unless_dropped<T: Default>(number: u64, reason: NoCall) -> Result<T, Error> {
    match reason {
        NoCall::Dropped => Ok(T::default()),
        NoCall::Answered => Err(Error::CallAnswered { number }),
        NoCall::Unknown => Err(Error::NoSuchCall { number }),
    }
}

/// Tests if a call is for a method. Returns 1 or 0.
pub(super) fn is(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let method = text(running, 1, "method")?;
    let is = with_call(running, |call| call.method == method)?;
    Ok(is.into())
}

/// Name of a call's method.
pub(super) fn method(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    running.set_text(1, "").map_err(SimError::from)?;
    let method = with_call(running, |call| call.method.clone())?;
    running.set_text(1, &method).map_err(SimError::from)?;
    Ok(0)
}

/// Name of a call's channel.
pub(super) fn channel(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    running.set_text(1, "").map_err(SimError::from)?;
    let channel = with_call(running, |call| call.channel.clone())?;
    running.set_text(1, &channel).map_err(SimError::from)?;
    Ok(0)
}

/// Number of arguments of a call.
pub(super) fn args(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let count = with_call(running, |call| call.args.len())?;
    Ok(count as i64)
}

/// Argument of a call; 0 after the last one.
pub(super) fn arg(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let index = usize::try_from(number(running, 1)?).unwrap_or(usize::MAX);
    let arg = with_call(running, |call| call.args.get(index).copied().unwrap_or(0))?;
    Ok(arg.cast_signed())
}

/// Sets the result of a call, 0 by default.
pub(super) fn answer(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let result = match running.has(1) {
        true => signed_number(running, 1)?,
        false => 0,
    };
    give(running, Answer::Result(result))
}

/// Answers a call with an unknown method.
pub(super) fn no_method(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    give(running, Answer::Absent)
}

/// Fails a call.
pub(super) fn fail(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    give(running, Answer::Failed)
}

fn give(running: &RunningCall, answer: Answer) -> Result<i64, Error> {
    let number = number(running, 0)?;
    let answered = vpi_testbench::answer(number, answer);
    answered.or_else(|reason| unless_dropped(number, reason))?;
    Ok(0)
}
