//! Guard of every exported function: it begins a [`Call`], catches panics, and reports errors.

use std::ffi::c_int;

use super::call::Call;
use super::error::{Error, catch};
use super::quit;

/// Runs the body of an exported function. If it fails or panics, the error is stored and reported,
/// and C gets `failed`.
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
    let result = catch(|| body(&mut call)).unwrap_or_else(|error| {
        call.report_error(function, &error);
        failed
    });
    leave(call);
    result
}

/// Exits if that was requested during this call, and the call is outermost.
// Every call ends here, an idle tick, too.
#[inline(always)]
pub(super) fn leave(call: Call) {
    drop(call);
    if quit::is_requested() {
        quit::unless_inside();
    }
}

/// Runs the body of a function that ends a fork. Returns -1 if it fails.
pub(super) fn guard_after_fork(
    function: &'static str,
    body: impl FnOnce(&mut Call) -> Result<c_int, Error>,
) -> c_int {
    let mut call = Call::enter_as_is();
    call.begin();
    let result = catch(|| body(&mut call)).unwrap_or_else(|error| {
        call.report_error(function, &error);
        -1
    });
    leave(call);
    result
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::super::refused_calls::{self, Unreported};
    use super::super::system_state::FIRST_SYSTEM_STATE;
    use super::*;
    use crate::foreign::host_code;
    use crate::sim::strand::{self, CodeGuard};

    /// Lock of tests that own the strand, because tests run concurrently.
    static ALONE: Mutex<()> = Mutex::new(());

    fn last_error() -> String {
        let strand = strand::enter().unwrap();
        let last = FIRST_SYSTEM_STATE.get(&strand).returned.last_error.give();
        // SAFETY: it points to a stored C string, which is valid while the strand is owned.
        let last = unsafe { CStr::from_ptr(last) };
        last.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_the_failed_answer_and_the_last_error() {
        let _claim = ALONE.lock();
        let result = guard("mb_tick", -1, |_| panic!("the bottom fell out"));
        assert_eq!(result, -1);
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

    /// True if another thread can enter.
    fn is_free() -> bool {
        std::thread::spawn(|| strand::enter().is_ok())
            .join()
            .unwrap()
    }

    #[test]
    fn a_strand_that_is_not_kept_or_not_free_stays_with_its_call() {
        let _claim = ALONE.lock();
        let entered = strand::enter().unwrap();
        assert!(strand::enter_kept().is_none());
        assert!(!is_free());
        assert!(strand::enter_free().is_none());
        assert!(!is_free());
        let elsewhere = std::thread::spawn(|| strand::enter_free().is_none());
        assert!(elsewhere.join().unwrap());
        assert!(!is_free());
        drop(entered);
        assert!(is_free());
    }

    #[test]
    fn a_panic_while_time_passes_leaves_the_call_inside_the_strand() {
        let _claim = ALONE.lock();
        let result = guard("mb_server_run", -1, |call| {
            let stepped = call.leave_during(|| {
                assert!(is_free());
                panic!("in between")
            });
            assert!(!is_free());
            stepped
        });
        assert_eq!(result, -1);
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
            // The first thread polls if the strand is free, and is briefly inside each time.
            let inside = loop {
                if let Ok(inside) = strand::enter() {
                    break inside;
                }
            };
            is_ended.recv().unwrap();
            drop(inside);
        });
        let result = guard("mb_server_run", -1, |call| {
            call.leave_during(|| {
                entered.send(()).unwrap();
                while strand::enter().is_ok() {
                    std::thread::yield_now();
                }
                panic!("in between")
            })
        });
        assert_eq!(result, -1);
        assert!(strand::enter().is_err(), "it is the other thread's still");
        end.send(()).unwrap();
        other.join().unwrap();
        assert_eq!(
            refused_calls::take_unreported().latest,
            Some("mb_server_run")
        );
        refused_calls::take_count();
    }

    #[test]
    fn of_overlapping_calls_the_first_is_reported_and_the_others_are_counted() {
        let _claim = ALONE.lock();
        let overlapping = |calls| {
            let _entered = strand::enter().unwrap();
            let overlap = || guard("mb_tick", -1, |call| call.system_state().map(|_| 0));
            for _ in 0..calls {
                let result = std::thread::spawn(overlap).join();
                assert!(matches!(result, Ok(-1)));
            }
        };
        let unreported = |first, latest| Unreported { first, latest };
        overlapping(3);
        assert!(refused_calls::any_unreported());
        assert_eq!(guard("mb_tick", -1, |_| Ok(5)), 5);
        assert_eq!(refused_calls::take_unreported(), Unreported::default());
        assert!(last_error().starts_with("mb_tick: a call was refused"));

        guard("mb_attach", (), |_| Err(Error::Null { argument: "list" }));
        overlapping(2);
        assert_eq!(
            refused_calls::take_unreported(),
            unreported(None, Some("mb_tick"))
        );
        let count = refused_calls::take_count();
        assert!(count.is_some_and(|text| text.starts_with("4 more calls were refused")));
        assert_eq!(refused_calls::take_count(), None);

        overlapping(1);
        let both = unreported(Some("mb_tick"), Some("mb_tick"));
        assert_eq!(refused_calls::take_unreported(), both);
        assert_eq!(refused_calls::take_count(), None);
    }

    #[test]
    fn code_of_a_host_program_may_quit_and_calls_that_it_makes_may_not() {
        let _claim = ALONE.lock();
        let host = || {
            host_code::run("it", || {
                (
                    strand::in_foreign_code(),
                    guard("mb_tick", true, |_| Ok(strand::in_foreign_code())),
                )
            })
        };
        // Outside of any call.
        assert_eq!(host(), Ok((false, false)));
        let inside = guard("mb_tick", None, |_| Ok(host().ok()));
        assert_eq!(inside, Some((true, false)));
        assert!(!strand::in_foreign_code());
    }

    #[test]
    fn code_that_a_call_is_left_for_is_nobodys() {
        let _claim = ALONE.lock();
        guard("mb_tick", (), |call| {
            let _foreign = CodeGuard::foreign();
            let left = call.leave_during(|| {
                strand::in_foreign_code()
                    || guard("mb_tick", true, |_| Ok(strand::in_foreign_code()))
            });
            // The state of the C ABI is none that goes on.
            assert!(!left.unwrap_or(true) && strand::in_foreign_code());
            Ok(())
        });
    }

    #[cfg(feature = "python")]
    #[test]
    fn a_call_waits_for_a_thread_that_is_inside_briefly() {
        let _claim = ALONE.lock();
        let entered = strand::enter_briefly().unwrap();
        let call =
            std::thread::spawn(|| guard("mb_tick", -1, |call| call.system_state().map(|_| 7)));
        for _ in 0..1000 {
            assert!(!call.is_finished());
            std::thread::yield_now();
        }
        drop(entered);
        assert_eq!(call.join().unwrap(), 7);
        assert!(!refused_calls::any_unreported());
    }
}
