//! Runs a test in a separate process that finds the test's Python modules.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

/// Variable that is set in that process.
const IN_SUBPROCESS: &str = "VHOST_TEST_APART";

/// Separate process of a test: its Python modules by name, and its environment.
#[derive(Default)]
pub(crate) struct Subprocess {
    modules: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

/// Output of the process.
pub(crate) struct RunOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Subprocess {
    /// Adds the callback module `mbpy_calls_init` with an empty start-up function.
    pub(crate) fn with(callbacks: &str) -> Self {
        let start = "from pymb_rpc import register_callback\ndef mbpy_calls_init(): pass\n";
        Self::default().module("mbpy_calls_init", &format!("{start}{callbacks}"))
    }

    pub(crate) fn module(mut self, name: &str, text: &str) -> Self {
        self.modules.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        let value = value.as_ref().to_str().unwrap().to_owned();
        self.environment.push((name.to_owned(), value));
        self
    }

    /// Runs `body` in the separate process and returns its output; `None` in that process.
    pub(crate) fn run(self, test: &str, body: impl FnOnce()) -> Option<RunOutput> {
        if env::var_os(IN_SUBPROCESS).is_some() {
            body();
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &self.modules {
            std::fs::write(folder.path().join(format!("{name}.py")), text).unwrap();
        }
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(IN_SUBPROCESS, "")
            .env("PYTHONPATH", folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("VIRTUAL_ENV")
            .envs(self.environment)
            .output()
            .unwrap();
        let printed = RunOutput {
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        let RunOutput { stdout, stderr } = &printed;
        assert!(status.success(), "{status}\n{stdout}\n{stderr}");
        assert!(stdout.contains("1 passed"), "no test {test}:\n{stdout}");
        Some(printed)
    }
}
