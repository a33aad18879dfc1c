//! Call from C: its access to the systems, and reports of its errors.

use std::mem;

use super::error::{Error, catch};
use super::fork::{FORKS, Forks, Side};
use super::forked::end_fork;
use super::refused_calls::{self, Unreported};
use super::system_state::SystemState;
use super::systems;
use crate::bus::panic_text;
use crate::foreign::report;
use crate::messages::foreign::Severity;
use crate::sim::attention::{self, Cause};
use crate::sim::call_timeout;
use crate::sim::current_system::{SystemId, current, select, selected, set_current};
use crate::sim::strand::{self, CodeGuard, Entered, Overlap};
use crate::sim::system_task::name_of_running;
use crate::sim::{caller, lifetime, scope, testbench};

/// Call from C. It is inside the strand, unless another thread is.
pub(super) struct Call {
    entered: Result<Entered, Overlap>,
    /// The library's own code runs, in a call from inside another one.
    nested: Option<NestedCall>,
}

/// Return from a call to the foreign code that has made it.
struct NestedCall {
    guard: CodeGuard,
    /// System that has called the foreign code.
    system: SystemId,
}

impl Drop for NestedCall {
    fn drop(&mut self) {
        set_current(self.system);
    }
}

impl Call {
    /// Enters the strand, unless another thread is inside.
    #[inline]
    pub(super) fn enter() -> Self {
        let call = Self::enter_as_is();
        if attention::is_needed() {
            return call.attend();
        }
        call
    }

    /// Wraps a strand that was entered by [`strand::enter_free`] in a call.
    #[inline]
    pub(super) fn enter_with(entered: Entered) -> Self {
        entered.settle(false);
        let call = Self::of(entered);
        if attention::is_needed() {
            return call.attend();
        }
        call
    }

    /// Selects the system of the call.
    pub(super) fn begin(&self) {
        if let Ok(strand) = &self.entered {
            systems::begin_call(strand, self.selected());
        }
    }

    /// Selected system of the call, and its replacement if that was closed: those of the foreign
    /// code in a nested call, otherwise those of the process.
    fn selected(&self) -> [SystemId; 2] {
        match &self.nested {
            None => [selected(), SystemId::FIRST],
            Some(nested) => [
                nested.guard.selected().unwrap_or(nested.system),
                nested.system,
            ],
        }
    }

    /// Selects a system for later calls. In a nested call it applies to calls of the foreign code
    /// until that returns.
    pub(super) fn select(&mut self, system: SystemId) {
        match &mut self.nested {
            None => select(system),
            Some(nested) => nested.guard.select(system),
        }
    }

    /// Outermost call that has already entered the strand.
    pub(super) fn of(entered: Entered) -> Self {
        Self {
            entered: Ok(entered),
            nested: None,
        }
    }

    /// Records that the system is settled: [`settled_tick`](super::settled_tick) takes the short
    /// path until the next other call.
    #[inline]
    pub(super) fn settle(&self) {
        if let Ok(entered) = &self.entered {
            entered.settle(true);
        }
    }

    /// Handles the causes of [`attention`]: further systems, a call timeout, refused calls, a fork.
    #[cold]
    fn attend(self) -> Self {
        let Ok(strand) = &self.entered else {
            return self;
        };
        systems::begin_call(strand, self.selected());
        call_timeout::entered();
        if refused_calls::any_unreported() {
            report_refused(systems::system_state(strand));
        }
        if FORKS.get(strand).is_pending() {
            return self.after_fork();
        }
        attention::lower(Cause::Fork);
        self
    }

    /// Enters the strand, without handling forks or refused calls.
    #[inline]
    pub(super) fn enter_as_is() -> Self {
        let entered = strand::enter();
        // An outermost call comes from no foreign call.
        let nested = matches!(&entered, Ok(entered) if !entered.is_outermost());
        let nested = nested.then(|| NestedCall {
            guard: CodeGuard::library(),
            system: current(),
        });
        Self { entered, nested }
    }

    /// Handles an unannounced fork.
    #[cold]
    fn after_fork(mut self) -> Self {
        let ended = catch(|| match self.end_fork()? {
            Side::Parent => Err(Error::Unfinished),
            Side::Child => Ok(()),
        });
        if let Err(error) = ended {
            self.report_error("vhost", &error);
        }
        self
    }

    /// Returns the strand.
    ///
    /// # Errors
    /// [`Error::Overlap`] if another thread is inside a call.
    #[inline]
    pub(super) fn strand(&self) -> Result<&Entered, Error> {
        match &self.entered {
            Ok(strand) => Ok(strand),
            Err(overlap) => Err(Error::Overlap(*overlap)),
        }
    }

    /// Returns the current system, even if the host was lost in a fork.
    ///
    /// # Errors
    /// [`Error::Overlap`] if another thread is inside a call.
    #[inline]
    pub(super) fn entered(&self) -> Result<&SystemState, Error> {
        Ok(systems::system_state(self.strand()?))
    }

    /// Returns the forks of the process.
    ///
    /// # Errors
    /// [`Error::Overlap`] if another thread is inside a call.
    #[inline]
    pub(super) fn forks(&self) -> Result<&Forks, Error> {
        Ok(FORKS.get(self.strand()?))
    }

