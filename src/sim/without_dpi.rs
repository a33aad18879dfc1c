//! Simulators with VPI and without DPI, whose testbench uses system tasks.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lifetime::is_verilator;
use super::symbols::{svGetScope, vpi_handle_by_name};

/// True after the first call of a system task.
static IS_THERE: AtomicBool = AtomicBool::new(false);

/// True if the testbench uses system tasks.
#[inline]
pub(crate) fn is_there() -> bool {
    IS_THERE.load(Ordering::Relaxed)
}

/// Records the call of a system task.
pub(super) fn set_there() {
    IS_THERE.store(true, Ordering::Relaxed);
}

/// True in a simulator that has VPI and no DPI. A Verilator model that is linked with the library
/// also lacks DPI if nothing is imported, but is excluded.
pub(crate) fn is_without_dpi() -> bool {
    let has_vpi_alone = || vpi_handle_by_name.get().is_ok() && svGetScope.get().is_err();
    is_there() || (has_vpi_alone() && !is_verilator())
}
