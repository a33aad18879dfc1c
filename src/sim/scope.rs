//! DPI scope of exported functions.
//!
//! A simulator finds an exported function in a scope, which an import declared `context` sets while
//! it runs. The testbench's exports are in one package or module. Its scope is the one that was
//! named, or that `mb_init` was called from, or else the last one that was seen. Without any scope,
//! as when a C++ program drives the model, Verilator accepts any scope of the model.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lifetime::{
    self, Current, Lifetime, Validity, is_over, is_verilator, known, name_of_scope, release,
    scope_of_name, watch,
};
use super::strand::{CodeGuard, is_entered, strand_local};
use super::symbols::{
    svGetScope, svSetScope, vpi_get_str, vpi_iterate, vpi_release_handle, vpi_scan,
};
use super::system_task::scope_of_running;
use super::vpi_user::{VPI_FULL_NAME, VPI_MODULE};
use super::{Absent, SimError, symbol, vpi_testbench};

strand_local! {
    static SCOPE: Cell<Scope> = Cell::new(Scope::Unknown);
}

strand_local! {
    /// Configured name of the scope.
    static NAME: RefCell<Option<String>> = RefCell::new(None);
}

/// Known scope of the exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Unknown,
    /// It was known, and its simulation has ended.
    Ended,
    Known {
        scope: *mut c_void,
        lifetime: Lifetime,
        by: By,
    },
}

/// Source of a scope, in ascending order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// Any scope of the design.
    Guess,
    /// Scope of a call that may come from another module.
    Call,
    /// Scope of the caller of an initialisation function.
    Init,
    /// Scope named by the user.
    Name,
}

/// Uses the caller's scope as that of the exports, unless one was named. A caller without a scope
/// has no effect.
///
/// A simulation must exist, because a current scope that was deleted is looked up by its name.
pub(crate) fn adopt_of_init() {
    if let Scope::Known { by: By::Name, .. } = get() {
        return;
    }
    if let Some(scope) = current(scope_of_name_at) {
        keep(scope, By::Init);
    }
}

/// True while the scopes of further callers are not needed: a better one is known, or there is no
/// simulator. A change of the scope resets it.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Uses the caller's scope as that of the exports, unless a better one is known. Runs in every
/// call.
#[inline]
pub(crate) fn adopt_of_call() {
    if !SETTLED.load(Ordering::Relaxed) {
        compare_again();
    }
}

#[cold]
fn compare_again() {
    let better = matches!(get(), Scope::Known { by, .. } if by > By::Call);
    if !better {
        look();
    }
    if better || svGetScope.get().is_err() {
        SETTLED.store(true, Ordering::Relaxed);
    }
}

/// Checks the scope of the next caller again, which may call for another system than the last one.
pub(crate) fn begin_other_system() {
    SETTLED.store(false, Ordering::Relaxed);
}

/// Scope of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallerScope {
    /// Address, which is never dereferenced; 0 for the scope of a system task, whose name is
    /// unique.
    pub(crate) address: usize,
    /// Hierarchical name, such as `top.tb`.
    pub(crate) name: String,
}

impl CallerScope {
    /// True unless the scope is known to be live.
    pub(crate) fn may_be_deleted(&self) -> bool {
        lifetime::may_be_deleted(self.address, &self.name)
    }
}

/// Scope in which the simulator calls an import or a system task; `None` without one.
pub(crate) fn of_caller() -> Option<CallerScope> {
    if vpi_testbench::is_there() {
        return of_system_task();
    }
    of_scope(current(|_, _| None)?)
}

/// As [`of_caller`], for the caller of an initialisation function. A simulation must exist, because
/// a current scope that was deleted is looked up by its name.
pub(crate) fn of_caller_of_init() -> Option<CallerScope> {
    if vpi_testbench::is_there() {
        return of_system_task();
    }
    of_scope(current(scope_of_name_at)?)
}

/// Scope of the running system task.
fn of_system_task() -> Option<CallerScope> {
    let name = scope_of_running()?;
    Some(CallerScope { address: 0, name })
}

fn of_scope(scope: *mut c_void) -> Option<CallerScope> {
    watch(scope);
    let name = name_of_scope(scope)?;
    let address = scope.addr();
    Some(CallerScope { address, name })
}

