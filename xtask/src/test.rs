//! `cargo xtask test`: everything there is to check. The steps are the data in [`steps`]; to add one is to add a line.

use std::path::Path;
use std::{fs, iter};

use anyhow::{Context, Result, bail};

use crate::cosim;
use crate::runner::Runner;
use crate::step::{Case, Expect, Step};
use crate::tool::{
    CARGO_DENY, CARGO_FUZZ, CLANG, COCOTB, CXX, LIBPYTHON, LLD, MATURIN, MYPY, NC, NUMPY, PERL,
    PICORV32, PYSLANG, PYTEST, RISCV32, RISCV64, RUFF, UVM, VENV_PYTHON, VERILATOR,
};

/// Features that choose the same thing: two of a row are refused by the compiler.
const BACKENDS: [&str; 4] = ["mem_uvm", "mem_api", "mem_static", "mem_vpi"];
const POINTERS: [&str; 2] = ["ptr32", "ptr64"];
const CACHE_LINES: [&str; 4] = [
    "cache_line_32",
    "cache_line_64",
    "cache_line_128",
    "cache_line_256",
];

/// One of each, once, on top of the full matrix of backends and pointers.
const WITH_CACHE_LINE: [&str; 4] = [
    "cache_line_32,ptr32",
    "cache_line_64,ptr64",
    "cache_line_128,mem_static",
    "cache_line_256,ptr64,mem_api",
];

/// Every feature is linted once; the combinations are the matrix's matter.
const LINTED: [&str; 4] = [
    "mem_uvm,ptr32,cache_line_32",
    "mem_api,ptr64,cache_line_64",
    "mem_static,cache_line_128",
    "mem_vpi,ptr64,cache_line_256",
];

/// Both shims are a module of the same name.
const PYTHON: [&str; 6] = [
    "target/venv/bin/ruff format --check .",
    "target/venv/bin/ruff check .",
    "target/venv/bin/mypy python/async/pymb_rpc.py",
    "target/venv/bin/mypy python/cocotb/pymb_rpc.py",
    "target/venv/bin/mypy python/vhost",
    "target/venv/bin/python -m pytest",
];

/// The package as a user has it, but that the library is built without optimisation.
const WHEEL: [&str; 4] = [
    "target/venv/bin/maturin build --profile dev --out target/python/wheels",
    "target/venv/bin/python -m venv --clear target/python/venv",
    "target/python/venv/bin/pip install --quiet --no-index --find-links target/python/wheels vhost",
    "target/python/venv/bin/python integration/package/smoke.py target/venv/bin/python",
];

/// How long each fuzz target runs, in seconds.
const FUZZ_SECONDS: u32 = 20;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only steps whose name, and commands whose text, contains this; may be repeated
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Install nothing: what is missing is skipped by name
    #[arg(long)]
    no_install: bool,
    /// List the steps and their commands, and run nothing
    #[arg(long)]
    list: bool,
}

/// Whether no step failed.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let narrowed = |step: Step| step.narrowed(&args.only);
    let steps: Vec<Step> = steps(root)?.into_iter().filter_map(narrowed).collect();
    if steps.is_empty() {
        bail!(
            "no step or command contains {}; see cargo xtask test --list",
            args.only.join(" or ")
        );
    }
    if args.list {
        for step in &steps {
            println!("{}", step.name);
            step.cases
                .iter()
                .for_each(|case| println!("    {}", case.command));
        }
        return Ok(true);
    }
    Runner::new(root, !args.no_install).run(&steps)
}

