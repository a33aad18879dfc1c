//! Cases of `integration/cases.toml`, which documents the keys.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::abi::PICOLIBC;
use super::build::Cache;
use super::rerun::Rerun;
use super::simulation::Model;
use crate::programs;
use crate::tool::{
    GHDL, IVERILOG, LZ4, OTHER_VERILATORS, ROCKET, SYSTEMC, Tool, UVM, UVM_2017, VEXRISCV,
};

/// Prefix of the firmware name of a program with a C library.
pub(super) const PROGRAM: &str = "program:";

/// Cases by name.
pub(super) type Cases = BTreeMap<String, Case>;

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) design: String,
    #[serde(default)]
    simulator: Simulator,
    #[serde(default)]
    pub(super) library: Library,
    pub(super) backend: Option<Backend>,
    /// Package of the host program that contains the library; it is in the folder of the design.
    pub(super) host: Option<String>,
    /// True in `cases.toml` for a case that is [expanded](expand) to several threadings; false
    /// afterwards.
    #[serde(default)]
    threads: bool,
    #[serde(skip)]
    pub(super) threading: Option<Threading>,
    /// Further versions of Verilator in `cases.toml`, for a case that is [expanded](expand); none
    /// afterwards.
    #[serde(default)]
    versions: Vec<String>,
    #[serde(skip)]
    pub(super) version: Option<String>,
    /// Further options of Verilator.
    #[serde(default)]
    pub(super) options: Vec<String>,
    /// File of `integration/tb` with the program that drives the model.
    pub(super) main: Option<String>,
    pub(super) memories: Option<String>,
    pub(super) mailboxes: Option<String>,
    /// Contents of files in the root of firmware's files, by name.
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) firmware: Vec<String>,
    /// Header of `firmware/cache` with the cache hooks of firmware.
    pub(super) hooks: Option<String>,
    /// Cache line of firmware and mailbox configuration.
    pub(super) cache_line: Option<u32>,
    pub(super) python: Option<String>,
    #[serde(default)]
    pub(super) plusargs: Vec<String>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) clients: Vec<String>,
    pub(super) rerun: Option<Rerun>,
    pub(super) not_replayed: Option<String>,
    /// Texts of the protocol checker's findings in a replay, in order.
    #[serde(default)]
    pub(super) findings: Vec<String>,
    /// True if `vhost run` must print, write and exit the same.
    #[serde(default)]
    pub(super) as_run: bool,
    /// True if Spike, where it is installed, must have the same, too.
    #[serde(default)]
    pub(super) as_spike: bool,
    /// Limit of wall time, if it differs from that of all cases.
    pub(super) seconds: Option<u64>,
    /// Files that the simulation must have written to the root of firmware's files.
    #[serde(default)]
    leaves: Vec<String>,
    #[serde(default)]
    pub(super) golden: bool,
    #[serde(default)]
    pub(super) full: bool,
    #[serde(default)]
    status: i32,
    output: Option<String>,
    /// True if the lines of `output` may have another order.
    #[serde(default)]
    any_order: bool,
    #[serde(default)]
    messages: Vec<String>,
    #[serde(default)]
    silent: Vec<String>,
}

/// Simulator of a case.
#[derive(Deserialize, Default, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Simulator {
    #[default]
    Verilator,
    Icarus,
    Ghdl,
}

/// Linkage of the library with the simulation.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Library {
    #[default]
    Shared,
    Static,
}

/// Threads of a simulation, as options of Verilator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Threading {
    /// `--threads`.
    pub(super) threads: u32,
    /// Value of `--threads-dpi`: the imported functions that may be called from any thread.
    pub(super) dpi: &'static str,
}

impl Threading {
    const ALL: [Self; 6] = [
        Self::new(2, "all"),
        Self::new(2, "pure"),
        Self::new(2, "none"),
        Self::new(4, "all"),
        Self::new(4, "pure"),
        Self::new(4, "none"),
    ];

    const fn new(threads: u32, dpi: &'static str) -> Self {
        Self { threads, dpi }
    }
}

impl fmt::Display for Threading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.threads, self.dpi)
    }
}

/// Default backend of the library, chosen by a feature.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Backend {
    Uvm,
    Vpi,
}

