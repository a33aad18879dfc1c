//! Writes to memory: words of a channel, and data of requests.

use super::{Check, Phase, Session, Shared, ensure};
use crate::space::Space;
use crate::wire::{ENTRIES, INIT, Layout, NEWEST, READY, VERSION, number};

impl Session {
    pub(super) fn check_write(
        &mut self,
        address: u64,
        data: &[u8],
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        let offset = address.wrapping_sub(self.at);
        if offset >= self.layout.size {
            return self.check_write_of_request(address, data, space, shared);
        }
        let queue = self.layout.response;
        if (queue.entries..queue.slot(7) + queue.entry).contains(&offset) {
            let slot = ((offset - queue.entries) / queue.entry) as u32;
            let free = self.produced..self.produced.wrapping_add(self.free_slots(space));
            let is_free =
                self.phase == Phase::Ready && free.into_iter().any(|index| index % ENTRIES == slot);
            space.set_expected(address, data);
            return ensure(is_free, || {
                format!("response slot {slot} was written while it is not free")
            });
        }
        for (at, word) in data.chunks(4).enumerate() {
            let word = number(word, 0, 4) as u32;
            self.word(offset + 4 * at as u64, word, space, shared)?;
        }
        space.set_expected(address, data);
        Ok(())
    }

    /// Checks a write outside of the channel, which the current request must cause.
    fn check_write_of_request(
        &mut self,
        address: u64,
        data: &[u8],
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        let len = data.len() as u64;
        let index = self.at + self.layout.request.idx_c;
        loop {
            let inside = |(from, of): &(u64, u64)| address >= *from && address + len <= from + of;
            let asked = self.writes.iter().any(inside);
            let expected = space.expected(address, len);
            if let Some((from, of, _)) = &self.partial
                && inside(&(*from, *of))
            {
                space.set_expected(address, data);
                return Ok(());
            }
            if asked && data == expected || self.is_relaxed {
                return Ok(());
            }
            // If the channel itself has no log, the write may belong to a later request.
            if self.is_logged
                || self.phase != Phase::Ready
                || space.actual_word(index) == self.consumed
            {
                return Err(if asked {
                    format!("{data:x?} written at {address:#x}, expected {expected:x?}")
                } else {
                    format!("{data:x?} written at {address:#x} without a request")
                });
            }
            self.take(space, shared)?;
        }
    }

    /// Checks a write to a word of the channel.
    pub(super) fn word(
        &mut self,
        offset: u64,
        word: u32,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        let indices = [request.idx_p, request.idx_c, response.idx_p, response.idx_c];
        match self.phase {
            Phase::Handshake => {
                ensure(self.has_handshake(space), || {
                    format!(
                        "word {offset:#x} of the channel was written before a handshake was complete"
                    )
                })?;
                if offset == state && word == READY {
                    self.begin_session(space, shared);
                    return Ok(());
                }
                let zero = indices.contains(&offset) && word == 0;
                let offered = self.is_offered(space);
                let accepts =
                    offered && [(0, NEWEST), (request.start, 0)].contains(&(offset, word));
                self.has_accepted_offer |= accepts;
                ensure(zero || accepts, || {
                    format!("{word:#x} written to word {offset:#x} in a handshake")
                })
            }
            Phase::Ready if offset == request.idx_c => self.advance(word, space, shared),
            Phase::Ready if offset == response.idx_p => self.respond_up_to(word, space, shared),
            _ => Err(format!(
                "{word:#x} written to word {offset:#x}, which belongs to firmware"
            )),
        }
    }

    /// True if firmware has written a complete handshake.
    pub(super) fn has_handshake(&self, space: &Space) -> bool {
        let word = |offset| space.expected_word(self.at + offset);
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        let indices = [request.idx_p, request.idx_c, response.idx_p, response.idx_c];
        // Version 0.3 is present without an offer if firmware repeats a handshake that the host has
        // answered (N6).
        let version = [VERSION, NEWEST].contains(&word(0));
        version && word(state) == INIT && indices.iter().all(|index| word(*index) == 0)
    }

    /// True if firmware offers protocol 0.3 or a later one, or insists on it.
    fn is_offered(&self, space: &Space) -> bool {
        let offer = space.expected_word(self.at + self.layout.request.start);
        self.has_accepted_offer || offer >= NEWEST || space.expected_word(self.at) == NEWEST
    }

    fn begin_session(&mut self, space: &mut Space, shared: &mut Shared) {
        shared.coverage.hit("handshake");
        let posix = self.is_offered(space);
        if posix {
            shared.coverage.hit("handshake of 0.3");
            space.set_expected(self.at, &NEWEST.to_le_bytes());
            space.set_expected(self.at + self.layout.request.start, &[0; 4]);
        }
        if let Some(streams) = shared.files.streams.get_mut(&self.channel) {
            streams.posix = posix;
            streams.closed = [false; 3];
        }
        self.has_accepted_offer = false;
        self.partial = None;
        self.phase = Phase::Ready;
        self.consumed = 0;
        self.produced = 0;
        self.current = None;
        self.expected_responses.clear();
        self.writes.clear();
        self.overdue = 0;
        self.console.expect_again();
    }

    /// Number of free slots of the response queue.
    pub(super) fn free_slots(&self, space: &Space) -> u32 {
        let read = space.expected_word(self.at + self.layout.response.idx_c);
        ENTRIES.saturating_sub(self.produced.wrapping_sub(read))
    }
}
