//! What every exported function passes: no panic gets out, no error gets lost.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{Audience, Error};
use super::kept::LAST_ERROR;
use crate::bus::panic_text;
use crate::foreign::{report, report_without_testbench};
use crate::messages::foreign::Severity;

/// Runs the body of an exported function. Where it fails or panics, the error is kept and reported, and `failed` is
/// what C is given.
pub(super) fn guard<T>(
    function: &'static str,
    failed: T,
    body: impl FnOnce() -> Result<T, Error>,
) -> T {
    catch(body).unwrap_or_else(|error| {
        // Should telling of it fail too, C still gets its answer.
        let _ = catch(|| {
            tell(function, &error);
            Ok(())
        });
        failed
    })
}

/// Makes an error of a panic.
pub(super) fn catch<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(Error::Panicked(panic_text(payload.as_ref()))))
}

fn tell(function: &'static str, error: &Error) {
    let text = error.to_string();
    // Kept first: whoever gets the report may ask for it.
    LAST_ERROR.with(|last| last.keep_text(&format!("{function}: {text}")));
    match error.audience() {
        Audience::Testbench => report(Severity::Error, function, &text),
        Audience::Stderr => report_without_testbench(Severity::Error, function, &text),
        Audience::Nobody => {}
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn last_error() -> String {
        let last = LAST_ERROR.with(|last| last.pointer());
        // SAFETY: it points to a kept C string of this thread.
        let last = unsafe { CStr::from_ptr(last) };
        last.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_the_failed_answer_and_the_last_error() {
        let answer = guard("mb_tick", -1, || panic!("the bottom fell out"));
        assert_eq!(answer, -1);
        assert_eq!(
            last_error(),
            "mb_tick: an error of the host itself: it panicked: the bottom fell out"
        );
    }

    #[test]
    fn an_error_becomes_the_failed_answer_and_the_last_error() {
        let null = Error::Null { argument: "space" };
        assert_eq!(guard("mb_load_elf", -1, || Err(null)), -1);
        assert_eq!(last_error(), "mb_load_elf: `space` is NULL");
    }

    #[test]
    fn success_is_passed_on() {
        assert_eq!(guard("mb_tick", -1, || Ok(3)), 3);
    }
}
