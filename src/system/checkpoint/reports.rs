//! Reports on a restore: its tick, and state that is not restored.

use crate::messages::checkpoint::{FileChange, FileChangeReport};
use crate::messages::foreign::{Report, Severity};
use crate::messages::sockets::SocketError;

/// Origin of the reports.
const ID: &str = "checkpoint";

/// Outcome of a restore.
#[derive(Debug, Default)]
pub(super) struct RestoreOutcome {
    /// Number of ticks.
    pub(super) tick: u64,
    /// Number of socket clients at the time of the checkpoint that are not connected now.
    pub(super) clients: u64,
    /// Sockets that can't be opened.
    pub(super) sockets: Vec<SocketError>,
    /// Files that have changed.
    pub(super) files: Vec<FileChangeReport>,
}

/// Reports on the outcome.
pub(super) fn reports(outcome: &RestoreOutcome) -> Vec<Report> {
    let mut left_out = Vec::new();
    if cfg!(feature = "python") {
        left_out.push("objects and tasks of Python".to_owned());
    }
    match outcome.clients {
        0 => {}
        1 => left_out.push("the connection of a socket client".to_owned()),
        clients => left_out.push(format!("the connections of {clients} socket clients")),
    }
    let left_out = match left_out.is_empty() {
        true => String::new(),
        false => format!("; not restored: {}", left_out.join(", ")),
    };
    let tick = outcome.tick;
    let summary = format!("goes on from a checkpoint at tick {tick}{left_out}");
    let mut all = vec![report(Severity::Info, summary)];
    for error in &outcome.sockets {
        all.push(report(Severity::Warning, error.to_string()));
    }
    for FileChangeReport { fd, path, change } in &outcome.files {
        let what = format!("descriptor {fd}, file `{path}`");
        let lost = "operations on it fail with EIO";
        let (severity, text) = match change {
            FileChange::Gone { errno, reason } => {
                let reason = reason
                    .as_ref()
                    .map_or(String::new(), |it| format!(" ({it})"));
                let text = format!("{what}, can't be opened again: {errno}{reason}; {lost}");
                (Severity::Error, text)
            }
            FileChange::Shrunk { from, to } => {
                let text =
                    format!("{what}, has {to} bytes, and had {from} at the checkpoint; {lost}");
                (Severity::Error, text)
            }
            FileChange::HostProgram => {
                let text = format!("{what}, was opened by the host program; {lost}");
                (Severity::Error, text)
            }
            FileChange::Grown { from, to, appends } => {
                let goes_on = match appends {
                    true => "further bytes are appended behind all of them",
                    false => {
                        "it is written to from its position on, and the bytes behind that stay"
                    }
                };
                let text =
                    format!("{what}, has {to} bytes, and had {from} at the checkpoint; {goes_on}");
                (Severity::Warning, text)
            }
        };
        all.push(report(severity, text));
    }
    all
}

fn report(severity: Severity, text: String) -> Report {
    Report {
        severity,
        id: ID.to_owned(),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Summary of a restore at tick 7, and state that is not restored in a build without Python.
    fn summary(clients: u64) -> (String, String) {
        let outcome = RestoreOutcome {
            tick: 7,
            clients,
            ..RestoreOutcome::default()
        };
        let text = reports(&outcome)[0].text.clone();
        let python = "objects and tasks of Python";
        match text.split_once("; not restored: ") {
            None => (text, String::new()),
            Some((tick, state)) => {
                let others = state.strip_prefix(python).unwrap_or(state);
                let others = others.strip_prefix(", ").unwrap_or(others);
                (tick.to_owned(), others.to_owned())
            }
        }
    }

    #[test]
    fn the_summary_names_the_tick_and_state_that_is_not_restored() {
        for (clients, state) in [
            (0, ""),
            (1, "the connection of a socket client"),
            (2, "the connections of 2 socket clients"),
        ] {
            let tick = "goes on from a checkpoint at tick 7".to_owned();
            assert_eq!(summary(clients), (tick, state.to_owned()));
        }
    }
}
