//! System tasks and functions of a simulator with VPI (IEEE 1800-2017, 36.9 and 38.37.1).
//!
//! A task is declared by its name and its parameters. Before the simulation, the simulator calls
//! back for each call in the source, to check the arguments. In the simulation, it calls back for
//! each call.

mod argument;
mod call;

use std::ffi::{c_char, c_void};
use std::ptr;

pub(crate) use argument::{ArgumentError, ArgumentKind, Parameter};
pub(crate) use call::{
    RunningCall, begin_task, name_of_running, place_of_running, refuse, scope_of_running,
};

use super::symbols::vpi_register_systf;
use super::vpi_user::{SystemTaskData, VPI_INT_FUNC, VPI_SIZED_FUNC, VPI_SYS_FUNC, VPI_SYS_TASK};
use super::{Absent, c_text};

/// Type of a system function's result; none for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    /// A task.
    Nothing,
    /// An `integer`.
    Integer,
    /// Unsigned number of 64 bits.
    Long,
}

/// Declaration of a system task or function.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// Name with its `$`.
    pub(crate) name: &'static str,
    pub(crate) returned: Returned,
    pub(crate) parameters: &'static [Parameter],
    /// Number of required parameters.
    pub(crate) required: usize,
}

/// Callback of the simulator; its argument is the data of the registration.
pub(crate) type Callback = extern "C" fn(*mut c_char) -> i32;

impl Declaration {
    /// Syntax of a call: name and parameters, optional ones in brackets.
    pub(crate) fn usage(&self) -> String {
        let names = self.parameters.iter().map(|parameter| parameter.name);
        let (required, optional): (Vec<_>, Vec<_>) = names
            .enumerate()
            .partition(|(index, _)| *index < self.required);
        let list = |names: Vec<(usize, &'static str)>| {
            let names: Vec<_> = names.into_iter().map(|(_, name)| name).collect();
            names.join(", ")
        };
        let (required, optional) = (list(required), list(optional));
        let arguments = match (required.is_empty(), optional.is_empty()) {
            (_, true) => required,
            (true, false) => format!("[{optional}]"),
            (false, false) => format!("{required}[, {optional}]"),
        };
        if arguments.is_empty() {
            return self.name.to_owned();
        }
        format!("{}({arguments})", self.name)
    }
}

/// Registers a task for the life of the process. Both callbacks get `data`.
///
/// # Errors
/// [`Absent`] if the program has no VPI.
pub(crate) fn register(
    declaration: &'static Declaration,
    call: Callback,
    check: Callback,
    data: *const c_void,
) -> Result<(), Absent> {
    let register = vpi_register_systf.get()?;
    let (kind, result) = match declaration.returned {
        Returned::Nothing => (VPI_SYS_TASK, 0),
        Returned::Integer => (VPI_SYS_FUNC, VPI_INT_FUNC),
        Returned::Long => (VPI_SYS_FUNC, VPI_SIZED_FUNC),
    };
    let mut systf = SystemTaskData {
        kind,
        result,
        // Some simulators keep the pointer.
        name: c_text(declaration.name).into_raw(),
        call: Some(call),
        check: Some(check),
        size: (result == VPI_SIZED_FUNC).then_some(long as Callback),
        user_data: data.cast_mut().cast(),
    };
    // SAFETY: the simulator copies the structure; name, callbacks and data stay valid.
    unsafe { register(ptr::from_mut(&mut systf)) };
    Ok(())
}

/// Width of a 64-bit result.
extern "C" fn long(_: *mut c_char) -> i32 {
    64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn parameter(name: &'static str) -> Parameter {
        Parameter {
            name,
            kind: ArgumentKind::Number,
        }
    }

    #[test]
    fn the_usage_shows_optional_arguments() {
        static PARAMETERS: [Parameter; 3] = [parameter("a"), parameter("b"), parameter("c")];
        let usage = |required, count| {
            let declaration = Declaration {
                name: "$t",
                returned: Returned::Nothing,
                parameters: &PARAMETERS[..count],
                required,
            };
            declaration.usage()
        };
        assert_eq!(usage(0, 0), "$t");
        assert_eq!(usage(2, 2), "$t(a, b)");
        assert_eq!(usage(1, 3), "$t(a[, b, c])");
        assert_eq!(usage(0, 1), "$t([a])");
    }
}
