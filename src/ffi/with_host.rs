//! Use of the C ABI's system by a Rust crate that is linked with the library.

use super::call::Call;
use super::error::{Error, catch};
use crate::Vhost;
use crate::foreign::host_code;

/// Error of using the system of the C ABI.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HostError(Error);

/// Uses the system of the C ABI. If there is none, it is built from the environment. For functions
/// that a host program exports to the simulator, on any thread while no other thread is inside a
/// call.
///
/// ```no_run
/// /// Called by the testbench: `import "DPI-C" context function void load_table(input int unsigned address);`
/// #[unsafe(no_mangle)]
/// extern "C" fn load_table(address: u32) {
///     let loaded = vhost::with_host(|vhost| vhost.write("core0", address.into(), vec![1, 2, 3]));
///     // An error of `with_host` is reported already.
///     if let Ok(Err(error)) = loaded {
///         eprintln!("the table is not loaded: {error}");
///     }
/// }
/// ```
///
/// # Errors
/// Fails if the system could not be built or is under construction, if another thread is inside a
/// call, and if `act` panics, because a panic must not unwind into the simulator. Each error is
/// reported and returned by `mb_last_error`, like the errors of C's calls. So a failed call fails
/// the run, even if the function ignores the error.
pub fn with_host<T>(act: impl FnOnce(&Vhost) -> T) -> Result<T, HostError> {
    let call = Call::enter();
    let done = catch(|| {
        let vhost = call.system_state()?.system()?;
        Ok(host_code::run("the function", || act(&vhost))?)
    });
    done.map_err(|error| {
        call.report_error("with_host", &error);
        HostError(error)
    })
}
