//! Recorded systems, one after the other, on a thread of their own. Each recording is replayed, and
//! replaced by the next one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use vhost::Replay;

use super::{System, builder};

/// Thread of the recorded systems.
pub(super) struct RecordingThread {
    /// Sender of the numbers of requests.
    orders: Option<Sender<u64>>,
    results: Receiver<Result<(), String>>,
    thread: JoinHandle<()>,
    pub(super) replayed: u64,
}

impl RecordingThread {
    pub(super) fn start(folder: &Path, channels: usize) -> Self {
        let (orders, ordered) = channel();
        let (done, results) = channel();
        let folder = folder.join("recorded");
        let thread = thread::spawn(move || {
            for requests in ordered {
                // After a failed run, no receiver waits for a result.
                let _ = done.send(record(&folder, channels, requests));
            }
        });
        Self {
            orders: Some(orders),
            results,
            thread,
            replayed: 0,
        }
    }

    /// Records a run, and waits for its replay.
    pub(super) fn next(&mut self, requests: u64) -> Result<(), String> {
        let ended = || "the thread of the recordings has ended".to_owned();
        let orders = self.orders.as_ref().ok_or_else(ended)?;
        orders.send(requests).map_err(|_| ended())?;
        self.results.recv().map_err(|_| ended())??;
        self.replayed += 1;
        Ok(())
    }

    /// Ends the thread.
    pub(super) fn end(mut self) -> Result<(), String> {
        self.orders = None;
        let joined = self.thread.join();
        joined.map_err(|_| "the thread of the recordings has panicked".to_owned())
    }
}

fn record(folder: &Path, channels: usize, requests: u64) -> Result<(), String> {
    let root = folder.join("root");
    fs::create_dir_all(&root).map_err(|error| error.to_string())?;
    let file: PathBuf = folder.join("run.trace");
    let recorded = builder(channels).files(root).record(&file);
    let mut system = System::start(channels, recorded)?;
    let mut done = 0;
    while done < requests {
        done += system.turn()?;
    }
    system.vhost.shutdown();
    let replayed = Replay::of(file).on_finding(|_| ()).run();
    replayed
        .map(|_| ())
        .map_err(|error| format!("replay: {error}"))
}
