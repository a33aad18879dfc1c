//! Compiles the C sources for calls that Rust can't express, and stages the files that are shipped
//! with the library.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders of files that users of the library need beside it.
const STAGED: [&str; 3] = ["sv", "vhdl", "python"];

fn main() -> io::Result<()> {
    let mut sources = vec!["src/sim/simulator.c", "src/sim/float.c"];
    if cfg!(not(feature = "host")) {
        sources.push("src/ffi/default_host.c");
    }
    for source in &sources {
        println!("cargo::rerun-if-changed={source}");
    }
    cc::Build::new()
        .files(sources)
        .std("c11")
        .compile("vhost_simulator");

    // No `-soname`: cargo passes a cdylib's linker arguments on to the cdylibs of dependent crates,
    // and the loader would take a host crate's library for this one. The loader finds the library
    // of a program linked with `-lvhost` by its file name.

    // Never unloaded; `sim/library.rs` has the reason. It holds for the cdylibs of dependent
    // crates, too.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");

    // The linked libpython may be outside of the loader's search path.
    #[cfg(feature = "python")]
    pyo3_build_config::add_libpython_rpath_link_args();

    stage()
}

/// Copies the folders to `OUT_DIR/vhost`, and passes their paths to the build scripts of dependent
/// crates as `DEP_VHOST_SV`, `DEP_VHOST_VHDL` and `DEP_VHOST_PYTHON`.
fn stage() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let out = PathBuf::from(out).join("vhost");
    for name in STAGED {
        let from = Path::new(name);
        if !from.is_dir() {
            continue;
        }
        let to = out.join(name);
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        copy(from, &to)?;
        println!("cargo::metadata={name}={}", to.display());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let leftover = |name: &str| name.starts_with('.') || name == "__pycache__";
        if name
            .to_str()
            .is_none_or(|name| leftover(name) || name == "tests")
        {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            // Each file by itself: Python changes the folder when it writes caches into it.
            println!("cargo::rerun-if-changed={}", path.display());
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
