//! `cargo xtask coverage`: lines, regions and branches of the library that its tests reach, by
//! folder.
//!
//! Branch coverage needs an unstable compiler option. A process that ends by a signal, or that may
//! not write files, leaves no counts: code reached only by it counts as missed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::tool::{CARGO_LLVM_COV, CARGO_NEXTEST, LLVM_TOOLS, Missing, Toolbox, VENV};

/// Tests of the library: its own, those of the protocol, and those of the command.
const TESTS: &str =
    "--package vhost --package mailbox_rs --package vhost-cli --features vhost-cli/defmt";

/// Numbers of hostile requests and recordings. A loop with counters takes ten times as long, and a
/// thousand requests reach the same code as ten thousand.
const HOSTILE: [(&str, &str); 2] = [
    ("VHOST_HOSTILE_REQUESTS", "1000"),
    ("VHOST_HOSTILE_RECORDINGS", "100"),
];

/// Result of the tests.
const SUMMARY: &str = "target/coverage.json";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Options of cargo-nextest in place of its own: --lib, a filter
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Export of llvm-cov.
#[derive(Deserialize)]
struct Export {
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: PathBuf,
    summary: Summary,
}

/// Counts of a file, or of a folder.
#[derive(Deserialize, Default)]
struct Summary {
    lines: Share,
    regions: Share,
    #[serde(default)]
    branches: Share,
}

#[derive(Deserialize, Default)]
struct Share {
    count: u64,
    covered: u64,
}

impl Share {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.covered += other.covered;
    }

    fn percent(&self) -> String {
        match self.count {
            0 => String::new(),
            count => format!("{:.1} %", 100.0 * self.covered as f64 / count as f64),
        }
    }
}

/// Runs the tests of the library, and prints a table. Returns true if they have passed.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let mut tools = Toolbox::new(true);
    if let Some(Missing(reason)) = tools.first_missing(&[CARGO_NEXTEST, CARGO_LLVM_COV, LLVM_TOOLS])
    {
        bail!("{reason}");
    }
    let llvm = llvm_folder(root)?;
    let mut path = root.join(VENV).join("bin").into_os_string();
    if let Some(others) = env::var_os("PATH") {
        path.push(":");
        path.push(others);
    }
    let own: Vec<_> = TESTS.split_whitespace().map(str::to_owned).collect();
    let tests = if args.rest.is_empty() {
        &own
    } else {
        &args.rest
    };
    let summary = root.join(SUMMARY);
    if let Err(error) = fs::remove_file(&summary)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| format!("cannot remove an earlier {SUMMARY}"));
    }
    // Programs that a test compiles with cargo may leave counts that can't be read, and are none of
    // the library's.
    let mut cargo = crate::tool::program(&format!(
        "{VENV}/bin/cargo-llvm-cov llvm-cov nextest --branch --json --summary-only \
         --output-path {SUMMARY} --ignore-run-fail --failure-mode all --no-cfg-coverage \
         --no-cfg-coverage-nightly"
    ));
    cargo
        .args(tests)
        .envs(HOSTILE)
        .env("RUSTC_BOOTSTRAP", "1")
        // The tools are built without zlib.
        .env("RUSTFLAGS", "-Cllvm-args=-enable-name-compression=false")
        .env("PATH", path)
        .env("LLVM_COV", llvm.join("llvm-cov"))
        .env("LLVM_PROFDATA", llvm.join("llvm-profdata"))
        .current_dir(root);
    let status = cargo.status().context("cannot start cargo-llvm-cov")?;
    let text = fs::read_to_string(summary).with_context(|| format!("cannot read {SUMMARY}"))?;
    let export: Export =
        serde_json::from_str(&text).with_context(|| format!("{SUMMARY} is no export"))?;
    print(root, &export);
    Ok(status.success())
}

/// Folder of llvm-cov and llvm-profdata, which must not be older than the compiler's own LLVM.
fn llvm_folder(root: &Path) -> Result<PathBuf> {
    let lib = root.join(VENV).join("lib");
    let pythons = fs::read_dir(&lib).with_context(|| format!("cannot read {}", lib.display()))?;
    let mut folders = pythons
        .flatten()
        .map(|python| python.path().join("site-packages/llvm/bin"));
    let found = folders.find(|folder| folder.join("llvm-cov").is_file());
    found.with_context(|| format!("no llvm-cov below {}", lib.display()))
}

/// Prints a row for each folder, and one for all.
fn print(root: &Path, export: &Export) {
    let mut folders: BTreeMap<String, Summary> = BTreeMap::new();
    for file in export.data.iter().flat_map(|data| &data.files) {
        let Some(folder) = folder(root, &file.filename) else {
            continue;
        };
        for name in [folder, "all".to_owned()] {
            let sum = folders.entry(name).or_default();
            sum.lines.add(&file.summary.lines);
            sum.regions.add(&file.summary.regions);
            sum.branches.add(&file.summary.branches);
        }
    }
    println!("| folder | lines | regions | branches |\n| --- | --- | --- | --- |");
    for (name, sum) in &folders {
        println!(
            "| `{name}` | {} | {} | {} |",
            sum.lines.percent(),
            sum.regions.percent(),
            sum.branches.percent()
        );
    }
}

/// Folder of a source of the library, as `src/actors/mailbox` or `mailbox_rs`; `None` for tests.
fn folder(root: &Path, file: &Path) -> Option<String> {
    let path = file.strip_prefix(root).ok()?;
    let mut parts = path.iter().filter_map(|part| part.to_str());
    let is_test = |part: &str| {
        matches!(part, "tests" | "testing" | "benches" | "examples") || part.ends_with("tests.rs")
    };
    if path.iter().filter_map(|part| part.to_str()).any(is_test) {
        return None;
    }
    match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
        ("src", "actors", Some(actor), Some(_)) => Some(format!("src/actors/{actor}")),
        ("src", folder, Some(_), _) => Some(format!("src/{folder}")),
        ("src", ..) => Some("src".to_owned()),
        ("mailbox_rs", ..) => Some("mailbox_rs".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_belong_to_folders_and_tests_to_none() {
        let root = Path::new("/root");
        let of = |path: &str| folder(root, &root.join(path));
        assert_eq!(of("src/mem/hex/mod.rs").as_deref(), Some("src/mem"));
        let mailbox = "src/actors/mailbox/queues.rs";
        assert_eq!(of(mailbox).as_deref(), Some("src/actors/mailbox"));
        assert_eq!(of("src/lib.rs").as_deref(), Some("src"));
        assert_eq!(of("mailbox_rs/src/mock.rs").as_deref(), Some("mailbox_rs"));
        for test in [
            "src/mem/hex/tests.rs",
            "src/testing/mod.rs",
            "tests/system.rs",
        ] {
            assert_eq!(of(test), None);
        }
        assert_eq!(folder(root, Path::new("/elsewhere/src/mem/mod.rs")), None);
    }
}