/// What there is to check in this tree.
fn steps(root: &Path) -> Result<Vec<Step>> {
    let mut steps = vec![
        Step::new(
            "rustfmt",
            [
                "cargo fmt --all --check",
                "cargo fmt --manifest-path fuzz/Cargo.toml --check",
                "cargo fmt --manifest-path firmware/rust/Cargo.toml --check",
            ],
        ),
        Step::new("clippy", clippy()),
        Step::new("rustdoc", ["cargo doc --workspace --no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
        Step::new(
            "licences, bans, sources",
            ["cargo deny --workspace check bans licenses sources"],
        )
        .needs(&[CARGO_DENY]),
        Step::new("advisories", ["cargo deny --workspace check advisories"])
            .needs(&[CARGO_DENY])
            .probe(
                "cargo deny fetch db",
                "the RustSec advisory database can't be fetched from here",
            ),
        Step::new("mailbox_rs without std", without_std()).needs(&[RISCV32, RISCV64]),
        Step::new("tests of the other crates", other_tests()).wants(&[CLANG, LLD]),
        Step::new(
            "vhost, every backend and pointer",
            matrix().map(|features| test(&features)),
        )
        .wants(&[CLANG, LLD, NC]),
        Step::new("vhost, cache lines", WITH_CACHE_LINE.map(test)).wants(&[CLANG, LLD]),
        Step::new(
            "vhost, methods in Python",
            [
                "cargo clippy --all-targets -p vhost --features python -- -D warnings",
                "cargo test -p vhost --features python --lib --test python --test architecture \
                 --no-fail-fast -- --show-output",
            ],
        )
        .env("VHOST_PYTHON_CALLS", "1000000")
        .needs(&[LIBPYTHON]),
        Step::new("Python: shims and package", PYTHON)
            .needs(&[COCOTB, PYTEST, MYPY, RUFF])
            .env("PYTHONDONTWRITEBYTECODE", "1"),
        Step::new("Python: installed with pip", WHEEL)
            .needs(&[LIBPYTHON, MATURIN, MYPY, NUMPY, CXX]),
        Step::new(
            "hostile firmware and recordings, 100,000 each",
            ["cargo test -p vhost --test hostile -- --show-output"],
        )
        .env("VHOST_HOSTILE_REQUESTS", "100000")
        .env("VHOST_HOSTILE_RECORDINGS", "100000"),
        Step::of_cases("features that exclude one another", exclusions().collect()),
        Step::new(
            "fuzzing",
            fuzz_targets(root)?.iter().map(|target| fuzz(target)),
        )
        .needs(&[CARGO_FUZZ, CXX]),
        Step::new("benches compile", ["cargo bench -p vhost --no-run"]),
        Step::new("RTL co-simulation", ["cargo xtask cosim --no-install"])
            .needs(&cosim::NEEDS)
            .wants(&cosim::WANTS),
        Step::new("SystemVerilog, by slang", ["plain", "unserved"].map(slang))
            .needs(&[PYSLANG, PICORV32]),
        Step::new(
            "SystemVerilog with UVM, by slang",
            ["uvm", "package", "order"].map(slang),
        )
        .needs(&[PYSLANG, PICORV32, UVM, VERILATOR, PERL]),
        Step::new("quickstart", ["cargo run --release --example quickstart"])
            .only_with(&["examples/quickstart/main.rs"]),
    ];
    steps.retain(|step| step.belongs_to(root));
    Ok(steps)
}

fn clippy() -> impl Iterator<Item = String> {
    let parts = ["--workspace".into(), "-p mailbox_rs --all-features".into()];
    let parts = parts
        .into_iter()
        .chain(LINTED.map(|features| format!("-p vhost --features {features}")));
    parts.map(|part| format!("cargo clippy --all-targets {part} -- -D warnings"))
}

/// Firmware has no operating system, and the smallest CPUs have no atomic instructions.
fn without_std() -> [String; 2] {
    ["riscv32imc", "riscv64gc"]
        .map(|cpu| format!("cargo build -p mailbox_rs --target {cpu}-unknown-none-elf"))
}

fn other_tests() -> [&'static str; 2] {
    [
        "cargo test --workspace --exclude vhost --all-features --no-fail-fast -- --show-output",
        "cargo test -p mailbox_rs --no-fail-fast -- --show-output",
    ]
}

/// Verilator accepts what other simulators don't.
fn slang(what: &str) -> String {
    format!("{VENV_PYTHON} xtask/check-sv.py {what}")
}

/// Every combination of a backend or none with a pointer width or none.
fn matrix() -> impl Iterator<Item = String> {
    let or_none =
        |features: &'static [&'static str]| iter::once("").chain(features.iter().copied());
    let combine = |[backend, pointer]: [&str; 2]| match (backend, pointer) {
        ("", one) | (one, "") => one.to_owned(),
        _ => format!("{backend},{pointer}"),
    };
    or_none(&BACKENDS)
        .flat_map(move |backend| or_none(&POINTERS).map(move |pointer| combine([backend, pointer])))
}

fn test(features: &str) -> String {
    match features {
        "" => "cargo test -p vhost --no-fail-fast -- --show-output".into(),
        _ => format!("cargo test -p vhost --features {features} --no-fail-fast -- --show-output"),
    }
}

/// Two features that choose the same thing must not compile, and the message must name both.
fn exclusions() -> impl Iterator<Item = Case> {
    let groups: [&[&str]; 3] = [&BACKENDS, &POINTERS, &CACHE_LINES];
    groups.into_iter().flat_map(|group| {
        (1..group.len()).flat_map(move |second| {
            group[..second].iter().map(move |first| Case {
                command: format!("cargo check -p vhost --features {first},{}", group[second]),
                expect: Expect::Refusal(vec![(*first).into(), group[second].into()]),
            })
        })
    })
}

/// The names of the programs in `fuzz/fuzz_targets`.
fn fuzz_targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let mut names = vec![];
    if folder.is_dir() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry
                .with_context(|| format!("cannot read {}", folder.display()))?
                .path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(
                    path.file_stem()
                        .map(|name| name.to_string_lossy().into_owned()),
                );
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Starts from the committed seeds in `fuzz/corpus/<target>`; what the fuzzer finds goes there too, and git ignores it.
/// What firmware makes the host report would fill the terminal: of standard output and error only the fuzzer's own
/// words are shown. A crash is shown in full by `cargo fuzz run <target> <file>`, with the file that it names.
/// Without a sanitizer this needs no nightly compiler, and still has coverage to go by.
fn fuzz(target: &str) -> String {
    format!(
        "cargo fuzz run --sanitizer none --target-dir target/fuzz {target} -- \
         -max_total_time={FUZZ_SECONDS} -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 -close_fd_mask=3"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_matrix_is_complete() {
        let combinations: BTreeSet<String> = matrix().collect();
        assert_eq!(combinations.len(), 15);
        for one in ["", "ptr64", "mem_vpi", "mem_uvm,ptr32"] {
            assert!(combinations.contains(one), "{one} is missing");
        }
    }

    #[test]
    fn every_pair_of_a_group_is_refused() {
        assert_eq!(exclusions().count(), 6 + 1 + 6);
    }

    #[test]
    fn every_feature_is_linted() {
        let linted = LINTED.join(",");
        for feature in BACKENDS.iter().chain(&POINTERS).chain(&CACHE_LINES) {
            assert!(
                linted.split(',').any(|name| name == *feature),
                "{feature} is not"
            );
        }
    }
}
