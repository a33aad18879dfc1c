//! The guard that every exported function passes: it enters the strand, catches panics, and reports errors.

use std::ffi::c_int;
use std::mem;

use super::error::{Error, catch};
use super::fork::Side;
use super::process::{PROCESS, Process};
use super::quit;
use super::refused::{self, Unreported};
use crate::bus::panic_text;
use crate::foreign::report;
use crate::messages::foreign::Severity;
use crate::sim::attention::{self, Cause};
use crate::sim::call_timeout;
use crate::sim::strand::{self, Abroad, Entered, Overlap};
use crate::sim::{lifetime, scope, testbench};

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
        let call = Self::enter_as_is();
        if attention::is_needed() {
            return call.attend();
        }
        call
    }

    /// An outermost call that has entered the strand already.
    pub(super) fn of(entered: Entered) -> Self {
        Self {
            entered: Ok(entered),
            _home: None,
        }
    }

    /// Notes that the system is settled: [`strand::enter_settled`] succeeds until the next call.
    #[inline]
    pub(super) fn settle(&self) {
        if let Ok(entered) = &self.entered {
            entered.settle();
        }
    }

    /// Attends to what has happened since the last call.
    #[cold]
    fn attend(self) -> Self {
        let Ok(strand) = &self.entered else {
            return self;
        };
        let process = PROCESS.get(strand);
        call_timeout::entered();
        if refused::any_unreported() {
            report_refused(process);
        }
        if process.forks.is_pending() {
            return self.after_fork();
        }
        attention::lower(Cause::Fork);
        self
    }

    /// Enters the strand, whatever there is to follow or to report.
    #[inline]
    fn enter_as_is() -> Self {
        let entered = strand::enter();
        // An outermost call comes from no foreign call.
        let home = matches!(&entered, Ok(entered) if !entered.is_outermost());
        let home = home.then(|| Abroad::go(false));
        Self {
            entered,
            _home: home,
        }
    }

    /// Follows an unannounced fork.
    #[cold]
    fn after_fork(mut self) -> Self {
        let ended = catch(|| match self.end_fork()? {
            Side::Parent => Err(Error::Unfinished),
            Side::Child => Ok(()),
        });
        if let Err(error) = ended {
            self.tell("vhost", &error);
        }
        self
    }

    /// State of the C ABI, also where the host was lost in a fork.
    ///
    /// # Errors
    /// [`Error::Overlap`] where another thread is inside a call.
    #[inline]
    pub(super) fn entered(&self) -> Result<&Process, Error> {
        match &self.entered {
            Ok(strand) => Ok(PROCESS.get(strand)),
            Err(overlap) => Err(Error::Overlap(*overlap)),
        }
    }

    /// True where the call comes from inside no other.
    pub(super) fn is_outermost(&self) -> bool {
        self.entered.as_ref().is_ok_and(Entered::is_outermost)
    }

    /// Keeps the strand when this call is over.
    pub(super) fn keep(&mut self) {
        let inner = strand::enter();
        if let Ok(entered) = mem::replace(&mut self.entered, inner) {
            strand::keep(entered);
        }
    }

    /// Leaves the strand, which was kept, when this call is over.
    pub(super) fn take_over(&mut self) {
        if let Some(kept) = strand::enter_kept() {
            self.entered = Ok(kept);
        }
    }

    /// State of the C ABI.
    ///
    /// # Errors
    /// [`Error::Overlap`] where another thread is inside a call, [`Error::StillLost`] where the host was lost in a fork.
    #[inline]
    pub(super) fn process(&self) -> Result<&Process, Error> {
        let process = self.entered()?;
        if process.forks.is_lost() {
            return Err(Error::StillLost);
        }
        Ok(process)
    }

    /// Refuses a call that comes from inside a foreign call or a report.
    ///
    /// # Errors
    /// [`Error::Reentrant`], and what [`process`](Self::process) fails with.
    #[inline]
    pub(super) fn reject_reentrant(&self) -> Result<(), Error> {
        match &self.entered {
            // On the path of every tick: it comes from inside no other call.
            Ok(strand) if strand.is_outermost() => Ok(()),
            _ => self.process()?.reject_reentrant(),
        }
    }

    /// Leaves the strand while `act` runs: simulated time passes in it, and other calls may come from any thread.
    ///
    /// # Errors
    /// [`Error::Overlap`] where another thread is inside a call when `act` has returned, [`Error::Panicked`] where it panicked.
    pub(super) fn leave_during<T>(&mut self, act: impl FnOnce() -> T) -> Result<T, Error> {
        let (entered, outcome) = mem::replace(&mut self.entered, Err(Overlap))?.leave_during(act);
        self.entered = entered;
        self.process()?;
        outcome.map_err(|payload| Error::Panicked(panic_text(payload.as_ref())))
    }

    /// Ends a fork, on either side.
    pub(super) fn end_fork(&mut self) -> Result<Side, Error> {
        let side = self.entered()?.end_fork();
        self.take_over();
        side
    }

    /// Stores and reports the error of a call. One that was refused is noted for a call that is not.
    #[cold]
    pub(super) fn tell(&self, function: &'static str, error: &Error) {
        // Should reporting fail too, the caller still gets its answer.
        let _ = catch(|| {
            match &self.entered {
                Ok(strand) => tell(PROCESS.get(strand), function, error),
                Err(Overlap) => refused::note(function),
            }
            Ok(())
        });
    }
}

