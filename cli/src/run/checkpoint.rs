//! Checkpoints of a run: state of the hart and of its input, in addition to that of the host.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use riscv_iss::{Hart, HartState, Xlen};
use vhost::{Checkpoint, Vhost};

use super::input::Progress;
use super::program::Program;
use crate::output::Sanitized;

/// Name of the part with the run's state.
const PART: &str = "run";

/// Name of the part with the run's image.
const IMAGE: &str = "image";

/// Bit of the word of a checksum, if there is one.
const KNOWN: u64 = 1 << 32;

/// Checkpoint to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SaveAt {
    /// Tick after which it is taken.
    pub(super) tick: u64,
    /// File that it is written to.
    pub(super) file: PathBuf,
}

/// State of a run in addition to that of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunState {
    /// Width of the hart's registers in bits.
    width: u64,
    /// Number of executed instructions.
    pub(super) instructions: u64,
    /// Standard input that the host has taken, by channel; empty without one.
    pub(super) input: Vec<Progress>,
    hart: HartState,
}

impl SaveAt {
    /// Parses the two values of `--save-at`.
    pub(super) fn of(values: &[String]) -> Result<Option<Self>> {
        let [tick, file] = values else {
            return Ok(None);
        };
        let number = tick.parse().ok().filter(|tick| *tick > 0);
        let tick = number.ok_or_else(|| {
            anyhow!("--save-at {tick}: the first value is a number of ticks, from 1 on")
        })?;
        Ok(Some(Self {
            tick,
            file: file.into(),
        }))
    }

    /// Writes the checkpoint.
    pub(super) fn save<X: Xlen>(
        &self,
        vhost: &Vhost,
        hart: &Hart<X>,
        instructions: u64,
        input: Vec<Progress>,
        image: &str,
    ) -> Result<()> {
        let state = RunState {
            width: X::BITS.into(),
            instructions,
            input,
            hart: hart.state(),
        };
        // The error may contain a callback's error, which is not `Send`.
        let mut checkpoint = vhost.checkpoint().map_err(|error| anyhow!("{error}"))?;
        checkpoint.set_part(PART, state.bytes());
        checkpoint.set_part(IMAGE, image.into());
        Ok(checkpoint.write(&self.file)?)
    }
}

impl RunState {
    /// Restores the host from a file. Returns the state of the run.
    ///
    /// # Errors
    /// A file that is no checkpoint of a run, or of one with another image.
    pub(super) fn restore(vhost: &Vhost, file: &Path, program: &Program) -> Result<Self> {
        let checkpoint = Checkpoint::read(file)?;
        let Some(bytes) = checkpoint.part(PART) else {
            bail!(
                "checkpoint {} was not taken by `vhost run`: it has no state of a hart",
                file.display()
            );
        };
        let saved = String::from_utf8_lossy(checkpoint.part(IMAGE).unwrap_or_default());
        let here = program.identity()?;
        let content = |identity: &str| identity.split_once(' ').map(|it| it.0.to_owned());
        if content(&saved) != content(&here) {
            let name = |identity: &str| identity.split_once(' ').map_or("", |it| it.1).to_owned();
            bail!(
                "checkpoint {} was taken with the image {}, whose content is not that of {}: its code is in the restored memory; \
                 give the image of that run",
                file.display(),
                Sanitized(&name(&saved)),
                program.file().display()
            );
        }
        let state = Self::of(bytes);
        let state =
            state.with_context(|| format!("part `{PART}` of {} is invalid", file.display()))?;
        let restored = vhost.restore_checkpoint(&checkpoint);
        restored.map_err(|error| anyhow!("{error}"))?;
        Ok(state)
    }

    /// Sets the state of a hart.
    pub(super) fn resume<X: Xlen>(&self, hart: &mut Hart<X>) -> Result<()> {
        if self.width != u64::from(X::BITS) {
            bail!(
                "the checkpoint is of a hart of {} bits, and the image is for {} bits",
                self.width,
                X::BITS
            );
        }
        hart.restore(&self.hart);
        Ok(())
    }

    fn bytes(&self) -> Vec<u8> {
        let head = [self.width, self.instructions, self.input.len() as u64];
        let input = self.input.iter();
        let input = input.flat_map(|it| {
            let checksum = it.checksum.map_or(0, |it| KNOWN | u64::from(it));
            [it.taken, it.has_ended.into(), checksum]
        });
        let words = head.into_iter().chain(input).chain(self.hart.words());
        words.flat_map(u64::to_le_bytes).collect()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let ([width, instructions, channels], words) = words.split_first_chunk()?;
        let channels = usize::try_from(*channels).ok()?;
        let (input, hart) = words.split_at_checked(channels.checked_mul(3)?)?;
        let (input, _) = input.as_chunks();
        let progress = |[taken, has_ended, checksum]: &[u64; 3]| Progress {
            taken: *taken,
            has_ended: *has_ended != 0,
            checksum: (checksum & KNOWN != 0).then_some(*checksum as u32),
        };
        let state = Self {
            width: *width,
            instructions: *instructions,
            input: input.iter().map(progress).collect(),
            hart: HartState::from_words(hart)?,
        };
        rest.is_empty().then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use riscv_iss::Rv32;

    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let mut hart = Hart::<Rv32>::new(1, 0x8000_0000);
        hart.set_register(9, 77);
        let state = RunState {
            width: 32,
            instructions: 1 << 40,
            input: [(5, true, Some(7)), (1 << 40, false, None)]
                .map(|(taken, has_ended, checksum)| Progress {
                    taken,
                    has_ended,
                    checksum,
                })
                .to_vec(),
            hart: hart.state(),
        };
        let bytes = state.bytes();
        assert_eq!(RunState::of(&bytes), Some(state));
        for len in 0..bytes.len() {
            assert_eq!(RunState::of(&bytes[..len]), None, "{len}");
        }
    }

    #[test]
    fn a_tick_is_a_number() {
        let of = |tick: &str| SaveAt::of(&[tick.to_owned(), "x".to_owned()]);
        assert_eq!(of("7").unwrap().unwrap().tick, 7);
        assert!(of("0").is_err() && of("x").is_err());
        assert!(SaveAt::of(&[]).unwrap().is_none());
    }
}
