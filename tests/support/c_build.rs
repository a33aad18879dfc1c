//! C compiler for tests, and the libraries that cargo has built.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::project::PROJECT;

/// Variable with the file for the counts of a program with coverage counters.
const COUNTS: &str = "LLVM_PROFILE_FILE";

/// Compiles files of `tests/c` to `output`; the list may contain compiler flags.
pub fn compile(output: &Path, arguments: &[&str]) {
    let root = Path::new(PROJECT);
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    // Tests run concurrently in processes of their own, and some share a program.
    let own = output.with_extension(std::process::id().to_string());
    let compiled = Command::new(cc)
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror"])
        .args(["-g", "-pthread"])
        .args(has_lld().then_some("-fuse-ld=lld"))
        .arg("-o")
        .arg(&own)
        .arg("-I")
        .arg(root.join("include"))
        .current_dir(root.join("tests/c"))
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{arguments:?}: {errors}");
    std::fs::rename(own, output).unwrap();
}

/// Empties the environment of a program, except for the file of `cargo xtask coverage`.
pub fn clear_environment(program: &mut Command) -> &mut Command {
    let counts = std::env::var_os(COUNTS).map(|file| (COUNTS, file));
    program.env_clear().envs(counts)
}

/// Disables the counts of a program that must not write files, since counts are written to a file.
pub fn without_counts(program: &mut Command) -> &mut Command {
    program.env(COUNTS, "/dev/null")
}

/// True if LLD is installed. It links the archive in a tenth of the time.
fn has_lld() -> bool {
    let version = Command::new("ld.lld").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// Path of a library that cargo has built, beside the test.
pub fn built(file: &str) -> PathBuf {
    let built = std::env::current_exe().unwrap().with_file_name(file);
    assert!(built.is_file(), "cargo has not built {}", built.display());
    built
}

/// Arguments that link a program with the shared library.
pub fn shared() -> [String; 2] {
    let library = built("libvhost.so");
    let folder = library.parent().unwrap();
    let beside = format!("-Wl,-rpath,{}", folder.display());
    [library.to_str().unwrap().to_owned(), beside]
}
