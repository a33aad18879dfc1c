//! The compiler's cache, for models in C++: those of one design that differ in their threads have most of their files in common.

use std::path::Path;
use std::process::Command;

/// Folder of the cache, from the project's root.
const FOLDER: &str = "target/ccache";

/// What models of one design may differ in. The precompiled header is named by its content, and Verilator writes its sources just
/// before they are compiled: their times say nothing.
const SLOPPINESS: &str = "pch_defines,time_macros,include_file_mtime,include_file_ctime";

/// Lets Verilator's makefiles compile through the cache. Paths of the project are taken from the folder that is built in: those of
/// another model, or of another checkout, are the same.
pub(super) fn use_in(verilator: &mut Command, root: &Path) {
    verilator
        .env("OBJCACHE", "ccache")
        .env("CCACHE_DIR", root.join(FOLDER))
        .env("CCACHE_MAXSIZE", "2G")
        .env("CCACHE_BASEDIR", root)
        .env("CCACHE_NOHASHDIR", "1")
        .env("CCACHE_SLOPPINESS", SLOPPINESS);
}
