//! Report of a hanging testbench, and the end of its process.

use std::fmt::{self, Write};
use std::process;
use std::time::Duration;

use libc::c_int;

use super::measured::{CALL, CALLER, METHODS, Phase};
use super::text::SIZE;

/// Exit status of a process that was ended, as of the command `timeout`.
const STATUS: c_int = 124;

/// Ends the process. No handler runs, because the state of the hanging thread is unknown.
/// Recordings before the call are on disk.
pub(super) fn end_process(phase: Phase, limit: Duration) -> ! {
    let (mut call, mut methods, mut caller) = ([0; SIZE], [0; SIZE], [0; SIZE]);
    let mut line = Line::new();
    // A line accepts all text, and drops what does not fit.
    let _ = report(
        &mut line,
        phase,
        limit,
        match phase {
            Phase::Call => CALL.read(&mut call),
            Phase::Pending => METHODS.read(&mut methods),
        },
        CALLER.read(&mut caller),
    );
    line.print();
    // SAFETY: the function may be called at any time, on any thread.
    unsafe { libc::_exit(STATUS) }
}

fn report(line: &mut Line, phase: Phase, limit: Duration, what: &str, caller: &str) -> fmt::Result {
    let seconds = limit.as_secs_f64();
    write!(line, "vhost: fatal: timeout: ")?;
    match phase {
        Phase::Call => {
            line.escaped(what)?;
            write!(line, " has not returned for {seconds} s of wall time")?;
        }
        Phase::Pending => {
            write!(
                line,
                "the testbench has not called the library for {seconds} s of wall time while these methods are pending: "
            )?;
            line.escaped(what)?;
        }
    }
    if !caller.is_empty() {
        write!(line, "; the last call of the library was at ")?;
        line.escaped(caller)?;
    }
    let pid = process::id();
    writeln!(
        line,
        ". It loops without simulated time, or waits for something outside of the simulation. \
         VHOST_CALL_TIMEOUT ends the process {pid} with status {STATUS}. To find the loop, run it \
         again without VHOST_CALL_TIMEOUT and look while it hangs: `gdb -p PID -batch -ex 'thread \
         apply all bt'`, or `perf top -p PID`"
    )
}

/// Line in a buffer of its own.
struct Line {
    bytes: [u8; 2048],
    len: usize,
}

impl Line {
    fn new() -> Self {
        Self {
            bytes: [0; 2048],
            len: 0,
        }
    }

    /// Writes a text of firmware without control characters.
    fn escaped(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|char| match char.is_control() {
            true => write!(self, "{}", char.escape_default()),
            false => self.write_char(char),
        })
    }

    /// Writes the line to standard error without the lock of the stream, which the other thread may
    /// hold.
    fn print(&self) {
        let mut rest = &self.bytes[..self.len];
        while !rest.is_empty() {
            // SAFETY: there are that many bytes.
            let written =
                unsafe { libc::write(libc::STDERR_FILENO, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written) {
                Ok(written @ 1..) => rest = rest.get(written..).unwrap_or_default(),
                // No reader is left.
                _ => return,
            }
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let fits = text.len().min(room.len());
        room[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(phase: Phase, what: &str, caller: &str) -> String {
        let mut line = Line::new();
        report(&mut line, phase, Duration::from_millis(1500), what, caller).unwrap();
        String::from_utf8(line.bytes[..line.len].to_vec()).unwrap()
    }

    #[test]
    fn a_report_names_the_call_and_the_place() {
        let text = text_of(Phase::Call, "method `a\nb` of channel `core0`", "tb.sv:7");
        let start = "vhost: fatal: timeout: method `a\\nb` of channel `core0` has not returned for 1.5 s of wall time; the last call of \
                     the library was at tb.sv:7. ";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("with status 124") && text.contains("gdb -p PID"));
        let text = text_of(Phase::Pending, "`wait` of channel `core0`", "");
        let part = "has not called the library for 1.5 s of wall time while these methods are pending: `wait` of channel `core0`. It loops";
        assert!(text.contains(part), "{text}");
        assert!(text.ends_with('\n') && text.lines().count() == 1);
    }

    #[test]
    fn a_report_that_is_too_long_is_cut() {
        let text = text_of(Phase::Call, &"x".repeat(5000), "");
        assert_eq!(text.len(), 2048);
    }
}
