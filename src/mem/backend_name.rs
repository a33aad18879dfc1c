//! Names of the backends of memories. `src/backend` has the backends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Defines [`Backend`], one line for each variant: name in the configuration, and `true` if
/// accesses are executed in this process, without foreign calls. Recordings store the position of a
/// variant, so new variants are added at the end.
macro_rules! backends {
    ($($(#[doc = $doc:literal])+ $variant:ident: $name:literal, $is_local:literal;)+) => {
        /// Method of access to a memory.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Backend {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Backend {
            /// All backends.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Name in the configuration.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// True if accesses are executed in this process, without foreign calls.
            pub fn is_local(self) -> bool {
                match self {
                    $(Self::$variant => $is_local,)+
                }
            }
        }
    };
}

backends! {
    /// Logs each access, and reads as zeros.
    Log: "log", true;
    /// `uvm_hdl_read` and `uvm_hdl_deposit`; for black boxes `mb_bb_mem_*`.
    Uvm: "uvm", false;
    /// C functions `__vhost_bb_mem_*`, for black boxes only.
    Api: "api", false;
    /// Buffers in this process.
    Static: "static", true;
    /// VPI; for black boxes as [`Backend::Uvm`].
    Vpi: "vpi", false;
    /// Memory model of the host program, registered under the memory's name.
    Model: "model", false;
}

impl fmt::Display for Backend {
    /// Formats the backend as in the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
