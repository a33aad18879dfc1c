//! Simulators with VPI and without DPI, whose testbench uses system tasks.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lifetime::is_verilator;
use super::symbols::{svGetScope, vpi_handle_by_name};

/// True once a system task was called.
static IS_THERE: AtomicBool = AtomicBool::new(false);

/// True if the testbench uses system tasks.
#[inline]
pub(crate) fn is_there() -> bool {
    IS_THERE.load(Ordering::Relaxed)
}

/// Notes that a system task was called.
pub(super) fn set_there() {
    IS_THERE.store(true, Ordering::Relaxed);
}

/// True in a simulator that has VPI and no DPI. A model of Verilator's that is linked with the library leaves out DPI if nothing
/// is imported, which is another matter.
pub(crate) fn is_without_dpi() -> bool {
    let has_vpi_alone = || vpi_handle_by_name.get().is_ok() && svGetScope.get().is_err();
    is_there() || (has_vpi_alone() && !is_verilator())
}
