//! The C locale for one thread: texts that must not follow the locale of the process.

use std::io;
use std::sync::OnceLock;

use libc::{LC_ALL_MASK, locale_t};

/// Guard under which this thread is in the C locale. The process' locale, and that of other threads, stays.
pub(crate) struct CLocale {
    before: locale_t,
}

/// The C locale; NULL where there is no memory for it.
struct Handle(locale_t);

// SAFETY: a locale is never changed, and any thread may use it.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

static C: OnceLock<Handle> = OnceLock::new();

impl CLocale {
    /// Enters the C locale.
    pub(crate) fn enter() -> Self {
        let Handle(c) = C.get_or_init(|| {
            // SAFETY: the name ends with a NUL, and no locale is changed.
            Handle(unsafe { libc::newlocale(LC_ALL_MASK, c"C".as_ptr(), std::ptr::null_mut()) })
        });
        // SAFETY: the locale is never freed. NULL changes nothing.
        let before = unsafe { libc::uselocale(*c) };
        Self { before }
    }
}

impl Drop for CLocale {
    fn drop(&mut self) {
        // SAFETY: it is the locale that the thread was in.
        unsafe { libc::uselocale(self.before) };
    }
}

/// Text of an error number of the operating system's, in English whatever the process' locale is.
pub(crate) fn os_error_text(number: i32) -> String {
    let _c = CLocale::enter();
    io::Error::from_raw_os_error(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current() -> locale_t {
        // SAFETY: NULL only asks.
        unsafe { libc::uselocale(std::ptr::null_mut()) }
    }

    #[test]
    fn the_guard_ends_with_the_locale_that_it_found() {
        let before = current();
        let outer = CLocale::enter();
        let c = current();
        assert_ne!(c, before);
        drop(CLocale::enter());
        assert_eq!(current(), c);
        drop(outer);
        assert_eq!(current(), before);
    }

    #[test]
    fn errors_are_told_in_english() {
        assert_eq!(
            os_error_text(libc::EMFILE),
            "Too many open files (os error 24)"
        );
    }
}