/// Runs the body of an exported function. Where it fails or panics, the error is stored and reported, and C is given `failed`.
#[inline]
pub(super) fn guard<T>(
    function: &'static str,
    failed: T,
    body: impl FnOnce(&mut Call) -> Result<T, Error>,
) -> T {
    guard_call(Call::enter(), function, failed, body)
}

/// Runs the body of an exported function in a call that has begun.
#[inline]
pub(super) fn guard_call<T>(
    mut call: Call,
    function: &'static str,
    failed: T,
    body: impl FnOnce(&mut Call) -> Result<T, Error>,
) -> T {
    let answer = catch(|| body(&mut call)).unwrap_or_else(|error| {
        call.tell(function, &error);
        failed
    });
    leave(call);
    answer
}

/// Exits where that was requested while this call ran, and it is the outermost one.
#[inline]
pub(super) fn leave(call: Call) {
    drop(call);
    if quit::is_requested() {
        quit::unless_inside();
    }
}

/// Runs the body of a function that ends a fork. It gives -1 where it fails.
pub(super) fn guard_after_fork(
    function: &'static str,
    body: impl FnOnce(&mut Call) -> Result<c_int, Error>,
) -> c_int {
    let mut call = Call::enter_as_is();
    let answer = catch(|| body(&mut call)).unwrap_or_else(|error| {
        call.tell(function, &error);
        -1
    });
    leave(call);
    answer
}

/// Stores the latest refused call, and reports the first, unless this is a call from inside a report. Under UVM that is what fails the
/// run.
fn report_refused(process: &Process) {
    if testbench::is_reporting() {
        return;
    }
    let Unreported { first, latest } = refused::take_unreported();
    let text = refused::text();
    if let Some(function) = latest {
        let last_error = &process.returned.last_error;
        last_error.keep(format!("{function}: {text}"));
    }
    if let Some(function) = first {
        let _ = catch(|| {
            report(Severity::Error, function, &text);
            Ok(())
        });
    }
}

