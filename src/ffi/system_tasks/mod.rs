//! System tasks and functions for simulators with VPI and without DPI, such as Icarus Verilog.
//! `docs/icarus.md` documents each.
//!
//! - [`table`]: names and parameters; [`task`]: description of one task.
//! - [`lifecycle`]: from `$mb_init` to `$mb_quit`; [`memory`]: access to the memories of the chip;
//!   [`methods`]: methods in HDL.
//!
//! Each call passes the [guard](super::guard) of the C ABI. The arguments of each call in the
//! source are checked before the simulation starts.

mod lifecycle;
mod memory;
mod methods;
mod table;
mod task;

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use self::task::{Body, Task};
use super::error::catch;
use super::guard::guard;
use super::systems;
use crate::sim::system_task::{RunningCall, begin_task, refuse, register};
use crate::sim::{vpi_control, vpi_testbench};

/// Registers all system tasks. Called by the module `vhost.vpi`, and by users' modules, in the
/// simulator's startup routines. Returns 0, or -1 if the process has no VPI.
#[unsafe(no_mangle)]
pub(super) extern "C" fn vhost_register_system_tasks() -> c_int {
    let registered = catch(|| {
        for task in table::TASKS {
            let data: *const c_void = ptr::from_ref(task).cast();
            register(&task.declaration, call, check, data).map_err(crate::sim::SimError::from)?;
        }
        Ok(0)
    });
    registered.unwrap_or(-1)
}

/// Task from the data with which it was registered.
fn task_of(data: *mut c_char) -> &'static Task {
    // SAFETY: the simulator passes the data of the registration, which is an entry of the static
    // table.
    unsafe { &*data.cast_const().cast::<Task>() }
}

/// Executes a call in the simulation.
extern "C" fn call(data: *mut c_char) -> c_int {
    let task = task_of(data);
    let declaration = &task.declaration;
    vpi_testbench::attend(ended);
    let _running = begin_task(declaration.name);
    let result = match task.body {
        Body::Plain(function) => {
            let result = function();
            if result == task.failed {
                vpi_control::fail();
            }
            result
        }
        Body::Guarded(body) => guard(declaration.name, task.failed, |call| {
            let running = RunningCall::of(declaration).map_err(crate::sim::SimError::from)?;
            body(call, &running).inspect_err(|error| {
                if error.is_reported() {
                    vpi_control::fail();
                }
            })
        }),
    };
    // Without a result, the simulator uses its own value for a failure: X.
    let _ = catch(|| {
        Ok(declaration
            .give(result)
            .map_err(crate::sim::SimError::from)?)
    });
    0
}

/// Checks a call in the source before the simulation.
extern "C" fn check(data: *mut c_char) -> c_int {
    let declaration = &task_of(data).declaration;
    let _ = catch(|| {
        let running = RunningCall::of(declaration).map_err(crate::sim::SimError::from)?;
        if let Err(error) = running.check(declaration) {
            refuse(&running, declaration, &error).map_err(crate::sim::SimError::from)?;
        }
        Ok(())
    });
    0
}

/// Completes recordings and printed text at the end of the simulation, and sets the exit status of
/// a failed run.
fn ended() {
    vpi_control::end();
    guard("mb_shutdown", (), |call| {
        call.reject_inside_any()?;
        systems::stop_all(call.usable_strand()?)
    });
}