impl Backend {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uvm => "uvm",
            Self::Vpi => "vpi",
        }
    }

    /// Cargo feature that makes it the default.
    pub(super) fn feature(self) -> &'static str {
        match self {
            Self::Uvm => "mem_uvm",
            Self::Vpi => "mem_vpi",
        }
    }
}

/// Properties of a design's cores for their firmware.
#[derive(Clone, Copy)]
pub(super) struct Core {
    /// Width, as an argument of `firmware/compile.sh`.
    pub(super) width: &'static str,
    /// Address of the first core's RAM.
    pub(super) ram: usize,
    /// Instruction set for programs with a C library.
    pub(super) architecture: &'static str,
}

impl Core {
    /// 32-bit core with its RAM at 0.
    pub(super) const SMALL: Self = Self {
        width: "rv32",
        ram: 0,
        architecture: "rv32im",
    };

    pub(super) const ROCKET: Self = Self {
        width: "rv64",
        ram: 0x8000_0000,
        architecture: "rv64imac",
    };
}

/// Name of the designs that share this design's configuration.
pub(super) fn family(design: &str) -> &str {
    design.split('-').next().unwrap_or(design)
}

/// Reads all cases.
pub(super) fn read(root: &Path) -> Result<Cases> {
    let file = root.join("integration/cases.toml");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let cases: Cases =
        toml::from_str(&text).with_context(|| format!("{} is wrong", file.display()))?;
    Ok(cases.into_iter().flat_map(expand).collect())
}

/// Expands a case with threads to one case per [`Threading`], named `<name>-<threads>-<dpi>`, and a
/// case with versions to one per version, named `<name>-<version>`. The first expansion of a case
/// of the quick run is part of the quick run.
fn expand((name, case): (String, Case)) -> Vec<(String, Case)> {
    if !case.versions.is_empty() {
        let with = |(at, version): (usize, &String)| {
            let case = Case {
                versions: vec![],
                version: Some(version.clone()),
                full: case.full || at > 0,
                ..case.clone()
            };
            (format!("{name}-{version}"), case)
        };
        return case.versions.iter().enumerate().map(with).collect();
    }
    if !case.threads {
        return vec![(name, case)];
    }
    let with = |(at, threading): (usize, Threading)| {
        let case = Case {
            threads: false,
            threading: Some(threading),
            full: case.full || at > 0,
            ..case.clone()
        };
        (format!("{name}-{threading}"), case)
    };
    Threading::ALL.into_iter().enumerate().map(with).collect()
}

impl Case {
    pub(super) fn simulator(&self) -> Simulator {
        self.simulator
    }

