//! Wall and processor time of commands.

use std::fmt;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Start of a measurement.
pub(crate) struct Clock {
    wall: Instant,
    cpu: Duration,
}

/// Elapsed time.
#[derive(Clone, Copy)]
pub(crate) struct Elapsed {
    pub(crate) wall: Duration,
    /// Processor time, user and system, of child processes that have ended and been waited for.
    pub(crate) cpu: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_of_children(),
        }
    }

    pub(crate) fn elapsed(&self) -> Elapsed {
        Elapsed {
            wall: self.wall.elapsed(),
            cpu: cpu_of_children().saturating_sub(self.cpu),
        }
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [wall, cpu] = [self.wall, self.cpu].map(seconds);
        write!(f, "{wall} (CPU {cpu})")
    }
}

/// Returns zero if the system does not provide it.
fn cpu_of_children() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
        return Duration::ZERO;
    };
    [usage.user_time(), usage.system_time()]
        .into_iter()
        .map(|time| {
            let seconds = Duration::from_secs(time.tv_sec().unsigned_abs());
            seconds + Duration::from_micros(time.tv_usec().unsigned_abs())
        })
        .sum()
}

/// Formats seconds with one decimal, or minutes and seconds from 100 s on.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..=99 => format!("{:.1} s", time.as_secs_f64()),
        long => format!("{}m{:02}s", long / 60, long % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_command_that_computes_takes_time_of_the_processors() {
        let clock = Clock::start();
        let status = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
            .status();
        assert!(status.is_ok_and(|status| status.success()));
        assert!(clock.elapsed().cpu > Duration::ZERO);
    }

    #[test]
    fn long_times_are_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2m05s");
    }
}
