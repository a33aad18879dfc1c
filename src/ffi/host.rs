//! The host program: a Rust crate that is linked with the library and configures the system of the
//! C ABI.

use crate::Builder;

/// Configures the system of the C ABI before `mb_init`, or the first use, builds it.
pub type Configure = fn(Builder) -> Result<Builder, Box<dyn std::error::Error>>;

unsafe extern "Rust" {
    /// Defined by [`host!`](crate::host) in the host program. Without the feature `host` and
    /// without a host program, a weak NULL in `default_host.c` replaces it. GNU ld may find that
    /// one first in an archive.
    static __vhost_host: Option<Configure>;
}

/// Returns the builder as configured by the host program.
pub(super) fn configure(builder: Builder) -> Result<Builder, Box<dyn std::error::Error>> {
    // SAFETY: both definitions are a constant of this type: NULL, or a pointer to a function of the
    // type of `Configure`, which `host!` checks.
    match unsafe { __vhost_host } {
        Some(configure) => {
            tracing::info!(target: "vhost::start", "configured by the host program");
            configure(builder)
        }
        None => Ok(builder),
    }
}

/// Configures the system of the C ABI by a function of type [`Configure`], which is called before
/// `mb_init` or the first use builds the system. May be used once in a program.
///
/// The crate depends on `vhost` with the feature `host`. Then a linker finds the function at any
/// position, and a program without one does not link. Without the feature, GNU ld may silently omit
/// the function from a program that links the crate as an archive (`staticlib`).
///
/// ```toml
/// [dependencies]
/// vhost = { version = "0.1", features = ["host"] }
/// ```
///
/// `VHOST_LOG=vhost::start=info` shows if a host program configures the system.
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
