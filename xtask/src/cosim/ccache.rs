//! Compiler cache for C++ models. Models of one design with different threads share most of their
//! files, as do other checkouts on this machine. Folder and size are ccache's own.

use std::path::Path;
use std::process::Command;

/// Differences that the cache ignores between models of one design. The precompiled header is named
/// by its content. Verilator writes its sources just before they are compiled, so file times are
/// meaningless.
const SLOPPINESS: &str = "pch_defines,time_macros,include_file_mtime,include_file_ctime";

/// Makes Verilator's makefiles compile through the cache. Paths of the project are stored relative
/// to the build folder, so that other models and other checkouts share entries.
pub(super) fn use_in(verilator: &mut Command, root: &Path) {
    verilator
        .env("OBJCACHE", "ccache")
        .env("CCACHE_BASEDIR", root)
        .env("CCACHE_NOHASHDIR", "1")
        .env("CCACHE_SLOPPINESS", SLOPPINESS);
}
