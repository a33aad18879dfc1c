//! Lifetime of simulations: validity of the scopes and handles that they have given.
//!
//! Verilator: models are constructed and deleted while the process runs, without notice. User data
//! of a scope goes with the scope, and is found by the scope's address without following it. So
//! each scope that is used is marked, and one whose mark is gone is never used again.
//!
//! Other simulators have one design, which may be reset: VPI calls back then, and every handle is
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
use super::vpi_user::CallbackData;

/// True where the simulation is one of Verilator's: the function is a static member of its runtime. A program that does not
/// export it has a name in VPI.
pub(super) fn is_verilator() -> bool {
    _ZN9Verilated11productNameEv.get().is_ok()
}

/// True where VPI has neither resets nor an end, and would complain of a callback for them.
fn has_no_resets() -> bool {
    is_verilator() || is_product("Verilator")
}

/// The scope of this hierarchical name, where the simulator has it.
pub(super) fn scope_of_name(name: &str) -> Option<*mut c_void> {
    let find = svGetScopeFromName.get().ok()?;
    let name = c_text(name);
    // SAFETY: the name is NUL-terminated.
    let scope = unsafe { find(name.as_ptr()) };
    (!scope.is_null()).then_some(scope)
}

/// Name of a scope that is alive.
pub(super) fn name_of_scope(scope: *mut c_void) -> Option<String> {
    let name = svGetNameFromScope.get().ok()?;
    // SAFETY: the scope is alive.
    let name = unsafe { name(scope) };
    if name.is_null() {
        return None;
    }
    // SAFETY: the simulator gives a NUL-terminated name, which stays as long as the scope.
    Some(unsafe { CStr::from_ptr(name) }.to_str().ok()?.to_owned())
}

/// A scope of Verilator's, marked by user data that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    scope: *mut c_void,
    tag: *mut c_void,
}

/// Its address is the key of the marks.
static KEY: u8 = 0;

/// The next mark's tag: none is used twice, since a later scope may have the address of an earlier one.
static NEXT_TAG: AtomicUsize = AtomicUsize::new(1);

impl Mark {
    /// Marks a scope that is alive; `None` in another simulator than Verilator.
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

/// Tag of a scope, dead or alive; NULL of one that is not marked.
fn tag_of(scope: *mut c_void) -> Option<*mut c_void> {
    let get = svGetUserData.get().ok()?;
    // SAFETY: Verilator looks the pair of addresses up and follows neither.
    Some(unsafe { get(scope, key()) })
}

fn key() -> *mut c_void {
    ptr::from_ref(&KEY).cast_mut().cast()
}

/// Number of resets and ends that VPI has reported.
static RESETS: AtomicU64 = AtomicU64::new(0);

/// State of the simulation that something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It goes on.
    Alive,
    /// It was reset, or is about to end: what it has given is to be looked up anew.
    Reset,
    /// It was deleted.
    Over,
}

/// Lifetime of something that a simulation has given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    mark: Option<Mark>,
    resets: u64,
}

impl Life {
    /// Lifetime of a scope that is alive now.
    pub(super) fn of_scope(scope: *mut c_void) -> Self {
        let mark = Mark::of(scope);
        if let Some(mark) = mark {
            remember(mark);
        }
        Self::new(mark)
    }

    /// Lifetime of the HDL object of this path, which is there now: that of the innermost scope around it.
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

    pub(crate) fn stand(&self) -> Stand {
        if self.mark.is_some_and(|mark| !mark.is_alive()) {
            Stand::Over
        } else if self.resets != RESETS.load(Ordering::Relaxed) {
            Stand::Reset
        } else {
            Stand::Alive
        }
    }
}

/// A scope that was marked.
struct Marked {
    mark: Mark,
    name: String,
    /// Numbers of the systems that have marked or used it since they began.
    used_by: Vec<usize>,
}

