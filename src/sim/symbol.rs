//! Function that the loading program may define.

use std::ffi::{CStr, c_char, c_void};
use std::mem::{size_of, transmute_copy};
use std::sync::OnceLock;

use super::{Absent, c_text};

unsafe extern "C" {
    fn vhost_weak_symbol(name: *const c_char) -> *mut c_void;
}

/// Function of C type `F`, looked up at first use: a weak reference, resolved by a definition in the program at link or load
/// time, then `dlsym`, which also finds later libraries. The result is cached, a miss too.
#[derive(Debug)]
pub(super) struct Symbol<F> {
    name: &'static str,
    found: OnceLock<Option<F>>,
}

impl<F: Copy> Symbol<F> {
    /// Function of this name.
    ///
    /// # Safety
    /// `F` is a function pointer, and any definition of this name in the program has its type.
    pub(super) const unsafe fn new(name: &'static str) -> Self {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        Self {
            name,
            found: OnceLock::new(),
        }
    }

    /// Function to call.
    pub(super) fn get(&self) -> Result<F, Absent> {
        let found = self.found.get_or_init(|| {
            let address = address_of(&c_text(self.name))?;
            // SAFETY: an address of this name is that of a function of type `F`, as `new` was promised.
            Some(unsafe { transmute_copy::<*mut c_void, F>(&address) })
        });
        found.ok_or_else(|| Absent {
            symbol: self.name(),
        })
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
    // SAFETY: the name is NUL-terminated; looking a symbol up runs no code of the program's.
    let loaded = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!loaded.is_null()).then_some(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_has_is_found_by_name() {
        // SAFETY: it is never called.
        let strlen: Symbol<unsafe extern "C" fn()> = unsafe { Symbol::new("strlen") };
        assert!(strlen.get().is_ok());
    }

    #[test]
    fn what_nobody_has_is_named() {
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
