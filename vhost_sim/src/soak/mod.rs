//! Long run of one system: many requests on many channels, with resets, clients of a socket, and
//! recordings of a second system. Memory must not grow.
//!
//! - `unit`: firmware of one channel.
//! - `successive_clients`: clients of sockets.
//! - `recordings`: recorded systems.

mod recordings;
mod successive_clients;
mod unit;

use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use vhost::mem::Buffer;
use vhost::{Builder, Vhost};

use self::recordings::RecordingThread;
use self::successive_clients::SuccessiveClients;
use self::unit::{METHOD, SIZE, Unit};
use crate::event::channel_name;
use crate::methods::COMMANDS;

/// Extent of a run.
#[derive(Debug, Clone, Copy)]
pub struct SoakSize {
    /// Number of requests of the system.
    pub requests: u64,
    /// Number of channels of the system.
    pub channels: usize,
    /// Number of clients of its sockets, one after the other.
    pub clients: u64,
    /// Number of recordings. Each has one hundredth of the number of requests between two of them.
    pub recordings: u64,
}

/// Figures of a tenth of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tenth {
    /// Number of served requests.
    pub requests: u64,
    /// Processor time of the thread of the system.
    pub time: Duration,
    /// Resident memory of the process at the end, in bytes.
    pub resident: u64,
}

/// Figures of a run.
#[derive(Debug, Clone, Default)]
pub struct SoakFigures {
    /// Parts of the run.
    pub tenths: Vec<Tenth>,
    /// Wall time.
    pub wall: Duration,
    /// Number of resets of channels.
    pub resets: u64,
    /// Number of bytes of text.
    pub printed: u64,
    /// Number of clients that were served.
    pub clients: u64,
    /// Number of replayed recordings.
    pub recordings: u64,
}

/// Maximum growth of memory between the first tenth and the last, in bytes.
const MAX_GROWTH: u64 = 4 << 20;

impl SoakFigures {
    /// Growth of memory since the end of the first tenth, in bytes.
    pub fn growth(&self) -> u64 {
        let ends = self.tenths.first().zip(self.tenths.last());
        ends.map_or(0, |(first, last)| {
            last.resident.saturating_sub(first.resident)
        })
    }

    /// True if memory has not grown.
    pub fn is_steady(&self) -> bool {
        self.growth() <= MAX_GROWTH
    }
}

impl fmt::Display for SoakFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests: u64 = self.tenths.iter().map(|tenth| tenth.requests).sum();
        writeln!(
            f,
            "{requests} requests in {:.1} s, {:.0} requests/s; {} resets, {} bytes of text, {} \
             clients, {} recordings replayed",
            self.wall.as_secs_f64(),
            requests as f64 / self.wall.as_secs_f64(),
            self.resets,
            self.printed,
            self.clients,
            self.recordings
        )?;
        for (number, tenth) in self.tenths.iter().enumerate() {
            writeln!(
                f,
                "tenth {}: {} ns of processor time for a request, {} KiB resident",
                number + 1,
                tenth.time.as_nanos() / u128::from(tenth.requests.max(1)),
                tenth.resident >> 10
            )?;
        }
        write!(
            f,
            "memory grew by {} KiB after the first tenth",
            self.growth() >> 10
        )
    }
}

