//! Builds of the library: as it is shipped, and its variants with another feature.
//!
//! A package with a `cdylib` has artefacts without a hash in their names: a build with other
//! features replaces them, and each change between two feature sets compiles again. Simulations
//! therefore build only the shipped library in `target/release`, and copy each variant from a
//! folder that the variants share. Host programs have the same dependencies, and are built there,
//! too. In a quick run, the library with methods in Python is that of its tests.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tool::VENV;

/// Command that builds the library, the command `vhost` and the simulated runs with the shipped
/// features. Always all three: a single package would resolve other features of dependencies, and
/// build those again.
pub(crate) const BUILD_SHIPPED: &str = "cargo build --release --package vhost --package vhost-cli \
     --package vhost_sim --lib --bins --target-dir target";

/// Folder of the shipped library.
pub(crate) const SHIPPED: &str = "target/release";

/// Target folder of the variants and of host programs.
pub(crate) const VARIANTS: &str = "target/variants";

/// Artefacts of the library.
pub(crate) const ARTEFACTS: [&str; 2] = ["libvhost.so", "libvhost.a"];

/// Feature for methods in Python.
pub(crate) const PYTHON: &str = "python";

/// Test binaries of methods in Python in a quick run, and the library that is built for them. The
/// features are those of the workspace's tests, so that dependencies are compiled once.
pub(crate) const PYTHON_TESTS: &str =
    "--workspace --features vhost-cli/defmt --features vhost/python --test python --test guest";

/// Folder of the tests' library.
const TESTED: &str = "target/debug/deps";

/// Options of cargo for a release build without optimisation.
pub(crate) const UNOPTIMISED: [&str; 4] = [
    "--config",
    "profile.release.opt-level=0",
    "--config",
    "profile.release.codegen-units=16",
];

/// Sources of the library, relative to the project's root.
const SOURCES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
    "mailbox_rs/Cargo.toml",
    "mailbox_rs/src",
];

/// Builds the shipped library and returns its folder.
pub(crate) fn build_shipped(root: &Path) -> Result<PathBuf> {
    let status = crate::tool::program(BUILD_SHIPPED)
        .current_dir(root)
        .status();
    ensure!(
        status.context("cannot start cargo")?.success(),
        "the library can't be built"
    );
    Ok(root.join(SHIPPED))
}

/// Variant of the library.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) feature: &'static str,
    /// True for an optimised build. Otherwise the library with methods in Python is that of the
    /// tests.
    pub(crate) optimised: bool,
}

/// Copies the tests' library with methods in Python, for simulations of a quick run: the next build
/// of tests replaces the original.
pub(crate) fn keep_python(root: &Path) -> Result<bool> {
    let variant = Variant {
        feature: PYTHON,
        optimised: false,
    };
    variant.build(root, &folder(root, Some(PYTHON)))?;
    Ok(true)
}

/// Folder of a copy of the library with this feature, or of the shipped one.
pub(crate) fn folder(root: &Path, feature: Option<&str>) -> PathBuf {
    root.join("target/cosim/libraries")
        .join(feature.unwrap_or("plain"))
}

impl Variant {
    /// Copies the library to `folder`. Builds it if its sources have changed since the last copy.
    pub(crate) fn build(self, root: &Path, folder: &Path) -> Result<()> {
        let record = folder.join("sources");
        let sources = format!("{:016x} {}\n", hash(root)?, self.optimised);
        if fs::read_to_string(&record).is_ok_and(|last| last == sources) {
            return Ok(());
        }
        let built = self.compile(root)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for file in ARTEFACTS {
            replace(&built.join(file), &folder.join(file))?;
        }
        fs::write(&record, sources).with_context(|| format!("cannot write {}", record.display()))
    }

    /// Compiles the variant and returns the folder of the artefacts.
    fn compile(self, root: &Path) -> Result<PathBuf> {
        if self.feature == PYTHON && !self.optimised {
            let status = crate::tool::program(&format!("cargo test --no-run {PYTHON_TESTS}"))
                .current_dir(root)
                .status();
            ensure!(
                status.context("cannot start cargo")?.success(),
                "the tests of methods in Python can't be built"
            );
            return Ok(root.join(TESTED));
        }
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--release", "--package", "vhost", "--lib"]);
        cargo.args(["--features", self.feature, "--target-dir", VARIANTS]);
        if !self.optimised {
            cargo.args(UNOPTIMISED);
        }
        if self.feature == PYTHON {
            cargo.env("PYO3_PYTHON", root.join(VENV).join("bin/python"));
        }
        let status = cargo.current_dir(root).status();
        if !status.context("cannot start cargo")?.success() {
            bail!("the library with feature {} can't be built", self.feature);
        }
        Ok(root.join(VARIANTS).join("release"))
    }
}

/// Hash of the library's sources.
fn hash(root: &Path) -> Result<u64> {
    let mut files = vec![];
    for source in SOURCES {
        collect(&root.join(source), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        (file, content).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Adds a file, or all files of a folder.
fn collect(place: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !place.is_dir() {
        files.push(place.to_owned());
        return Ok(());
    }
    let entries =
        fs::read_dir(place).with_context(|| format!("cannot read {}", place.display()))?;
    entries
        .into_iter()
        .try_for_each(|entry| collect(&entry?.path(), files))
}

/// Replaces a file by a copy of another, unless both have the same content: a simulation of another
/// process may have it loaded.
pub(crate) fn replace(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    replace_by(&content, to)
}

/// Writes this content to a file in one step for its readers, unless the file has it already.
pub(crate) fn replace_by(content: &[u8], to: &Path) -> Result<()> {
    if fs::read(to).is_ok_and(|before| before == content) {
        return Ok(());
    }
    // A unique name: another process, or another artefact, may be copied at the same time.
    let mut new = to.to_owned().into_os_string();
    new.push(format!(".{}", std::process::id()));
    fs::write(&new, content)
        .and_then(|()| fs::rename(&new, to))
        .with_context(|| format!("cannot write {}", to.display()))
}