impl Marked {
    /// Notes that the current system uses it.
    fn use_now(&mut self) {
        let number = number();
        if !self.used_by.contains(&number) {
            self.used_by.push(number);
        }
    }
}

/// Number of the current system; 0 of a Rust program's.
fn number() -> usize {
    match is_entered() {
        true => current().number(),
        false => 0,
    }
}

strand_local! {
    /// Scopes that were marked, by whatever system of the C ABI.
    static MARKED: RefCell<Vec<Marked>> = RefCell::new(Vec::new());
}

/// Keeps a mark of a scope that is alive.
fn remember(mark: Mark) {
    MARKED.with_shared(|marked| {
        let mut marked = marked.borrow_mut();
        let known = marked.iter_mut().find(|known| known.mark == mark);
        if let Some(known) = known {
            known.use_now();
            return;
        }
        // A dead one of the same address stays while a system that used it does.
        marked.retain(|known| !known.used_by.is_empty() || known.mark.scope != mark.scope);
        marked.push(Marked {
            mark,
            name: name_of_scope(mark.scope).unwrap_or_default(),
            used_by: vec![number()],
        });
    });
}

/// Marks a scope that is alive, so that its end is noticed. No system uses it by that.
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

/// State of a scope that Verilator calls current. It may have been deleted after the last import
/// that ran in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Current {
    /// It was not seen before, or is alive.
    Alive,
    /// A scope of this name and address was deleted; it may be there anew.
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

/// True unless the scope of this address and name is alive. Verilator alone has two scopes of one name, in two models: true elsewhere.
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
    /// Failed uses of a deleted simulation, since the system began.
    static LATE: Cell<u64> = Cell::new(0);
}

/// Counts a failed use of a deleted simulation. True for the first one of the system: the others are the same failure, and a testbench
/// that goes on has one in each clock.
pub(crate) fn count_late() -> bool {
    let before = LATE.with(|late| late.replace(late.get().saturating_add(1)));
    before.unwrap_or(0) == 0
}

/// Takes the count of failed uses behind the first one, as a text to report; `None` where there are none. The next one is a first one again.
pub(crate) fn take_late() -> Option<String> {
    let count = LATE.with(Cell::take).unwrap_or(0);
    let more = count.checked_sub(1).filter(|more| *more > 0)?;
    Some(format!(
        "{more} more uses of the simulation that was deleted have failed after the first one"
    ))
}

/// The system is gone: simulations that it has used are no concern of the next one's.
pub(super) fn release() {
    LATE.with(Cell::take);
    MARKED.with_shared(|marked| {
        for known in &mut *marked.borrow_mut() {
            known.used_by.retain(|user| *user != number());
        }
    });
}

/// `cbEndOfSimulation` and `cbStartOfReset` of `vpi_user.h`.
const REASONS: [i32; 2] = [12, START_OF_RESET];
const START_OF_RESET: i32 = 19;

/// Registers VPI callbacks for resets and for the end, once; not in Verilator, which has neither.
fn watch_resets() {
    static ONCE: Once = Once::new();
    let Ok(register) = vpi_register_cb.get() else {
        return;
    };
    if has_no_resets() {
        return;
    }
    ONCE.call_once(|| {
        // These can't be reset, and say so for each callback.
        let no_reset = is_product("Icarus") || is_product("GHDL");
        let reasons = REASONS
            .iter()
            .copied()
            .filter(|reason| !(no_reset && *reason == START_OF_RESET));
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
            // SAFETY: the simulator copies the data, and the function stays while the library is loaded.
            let handle = unsafe { register(&mut data) };
            if let Ok(release) = vpi_release_handle.get()
                && !handle.is_null()
            {
                // SAFETY: the handle is the simulator's, and this is its last use; the callback stays registered.
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
        let life = Life::of_object("tb.ram[3]");
        assert_eq!(life.stand(), Stand::Alive);
        assert!(!is_over());
        assert_eq!(scope_of_name("tb"), None);
    }
}