/// Runs a system to its end.
///
/// # Errors
/// Fails if the host refuses, on a wrong response, or if a byte does not arrive.
pub fn soak(extent: SoakSize, folder: &Path) -> Result<SoakFigures, String> {
    let start = Instant::now();
    let mut recordings = RecordingThread::start(folder, extent.channels);
    let root = folder.join("root");
    std::fs::create_dir_all(&root).map_err(|error| error.to_string())?;
    let mut system = System::start(extent.channels, builder(extent.channels).files(&root))?;
    let mut successive_clients = SuccessiveClients::default();
    let mut figures = SoakFigures::default();
    let mut done = 0;
    for tenth in 1..=10 {
        let until = extent.requests * tenth / 10;
        let (before, from) = (done, processor_time());
        while done < until {
            done += system.turn()?;
            while successive_clients.served < share(extent.clients, done, extent.requests) {
                successive_clients.serve_one(&system.vhost)?;
            }
            while recordings.replayed < share(extent.recordings, done, extent.requests) {
                recordings.next(extent.requests / extent.recordings.max(1) / 100)?;
            }
        }
        figures.tenths.push(Tenth {
            requests: done - before,
            time: processor_time().saturating_sub(from),
            resident: resident(),
        });
    }
    figures.wall = start.elapsed();
    figures.resets = system.units.iter().map(|unit| unit.resets).sum();
    figures.printed = system.units.iter().map(|unit| unit.printed).sum();
    figures.clients = successive_clients.served;
    figures.recordings = recordings.replayed;
    successive_clients.close(&system.vhost)?;
    recordings.end()?;
    Ok(figures)
}

/// Part of `whole` that is due when `done` of `all` is reached.
fn share(whole: u64, done: u64, all: u64) -> u64 {
    (u128::from(whole) * u128::from(done.min(all)) / u128::from(all.max(1))) as u64
}

/// System with channels and their firmware.
struct System {
    vhost: Vhost,
    units: Vec<Unit>,
}

impl System {
    fn start(channels: usize, builder: Builder) -> Result<Self, String> {
        let vhost = builder.start().map_err(|error| error.to_string())?;
        let spaces = vhost.spaces();
        let memory = spaces.get("all").and_then(|space| space.get("ram"));
        let buffer = memory.and_then(|memory| memory.buffers.first().cloned());
        let buffer: Rc<Buffer> = Rc::new(buffer.ok_or("a memory without a buffer")?);
        let units = (0..channels).map(|number| Unit::new(number, buffer.clone()));
        Ok(Self {
            units: units.collect(),
            vhost,
        })
    }

    /// Executes one turn of all firmware, and a tick. Returns the number of responses.
    fn turn(&mut self) -> Result<u64, String> {
        let mut done = 0;
        for unit in &mut self.units {
            done += unit.turn()?;
        }
        match self.vhost.tick() {
            Ok(serving) if serving == self.units.len() => Ok(done),
            Ok(serving) => Err(format!("{serving} channels are served")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Configuration of a system.
fn builder(channels: usize) -> Builder {
    let memories = format!(
        "space:\n  all:\n    - ram: {{base: 0, size: {:#x}, path: tb.ram, width: 64, backend: static}}\n",
        SIZE * channels as u64
    );
    let channel = |number: usize| {
        let pointer = Unit::pointer(number) * 8;
        let base = SIZE * number as u64;
        format!(
            "{}: {{space: all, base: {base:#x}, ptr: {pointer}, cache_line: 0}}\n",
            channel_name(number)
        )
    };
    let echo = |_: &Vhost, call: vhost::HostProgramCall<'_>| {
        Ok(std::task::Poll::Ready(
            call.args.first().copied().unwrap_or(0),
        ))
    };
    Vhost::builder()
        .memories_text(memories)
        .mailboxes_text((0..channels).map(channel).collect::<String>())
        .console(io::sink())
        .method(METHOD, echo)
        .command(COMMANDS[0].0, echo)
}

/// Processor time of this thread; 0 if the system does not provide it.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|time| time.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// Resident memory of this process, in bytes.
pub fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_is_steady() {
        let folder = tempfile::tempdir().expect("a folder");
        let extent = SoakSize {
            requests: 30_000,
            channels: 8,
            clients: 10,
            recordings: 2,
        };
        let figures = soak(extent, folder.path()).unwrap_or_else(|text| panic!("{text}"));
        assert_eq!((figures.clients, figures.recordings), (10, 2));
        assert!(figures.resets >= 8, "{figures}");
        assert!(figures.is_steady(), "{figures}");
    }
}
