//! Use of the system of the C ABI by a Rust crate that is linked with the library.

use super::call::Call;
use super::error::{Error, catch};
use crate::Vhost;
use crate::foreign::host_code;

/// The system of the C ABI can't be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HostError(Error);

/// Uses the system of the C ABI, which is built from the environment where there is none yet. For functions that a host program
/// exports to the simulator, from any thread, while no other thread is inside a call.
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
/// Fails if the system could not be built or is just being built, if another thread is inside a call, and if `act` panics, which must not
/// unwind into the simulator. Each error is reported and in `mb_last_error`, as the errors of C's calls are, so a failed call fails the
/// run whatever the function does with it.
pub fn with_host<T>(act: impl FnOnce(&Vhost) -> T) -> Result<T, HostError> {
    let call = Call::enter();
    let done = catch(|| {
        let vhost = call.process()?.system()?;
        Ok(host_code::run("the function", || act(&vhost))?)
    });
    done.map_err(|error| {
        call.report_error("with_host", &error);
        HostError(error)
    })
}