/// Uses the scope with this name as that of the exports. Returns false if the simulator has none.
///
/// # Errors
/// [`Absent`] if the simulator can't look up scopes by name.
pub(crate) fn name(name: &str) -> Result<bool, Absent> {
    super::symbols::svGetScopeFromName.get()?;
    let found = scope_of_name(name);
    if let Some(scope) = found {
        keep(scope, By::Name);
    }
    Ok(found.is_some())
}

/// Drops a scope that was named.
pub(crate) fn clear_name() {
    if let Scope::Known { by: By::Name, .. } = get() {
        put(Scope::Unknown);
    }
}

/// True if a scope was named.
pub(crate) fn is_named() -> bool {
    matches!(get(), Scope::Known { by: By::Name, .. })
}

/// True if a scope is known, and its simulation continues.
pub(crate) fn is_alive() -> bool {
    matches!(get(), Scope::Known { lifetime, .. } if lifetime.validity() == Validity::Valid)
}

/// True if the simulator is calling an import declared `context`.
pub(super) fn is_in_import() -> bool {
    current(|_, _| None).is_some()
}

/// True if a simulation that the system has used was deleted.
pub(crate) fn simulation_is_over() -> bool {
    is_over()
}

/// Drops the scope and the addresses of the simulator's functions, because the next system may
/// belong to another simulation.
pub(crate) fn forget() {
    drop_residue();
    put(Scope::Unknown);
    release();
    symbol::look_up_anew();
}

/// As [`forget`], but keeps a scope that was named in an existing simulation.
pub(crate) fn renew() {
    let named = match get() {
        scope @ Scope::Known {
            lifetime,
            by: By::Name,
            ..
        } if lifetime.validity() == Validity::Valid => Some(scope),
        _ => None,
    };
    forget();
    if let Some(Scope::Known { scope, .. }) = named {
        keep(scope, By::Name);
    }
}

fn get() -> Scope {
    SCOPE.with(Cell::get).unwrap_or(Scope::Unknown)
}

fn put(scope: Scope) {
    SETTLED.store(false, Ordering::Relaxed);
    SCOPE.with(|known| known.set(scope));
}

/// Stores a live scope.
fn keep(scope: *mut c_void, by: By) {
    let lifetime = match get() {
        // It has a mark already.
        Scope::Known {
            scope: known,
            lifetime,
            ..
        } if known == scope && lifetime.validity() == Validity::Valid => lifetime,
        _ => {
            NAME.with(|name| name.replace(name_of_scope(scope)));
            Lifetime::of_scope(scope)
        }
    };
    put(Scope::Known {
        scope,
        lifetime,
        by,
    });
}

fn look() {
    if let Some(scope) = current(|_, _| None)
        && !is_of_other_system(scope)
    {
        keep(scope, By::Call);
    }
}

/// True for the scope of another system's exports, which stays current after a call for that
/// system.
fn is_of_other_system(scope: *mut c_void) -> bool {
    let is_it = |known: &Cell<Scope>| {
        matches!(known.get(), Scope::Known { scope: other, by, .. }
            if other == scope && by > By::Call)
        .then_some(())
    };
    SCOPE.find_other(is_it).is_some()
}

/// Scope with this name, if it has this address.
fn scope_of_name_at(name: &str, address: *mut c_void) -> Option<*mut c_void> {
    scope_of_name(name).filter(|scope| *scope == address)
}

/// Finds an exported function and enters its scope until the guard is dropped.
pub(super) fn enter<F: Copy>(export: &symbol::Symbol<F>) -> Result<(F, Entered), SimError> {
    let function = export.get()?;
    let Ok(set) = svSetScope.get() else {
        // Without a simulator, the functions are plain C.
        return Ok((function, Entered::from(None)));
    };
    let symbol = export.name();
    let scope = live().ok_or(match get() {
        Scope::Ended => SimError::Ended { symbol },
        _ => SimError::NoScope { symbol },
    })?;
    // SAFETY: the simulator has returned this scope, and it is live.
    let before = unsafe { set(scope) };
    Ok((function, Entered::from(Some(before))))
}

