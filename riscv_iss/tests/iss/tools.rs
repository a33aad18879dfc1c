//! Compiler and linker, if installed.

use std::ffi::OsString;
use std::io::Write;
use std::process::Command;

/// Compiler: `CLANG`, or clang on the path.
pub(crate) fn clang() -> OsString {
    std::env::var_os("CLANG").unwrap_or_else(|| "clang".into())
}

/// Reason why programs can't be built here, if any.
pub(crate) fn missing() -> Option<String> {
    let Ok(targets) = Command::new(clang()).arg("--print-targets").output() else {
        return Some("not found: clang".to_owned());
    };
    if !String::from_utf8_lossy(&targets.stdout).contains("riscv32") {
        return Some("clang does not know riscv32".to_owned());
    }
    let linker = Command::new("ld.lld").arg("--version").output();
    linker.is_err().then(|| "not found: ld.lld".to_owned())
}

/// Prints the reason of a skipped test, past the test's captured output.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "skipped: {why}");
}
