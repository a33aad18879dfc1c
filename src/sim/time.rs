//! Simulated time.

use std::ffi::c_void;
use std::ptr;

use super::scope;
use super::symbols::{svGetTime, vpi_get_time};
use super::vpi_testbench::is_without_dpi;
use super::vpi_user::{Time, VPI_SIM_TIME};

/// Simulated time, in units of the simulator's precision. `None` if no simulation is known, if it
/// has ended, or if the simulator does not provide the time.
pub(crate) fn simulated_time() -> Option<u64> {
    // Verilator uses a context, which is deleted with its simulation. Without DPI there are no
    // scopes.
    if !scope::is_alive() && !is_without_dpi() {
        return None;
    }
    let mut time = Time {
        kind: VPI_SIM_TIME,
        ..Time::default()
    };
    if let Ok(get) = svGetTime.get() {
        // SAFETY: NULL means the simulator's precision, and the time is valid during the call.
        let failed = unsafe { get(ptr::null(), &mut time) } != 0;
        if failed {
            return None;
        }
    } else {
        let get = vpi_get_time.get().ok()?;
        // SAFETY: as above.
        unsafe { get(ptr::null_mut::<c_void>(), &mut time) };
    }
    Some(u64::from(time.high) << 32 | u64::from(time.low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_none_without_a_simulator() {
        assert_eq!(simulated_time(), None);
    }
}
