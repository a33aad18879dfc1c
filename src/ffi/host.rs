//! The host program: a Rust crate that is linked with the library and configures the system of the C ABI.

use crate::Builder;

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
