//! Functions that the loading program may define.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::mem::{size_of, transmute_copy};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::{Absent, c_text};

unsafe extern "C" {
    fn vhost_weak_symbol(name: *const c_char) -> *mut c_void;
}

/// Function of C type `F`, looked up at first use: as a weak reference, which a definition in the
/// program resolves when it is linked or loaded, then by `dlsym`, which also finds libraries loaded
/// later. The result is valid until [`look_up_anew`].
#[derive(Debug)]
pub(super) struct Symbol<F> {
    name: &'static str,
    /// Address of the function; NULL if it is absent.
    found: AtomicPtr<c_void>,
    /// [`ROUND`] of the last look-up; 0 before the first.
    round: AtomicUsize,
    function: PhantomData<F>,
}

/// Number of the current round. Look-ups of earlier rounds are invalid.
static ROUND: AtomicUsize = AtomicUsize::new(1);

/// Repeats every look-up at the function's next use, because another testbench may have been
/// loaded.
pub(super) fn look_up_anew() {
    ROUND.fetch_add(1, Ordering::Relaxed);
}

impl<F: Copy> Symbol<F> {
    /// Declares the function of this name.
    ///
    /// # Safety
    /// `F` is a function pointer, and any definition of this name in the program has its type.
    pub(super) const unsafe fn new(name: &'static str) -> Self {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        Self {
            name,
            found: AtomicPtr::new(ptr::null_mut()),
            round: AtomicUsize::new(0),
            function: PhantomData,
        }
    }

    /// Function for a call.
    #[inline]
    pub(super) fn get(&self) -> Result<F, Absent> {
        // The address was stored before the round.
        if self.round.load(Ordering::Acquire) != ROUND.load(Ordering::Relaxed) {
            self.look_up();
        }
        let address = self.found.load(Ordering::Relaxed);
        if address.is_null() {
            return Err(Absent {
                symbol: self.name(),
            });
        }
        // SAFETY: an address of this name is that of a function of type `F`, as the caller of `new`
        // promised.
        Ok(unsafe { transmute_copy::<*mut c_void, F>(&address) })
    }

    /// Function, if it was found before.
    #[inline]
    pub(super) fn known(&self) -> Option<F> {
        // The address was stored before the round.
        let is_valid = self.round.load(Ordering::Acquire) == ROUND.load(Ordering::Relaxed);
        let address = self.found.load(Ordering::Relaxed);
        // SAFETY: as in `get`.
        (is_valid && !address.is_null())
            .then(|| unsafe { transmute_copy::<*mut c_void, F>(&address) })
    }

    #[cold]
    fn look_up(&self) {
        let round = ROUND.load(Ordering::Relaxed);
        let address = address_of(&c_text(self.name)).unwrap_or(ptr::null_mut());
        self.found.store(address, Ordering::Relaxed);
        self.round.store(round, Ordering::Release);
    }

    /// Symbol name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

fn address_of(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name is NUL-terminated; the function only compares it.
    let weak = unsafe { vhost_weak_symbol(name.as_ptr()) };
    if !weak.is_null() {
        return Some(weak);
    }
    // SAFETY: the name is NUL-terminated; a look-up runs no code of the program.
    let loaded = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!loaded.is_null()).then_some(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_the_program_are_found_by_name() {
        // SAFETY: it is never called.
        let strlen: Symbol<unsafe extern "C" fn()> = unsafe { Symbol::new("strlen") };
        assert!(strlen.get().is_ok());
    }

    #[test]
    fn missing_symbols_are_named() {
        // SAFETY: there is no such function.
        let nobody: Symbol<unsafe extern "C" fn()> = unsafe { Symbol::new("vhost_nobody") };
        assert_eq!(
            nobody.get().unwrap_err(),
            Absent {
                symbol: "vhost_nobody"
            }
        );
    }
}