/// Scope of the exports, if it is live.
fn live() -> Option<*mut c_void> {
    if let Scope::Known {
        scope,
        lifetime,
        by,
    } = get()
    {
        match lifetime.validity() {
            Validity::Valid => return Some(scope),
            // After a reset, addresses may differ; names stay the same.
            Validity::Reset => {
                put(Scope::Unknown);
                let name = NAME.with(RefCell::take).flatten();
                if let Some(anew) = name.and_then(|name| scope_of_name(&name)) {
                    keep(anew, by);
                } else {
                    look();
                }
            }
            Validity::Deleted => put(Scope::Ended),
        }
    }
    if !is_entered() {
        // The system belongs to a Rust program, which the simulator has called by an import of that
        // program.
        look();
    }
    if get() == Scope::Unknown
        && let Some(scope) = top_module()
    {
        keep(scope, By::Guess);
    }
    match get() {
        Scope::Known { scope, .. } => Some(scope),
        Scope::Unknown | Scope::Ended => None,
    }
}

/// Restores the previous scope on drop.
#[must_use = "the scope is left when this is dropped"]
pub(super) struct Entered {
    /// Previous scope, if the simulator has scopes.
    before: Option<*mut c_void>,
    _foreign: CodeGuard,
}

impl Entered {
    fn from(before: Option<*mut c_void>) -> Self {
        let _foreign = CodeGuard::foreign();
        Self { before, _foreign }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let (Some(before), Ok(set)) = (self.before, svSetScope.get()) else {
            return;
        };
        // A caller without a scope has none to restore. Verilator accepts NULL for it, and then
        // keeps no scope that may be deleted; other simulators report an error for NULL.
        if before.is_null() && !is_verilator() {
            return;
        }
        // SAFETY: the simulator has returned this scope when ours was entered.
        unsafe { set(before) };
    }
}

/// Current scope. `None` if it is unknown, or if it was deleted and `anew` does not find it by its
/// name and address.
///
/// Verilator's `svGetScope` warns outside of an import. Its `svSetScope` returns the current scope
/// without a warning.
fn current(anew: impl FnOnce(&str, *mut c_void) -> Option<*mut c_void>) -> Option<*mut c_void> {
    if !is_verilator() {
        let get = svGetScope.get().ok()?;
        // SAFETY: it takes no arguments, and may be called while an imported function runs.
        let scope = unsafe { get() };
        return (!scope.is_null()).then_some(scope);
    }
    let scope = swapped()?;
    match known(scope) {
        Current::Alive => Some(scope),
        Current::Dead(name) => anew(&name, scope),
    }
}

/// Current scope of Verilator.
fn swapped() -> Option<*mut c_void> {
    let set = svSetScope.get().ok()?;
    // SAFETY: Verilator stores the pointer and does not dereference it.
    let scope = unsafe { set(ptr::null()) };
    if scope.is_null() {
        return None;
    }
    // SAFETY: as above; it restores the previous scope.
    unsafe { set(scope) };
    Some(scope)
}

/// Removes a deleted scope from Verilator's current scope.
fn drop_residue() {
    if !is_verilator() {
        return;
    }
    if let (Some(scope), Ok(set)) = (swapped(), svSetScope.get())
        && known(scope) != Current::Alive
    {
        // SAFETY: as in `swapped`.
        unsafe { set(ptr::null()) };
    }
}

/// Scope of a top module in a design of Verilator, which finds functions exported in one scope from
/// any other.
fn top_module() -> Option<*mut c_void> {
    if !is_verilator() {
        return None;
    }
    let (iterate, scan) = (vpi_iterate.get().ok()?, vpi_scan.get().ok()?);
    let (text, release) = (vpi_get_str.get().ok()?, vpi_release_handle.get().ok()?);
    // SAFETY: NULL means the whole design.
    let modules = unsafe { iterate(VPI_MODULE, ptr::null_mut()) };
    if modules.is_null() {
        return None;
    }
    // SAFETY: the iterator is the simulator's.
    let module = unsafe { scan(modules) };
    if module.is_null() {
        // The end of an iterator releases it.
        return None;
    }
    // SAFETY: the handle is the simulator's.
    let name = unsafe { text(VPI_FULL_NAME, module) };
    let found = (!name.is_null()).then(|| {
        // SAFETY: the simulator returns a NUL-terminated name, which is valid until its next call.
        unsafe { CStr::from_ptr(name) }
            .to_string_lossy()
            .into_owned()
    });
    for handle in [module, modules] {
        // SAFETY: the handle is the simulator's, and this is its last use.
        unsafe { release(handle) };
    }
    scope_of_name(&found?)
}
