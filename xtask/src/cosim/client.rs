//! TCP clients of a running simulation: scripts in `integration/clients`.

use std::io;
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result};

use super::limit::Limit;

/// Text before the port number in a simulation's output.
const ANNOUNCEMENT: &str = "listens on port ";

/// Clients of one run.
pub(super) struct Clients<'a> {
    root: &'a Path,
    scripts: &'a [String],
    limit: Limit,
    /// Started clients, one per script.
    running: Vec<io::Result<Child>>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(root: &'a Path, scripts: &'a [String], limit: Limit) -> Self {
        Self {
            root,
            scripts,
            limit,
            running: vec![],
        }
    }

    /// Starts all clients once a line contains the port.
    pub(super) fn on_line(&mut self, line: &str) {
        let Some((_, port)) = line.split_once(ANNOUNCEMENT) else {
            return;
        };
        for script in &self.scripts[self.running.len()..] {
            let mut client = self.limit.command("python3");
            client.arg(self.root.join("integration/clients").join(script));
            client.arg(port).stdin(Stdio::null());
            self.running.push(client.spawn());
        }
    }

    /// Waits for all clients. Returns the reason of the first failure, or `None`.
    pub(super) fn unmet(self) -> Result<Option<String>> {
        let mut unmet = None;
        if let Some(script) = self.scripts.get(self.running.len()) {
            unmet = Some(format!(
                "{script} was not started: the simulation did not print `{ANNOUNCEMENT}`"
            ));
        }
        for (script, client) in self.scripts.iter().zip(self.running) {
            let mut client = client.with_context(|| format!("cannot start {script}"))?;
            let status = client.wait();
            let status = status.with_context(|| format!("cannot wait for {script}"))?;
            if !status.success() {
                unmet.get_or_insert(format!("{script} ended with {status}"));
            }
        }
        Ok(unmet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_are_never_awaited_are_reported() {
        let scripts = ["one.py".to_owned()];
        let mut clients = Clients::new(Path::new("."), &scripts, Limit::PLAIN);
        clients.on_line("host: serves cpu0");
        let unmet = clients.unmet().expect("nobody to wait for");
        assert!(unmet.is_some_and(|why| why.contains("one.py")));
    }

    #[test]
    fn no_clients_are_no_trouble() {
        let mut clients = Clients::new(Path::new("."), &[], Limit::PLAIN);
        clients.on_line("uart: listens on port 1");
        assert_eq!(clients.unmet().expect("nobody to wait for"), None);
    }
}
