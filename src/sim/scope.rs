//! The DPI scope that exported functions are called in.
//!
//! A simulator finds an exported function in a scope, which an import declared `context` sets for as long as it runs.
//! The testbench's exports are in one package or module: its scope is the one that `mb_init` was called from, or else
//! the last one that was seen.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use super::strand::{is_entered, strand_local};
use super::symbols::{svGetScope, svSetScope};
use super::{SimError, symbol::Symbol};

strand_local! {
    static SCOPE: Cell<Scope> = Cell::new(Scope::Unknown);
}

/// What is known of the exports' scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Unknown,
    /// Seen in a call that may have come from elsewhere.
    Seen(*mut c_void),
    /// Said to be the one, by a call from it.
    Told(*mut c_void),
}

/// Takes the caller's scope for that of the exports. A caller without one changes nothing.
pub(crate) fn tell() {
    if let Some(scope) = current() {
        set(Scope::Told(scope));
    }
}

/// Takes the caller's scope for that of the exports, unless a better one is known. True where later callers' scopes are of no use: a
/// better one is known, or there is no simulator.
pub(crate) fn see() -> bool {
    if matches!(get(), Scope::Told(_)) {
        return true;
    }
    look();
    svGetScope.get().is_err()
}

fn get() -> Scope {
    SCOPE.with(Cell::get).unwrap_or(Scope::Unknown)
}

fn set(scope: Scope) {
    SCOPE.with(|known| known.set(scope));
}

fn look() {
    if let Some(scope) = current() {
        set(Scope::Seen(scope));
    }
}

/// Forgets the scope: the next system may be another simulation's.
pub(crate) fn forget() {
    set(Scope::Unknown);
}

/// Finds an exported function and enters its scope until the guard is dropped.
pub(super) fn enter<F: Copy>(export: &Symbol<F>) -> Result<(F, Entered), SimError> {
    let function = export.get()?;
    let Ok(set) = svSetScope.get() else {
        // No simulator: the functions are plain C.
        return Ok((function, Entered(ptr::null_mut())));
    };
    if get() == Scope::Unknown && !is_entered() {
        // The system of a Rust program, which the simulator has called by an import of the program's own.
        look();
    }
    let (Scope::Seen(scope) | Scope::Told(scope)) = get() else {
        return Err(SimError::NoScope {
            symbol: export.name(),
        });
    };
    // SAFETY: the simulator gave this scope, and no simulation has ended since.
    let before = unsafe { set(scope) };
    Ok((function, Entered(before)))
}

/// Restores the scope when it is dropped.
#[must_use = "the scope is left when this is dropped"]
pub(super) struct Entered(*mut c_void);

impl Drop for Entered {
    fn drop(&mut self) {
        // A caller without a scope has none to go back to, and simulators complain of a NULL.
        if self.0.is_null() {
            return;
        }
        if let Ok(set) = svSetScope.get() {
            // SAFETY: the simulator gave this scope when ours was entered.
            unsafe { set(self.0) };
        }
    }
}

fn current() -> Option<*mut c_void> {
    let get = svGetScope.get().ok()?;
    // SAFETY: it takes nothing, and may be called wherever an imported function runs.
    let scope = unsafe { get() };
    (!scope.is_null()).then_some(scope)
}
