//! Testbench of a simulator without DPI. System tasks take the place of DPI exports.
//!
//! - [`methods`]: methods that HDL serves by `$mb_on_call`.
//! - Black-box memories are arrays that `$mb_bb_mem` has registered.
//! - Exit codes are stored for `$mb_exit_code`.

mod methods;

use std::cell::{Cell, RefCell};
use std::ffi::c_char;
use std::ptr;
use std::rc::Rc;
use std::sync::Once;

pub(crate) use methods::{Answer, CallInfo, NoCall, Unserved};

pub(crate) use super::without_dpi::{is_there, is_without_dpi};

use self::methods::Methods;
use super::SimError;
use super::hdl_array::HdlArray;
use super::strand::{CodeGuard, strand_local};
use super::symbols::vpi_register_cb;
use super::vpi_user::{CB_END_OF_SIMULATION, CallbackData};
use super::vpi_value::Trigger;
use super::without_dpi::set_there;

strand_local! {
    static METHODS: RefCell<Methods> = RefCell::new(Methods::new());
}

strand_local! {
    /// Black-box memories.
    static ARRAYS: RefCell<Vec<NamedArray>> = RefCell::new(Vec::new());
}

/// Array of a black-box memory.
struct NamedArray {
    name: String,
    array: Rc<HdlArray>,
    /// File and line of the call that has named it.
    place: Option<String>,
}

strand_local! {
    /// First exit code other than 0.
    static EXIT_CODE: Cell<u32> = Cell::new(0);
}

/// Records the call of a system task. The first call registers `end` for the end of the simulation.
pub(crate) fn attend(end: fn()) {
    static ONCE: Once = Once::new();
    static END: std::sync::Mutex<Option<fn()>> = std::sync::Mutex::new(None);
    extern "C" fn ended(_: *mut CallbackData) -> i32 {
        let end = END.lock().map_or(None, |end| *end);
        if let Some(end) = end {
            end();
        }
        0
    }
    ONCE.call_once(|| {
        set_there();
        if let Ok(mut known) = END.lock() {
            *known = Some(end);
        }
        let Ok(register) = vpi_register_cb.get() else {
            return;
        };
        let mut data = CallbackData {
            reason: CB_END_OF_SIMULATION,
            function: ended,
            object: ptr::null_mut(),
            time: ptr::null_mut(),
            value: ptr::null_mut(),
            index: 0,
            user_data: ptr::null_mut::<c_char>(),
        };
        // SAFETY: the simulator copies the data, and the function exists while the library is
        // loaded.
        unsafe { register(&mut data) };
    });
}

/// Registers an array as the black-box memory of this name. Replaces an earlier one. `place` is
/// that of the call.
pub(crate) fn name_array(name: &str, array: HdlArray, place: Option<String>) {
    let (name, array) = (name.to_owned(), Rc::new(array));
    ARRAYS.with(|arrays| {
        let mut arrays = arrays.borrow_mut();
        arrays.retain(|known| known.name != name);
        arrays.push(NamedArray { name, array, place });
    });
}

/// Names of the arrays that were registered, each with the place of its call.
pub(crate) fn named_arrays() -> Vec<(String, Option<String>)> {
    let named = |known: &NamedArray| (known.name.clone(), known.place.clone());
    let all = ARRAYS.with(|arrays| arrays.borrow().iter().map(named).collect());
    all.unwrap_or_default()
}

/// Array of a black-box memory.
pub(super) fn array(name: &[u8]) -> Result<Rc<HdlArray>, SimError> {
    let found = ARRAYS.with(|arrays| {
        let arrays = arrays.borrow();
        let mut same = arrays.iter().filter(|known| known.name.as_bytes() == name);
        same.next().map(|known| known.array.clone())
    });
    found.flatten().ok_or(SimError::NoArray)
}

/// Records the exit of a channel.
pub(super) fn exited(code: u32) {
    EXIT_CODE.with(|first| {
        if first.get() == 0 {
            first.set(code);
        }
    });
}

/// First exit code other than 0; 0 if there was none.
pub(crate) fn exit_code() -> u32 {
    EXIT_CODE.with(Cell::get).unwrap_or(0)
}

/// Serves a method by a trigger. `*` means all methods without a trigger of their own.
pub(crate) fn on_call(method: &str, trigger: Trigger) {
    METHODS.with(|methods| methods.borrow_mut().register(method, trigger));
}

/// True if HDL serves methods.
pub(super) fn takes_calls() -> bool {
    let any = METHODS.with(|methods| methods.borrow().any());
    any.unwrap_or(false)
}

/// Polls a call. Returns result and status like `mb_sv_call`.
pub(super) fn poll(channel: &str, method: &str, args: &[u64]) -> Result<(u64, u32), SimError> {
    let polled = METHODS.with(|methods| methods.borrow_mut().poll(channel, method, args));
    let (answer, trigger) = polled.ok_or(SimError::Unregistered)?;
    // The simulator may re-enter before this returns, so nothing is borrowed.
    if let Some((trigger, number)) = trigger {
        let _foreign = CodeGuard::foreign();
        trigger.pull(number)?;
    }
    Ok(answer)
}

/// Takes the next call of a method, or of any method; `None` if no call waits.
///
/// # Errors
/// A method that is not served, once.
pub(crate) fn next_call(method: Option<&str>) -> Result<Option<u32>, Unserved> {
    let next = METHODS.with(|methods| methods.borrow_mut().next(method));
    next.unwrap_or(Ok(None))
}

/// Number of calls without a result.
pub(crate) fn pending_calls() -> usize {
    let pending = METHODS.with(|methods| methods.borrow().pending());
    pending.unwrap_or(0)
}

/// Uses a call.
pub(crate) fn with_call<T>(number: u64, act: impl FnOnce(&CallInfo) -> T) -> Result<T, NoCall> {
    let used = METHODS.with(|methods| methods.borrow().get(number).map(act));
    used.unwrap_or(Err(NoCall::Unknown))
}

/// Answers a call.
pub(crate) fn answer(number: u64, answer: Answer) -> Result<(), NoCall> {
    let answered = METHODS.with(|methods| methods.borrow_mut().answer(number, answer));
    answered.unwrap_or(Err(NoCall::Unknown))
}

/// Ends a tick, and drops calls that were not polled in it.
pub(crate) fn end_tick() {
    METHODS.with(|methods| methods.borrow_mut().sweep());
}

/// Starts a system. Of the previous one, only the declarations of HDL are kept.
pub(crate) fn begin() {
    EXIT_CODE.with(|code| code.set(0));
    drop_calls();
}

/// Drops all calls: their system was shut down, or restored from a checkpoint.
pub(crate) fn drop_calls() {
    METHODS.with(|methods| methods.borrow_mut().drop_calls());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_the_exit_code() {
        exited(0);
        assert_eq!(exit_code(), 0);
        exited(3);
        exited(4);
        assert_eq!(exit_code(), 3);
        begin();
        assert_eq!(exit_code(), 0);
    }

    #[test]
    fn a_memory_without_an_array_is_an_error() {
        assert_eq!(array(b"ram").map(drop), Err(SimError::NoArray));
    }
}
