//! Methods in HDL, whose processes take firmware's calls and answer them.

use super::super::call::Call;
use super::super::error::Error;
use super::lifecycle::{number, signed_number, text};
use crate::sim::SimError;
use crate::sim::system_task::RunningCall;
use crate::sim::vpi_testbench::{self, Answer, CallInfo};

/// Serves a method by a variable or an event.
pub(super) fn on_call(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let method = text(running, 0, "method")?;
    let trigger = running.trigger(1).map_err(SimError::from)?;
    vpi_testbench::on_call(&method, trigger);
    Ok(0)
}

/// Takes the oldest waiting call. Returns its number, 0 if there is none.
pub(super) fn next(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let method = match running.has(0) {
        true => Some(text(running, 0, "method")?),
        false => None,
    };
    Ok(vpi_testbench::next_call(method.as_deref()).map_or(0, Into::into))
}

/// Number of calls without a result.
pub(super) fn pending(_: &mut Call, _: &RunningCall) -> Result<i64, Error> {
    Ok(vpi_testbench::pending_calls() as i64)
}

/// Uses a call by its number. A call that has ended by a reset of its channel has the default
/// value.
///
/// # Errors
/// [`Error::NoSuchCall`] for a number that no call has had.
fn with_call<T: Default>(
    running: &RunningCall,
    act: impl FnOnce(&CallInfo) -> T,
) -> Result<T, Error> {
    let number = number(running, 0)?;
    match vpi_testbench::with_call(number, act) {
        Some(found) => Ok(found),
        None if vpi_testbench::was_call(number) => Ok(T::default()),
        None => Err(Error::NoSuchCall { number }),
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
    let method = with_call(running, |call| call.method.clone())?;
    running.set_text(1, &method).map_err(SimError::from)?;
    Ok(0)
}

/// Name of a call's channel.
pub(super) fn channel(_: &mut Call, running: &RunningCall) -> Result<i64, Error> {
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
    // The channel of an ended call was reset meanwhile.
    if vpi_testbench::answer(number, answer) || vpi_testbench::was_call(number) {
        return Ok(0);
    }
    Err(Error::NoSuchCall { number })
}
