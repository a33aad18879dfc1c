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

pub(crate) use methods::{Answer, CallInfo};

pub(crate) use super::without_dpi::{is_there, is_without_dpi};

use self::methods::Methods;
use super::SimError;
use super::hdl_array::HdlArray;
use super::strand::{CodeGuard, strand_local};
use super::symbols::vpi_register_cb;
use super::vpi_user::CallbackData;
use super::vpi_value::Trigger;
use super::without_dpi::set_there;

/// `cbEndOfSimulation` of `vpi_user.h`.
const END_OF_SIMULATION: i32 = 12;

strand_local! {
    static METHODS: RefCell<Methods> = RefCell::new(Methods::new());
}

strand_local! {
    /// Black-box memories by name.
    static ARRAYS: RefCell<Vec<(String, Rc<HdlArray>)>> = RefCell::new(Vec::new());
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
            reason: END_OF_SIMULATION,
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

/// Registers an array as the black-box memory of this name. Replaces an earlier one.
pub(crate) fn name_array(name: &str, array: HdlArray) {
    ARRAYS.with(|arrays| {
        let mut arrays = arrays.borrow_mut();
        arrays.retain(|(known, _)| known != name);
        arrays.push((name.to_owned(), Rc::new(array)));
    });
}

/// Array of a black-box memory.
pub(super) fn array(name: &[u8]) -> Result<Rc<HdlArray>, SimError> {
    let found = ARRAYS.with(|arrays| {
        let arrays = arrays.borrow();
        let mut same = arrays.iter().filter(|(known, _)| known.as_bytes() == name);
        same.next().map(|(_, array)| array.clone())
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
pub(crate) fn next_call(method: Option<&str>) -> Option<u32> {
    let next = METHODS.with(|methods| methods.borrow_mut().next(method));
    next.flatten()
}

/// Number of calls without a result.
pub(crate) fn pending_calls() -> usize {
    let pending = METHODS.with(|methods| methods.borrow().pending());
    pending.unwrap_or(0)
}

/// Uses a call; `None` for one that has ended.
pub(crate) fn with_call<T>(number: u64, act: impl FnOnce(&CallInfo) -> T) -> Option<T> {
    let used = METHODS.with(|methods| methods.borrow().get(number).map(act));
    used.flatten()
}

/// True for the number of any call so far.
pub(crate) fn was_call(number: u64) -> bool {
    let was = METHODS.with(|methods| methods.borrow().has_been(number));
    was.unwrap_or(false)
}

/// Answers a call. Returns false for one that has ended.
pub(crate) fn answer(number: u64, answer: Answer) -> bool {
    let answered = METHODS.with(|methods| methods.borrow_mut().answer(number, answer));
    answered.unwrap_or(false)
}

/// Ends a tick, and drops calls that were not polled in it.
pub(crate) fn end_tick() {
    METHODS.with(|methods| methods.borrow_mut().sweep());
}

/// Starts a system. Of the previous one, only the declarations of HDL are kept.
pub(crate) fn begin() {
    EXIT_CODE.with(|code| code.set(0));
    METHODS.with(|methods| methods.borrow_mut().forget_calls());
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
