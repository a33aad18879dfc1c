//! State of a replayed system, from which the replay of a part of its recording continues.

use crate::messages::checkpoint::SavedSystem;
use crate::messages::{ChannelId, Name};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::running::Vhost;

impl Vhost {
    /// State of the actors between two ticks. Memories and files are the recording's.
    ///
    /// # Errors
    /// As of [`checkpoint`](Self::checkpoint).
    pub(in crate::system) fn resumption(&self) -> Result<SavedSystem, Error> {
        let front_ends = self.between_ticks()?;
        let _library = CodeGuard::library();
        self.state(front_ends)
    }

    /// Replaces the state of the actors, and makes the channels read their words. Channels with a
    /// pending call continue in the order of `calls`.
    ///
    /// # Errors
    /// As of [`restore_checkpoint`](Self::restore_checkpoint).
    pub(in crate::system) fn resume(
        &self,
        tick: u64,
        mut state: SavedSystem,
        calls: &[Option<Name>],
    ) -> Result<(), Error> {
        let front_ends = self.between_ticks()?;
        let _library = CodeGuard::library();
        let channels = self.0.attach_context.channels();
        let place = |channel: ChannelId| {
            let at = usize::try_from(channel.0).ok();
            let channel = at.and_then(|at| channels.get(at))?;
            let mut calls = calls.iter().flatten();
            calls.position(|name| *name == channel.name)
        };
        state.channels.sort_by_key(|saved| place(saved.channel));
        let bus = &self.0.bus;
        bus.run_until_idle()?;
        self.restore_state(front_ends, tick, state)?;
        bus.run_until_idle()?;
        // The channels have begun to watch their words, which would ring in the next tick.
        while bus.poll_new_watches() {
            bus.run_until_idle()?;
        }
        Ok(())
    }
}
