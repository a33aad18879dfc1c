//! Running call of a system task, or a call in the source under check.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};

use smallvec::SmallVec;

use super::super::hdl_array::HdlArray;
use super::super::symbols::{vpi_get, vpi_get_str, vpi_handle, vpi_iterate, vpi_scan};
use super::super::vpi_control::{finish, print};
use super::super::vpi_user::{
    VPI_ARGUMENT, VPI_FILE, VPI_FULL_NAME, VPI_LINE, VPI_SCOPE, VPI_SYS_TF_CALL,
};
use super::super::vpi_value::{Trigger, put_result};
use super::super::{Absent, SimError};
use super::argument::{Argument, ArgumentError};
use super::{Declaration, Returned};

/// Maximum number of arguments of a call that are checked.
const MAX_ARGUMENTS: usize = 16;

/// Call of a task, in the simulation or in the source.
#[derive(Debug)]
pub(crate) struct RunningCall {
    handle: NonNull<c_void>,
    arguments: SmallVec<[Argument; 4]>,
    /// Number of arguments in the source.
    given: usize,
}

impl RunningCall {
    /// Call that the simulator makes or checks.
    pub(crate) fn of(declaration: &Declaration) -> Result<Self, ArgumentError> {
        let handle = running()?;
        let mut call = Self {
            handle,
            arguments: SmallVec::new(),
            given: 0,
        };
        let (iterate, scan) = (vpi_iterate.get()?, vpi_scan.get()?);
        // SAFETY: the handle is that of the running call.
        let arguments = unsafe { iterate(VPI_ARGUMENT, handle.as_ptr()) };
        if arguments.is_null() {
            return Ok(call);
        }
        let names = declaration
            .parameters
            .iter()
            .map(|parameter| parameter.name);
        let mut names = names.fuse();
        // After its last object, an iterator releases itself.
        // SAFETY: the iterator is the simulator's, and has not reached its end.
        while let Some(handle) = NonNull::new(unsafe { scan(arguments) }) {
            call.given += 1;
            if let Some(name) = names.next() {
                call.arguments.push(Argument {
                    handle,
                    number: call.given,
                    name,
                });
            }
            if call.given >= MAX_ARGUMENTS {
                break;
            }
        }
        Ok(call)
    }

    /// Checks number and kinds of the arguments.
    pub(crate) fn check(&self, declaration: &Declaration) -> Result<(), ArgumentError> {
        let (least, most) = (declaration.required, declaration.parameters.len());
        if !(least..=most).contains(&self.given) {
            return Err(ArgumentError::Count {
                given: self.given,
                least,
                most,
                usage: declaration.usage(),
            });
        }
        let mut checked = self.arguments.iter().zip(declaration.parameters);
        checked.try_for_each(|(argument, parameter)| {
            argument.check(parameter.kind, || declaration.usage())
        })
    }

    fn argument(&self, index: usize) -> Result<&Argument, ArgumentError> {
        self.arguments.get(index).ok_or(ArgumentError::NoCall)
    }

    /// True if the call has this argument.
    pub(crate) fn has(&self, index: usize) -> bool {
        index < self.arguments.len()
    }

    /// Bytes of a text.
    pub(crate) fn text(&self, index: usize) -> Result<Vec<u8>, ArgumentError> {
        self.argument(index)?.text()
    }

    /// Number of an argument, zero-extended.
    pub(crate) fn number(&self, index: usize) -> Result<u64, ArgumentError> {
        self.argument(index)?.number()
    }

    /// Number of an argument, sign-extended if the argument is signed.
    pub(crate) fn signed_number(&self, index: usize) -> Result<u64, ArgumentError> {
        self.argument(index)?.signed_number()
    }

    /// Sets a variable to a text.
    pub(crate) fn set_text(&self, index: usize, text: &str) -> Result<(), ArgumentError> {
        self.argument(index)?.set_text(text)
    }

    /// Sets a variable to a number.
    pub(crate) fn set_number(&self, index: usize, number: u64) -> Result<(), ArgumentError> {
        Ok(self.argument(index)?.set_number(number)?)
    }

