//! Lifetime of simulations, and of their scopes and handles.
//!
//! In Verilator, models are constructed and deleted while the process runs, without a notification.
//! The user data of a scope is deleted with it, and is looked up by the scope's address without
//! dereferencing it. So each used scope is marked with user data, and a scope whose mark is absent
//! is never used again.
//!
//! Other simulators have one design, which may be reset. Then VPI calls back, and every handle is
//! looked up again.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::c_text;
use super::current_system::current;
use super::strand::{is_entered, strand_local};
use super::symbols::{
    _ZN9Verilated11productNameEv, svGetNameFromScope, svGetScopeFromName, svGetUserData,
    svPutUserData, vpi_register_cb, vpi_release_handle,
};
use super::vpi_control::is_product;
use super::vpi_user::{CB_END_OF_SIMULATION, CB_START_OF_RESET, CallbackData};

/// True if the simulator is Verilator: the function is a static member of its runtime. If a program
/// does not export it, VPI has a product name.
pub(super) fn is_verilator() -> bool {
    _ZN9Verilated11productNameEv.get().is_ok()
}

/// True if VPI has neither resets nor an end, and would report an error for their callbacks.
fn has_no_resets() -> bool {
    is_verilator() || is_product("Verilator")
}

/// Scope of this hierarchical name, if the simulator has it.
pub(super) fn scope_of_name(name: &str) -> Option<*mut c_void> {
    let find = svGetScopeFromName.get().ok()?;
    let name = c_text(name);
    // SAFETY: the name is NUL-terminated.
    let scope = unsafe { find(name.as_ptr()) };
    (!scope.is_null()).then_some(scope)
}

/// Name of a live scope.
pub(super) fn name_of_scope(scope: *mut c_void) -> Option<String> {
    let name = svGetNameFromScope.get().ok()?;
    // SAFETY: the scope is alive.
    let name = unsafe { name(scope) };
    if name.is_null() {
        return None;
    }
    // SAFETY: the simulator returns a NUL-terminated name, which is valid as long as the scope.
    Some(unsafe { CStr::from_ptr(name) }.to_str().ok()?.to_owned())
}

/// Scope of Verilator, with the tag in its user data, which is deleted with the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    scope: *mut c_void,
    tag: *mut c_void,
}

/// Object whose address is the key of the marks.
static KEY: u8 = 0;

/// Tag of the next mark. Tags are never used again, because a later scope may have the address of
/// an earlier one.
static NEXT_TAG: AtomicUsize = AtomicUsize::new(1);

impl Mark {
    /// Marks a live scope; `None` in another simulator than Verilator.
    fn of(scope: *mut c_void) -> Option<Self> {
        if !is_verilator() {
            return None;
        }
        let put = svPutUserData.get().ok()?;
        let mut tag = tag_of(scope)?;
        if tag.is_null() {
            tag = ptr::without_provenance_mut(NEXT_TAG.fetch_add(1, Ordering::Relaxed));
            // SAFETY: the scope is alive; the data is only ever compared.
            if unsafe { put(scope, key(), tag) } != 0 {
                return None;
            }
        }
        Some(Self { scope, tag })
    }

    fn is_alive(self) -> bool {
        tag_of(self.scope) == Some(self.tag)
    }
}

/// Tag of a scope, live or deleted; NULL for one without a mark.
fn tag_of(scope: *mut c_void) -> Option<*mut c_void> {
    let get = svGetUserData.get().ok()?;
    // SAFETY: Verilator looks up the pair of addresses, and dereferences neither.
    Some(unsafe { get(scope, key()) })
}

fn key() -> *mut c_void {
    ptr::from_ref(&KEY).cast_mut().cast()
}

/// Number of resets and ends that VPI has reported.
static RESETS: AtomicU64 = AtomicU64::new(0);

/// State of a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    /// It continues.
    Valid,
    /// It was reset, or is about to end: scopes and handles must be looked up again.
    Reset,
    /// It was deleted.
    Deleted,
}

