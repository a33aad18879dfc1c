//! C program as host process of the library, with its configuration.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use test_support::c_build::{clear_environment, compile, shared};

const MEMORY: &str = "\
space:
  core0:
    - ram0: {base: 0x80000000, size: 0x40000, backend: api}
";

const MAILBOX: &str = "core0: {space: core0, base: 0x80001000, ptr: 32, cache_line: 0}\n";

/// Folder with a program and its configuration.
pub(crate) struct Program {
    folder: TempDir,
    method: Option<String>,
}

impl Program {
    /// Builds the simulator with the shared library.
    pub(crate) fn simulator() -> Self {
        Self::simulator_with(&[])
    }

    /// Builds the simulator with these compiler flags.
    pub(crate) fn simulator_with(flags: &[&str]) -> Self {
        let program = Self::new();
        let [library, beside] = shared();
        let sources = ["guest.c", "process.c", "chip.c", "firmware.c"];
        program.compile(
            "program",
            &[flags, &sources, &[&library, &beside, "-lm"][..]].concat(),
        );
        program
    }

    /// Creates a folder without a program.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("mem.yaml"), MEMORY).unwrap();
        fs::write(folder.path().join("mailbox.yaml"), MAILBOX).unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        Self {
            folder,
            method: None,
        }
    }

    /// Adds a Python method that firmware calls.
    #[cfg(feature = "python")]
    pub(crate) fn with_method(self, method: &str) -> Self {
        let method = Some(method.to_owned());
        Self { method, ..self }
    }

    /// Compiles files of `tests/c`; the list may contain compiler flags.
    pub(crate) fn compile(&self, name: &str, sources: &[&str]) {
        compile(&self.file(name), sources);
    }

    /// Path of a file in the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Text of a file in the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.file(name)).unwrap()).unwrap()
    }

    /// Command that runs the program in the folder, with an environment of its own. `before` has
    /// arguments that precede the configuration.
    pub(crate) fn command(&self, before: &[&str]) -> Command {
        let mut command = Command::new(self.file("program"));
        self.prepare(&mut command, before);
        command
    }

    /// The same command through a line of the shell, with `"$@"` in its place.
    pub(crate) fn by_shell(&self, line: &str, before: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line, "sh"]).arg(self.file("program"));
        self.prepare(&mut command, before);
        command
    }

    fn prepare(&self, command: &mut Command, before: &[&str]) {
        clear_environment(command)
            .args(before)
            .args(["mem.yaml", "mailbox.yaml", "root"])
            .args(&self.method)
            .current_dir(self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", self.folder.path());
    }
}

/// Output of a successful run.
pub(crate) struct RunOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl RunOutput {
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        let printed = Self {
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        let Self { stdout, stderr } = &printed;
        assert!(status.success(), "{status}\n{stdout}\n{stderr}");
        printed
    }
}

/// Number of occurrences of a part in a text.
pub(crate) fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}
