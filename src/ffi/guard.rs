//! The guard that every exported function passes: it enters the strand, catches panics, and reports errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::{Error, ReportTarget};
use super::process::Process;
use super::quit;
use crate::bus::panic_text;
use crate::foreign::{report, report_without_testbench};
use crate::messages::foreign::Severity;
use crate::sim::strand::{self, Abroad, Entered, Overlap, StrandCell};
use crate::sim::testbench;

/// State of the C ABI.
static PROCESS: StrandCell<Process> = StrandCell::new(Process::new());

/// The first call that was refused since another thread was inside, until a later call reports it.
static REFUSED: Mutex<Option<&'static str>> = Mutex::new(None);

/// True while [`REFUSED`] has one.
static ANY_REFUSED: AtomicBool = AtomicBool::new(false);

/// A call from C: inside the strand, unless another thread is.
pub(super) struct Call {
    entered: Result<Entered, Overlap>,
    /// The library's own code runs; dropped after the strand was left.
    _home: Option<Abroad>,
}

impl Call {
    /// Enters the strand, unless another thread is inside.
    #[inline]
    pub(super) fn enter() -> Self {
        let entered = strand::enter();
        let home = entered.is_ok().then(|| Abroad::go(false));
        let call = Self {
            entered,
            _home: home,
        };
        if ANY_REFUSED.load(Ordering::Relaxed)
            && let Ok(strand) = &call.entered
            && !testbench::is_reporting()
        {
            report_refused(PROCESS.get(strand));
        }
        call
    }

    /// State of the C ABI.
    ///
    /// # Errors
    /// [`Error::Overlap`] where another thread is inside a call.
    #[inline]
    pub(super) fn process(&self) -> Result<&Process, Error> {
        match &self.entered {
            Ok(strand) => Ok(PROCESS.get(strand)),
            Err(overlap) => Err(Error::Overlap(*overlap)),
        }
    }

    /// Leaves the strand while `act` runs: simulated time passes in it, and other calls may come from any thread.
    ///
    /// # Errors
    /// [`Error::Overlap`] where another thread is inside a call when `act` has returned.
    pub(super) fn leave_during<T>(&mut self, act: impl FnOnce() -> T) -> Result<T, Error> {
        let left = match &mut self.entered {
            Ok(strand) => strand.leave_during(act),
            Err(overlap) => Err(*overlap),
        };
        if let Err(overlap) = left {
            self.entered = Err(overlap);
        }
        Ok(left?)
    }
}

/// Runs the body of an exported function. Where it fails or panics, the error is stored and reported, and C is given `failed`.
#[inline]
pub(super) fn guard<T>(
    function: &'static str,
    failed: T,
    body: impl FnOnce(&mut Call) -> Result<T, Error>,
) -> T {
    let mut call = Call::enter();
    let answer = catch(|| body(&mut call)).unwrap_or_else(|error| {
        // Should reporting fail too, C still gets its answer.
        let _ = catch(|| {
            match &call.entered {
                Ok(strand) => tell(PROCESS.get(strand), function, &error),
                Err(overlap) => refuse(function, *overlap),
            }
            Ok(())
        });
        failed
    });
    leave(call);
    answer
}

/// Exits where that was requested while this call ran, and it is the outermost one.
#[inline]
fn leave(call: Call) {
    drop(call);
    if quit::is_requested() && !strand::is_entered() {
        quit::as_requested();
    }
}

/// Makes an error of a panic.
pub(super) fn catch<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(Error::Panicked(panic_text(payload.as_ref()))))
}

/// Notes a call that overlaps another thread's. Neither the host nor the testbench may be touched from here: the next call
/// that is not refused reports it to the testbench.
#[cold]
fn refuse(function: &'static str, overlap: Overlap) {
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    if refused.is_none() {
        *refused = Some(function);
        ANY_REFUSED.store(true, Ordering::Relaxed);
        report_without_testbench(Severity::Error, function, &overlap.to_string());
    }
}

/// Reports a call that was refused. Under UVM that is what fails the run.
#[cold]
fn report_refused(process: &Process) {
    let refused = {
        let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
        ANY_REFUSED.store(false, Ordering::Relaxed);
        refused.take()
    };
    if let Some(function) = refused {
        let text = format!("a call was refused, and nothing came of it: {Overlap}");
        process
            .returned
            .last_error
            .store_text(&format!("{function}: {text}"));
        let _ = catch(|| {
            report(Severity::Error, function, &text);
            Ok(())
        });
    }
}

fn tell(process: &Process, function: &'static str, error: &Error) {
    let text = error.to_string();
    // Stored first: whoever gets the report may ask for it.
    process
        .returned
        .last_error
        .store_text(&format!("{function}: {text}"));
    match error.report_target() {
        ReportTarget::Testbench => report(Severity::Error, function, &text),
        ReportTarget::Stderr => report_without_testbench(Severity::Error, function, &text),
        ReportTarget::None => {}
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    /// What is tested owns the strand meanwhile: tests run at once.
    static ALONE: Mutex<()> = Mutex::new(());

    fn last_error() -> String {
        let strand = strand::enter().unwrap();
        let last = PROCESS.get(&strand).returned.last_error.pointer();
        // SAFETY: it points to a stored C string, which stays while the strand is owned.
        let last = unsafe { CStr::from_ptr(last) };
        last.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_the_failed_answer_and_the_last_error() {
        let _alone = ALONE.lock();
        let answer = guard("mb_tick", -1, |_| panic!("the bottom fell out"));
        assert_eq!(answer, -1);
        assert_eq!(
            last_error(),
            "mb_tick: an error of the host itself: it panicked: the bottom fell out"
        );
    }

    #[test]
    fn an_error_becomes_the_failed_answer_and_the_last_error() {
        let _alone = ALONE.lock();
        let null = Error::Null { argument: "space" };
        assert_eq!(guard("mb_load_elf", -1, |_| Err(null)), -1);
        assert_eq!(last_error(), "mb_load_elf: `space` is NULL");
    }

    #[test]
    fn success_is_passed_on() {
        let _alone = ALONE.lock();
        assert_eq!(guard("mb_tick", -1, |_| Ok(3)), 3);
    }

    #[test]
    fn an_overlapping_call_is_refused_and_reported_once() {
        let _alone = ALONE.lock();
        let entered = strand::enter().unwrap();
        let overlap = || guard("mb_tick", -1, |call| call.process().map(|_| 0));
        let answers: Vec<_> = (0..3).map(|_| std::thread::spawn(overlap).join()).collect();
        assert!(answers.iter().all(|answer| matches!(answer, Ok(-1))));
        drop(entered);
        assert_eq!(*REFUSED.lock().unwrap(), Some("mb_tick"));
        assert_eq!(guard("mb_tick", -1, |_| Ok(5)), 5);
        assert_eq!(*REFUSED.lock().unwrap(), None);
    }

    #[cfg(feature = "python")]
    #[test]
    fn a_call_waits_for_a_thread_that_is_inside_briefly() {
        let _alone = ALONE.lock();
        let entered = strand::enter_briefly().unwrap();
        let call = std::thread::spawn(|| guard("mb_tick", -1, |call| call.process().map(|_| 7)));
        for _ in 0..1000 {
            assert!(!call.is_finished());
            std::thread::yield_now();
        }
        drop(entered);
        assert_eq!(call.join().unwrap(), 7);
        assert_eq!(*REFUSED.lock().unwrap(), None);
    }
}