    /// Simulation that the case runs on.
    pub(super) fn model(&self) -> Model<'_> {
        Model {
            simulator: self.simulator,
            library: self.library,
            backend: self.backend,
            threading: self.threading,
            host: self.host.as_deref(),
            main: self.main.as_deref(),
            version: self.version.as_deref(),
            options: &self.options,
            ..Model::of(&self.design)
        }
    }

    /// Tools that only some cases need: a core, a release of UVM, the library for waves in FST, a C
    /// library.
    pub(super) fn tools(&self) -> Vec<Tool> {
        let mut tools = match family(&self.design) {
            "vexriscv" => vec![VEXRISCV],
            "rocket" => vec![ROCKET],
            _ => vec![],
        };
        let has_library = |name: &String| name.starts_with(PROGRAM) || name.starts_with(PICOLIBC);
        if self.firmware.iter().any(has_library) {
            tools.extend(programs::REQUIRED);
        }
        let has_option = |name: &str| self.options.iter().any(|option| option == name);
        if self.rerun == Some(Rerun::Fst) || has_option("--trace-fst") {
            tools.push(LZ4);
        }
        if has_option("--sc") {
            tools.push(SYSTEMC);
        }
        let of_case = |tool: &&Tool| {
            let version = self.version.as_ref();
            version.is_some_and(|version| tool.name() == format!("verilator {version}"))
        };
        tools.extend(OTHER_VERILATORS.iter().find(of_case));
        match self.simulator {
            Simulator::Verilator => {}
            Simulator::Icarus => tools.push(IVERILOG),
            Simulator::Ghdl => tools.push(GHDL),
        }
        match self.backend {
            None | Some(Backend::Vpi) => {}
            Some(Backend::Uvm) if self.design.ends_with("-2017") => tools.push(UVM_2017),
            Some(Backend::Uvm) => tools.push(UVM),
        }
        tools
    }

    /// Writes the case's files to the root of firmware's files.
    pub(super) fn put_files(&self, to: &Path) -> Result<()> {
        for (name, content) in &self.files {
            let file = to.join(name);
            let folder = file.parent().unwrap_or(to);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&file, content))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// First file that the simulation must have written to the root of firmware's files, and that
    /// is missing.
    pub(super) fn missing_file(&self, folder: &Path) -> Option<String> {
        let is_missing =
            |name: &&String| !fs::metadata(folder.join(name)).is_ok_and(|file| file.len() > 0);
        let name = self.leaves.iter().find(is_missing)?;
        Some(format!("it has not written {name}"))
    }

    /// Data cache of the cores, for the firmware's compilation.
    pub(super) fn cache(&self) -> Cache<'_> {
        Cache {
            hooks: self.hooks.as_deref(),
            line: self.cache_line,
        }
    }

    /// Core that runs the firmware in C.
    pub(super) fn core(&self) -> Core {
        match family(&self.design) {
            "rocket" => Core::ROCKET,
            _ => Core::SMALL,
        }
    }

    /// Number of harts of the design's core.
    pub(super) fn harts(&self) -> u32 {
        match self.design.as_str() {
            "rocket-4" => 4,
            _ => 1,
        }
    }

    /// Expected output of firmware, if the case checks it.
    pub(super) fn expected(&self, root: &Path) -> Result<Option<String>> {
        let Some(name) = &self.output else {
            return Ok(None);
        };
        let file = root.join("integration/expected").join(name);
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Some(text))
    }

    /// First unmet expectation of a run; `None` if there is none.
    pub(super) fn unmet(
        &self,
        expected: Option<&str>,
        status: Option<i32>,
        lines: &[String],
    ) -> Option<String> {
        if status != Some(self.status) {
            let status = status.map_or("a signal".into(), |status| status.to_string());
            return Some(format!("it ended with {status}, and not {}", self.status));
        }
        let (mut prints, messages): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| is_print(line));
        if self.any_order {
            prints.sort();
        }
        if let Some(difference) = expected.and_then(|expected| difference(&prints, expected)) {
            return Some(difference);
        }
        let unwanted = |line: &&String| self.silent.iter().any(|part| line.contains(part.as_str()));
        if let Some(line) = lines.iter().find(unwanted) {
            return Some(format!("a forbidden line was printed: {line}"));
        }
        let mut messages = messages.into_iter();
        let missing = self
            .messages
            .iter()
            .find(|part| !messages.any(|line| line.contains(part.as_str())))?;
        Some(format!("no message has `{missing}`"))
    }
}

/// True for a line that firmware printed. A line of Verilator's `$fatal` begins in the same way,
/// with the time in brackets.
pub(super) fn is_print(line: &str) -> bool {
    line.starts_with('[') && !line.contains("] %Fatal: ")
}

