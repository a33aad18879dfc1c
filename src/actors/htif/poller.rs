//! Words of HTIF, as last read by the doorbell.

use crate::actors::service::{Failure, WordPoller};
use crate::mem::Segments;
use crate::messages::htif::WORD;

/// Waits for changes of a channel's words.
pub(super) struct HostPoller {
    pub(super) words: WordPoller,
    pub(super) place: HostPlace,
}

/// Locations of the two words.
pub(super) struct HostPlace {
    pub(super) tohost: Segments,
    pub(super) fromhost: Segments,
}

/// Words of HTIF, as last read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HostWords {
    /// Command of firmware; 0 for none.
    pub(super) tohost: u64,
    /// Response that firmware has not taken; 0 for none. Read only while a further response waits.
    pub(super) fromhost: Option<u64>,
}

impl HostPoller {
    /// Words last read.
    ///
    /// # Errors
    /// Fails if the words can't be read.
    pub(super) fn words(&self) -> Result<HostWords, Failure> {
        let bytes = self.words.bytes()?;
        let (words, _) = bytes.as_chunks::<{ WORD as usize }>();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        Ok(HostWords {
            tohost: words.next().unwrap_or_default(),
            fromhost: words.next(),
        })
    }

    /// Polls `tohost` from now on, and `fromhost` too while a response waits for it.
    pub(super) fn watch(&self, and_fromhost: bool) {
        let HostPlace { tohost, fromhost } = &self.place;
        let fromhost = and_fromhost.then(|| fromhost.iter()).into_iter().flatten();
        self.words.watch(tohost.iter().chain(fromhost).copied());
    }
}