fn tell(process: &Process, function: &'static str, error: &Error) {
    let text = error.to_string();
    // Stored first: the receiver of the report may read it.
    process
        .returned
        .last_error
        .keep(format!("{function}: {text}"));
    let is_late = error.is_access() && scope::simulation_is_over();
    if error.is_reported() && (!is_late || lifetime::count_late()) {
        report(Severity::Error, function, &text);
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::foreign::host_code;

    /// Lock of tests that own the strand: tests run concurrently.
    static ALONE: Mutex<()> = Mutex::new(());

    fn last_error() -> String {
        let strand = strand::enter().unwrap();
        let last = PROCESS.get(&strand).returned.last_error.give();
        // SAFETY: it points to a stored C string, which stays while the strand is owned.
        let last = unsafe { CStr::from_ptr(last) };
        last.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_the_failed_answer_and_the_last_error() {
        let _claim = ALONE.lock();
        let answer = guard("mb_tick", -1, |_| panic!("the bottom fell out"));
        assert_eq!(answer, -1);
        assert_eq!(
            last_error(),
            "mb_tick: internal error of the host: it panicked: the bottom fell out"
        );
    }

    #[test]
    fn an_error_becomes_the_failed_answer_and_the_last_error() {
        let _claim = ALONE.lock();
        let null = Error::Null { argument: "space" };
        assert_eq!(guard("mb_load_elf", -1, |_| Err(null)), -1);
        assert_eq!(last_error(), "mb_load_elf: `space` is NULL");
    }

    #[test]
    fn success_is_passed_on() {
        let _claim = ALONE.lock();
        assert_eq!(guard("mb_tick", -1, |_| Ok(3)), 3);
    }

    /// True if another thread can be inside.
    fn is_free() -> bool {
        std::thread::spawn(|| strand::enter().is_ok())
            .join()
            .unwrap()
    }

    #[test]
    fn a_panic_while_time_passes_leaves_the_call_inside_the_strand() {
        let _claim = ALONE.lock();
        let answer = guard("mb_server_run", -1, |call| {
            let stepped = call.leave_during(|| {
                assert!(is_free());
                panic!("in between")
            });
            assert!(!is_free());
            stepped
        });
        assert_eq!(answer, -1);
        assert!(is_free());
        assert!(last_error().ends_with("it panicked: in between"));
    }

    #[test]
    fn a_panic_while_another_thread_is_inside_leaves_the_call_refused() {
        let _claim = ALONE.lock();
        let (entered, is_entered) = channel();
        let (end, is_ended) = channel::<()>();
        let other = std::thread::spawn(move || {
            is_entered.recv().unwrap();
            // The first thread asks again and again whether it is free, and so is inside for moments.
            let inside = loop {
                if let Ok(inside) = strand::enter() {
                    break inside;
                }
            };
            is_ended.recv().unwrap();
            drop(inside);
        });
        let answer = guard("mb_server_run", -1, |call| {
            call.leave_during(|| {
                entered.send(()).unwrap();
                while strand::enter().is_ok() {
                    std::thread::yield_now();
                }
                panic!("in between")
            })
        });
        assert_eq!(answer, -1);
        assert!(strand::enter().is_err(), "it is the other thread's still");
        end.send(()).unwrap();
        other.join().unwrap();
        assert_eq!(refused::take_unreported().latest, Some("mb_server_run"));
        refused::take_count();
    }

    #[test]
    fn of_overlapping_calls_the_first_is_reported_and_the_others_are_counted() {
        let _claim = ALONE.lock();
        let overlapping = |calls| {
            let _entered = strand::enter().unwrap();
            let overlap = || guard("mb_tick", -1, |call| call.process().map(|_| 0));
            for _ in 0..calls {
                let answer = std::thread::spawn(overlap).join();
                assert!(matches!(answer, Ok(-1)));
            }
        };
        let unreported = |first, latest| Unreported { first, latest };
        overlapping(3);
        assert!(refused::any_unreported());
        assert_eq!(guard("mb_tick", -1, |_| Ok(5)), 5);
        assert_eq!(refused::take_unreported(), Unreported::default());
        assert!(last_error().starts_with("mb_tick: a call was refused"));

        guard("mb_attach", (), |_| Err(Error::Null { argument: "list" }));
        overlapping(2);
        assert_eq!(
            refused::take_unreported(),
            unreported(None, Some("mb_tick"))
        );
        let count = refused::take_count();
        assert!(count.is_some_and(|text| text.starts_with("4 more calls were refused")));
        assert_eq!(refused::take_count(), None);

        overlapping(1);
        let both = unreported(Some("mb_tick"), Some("mb_tick"));
        assert_eq!(refused::take_unreported(), both);
        assert_eq!(refused::take_count(), None);
    }

    #[test]
    fn code_of_a_host_program_may_quit_and_calls_that_it_makes_may_not() {
        let _claim = ALONE.lock();
        let host = || {
            host_code::run("it", || {
                (Abroad::is(), guard("mb_tick", true, |_| Ok(Abroad::is())))
            })
        };
        // Outside of any call.
        assert_eq!(host(), Ok((false, false)));
        let inside = guard("mb_tick", None, |_| Ok(host().ok()));
        assert_eq!(inside, Some((true, false)));
        assert!(!Abroad::is());
    }

    #[test]
    fn code_that_a_call_is_left_for_is_nobodys() {
        let _claim = ALONE.lock();
        guard("mb_tick", (), |call| {
            let _abroad = Abroad::go(true);
            let left =
                call.leave_during(|| Abroad::is() || guard("mb_tick", true, |_| Ok(Abroad::is())));
            // The state of the C ABI is none that goes on.
            assert!(!left.unwrap_or(true) && Abroad::is());
            Ok(())
        });
    }

    #[cfg(feature = "python")]
    #[test]
    fn a_call_waits_for_a_thread_that_is_inside_briefly() {
        let _claim = ALONE.lock();
        let entered = strand::enter_briefly().unwrap();
        let call = std::thread::spawn(|| guard("mb_tick", -1, |call| call.process().map(|_| 7)));
        for _ in 0..1000 {
            assert!(!call.is_finished());
            std::thread::yield_now();
        }
        drop(entered);
        assert_eq!(call.join().unwrap(), 7);
        assert!(!refused::any_unreported());
    }
}