/// First line that differs from the expectation.
fn difference(lines: &[&String], expected: &str) -> Option<String> {
    let mut lines = lines.iter();
    for expected in expected.lines() {
        match lines.next() {
            Some(line) if *line == expected => {}
            Some(line) => {
                return Some(format!("firmware printed\n  {line}\nand not\n  {expected}"));
            }
            None => return Some(format!("firmware did not print\n  {expected}")),
        }
    }
    let more = lines.next()?;
    Some(format!("firmware printed more:\n  {more}"))
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.firmware.is_empty() {
            write!(f, "{} on ", self.firmware.join(" and "))?;
        }
        f.write_str(&self.design)?;
        match self.simulator {
            Simulator::Verilator => {}
            Simulator::Icarus => f.write_str(", in Icarus Verilog")?,
            Simulator::Ghdl => f.write_str(", in GHDL")?,
        }
        if self.library == Library::Static {
            write!(f, ", statically linked")?;
        }
        if let Some(Threading { threads, dpi }) = self.threading {
            write!(f, ", {threads} threads, DPI by {dpi}")?;
        }
        if let Some(version) = &self.version {
            write!(f, ", Verilator {version}")?;
        }
        self.options
            .iter()
            .try_for_each(|option| write!(f, " {option}"))?;
        if let Some(host) = &self.host {
            write!(f, ", host program {host}")?;
        }
        if let Some(main) = &self.main {
            write!(f, ", driven by {main}")?;
        }
        if let Some(backend) = self.backend {
            write!(f, ", memories by {}", backend.name())?;
        }
        if let Some(hooks) = &self.hooks {
            write!(f, ", cache hooks {hooks}")?;
        }
        if let Some(line) = self.cache_line {
            write!(f, ", cache line of {line} bytes")?;
        }
        if let Some(python) = &self.python {
            write!(f, ", with methods in Python ({python})")?;
        }
        self.plusargs
            .iter()
            .try_for_each(|arg| write!(f, " {arg}"))?;
        self.environment
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}={value}"))?;
        self.clients
            .iter()
            .try_for_each(|client| write!(f, ", with {client}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::memories;
    use super::*;

    fn case() -> Case {
        let text = "design = 'd'\nfirmware = ['f']\nstatus = 3\nmessages = ['one', 'two']";
        toml::from_str(text).expect("it is a case")
    }

    fn unmet(expected: &str, status: i32, lines: &[&str]) -> Option<String> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).into()).collect();
        case().unmet(Some(expected), Some(status), &lines)
    }

    #[test]
    fn a_simulators_text_of_a_fatal_error_is_no_print() {
        let lines = ["[a] x", "[7000] %Fatal: a.sv:1: one", "two"];
        assert_eq!(unmet("[a] x\n", 3, &lines), None);
    }

    #[test]
    fn a_run_passes_with_its_status_its_output_and_its_messages() {
        let lines = ["[a] x", "error: one", "[a] y", "error: two"];
        assert_eq!(unmet("[a] x\n[a] y\n", 3, &lines), None);
        for (expected, status) in [
            ("[a] x\n[a] y\n", 0),
            ("[a] x\n", 3),
            ("[a] x\n[a] y\n[a] z\n", 3),
            ("[a] y\n[a] x\n", 3),
        ] {
            assert!(
                unmet(expected, status, &lines).is_some(),
                "{expected}, {status}"
            );
        }
    }

    #[test]
    fn messages_must_come_in_order() {
        assert!(unmet("", 3, &["two", "one"]).is_some_and(|why| why.contains("`two`")));
    }

    #[test]
    fn forbidden_output_fails_a_run() {
        let case: Case =
            toml::from_str("design = 'd'\nsilent = ['warning']").expect("it is a case");
        let unmet = |line: &str| case.unmet(None, Some(0), &[line.to_owned()]);
        assert_eq!(unmet("all is well"), None);
        assert!(unmet("a warning").is_some_and(|why| why.contains("a warning")));
    }

    #[test]
    fn a_design_without_a_cpu_has_no_firmware() {
        let case: Case = toml::from_str("design = 'd'\nbackend = 'uvm'").expect("it is a case");
        assert!(case.firmware.is_empty());
        assert_eq!(case.to_string(), "d, memories by uvm");
    }

    /// Kinds of cases that the quick run must contain, by their designs.
    #[test]
    fn the_quick_run_has_a_case_of_each_kind() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a root");
        let cases = read(root).expect("they are read");
        let quick: Vec<&Case> = cases.values().filter(|case| !case.full).collect();
        // The cluster's memories also represent those reached by UVM.
        for design in [
            "picorv32",
            "picorv32-console",
            "memories",
            "cluster",
            "icarus",
        ] {
            assert!(quick.iter().any(|case| case.design == design), "{design}");
        }
        assert!(quick.iter().any(|case| case.python.is_some()), "Python");
        assert!(quick.iter().any(|case| case.status != 0), "must fail");
    }

    #[test]
    fn the_cases_are_valid() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a root");
        for (name, case) in read(root).expect("they are read") {
            case.expected(root)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let memories = case.memories.as_deref().map(memories);
            let missing = memories.filter(|file| !root.join(file).is_file());
            assert_eq!(missing, None, "{name}");
            if let Some(main) = &case.main {
                let file = root.join("integration/tb").join(main);
                assert!(file.is_file(), "{name}: there is no {main}");
            }
            let is_known = |version: &String| {
                let name = format!("verilator {version}");
                OTHER_VERILATORS.iter().any(|tool| tool.name() == name)
            };
            assert!(case.version.iter().all(is_known), "{name}");
            for client in &case.clients {
                let script = root.join("integration/clients").join(client);
                assert!(script.is_file(), "{name}: there is no {client}");
            }
        }
    }
}
