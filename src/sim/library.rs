//! Shared object that contains this code.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use libc::{RTLD_LAZY, RTLD_NODELETE, RTLD_NOLOAD};

/// Keeps the shared object with this code loaded until the process ends, despite any `dlclose`,
/// because it has handlers for the end of the process and destructors of threads. Has no effect in
/// an executable.
pub(crate) fn keep_loaded() {
    let mut place = MaybeUninit::uninit();
    let here = keep_loaded as *const c_void;
    // SAFETY: any address is permitted, and `place` has room for the result.
    if unsafe { libc::dladdr(here, place.as_mut_ptr()) } == 0 {
        return;
    }
    // SAFETY: the call has written it, since it succeeded.
    let place: libc::Dl_info = unsafe { place.assume_init() };
    // SAFETY: the name ends with a NUL, and is valid while the object is loaded. No code runs,
    // because it is loaded already.
    unsafe { libc::dlopen(place.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) };
    // Clears the error state, which the next `dlerror` of other code would show.
    // SAFETY: it takes nothing.
    unsafe { libc::dlerror() };
}
