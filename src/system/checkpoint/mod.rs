//! Checkpoints: the state of a system in a file, from which another process continues.
//!
//! - `file`: format of the file; `error`: errors.
//! - `encoding`: parts as bytes.
//! - `configuration`: memories and channels that a checkpoint fits.
//! - `memories`: content of memories in this process.
//! - `reports`: reports on state that is not restored.
//! - `resumption`: the state at the begin of a cut of a recording.

mod configuration;
mod encoding;
mod error;
mod file;
mod memories;
mod reports;
mod resumption;

use std::path::Path;

use configuration::configuration;
pub use error::CheckpointError;
pub use file::Checkpoint;
use memories::{MEMORIES, SavedMemory};
use reports::{RestoreOutcome, reports};

use crate::messages::checkpoint::{SavedChannel, SavedSystem};
use crate::messages::events::RestoreBegun;
use crate::messages::foreign::Report;
use crate::messages::{console, files, sockets};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::assembly::MAX_TRAPS;
use crate::system::running::{FrontEnds, Inner, Vhost};

/// Name of the part with the state of the actors.
const STATE: &str = "state";

impl Vhost {
    /// Writes a checkpoint to a file, which appears when it is complete. [`restore`](Self::restore)
    /// continues from it, in this process or in another one with the same configuration.
    ///
    /// Memories of backend `static` are part of it; others are the simulator's. It is taken between
    /// two ticks.
    ///
    /// ```no_run
    /// use vhost::Vhost;
    ///
    /// # fn build() -> Result<Vhost, vhost::Error> { Vhost::builder().start() }
    /// let vhost = build()?;
    /// for _ in 0..1000 {
    ///     vhost.tick()?;
    /// }
    /// vhost.save("boot.ckpt")?;
    /// # Ok::<(), vhost::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Checkpoint`] from inside a foreign call, after the end of service, or for a file
    /// that can't be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<(), Error> {
        self.checkpoint()?.write(file)?;
        Ok(())
    }

    /// Continues from the checkpoint in a file. Its time, channels, files, text and statistics
    /// replace those of this system.
    ///
    /// Files that firmware had open are opened again below the present root, at their positions.
    /// State that can't be restored is reported: files that are gone or shorter, connections of
    /// sockets, and the objects of Python. Pending calls are polled anew.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] from inside a foreign call, after the end of service, or for a file
    /// that is none, damaged, or of another configuration; the system has not changed then. For a
    /// state that is impossible, with a right checksum, it is to be shut down.
    pub fn restore(&self, file: impl AsRef<Path>) -> Result<(), Error> {
        self.restore_checkpoint(&Checkpoint::read(file)?)
    }

    /// State of the system, to which a host program may [add](Checkpoint::set_part) its own before
    /// it is [written](Checkpoint::write).
    ///
    /// # Errors
    /// [`Error::Checkpoint`] from inside a foreign call, or after the end of service.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let front_ends = self.between_ticks()?;
        let _library = CodeGuard::library();
        let Inner {
            bus,
            map,
            memories,
            attach_context,
            ..
        } = &*self.0;
        let state = self.state(front_ends)?;
        let configuration = configuration(map, attach_context.channels());
        let mut checkpoint = Checkpoint::new(configuration, bus.now());
        checkpoint.put(STATE, &state)?;
        checkpoint.put(MEMORIES, &memories::saved(memories))?;
        Ok(checkpoint)
    }

    /// Continues from a checkpoint.
    ///
    /// # Errors
    /// As of [`restore`](Self::restore).
    pub fn restore_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let front_ends = self.between_ticks()?;
        let _library = CodeGuard::library();
        let Inner {
            bus,
            map,
            memories,
            attach_context,
            ..
        } = &*self.0;
        let here = configuration(map, attach_context.channels());
        checkpoint.check_configuration(&here)?;
        let state: SavedSystem = checkpoint.take(STATE)?;
        let content: Vec<SavedMemory> = checkpoint.take(MEMORIES)?;
        memories::check(memories, &content)?;
        bus.run_until_idle()?;
        memories::restore(memories, &content);
        let outcome = self.restore_state(front_ends, checkpoint.tick(), state)?;
        for Report { severity, id, text } in reports(&outcome) {
            self.report(severity, &id, &text)?;
        }
        Ok(bus.run_until_idle()?)
    }

    /// State of the actors.
    fn state(&self, front_ends: &FrontEnds) -> Result<SavedSystem, Error> {
        let Inner {
            bus,
            ports,
            attach_context,
            stubs,
            ..
        } = &*self.0;
        bus.run_until_idle()?;
        let mut channels = Vec::new();
        for server in front_ends.iter() {
            channels.extend(server.save(bus)?.map_err(CheckpointError::Save)?);
        }
        Ok(SavedSystem {
            channels,
            files: bus.ask(&ports.files, files::Save)?,
            text: bus.ask(&ports.console, console::Save)?,
            sockets: bus.ask(&ports.sockets, sockets::Save)?,
            statistics: attach_context.counts(),
            stubs: {
                let stubs = stubs.borrow();
                let stubs = stubs.iter();
                stubs
                    .map(|stub| (stub.channel.clone(), stub.replaced))
                    .collect()
            },
        })
    }

    /// Replaces the state of the actors, and sets the time.
    fn restore_state(
        &self,
        front_ends: &FrontEnds,
        tick: u64,
        state: SavedSystem,
    ) -> Result<RestoreOutcome, Error> {
        let Inner {
            bus,
            ports,
            watchdog,
            stubs,
            ..
        } = &*self.0;
        for stub in stubs.borrow_mut().iter_mut() {
            let mut saved = state.stubs.iter();
            if let Some((_, replaced)) = saved.find(|(channel, _)| *channel == stub.channel) {
                stub.replaced = (*replaced).min(MAX_TRAPS);
            }
        }
        self.begin_restore(RestoreBegun {
            tick,
            statistics: state.statistics,
        });
        self.watch(watchdog.timeout());
        let mut outcome = RestoreOutcome {
            tick,
            ..RestoreOutcome::default()
        };
        let sockets = state.sockets;
        let clients = sockets.clients;
        outcome.sockets = bus.ask(&ports.sockets, sockets::Restore { sockets })?;
        // Clients of sockets that are still open stay.
        let here = bus.ask(&ports.sockets, sockets::Save)?;
        outcome.clients = clients.saturating_sub(here.clients);
        let files = state.files;
        outcome.files = bus.ask(&ports.files, files::Restore { files })?;
        bus.ask(&ports.console, console::Restore { text: state.text })?;
        for server in front_ends.iter() {
            let own = |saved: &&SavedChannel| server.ids().contains(&saved.channel);
            let channels = state.channels.iter().filter(own).cloned().collect();
            let restored = server.restore(bus, channels)?;
            restored.map_err(CheckpointError::Restore)?;
        }
        Ok(outcome)
    }

    /// Sets the time to that of a checkpoint, and emits an event.
    pub(super) fn begin_restore(&self, begun: RestoreBegun) {
        let tick = begun.tick;
        self.0.external.emit(|| begun.clone());
        self.0.bus.set_now(tick);
    }

    /// Front ends of a system whose state may be saved or replaced now.
    fn between_ticks(&self) -> Result<&FrontEnds, CheckpointError> {
        if self.in_foreign_call() {
            return Err(CheckpointError::InCall);
        }
        if let Some(text) = self.0.progress.fatal() {
            return Err(CheckpointError::Over(text.to_owned()));
        }
        let front_ends = self.0.ports.front_ends.get();
        front_ends.map(|all| &**all).ok_or(CheckpointError::InCall)
    }
}