    /// True if the call is not nested in another.
    pub(super) fn is_outermost(&self) -> bool {
        self.entered.as_ref().is_ok_and(Entered::is_outermost)
    }

    /// Keeps the strand after this call.
    pub(super) fn keep(&mut self) {
        let inner = strand::enter();
        if let Ok(entered) = mem::replace(&mut self.entered, inner) {
            strand::keep(entered);
        }
    }

    /// Leaves the kept strand after this call.
    pub(super) fn take_over(&mut self) {
        if let Some(kept) = strand::enter_kept() {
            self.entered = Ok(kept);
            // The call is an outermost one now, with no foreign code around it.
            self.nested = None;
            self.begin();
        }
    }

    /// Returns the current system.
    ///
    /// # Errors
    /// [`Error::Overlap`] if another thread is inside a call, [`Error::StillLost`] if the host was
    /// lost in a fork.
    #[inline]
    pub(super) fn system_state(&self) -> Result<&SystemState, Error> {
        Ok(systems::system_state(self.usable_strand()?))
    }

    /// Returns the strand of a usable host.
    ///
    /// # Errors
    /// As [`process`](Self::process).
    #[inline]
    pub(super) fn usable_strand(&self) -> Result<&Entered, Error> {
        let strand = self.strand()?;
        if FORKS.get(strand).is_lost() {
            return Err(Error::StillLost);
        }
        Ok(strand)
    }

    /// Refuses a call that concerns the process, if it comes from inside a report or a foreign call
    /// of any system.
    ///
    /// # Errors
    /// [`Error::Reentrant`], and the errors of [`process`](Self::process).
    pub(super) fn reject_inside_any(&self) -> Result<(), Error> {
        systems::each(self.usable_strand()?, SystemState::reject_reentrant)
    }

    /// Refuses a call from inside a foreign call or a report.
    ///
    /// # Errors
    /// [`Error::Reentrant`], and the errors of [`process`](Self::process).
    #[inline]
    pub(super) fn reject_reentrant(&self) -> Result<(), Error> {
        match &self.entered {
            // The usual case of a tick: the call is not nested.
            Ok(strand) if strand.is_outermost() => Ok(()),
            _ => self.system_state()?.reject_reentrant(),
        }
    }

    /// Leaves the strand while `act` runs, so that simulated time can advance and other calls may
    /// come from any thread. If the system of this call was closed meanwhile, the first system
    /// becomes the current one.
    ///
    /// # Errors
    /// [`Error::Overlap`] if another thread is inside a call when `act` has returned,
    /// [`Error::Panicked`] if it panicked.
    pub(super) fn leave_during<T>(&mut self, act: impl FnOnce() -> T) -> Result<T, Error> {
        let system = current();
        let (entered, outcome) = mem::replace(&mut self.entered, Err(Overlap))?.leave_during(act);
        self.entered = entered;
        if let Ok(strand) = &self.entered {
            // Another call may have closed the system, and a new one may have its number.
            let is_open = systems::is_open(strand, system);
            set_current(if is_open { system } else { SystemId::FIRST });
        }
        self.system_state()?;
        outcome.map_err(|payload| Error::Panicked(panic_text(payload.as_ref())))
    }

    /// Ends a fork, in the parent or in the child.
    pub(super) fn end_fork(&mut self) -> Result<Side, Error> {
        let side = end_fork(self.strand()?);
        self.take_over();
        side
    }

    /// Stores and reports the error of a call. A refused call is recorded, so that a later call
    /// reports it.
    #[cold]
    pub(super) fn report_error(&self, function: &'static str, error: &Error) {
        // A task may be a function of the C ABI by another name.
        let task = name_of_running().filter(|task| task.strip_prefix('$') == Some(function));
        let function = task.unwrap_or(function);
        // The caller gets its result even if the report fails.
        let _ = catch(|| {
            match &self.entered {
                Ok(strand) => report_error(systems::system_state(strand), function, error),
                Err(Overlap) => refused_calls::note(function),
            }
            Ok(())
        });
    }
}

/// Stores the latest refused call, and reports the first, unless this call comes from inside a
/// report. Under UVM, the report fails the run.
fn report_refused(system_state: &SystemState) {
    if testbench::is_reporting() {
        return;
    }
    let Unreported { first, latest } = refused_calls::take_unreported();
    let text = refused_calls::text();
    if let Some(function) = latest {
        let last_error = &system_state.returned.last_error;
        last_error.keep(format!("{function}: {text}"));
    }
    if let Some(function) = first {
        let _ = catch(|| {
            report(Severity::Error, function, &text);
            Ok(())
        });
    }
}

fn report_error(system_state: &SystemState, function: &'static str, error: &Error) {
    let text = error.to_string();
    // Stored first, because the receiver of the report may read it.
    system_state
        .returned
        .last_error
        .keep(format!("{function}: {text}"));
    let is_late = error.is_access() && scope::simulation_is_over();
    if error.is_reported() && (!is_late || lifetime::count_late()) {
        let mut place = String::new();
        let known = caller::write_place(&mut place).is_ok() && !place.is_empty();
        let text = if known {
            format!("{text} ({place})")
        } else {
            text
        };
        report(Severity::Error, function, &text);
    }
}
