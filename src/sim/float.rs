//! C's initial floating-point environment, for one thread.

use std::mem::MaybeUninit;

/// Memory for C's `fenv_t`. `float.c` checks that it is large enough.
#[repr(C, align(16))]
struct Room([u8; 64]);

unsafe extern "C" {
    fn vhost_float_enter(before: *mut Room);
    fn vhost_float_leave(before: *const Room);
}

/// Guard under which this thread rounds to nearest and has no traps. Afterwards, rounding, traps
/// and flags are as before, so that computations under the guard raise no flags for the simulator.
pub(crate) struct FloatEnvironment {
    before: MaybeUninit<Room>,
}

impl FloatEnvironment {
    /// Enters the default environment.
    pub(crate) fn enter() -> Self {
        let mut before = MaybeUninit::uninit();
        // SAFETY: there is room for an environment.
        unsafe { vhost_float_enter(before.as_mut_ptr()) };
        Self { before }
    }
}

impl Drop for FloatEnvironment {
    fn drop(&mut self) {
        // SAFETY: `enter` has initialised it.
        unsafe { vhost_float_leave(self.before.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    unsafe extern "C" {
        fn fesetround(mode: i32) -> i32;
    }

    const UPWARD: i32 = 0x800;

    fn third() -> f64 {
        black_box(1.0) / black_box(3.0)
    }

    #[test]
    fn the_guard_rounds_to_nearest_and_leaves_the_mode() {
        let nearest = third();
        // SAFETY: the mode belongs to this thread, which ends with the test.
        unsafe { fesetround(UPWARD) };
        assert_ne!(third(), nearest);
        let guard = FloatEnvironment::enter();
        assert_eq!(third(), nearest);
        drop(guard);
        assert_ne!(third(), nearest);
    }
}
