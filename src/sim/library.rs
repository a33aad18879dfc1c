//! The shared object that this code is in.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use libc::{RTLD_LAZY, RTLD_NODELETE, RTLD_NOLOAD};

/// Keeps the shared object that this code is in loaded until the process ends, whatever `dlclose` is called on: it has
/// handlers for the end of the process, and destructors of threads. Does nothing in the program itself.
pub(crate) fn keep_loaded() {
    let mut place = MaybeUninit::uninit();
    let here = keep_loaded as *const c_void;
    // SAFETY: any address may be asked for, and there is room for the answer.
    if unsafe { libc::dladdr(here, place.as_mut_ptr()) } == 0 {
        return;
    }
    // SAFETY: the call has written it, since it succeeded.
    let place: libc::Dl_info = unsafe { place.assume_init() };
    // SAFETY: the name ends with a NUL, and stays while the object is loaded. No code runs: it is loaded already.
    unsafe { libc::dlopen(place.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) };
    // Nobody's next `dlerror` is to show what came of that.
    // SAFETY: it takes nothing.
    unsafe { libc::dlerror() };
}
