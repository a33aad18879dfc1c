//! C locale for one thread, for texts that must not depend on the process' locale.

use std::io;
use std::sync::OnceLock;

use libc::{LC_ALL_MASK, locale_t};

/// Guard under which this thread has the C locale. The locales of the process and of other threads
/// are unchanged.
pub(crate) struct CLocale {
    before: locale_t,
}

/// C locale; NULL if there is no memory for it.
struct Handle(locale_t);

// SAFETY: the locale is never changed, and any thread may use it.
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
        // SAFETY: it is the previous locale of this thread.
        unsafe { libc::uselocale(self.before) };
    }
}

/// Text of an error number of the operating system, in English with any locale of the process.
pub(crate) fn os_error_text(number: i32) -> String {
    let _c = CLocale::enter();
    io::Error::from_raw_os_error(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current() -> locale_t {
        // SAFETY: NULL only queries the locale.
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
    fn texts_of_errors_are_in_english() {
        assert_eq!(
            os_error_text(libc::EMFILE),
            "Too many open files (os error 24)"
        );
    }
}
