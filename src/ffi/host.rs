//! The host program: a Rust crate that is linked with the library and configures the system of the C ABI.

use super::error::Error as CallError;
use super::guard::{Call, catch};
use crate::foreign::host_code;
use crate::{Builder, Vhost};

/// Configures the system of the C ABI before `mb_init`, or the first use, builds it.
pub type Configure = fn(Builder) -> Result<Builder, Box<dyn std::error::Error>>;

unsafe extern "Rust" {
    /// Defined by [`host!`](crate::host) in the host program. Without the feature `host`, a weak NULL in `default_host.c` stands in its
    /// place where there is no host program. In an archive, GNU ld may come to that first.
    static __vhost_host: Option<Configure>;
}

/// The builder, as the host program configures it.
pub(super) fn configure(builder: Builder) -> Result<Builder, Box<dyn std::error::Error>> {
    // SAFETY: both definitions are a constant of this type: NULL, or a pointer to a function of the type of `Configure`, which
    // `host!` checks.
    match unsafe { __vhost_host } {
        Some(configure) => {
            tracing::info!(target: "vhost::start", "configured by the host program");
            configure(builder)
        }
        None => Ok(builder),
    }
}

/// Configures the system of the C ABI by a function of type [`Configure`], which is called before `mb_init` or the first use
/// builds it. Once in a program.
///
/// The crate depends on `vhost` with the feature `host`: a linker then finds the function wherever it stands, and a program without
/// one does not link. Without the feature, GNU ld may leave the function out of a program that links the crate as an archive
/// (`staticlib`), without a word.
///
/// ```toml
/// [dependencies]
/// vhost = { version = "0.1", features = ["host"] }
/// ```
///
/// `VHOST_LOG=vhost::start=info` shows whether a host program configures the system.
///
/// ```
/// use std::task::Poll;
/// use vhost::Builder;
///
/// fn configure(builder: Builder) -> Result<Builder, Box<dyn std::error::Error>> {
///     Ok(builder
///         .method("add", |_, call| Ok(Poll::Ready(call.args[0] + call.args[1])))
///         .on_start(|vhost| Ok(vhost.write("core0", 0x100, vec![1, 2, 3])?)))
/// }
///
/// vhost::host!(configure);
/// ```
#[macro_export]
macro_rules! host {
    ($configure:path) => {
        #[unsafe(no_mangle)]
        static __vhost_host: ::core::option::Option<$crate::Configure> =
            ::core::option::Option::Some($configure);
    };
}

/// The system of the C ABI can't be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HostError(CallError);

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
/// Where the system could not be built, is just being built, or another thread is inside a call; and where `act` panics, which must not
/// unwind into the simulator. Each is reported and in `mb_last_error`, as the errors of C's calls are, so a failed call fails the
/// run whatever the function does with it.
pub fn with_host<T>(act: impl FnOnce(&Vhost) -> T) -> Result<T, HostError> {
    let call = Call::enter();
    let done = catch(|| {
        let vhost = call.process()?.system()?;
        Ok(host_code::run("the function", || act(&vhost))?)
    });
    done.map_err(|error| {
        call.tell("with_host", &error);
        HostError(error)
    })
}