/// Lifetime of a scope or handle of a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    mark: Option<Mark>,
    resets: u64,
}

impl Lifetime {
    /// Lifetime of a scope that is live now.
    pub(super) fn of_scope(scope: *mut c_void) -> Self {
        let mark = Mark::of(scope);
        if let Some(mark) = mark {
            remember(mark);
        }
        Self::new(mark)
    }

    /// Lifetime of an existing HDL object with this path: that of the innermost scope around it.
    pub(crate) fn of_object(path: &str) -> Self {
        watch_resets();
        if !is_verilator() {
            return Self::new(None);
        }
        let mut around = path;
        while let Some(at) = around.rfind(['.', '[']) {
            around = &around[..at];
            if let Some(scope) = scope_of_name(around) {
                return Self::of_scope(scope);
            }
        }
        Self::new(None)
    }

    fn new(mark: Option<Mark>) -> Self {
        let resets = RESETS.load(Ordering::Relaxed);
        Self { mark, resets }
    }

    pub(crate) fn validity(&self) -> Validity {
        if self.mark.is_some_and(|mark| !mark.is_alive()) {
            Validity::Deleted
        } else if self.resets != RESETS.load(Ordering::Relaxed) {
            Validity::Reset
        } else {
            Validity::Valid
        }
    }
}

/// Scope with a mark.
struct Marked {
    mark: Mark,
    name: String,
    /// Numbers of the systems that have marked or used it since their start.
    used_by: Vec<usize>,
}

impl Marked {
    /// Records that the current system uses it.
    fn use_now(&mut self) {
        let number = number();
        if !self.used_by.contains(&number) {
            self.used_by.push(number);
        }
    }
}

/// Number of the current system; 0 for that of a Rust program.
fn number() -> usize {
    match is_entered() {
        true => current().number(),
        false => 0,
    }
}

strand_local! {
    /// Marked scopes of all systems of the C ABI.
    static MARKED: RefCell<Vec<Marked>> = RefCell::new(Vec::new());
}

/// Stores the mark of a live scope.
fn remember(mark: Mark) {
    MARKED.with_shared(|marked| {
        let mut marked = marked.borrow_mut();
        let known = marked.iter_mut().find(|known| known.mark == mark);
        if let Some(known) = known {
            known.use_now();
            return;
        }
        // A deleted scope with the same address is kept while a system that has used it exists.
        marked.retain(|known| !known.used_by.is_empty() || known.mark.scope != mark.scope);
        marked.push(Marked {
            mark,
            name: name_of_scope(mark.scope).unwrap_or_default(),
            used_by: vec![number()],
        });
    });
}

/// Marks a live scope to detect its end. Does not count as a use by a system.
pub(super) fn watch(scope: *mut c_void) {
    let Some(mark) = Mark::of(scope) else {
        return;
    };
    MARKED.with_shared(|marked| {
        let mut marked = marked.borrow_mut();
        if marked.iter().any(|known| known.mark == mark) {
            return;
        }
        marked.retain(|known| !known.used_by.is_empty() || known.mark.scope != mark.scope);
        let name = name_of_scope(scope).unwrap_or_default();
        let used_by = vec![];
        marked.push(Marked {
            mark,
            name,
            used_by,
        });
    });
}

/// State of a scope that Verilator reports as current. It may have been deleted after the last
/// import that ran in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Current {
    /// Not known so far, or live.
    Alive,
    /// A scope with this name and address was deleted. A new one may exist.
    Dead(String),
}

/// State of a current scope.
pub(super) fn known(scope: *mut c_void) -> Current {
    let known = MARKED.with_shared(|marked| {
        let marked = marked.borrow();
        let mut same = marked.iter().filter(|known| known.mark.scope == scope);
        let last = same.next_back()?;
        (!last.mark.is_alive()).then(|| last.name.clone())
    });
    known.flatten().map_or(Current::Alive, Current::Dead)
}

