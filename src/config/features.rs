//! Defaults for keys missing in a configuration, chosen by Cargo features.

use mailbox_rs::{CacheLine, PtrWidth};
use serde::{Deserialize, Serialize};

use crate::mem::Backend;

/// Makes each pair of features a compile error if both are enabled.
macro_rules! exclude {
    ($($a:literal, $b:literal: $key:literal;)*) => {$(
        #[cfg(all(feature = $a, feature = $b))]
        compile_error!(concat!(
            "the features `", $a, "` and `", $b, "` are mutually exclusive: each chooses the default of the key `", $key,
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
    /// Backend of the enabled `mem_*` feature; [`Backend::Log`] without one.
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

/// Defaults for keys missing in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// Backend of memories.
    pub backend: Backend,
    /// Pointer width of channels without `ptr` and without an image.
    pub ptr_width: Option<PtrWidth>,
    /// Cache line of channels.
    pub cache_line: CacheLine,
}

impl Defaults {
    /// Defaults chosen by the features of this build.
    pub fn of_features() -> Self {
        Self {
            backend: Backend::default(),
            ptr_width: ptr_width(),
            cache_line: cache_line(),
        }
    }
}

/// Pointer width of channels without `ptr` and without an image.
pub(super) fn ptr_width() -> Option<PtrWidth> {
    if cfg!(feature = "ptr32") {
        Some(PtrWidth::P4)
    } else if cfg!(feature = "ptr64") {
        Some(PtrWidth::P8)
    } else {
        None
    }
}

/// Cache line of channels without `cache_line`.
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
