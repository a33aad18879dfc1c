//! Command lines of simulators for the self-test.

use std::fmt;
use std::path::{Display, Path};

use clap::ValueEnum;

/// Simulator of the self-test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Simulator {
    Vcs,
    Xcelium,
    Questa,
    Verilator,
    Icarus,
}

/// Command of the self-test.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SelftestCommand {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
}

/// Inputs of the command lines.
pub(super) struct CommandInputs<'a> {
    /// Path of the library.
    pub(super) library: &'a Path,
    /// Further options of the compilation.
    pub(super) options: &'a [String],
}

/// Sources for simulators with DPI.
const SOURCES: [&str; 2] = ["firmware.v", "testbench.sv"];

/// Program that Verilator builds.
pub(super) const VERILATED: &str = "simulation/Vtestbench";

impl CommandInputs<'_> {
    /// Command with the further options between its arguments.
    fn with(&self, program: &str, first: &[&str], last: &[&str]) -> SelftestCommand {
        let options = self.options.iter().map(String::as_str);
        let arguments = first.iter().copied().chain(options);
        SelftestCommand::new(program, arguments.chain(last.iter().copied()))
    }

    /// Folder of the library.
    fn folder(&self) -> Display<'_> {
        self.library.parent().unwrap_or(Path::new(".")).display()
    }

    fn vcs(&self) -> Vec<SelftestCommand> {
        vec![
            self.with(
                "vcs",
                &[
                    "-full64",
                    "-sverilog",
                    "-timescale=1ns/1ps",
                    "-debug_access+all",
                ],
                &[
                    SOURCES[0],
                    SOURCES[1],
                    "-top",
                    "testbench",
                    &self.library.display().to_string(),
                    "-LDFLAGS",
                    &format!("-Wl,-rpath,{}", self.folder()),
                    "-o",
                    "simv",
                ],
            ),
            SelftestCommand::new("./simv", []),
        ]
    }

    fn xcelium(&self) -> Vec<SelftestCommand> {
        vec![self.with(
            "xrun",
            &["-64bit", "-sv", "-timescale", "1ns/1ps", "-access", "+rwc"],
            &[
                SOURCES[0],
                SOURCES[1],
                "-top",
                "testbench",
                "-sv_lib",
                &self.library.display().to_string(),
            ],
        )]
    }

    fn questa(&self) -> Vec<SelftestCommand> {
        vec![
            SelftestCommand::new("vlib", ["work"]),
            self.with(
                "vlog",
                &["-64", "-sv", "-mfcu", "-timescale", "1ns/1ps"],
                &SOURCES,
            ),
            SelftestCommand::new(
                "vsim",
                [
                    "-c",
                    "-64",
                    "-voptargs=+acc",
                    "-sv_lib",
                    // The simulator appends the extension.
                    &self.library.with_extension("").display().to_string(),
                    "testbench",
                    "-do",
                    "run -all; quit -f",
                ],
            ),
        ]
    }

    fn verilator(&self) -> Vec<SelftestCommand> {
        let (library, folder) = (self.library.display(), self.folder());
        vec![
            self.with(
                "verilator",
                &[
                    "--cc",
                    "--exe",
                    "--build",
                    "--timing",
                    "--vpi",
                    "-Wno-fatal",
                    "-Wno-lint",
                    "-Wno-style",
                    "--timescale",
                    "1ns/1ps",
                    "--top-module",
                    "testbench",
                    "--Mdir",
                    "simulation",
                ],
                &[
                    "-LDFLAGS",
                    &format!(
                        "{library} -Wl,-rpath,{folder} -Wl,--undefined=mb_sv_call,--undefined=vpi_handle_by_name"
                    ),
                    SOURCES[1],
                    SOURCES[0],
                    "main.cpp",
                ],
            ),
            SelftestCommand::new(VERILATED, []),
        ]
    }

    fn icarus(&self) -> Vec<SelftestCommand> {
        vec![
            SelftestCommand::new(
                "cc",
                "-shared -fPIC -O2 -o vhost.vpi vhost_vpi.c -ldl".split(' '),
            ),
            self.with(
                "iverilog",
                &["-g2005", "-L", ".", "-m", "vhost", "-s", "testbench"],
                &["-o", "testbench.vvp", SOURCES[0], "testbench.v"],
            ),
            SelftestCommand::new("vvp", ["-n", "-M", ".", "-m", "vhost", "testbench.vvp"]),
        ]
    }
}

impl Simulator {
    /// Name in the table.
    fn name(self) -> &'static str {
        match self {
            Self::Vcs => "VCS",
            Self::Xcelium => "Xcelium",
            Self::Questa => "Questa",
            Self::Verilator => "Verilator",
            Self::Icarus => "Icarus Verilog",
        }
    }

    /// Command that prints the simulator's version.
    pub(super) fn version(self) -> (&'static str, &'static str) {
        match self {
            Self::Vcs => ("vcs", "-ID"),
            Self::Xcelium => ("xrun", "-version"),
            Self::Questa => ("vsim", "-version"),
            Self::Verilator => ("verilator", "--version"),
            Self::Icarus => ("iverilog", "-V"),
        }
    }

    /// Commands that compile the design and run it, in its folder.
    pub(super) fn steps(self, inputs: &CommandInputs<'_>) -> Vec<SelftestCommand> {
        match self {
            Self::Vcs => inputs.vcs(),
            Self::Xcelium => inputs.xcelium(),
            Self::Questa => inputs.questa(),
            Self::Verilator => inputs.verilator(),
            Self::Icarus => inputs.icarus(),
        }
    }

    /// Row of the table of simulators, for a run that has passed.
    pub(super) fn row(self, version: &str) -> String {
        let (library, methods) = match self {
            Self::Icarus => ("VPI module", "Verilog"),
            _ => ("DPI", "SystemVerilog"),
        };
        format!(
            "| {} | {version} | {library} | HDL arrays | {methods} | yes | self-test of vhost {} |",
            self.name(),
            env!("CARGO_PKG_VERSION")
        )
    }
}

impl SelftestCommand {
    fn new<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl fmt::Display for SelftestCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        self.arguments
            .iter()
            .try_for_each(|argument| write!(f, " {}", quoted(argument)))
    }
}

/// Quotes an argument for a shell.
pub(super) fn quoted(argument: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=+,:%@".contains(letter);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        for (argument, expected) in [
            ("-debug_access+all", "-debug_access+all"),
            ("run -all; quit -f", "'run -all; quit -f'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), expected);
        }
    }

    #[test]
    fn options_are_those_of_the_compilation() {
        let options = ["-more".to_owned()];
        let inputs = CommandInputs {
            library: Path::new("/opt/libvhost.so"),
            options: &options,
        };
        for simulator in Simulator::value_variants() {
            let steps = simulator.steps(&inputs);
            let has_it = |step: &&SelftestCommand| step.arguments.contains(&options[0]);
            assert_eq!(steps.iter().filter(has_it).count(), 1, "{simulator:?}");
        }
    }
}
