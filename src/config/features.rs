//! What Cargo features choose: defaults for configurations that do not say.

use mailbox_rs::{CacheLine, PtrWidth};
use serde::{Deserialize, Serialize};

use crate::mem::Backend;

/// One compile error for each pair of features that are both on.
macro_rules! exclude {
    ($($a:literal, $b:literal: $key:literal;)*) => {$(
        #[cfg(all(feature = $a, feature = $b))]
        compile_error!(concat!(
            "the features `", $a, "` and `", $b, "` exclude one another: each chooses the default of the key `", $key,
            "`. Keep one, and give the others in the configuration with `", $key, ":`"
        ));
    )*};
}

exclude! {
    "mem_uvm", "mem_api": "backend";
    "mem_uvm", "mem_static": "backend";
    "mem_uvm", "mem_vpi": "backend";
    "mem_api", "mem_static": "backend";
    "mem_api", "mem_vpi": "backend";
    "mem_static", "mem_vpi": "backend";
    "ptr32", "ptr64": "ptr";
    "cache_line_32", "cache_line_64": "cache_line";
    "cache_line_32", "cache_line_128": "cache_line";
    "cache_line_32", "cache_line_256": "cache_line";
    "cache_line_64", "cache_line_128": "cache_line";
    "cache_line_64", "cache_line_256": "cache_line";
    "cache_line_128", "cache_line_256": "cache_line";
}

impl Default for Backend {
    /// The choice of the `mem_*` feature; [`Backend::Log`] where none is on.
    fn default() -> Self {
        if cfg!(feature = "mem_uvm") {
            Self::Uvm
        } else if cfg!(feature = "mem_api") {
            Self::Api
        } else if cfg!(feature = "mem_static") {
            Self::Static
        } else if cfg!(feature = "mem_vpi") {
            Self::Vpi
        } else {
            Self::Log
        }
    }
}

/// What holds where a configuration does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// The backend of memories.
    pub backend: Backend,
    /// The pointer width of channels that have no image that says it.
    pub ptr_width: Option<PtrWidth>,
    /// The cache line of channels.
    pub cache_line: CacheLine,
}

impl Defaults {
    /// Those that this library was built with.
    pub fn of_features() -> Self {
        Self {
            backend: Backend::default(),
            ptr_width: ptr_width(),
            cache_line: cache_line(),
        }
    }
}

/// Pointer width of channels that do not say, and have no image that does.
pub(super) fn ptr_width() -> Option<PtrWidth> {
    if cfg!(feature = "ptr32") {
        Some(PtrWidth::P4)
    } else if cfg!(feature = "ptr64") {
        Some(PtrWidth::P8)
    } else {
        None
    }
}

/// Cache line of channels that do not say.
pub(super) fn cache_line() -> CacheLine {
    if cfg!(feature = "cache_line_32") {
        CacheLine::B32
    } else if cfg!(feature = "cache_line_64") {
        CacheLine::B64
    } else if cfg!(feature = "cache_line_128") {
        CacheLine::B128
    } else if cfg!(feature = "cache_line_256") {
        CacheLine::B256
    } else {
        CacheLine::None
    }
}
