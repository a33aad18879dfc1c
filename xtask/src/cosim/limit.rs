//! Limit of a program's wall time, after which it is killed. The testbench's own watchdog counts
//! clocks and can't detect a host that hangs.

use std::ffi::OsStr;
use std::process::Command;
use std::thread::available_parallelism;

use super::case::Threading;

/// Seconds for a program with a processor for each of its threads.
const SECONDS: u64 = 120;

/// Factor for a model with more threads than processors: Verilator's threads busy-wait for each
/// other, and the thread they wait for may have no processor.
const CROWDED: u64 = 8;

/// Limit of wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    seconds: u64,
}

impl Limit {
    /// Limit of a program without busy-waiting threads.
    pub(super) const PLAIN: Self = Self { seconds: SECONDS };

    /// Limit of a program that takes longer than others.
    pub(super) const fn of_seconds(seconds: u64) -> Self {
        Self { seconds }
    }

    /// Limit of a simulation on this machine.
    pub(super) fn of(threading: Option<Threading>) -> Self {
        let threads = threading.map_or(1, |threading| threading.threads);
        Self::with(threads, available_parallelism().map_or(1, usize::from))
    }

    fn with(threads: u32, processors: usize) -> Self {
        let has_room = usize::try_from(threads).is_ok_and(|threads| threads <= processors);
        let factor = if has_room { 1 } else { CROWDED };
        Self {
            seconds: SECONDS * factor,
        }
    }

    /// Command that runs a program under this limit.
    pub(super) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", &self.seconds.to_string()])
            .arg(program);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_with_more_threads_than_processors_has_longer() {
        for (threads, processors) in [(1, 1), (2, 2), (4, 4), (2, 8)] {
            assert_eq!(Limit::with(threads, processors), Limit::PLAIN);
        }
        for (threads, processors) in [(2, 1), (4, 2), (4, 3)] {
            let limit = Limit::with(threads, processors);
            assert_eq!(limit.seconds, SECONDS * CROWDED);
        }
        assert_eq!(Limit::of(None), Limit::PLAIN);
    }

    #[test]
    fn a_command_is_killed_at_its_limit() {
        let command = Limit { seconds: 7 }.command("simulation");
        assert_eq!(
            format!("{command:?}"),
            r#""timeout" "--kill-after=5" "7" "simulation""#
        );
    }
}
