//! DPI scope of exported functions.
//!
//! A simulator resolves an exported function in a scope, which a `context` import sets for the time of its call. The testbench's
//! exports are in one package or module: the scope of `mb_init`'s caller, or else the last scope seen.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use super::strand::{is_entered, strand_local};
use super::symbols::{svGetScope, svSetScope};
use super::{SimError, symbol::Symbol};

strand_local! {
    static SCOPE: Cell<Scope> = Cell::new(Scope::Unknown);
}

/// Known scope of the exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Unknown,
    /// Seen in a call that may come from another scope.
    Seen(*mut c_void),
    /// Declared by a call from the exports' scope.
    Told(*mut c_void),
}

/// Stores the caller's scope as that of the exports. No effect if the caller has none.
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

/// Clears the scope: the next system may belong to another simulation.
pub(crate) fn forget() {
    set(Scope::Unknown);
}

/// Looks up an exported function and enters its scope until the guard is dropped.
pub(super) fn enter<F: Copy>(export: &Symbol<F>) -> Result<(F, Entered), SimError> {
    let function = export.get()?;
    let Ok(set) = svSetScope.get() else {
        // Without a simulator the functions are plain C.
        return Ok((function, Entered(ptr::null_mut())));
    };
    if get() == Scope::Unknown && !is_entered() {
        // System of a Rust program that the simulator called through the program's own import.
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

/// Restores the previous scope on drop.
#[must_use = "the scope is left when this is dropped"]
pub(super) struct Entered(*mut c_void);

impl Drop for Entered {
    fn drop(&mut self) {
        // No scope to restore; simulators reject NULL.
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