    /// Array of an argument, which is valid as long as the design.
    pub(crate) fn array(&self, index: usize) -> Result<HdlArray, SimError> {
        let argument = self.argument(index)?;
        HdlArray::of(argument.handle)
    }

    /// Variable or event of an argument, which is valid as long as the design.
    pub(crate) fn trigger(&self, index: usize) -> Result<Trigger, ArgumentError> {
        Ok(Trigger::of(self.argument(index)?.handle))
    }

    /// File and line of the call in the source, as `file:line`; `None` if the simulator does not
    /// provide them.
    pub(crate) fn place(&self) -> Option<String> {
        place(self.handle)
    }
}

/// File and line of a call in the source.
fn place(call: NonNull<c_void>) -> Option<String> {
    let (text, get) = (vpi_get_str.get().ok()?, vpi_get.get().ok()?);
    // SAFETY: the handle is that of the running call.
    let file = unsafe { text(VPI_FILE, call.as_ptr()) };
    if file.is_null() {
        return None;
    }
    // SAFETY: the simulator returns a NUL-terminated name, which is valid until its next call.
    let file = unsafe { CStr::from_ptr(file) }.to_string_lossy();
    let file = file.into_owned();
    // SAFETY: as above.
    let line = unsafe { get(VPI_LINE, call.as_ptr()) };
    Some(format!("{file}:{line}"))
}

thread_local! {
    /// Name of the running task.
    static RUNNING: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Mark of a system task that runs.
#[must_use = "the task ends when this is dropped"]
pub(crate) struct RunningTask(());

/// Begins the system task of this name.
pub(crate) fn begin_task(name: &'static str) -> RunningTask {
    RUNNING.set(Some(name));
    RunningTask(())
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        RUNNING.set(None);
    }
}

/// Name of the system task that runs, with its `$`; `None` outside of one.
pub(crate) fn name_of_running() -> Option<&'static str> {
    RUNNING.try_with(Cell::get).unwrap_or(None)
}

/// File and line of the system task that runs, as `file:line`; `None` outside of one.
pub(crate) fn place_of_running() -> Option<String> {
    // Outside of a task, Icarus Verilog may abort at a query of the running call.
    name_of_running()?;
    place(running().ok()?)
}

fn running() -> Result<NonNull<c_void>, ArgumentError> {
    let handle = vpi_handle.get()?;
    // SAFETY: NULL means the running call.
    let call = unsafe { handle(VPI_SYS_TF_CALL, ptr::null_mut()) };
    NonNull::new(call).ok_or(ArgumentError::NoCall)
}

/// Hierarchical name of the running call's scope; `None` if no call runs.
pub(crate) fn scope_of_running() -> Option<String> {
    let (handle, text) = (vpi_handle.get().ok()?, vpi_get_str.get().ok()?);
    let call = running().ok()?;
    // SAFETY: the handle is that of the running call.
    let scope = unsafe { handle(VPI_SCOPE, call.as_ptr()) };
    if scope.is_null() {
        return None;
    }
    // SAFETY: the handle is the simulator's, and is valid as long as the design.
    let name = unsafe { text(VPI_FULL_NAME, scope) };
    if name.is_null() {
        return None;
    }
    // SAFETY: the simulator returns a NUL-terminated name, which is valid until its next call.
    let name = unsafe { CStr::from_ptr(name) };
    Some(name.to_string_lossy().into_owned())
}

impl Declaration {
    /// Sets the result of the running function; has no effect in a task.
    pub(crate) fn give(&self, result: i64) -> Result<(), ArgumentError> {
        if self.returned == Returned::Nothing {
            return Ok(());
        }
        Ok(put_result(running()?, result.cast_unsigned())?)
    }
}

/// Refuses a call in the source: prints the error, and ends the run before the simulation.
pub(crate) fn refuse(
    call: &RunningCall,
    declaration: &Declaration,
    error: &ArgumentError,
) -> Result<(), Absent> {
    let place = call.place();
    let place = place.map_or(String::new(), |place| format!("{place}: "));
    let name = declaration.name;
    print(&format!("ERROR: {place}{name}: {error}\n"))?;
    finish(1)
}