/// False if the scope with this address and name is live. In Verilator only, two models may have
/// scopes with the same name; elsewhere always true.
pub(super) fn may_be_deleted(address: usize, name: &str) -> bool {
    let alive = |marked: &RefCell<Vec<Marked>>| {
        let marked = marked.borrow();
        let mut same = marked
            .iter()
            .filter(|known| known.mark.scope.addr() == address && known.name == name);
        same.any(|known| known.mark.is_alive())
    };
    !is_verilator() || !MARKED.with_shared(alive).unwrap_or(false)
}

/// True if a simulation that the system has used was deleted.
pub(crate) fn is_over() -> bool {
    let over = |marked: &RefCell<Vec<Marked>>| {
        let marked = marked.borrow();
        marked
            .iter()
            .any(|known| known.used_by.contains(&number()) && !known.mark.is_alive())
    };
    MARKED.with_shared(over).unwrap_or(false)
}

strand_local! {
    /// Number of failed uses of a deleted simulation since the start of the system.
    static LATE: Cell<u64> = Cell::new(0);
}

/// Counts a failed use of a deleted simulation. Returns true for the first one of the system. Later
/// ones have the same cause, and may occur in each clock cycle of a testbench that continues.
pub(crate) fn count_late() -> bool {
    let before = LATE.with(|late| late.replace(late.get().saturating_add(1)));
    before.unwrap_or(0) == 0
}

/// Takes the number of failed uses after the first one as a text to report; `None` for none. The
/// next one counts as the first again.
pub(crate) fn take_late() -> Option<String> {
    let count = LATE.with(Cell::take).unwrap_or(0);
    let more = count.checked_sub(1).filter(|more| *more > 0)?;
    Some(format!(
        "{more} more uses of the simulation that was deleted have failed after the first one"
    ))
}

/// Ends the use of simulations by a system that has ended, so that they don't affect the next one.
pub(super) fn release() {
    LATE.with(Cell::take);
    MARKED.with_shared(|marked| {
        for known in &mut *marked.borrow_mut() {
            known.used_by.retain(|user| *user != number());
        }
    });
}

/// Reasons of the callbacks that end the use of a simulation.
const REASONS: [i32; 2] = [CB_END_OF_SIMULATION, CB_START_OF_RESET];

/// Registers VPI callbacks for resets and for the end, once. Has no effect in Verilator, which
/// lacks both.
fn watch_resets() {
    static ONCE: Once = Once::new();
    let Ok(register) = vpi_register_cb.get() else {
        return;
    };
    if has_no_resets() {
        return;
    }
    ONCE.call_once(|| {
        // These simulators can't be reset, and report an error for each callback.
        let no_reset = is_product("Icarus") || is_product("GHDL");
        let reasons = REASONS
            .iter()
            .copied()
            .filter(|reason| !(no_reset && *reason == CB_START_OF_RESET));
        for reason in reasons {
            let mut data = CallbackData {
                reason,
                function: was_reset,
                object: ptr::null_mut(),
                time: ptr::null_mut(),
                value: ptr::null_mut(),
                index: 0,
                user_data: ptr::null_mut(),
            };
            // SAFETY: the simulator copies the data, and the function exists while the library is
            // loaded.
            let handle = unsafe { register(&mut data) };
            if let Ok(release) = vpi_release_handle.get()
                && !handle.is_null()
            {
                // SAFETY: the handle is the simulator's, and this is its last use; the callback
                // stays registered.
                unsafe { release(handle) };
            }
        }
    });
}

extern "C" fn was_reset(_: *mut CallbackData) -> i32 {
    RESETS.fetch_add(1, Ordering::Relaxed);
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_simulator_everything_lives() {
        let lifetime = Lifetime::of_object("tb.ram[3]");
        assert_eq!(lifetime.validity(), Validity::Valid);
        assert!(!is_over());
        assert_eq!(scope_of_name("tb"), None);
    }
}
