//! Rules of RTT, by `docs/rtt.md`.

mod block;
mod buffer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::block::{Block, Buffer, FLAGS, HEADER, MODE, READ, WIDE_HEAD, WRITE, counts, has_mark};
use self::buffer::Watched;
use super::rules::{Breach, MemoryWrite, Owner, Pending, Request, Rules, word};
use crate::bus::Body;
use crate::mem::{AccessError, OpOutcome, Segment, Segments, Span};
use crate::messages::RttPlace;
use crate::messages::checkpoint::{SavedFrontEnd, SavedTransfer};
use crate::messages::front_end::WordsRang;
use crate::messages::rtt::{Direction, Transferred};

/// Maximum number of remembered unmapped addresses, which the host reads repeatedly.
const MAX_UNMAPPED: usize = 64;

/// Maximum number of remembered names: one for each buffer.
const MAX_NAMES: usize = 128;

/// Observed state of a channel.
#[derive(Debug)]
pub(super) struct Rtt {
    /// Address of the control block, as configured.
    configured: Option<u64>,
    /// Ranges in which the host searches for the control block.
    search: Vec<(u64, u64)>,
    /// Size of a pointer in bytes.
    pointer: u64,
    /// Addresses of the control blocks of other channels in the space.
    others: Vec<u64>,
    /// True if another channel searches the same range. The control block can't be attributed then,
    /// and is not checked.
    is_ambiguous: bool,
    /// Modes that the host may set.
    modes: BTreeSet<u64>,
    /// Address of the control block in service.
    address: Option<u64>,
    /// First segment of the control block, which contains the polled words.
    place: Option<Segment>,
    /// Control block as last read, and its buffers.
    block: Option<(Block, Vec<Watched>)>,
    /// Last reported invalid numbers of buffers.
    impossible: Option<(u64, u64)>,
    /// Transfer of a checkpoint that continues.
    resumed: Option<SavedTransfer>,
    /// Names of buffers, by their addresses.
    names: BTreeMap<u64, String>,
    outside: VecDeque<u64>,
    /// True if the state is known from the start, or from a restore.
    is_known: bool,
    pending: Pending<Request>,
}

impl Rtt {
    /// Creates the rules of a channel. `others` are the other channels with RTT in its space.
    pub(super) fn new(place: &RttPlace, segments: &Segments, others: &[&RttPlace]) -> Self {
        let mut searched = others.iter().filter(|other| other.block.is_none());
        let meets = |(from, to): &(u64, u64)| {
            let own = &place.search;
            own.iter()
                .any(|(own_from, own_to)| from < own_to && own_from < to)
        };
        Self {
            is_ambiguous: place.block.is_none()
                && searched.any(|other| other.search.iter().any(meets)),
            others: others.iter().filter_map(|other| other.block).collect(),
            configured: place.block,
            search: place.search.clone(),
            pointer: place.ptr_width.bytes(),
            modes: place
                .modes
                .values()
                .map(|mode| u64::from(mode.bits()))
                .collect(),
            address: place.block,
            place: segments.first().copied(),
            block: None,
            impossible: None,
            resumed: None,
            names: BTreeMap::new(),
            outside: VecDeque::new(),
            is_known: false,
            pending: Pending::default(),
        }
    }

    /// Address of the control block, if this is a read of it or of its first bytes. A search
    /// continues behind marks without a control block.
    fn block_at(&self, at: Span) -> Option<u64> {
        let in_range = |(from, to): &(u64, u64)| (*from..*to).contains(&at.address);
        let is_it = match self.address {
            Some(address) if at.address == address => true,
            _ => {
                self.is_searched()
                    && at.len == HEADER
                    && self.search.iter().any(in_range)
                    && !self.others.contains(&at.address)
            }
        };
        (is_it && at.len >= HEADER && !self.is_ambiguous).then_some(at.address)
    }

    /// True while the host searches for the control block. A mark found may not belong to one.
    fn is_searched(&self) -> bool {
        self.configured.is_none() && self.block.is_none()
    }

    /// Owner of a range that does not belong to the channel.
    fn stranger(&self) -> Owner {
        match self.is_known && !self.is_ambiguous {
            true => Owner::Other,
            false => Owner::Unknown,
        }
    }

    /// Records the name at an address, if it is printable text.
    fn learn(&mut self, address: u64, bytes: &[u8]) {
        let text = str::from_utf8(bytes).ok();
        let Some(text) =
            text.filter(|text| !text.is_empty() && !text.chars().any(char::is_control))
        else {
            return;
        };
        self.names.insert(address, text.to_owned());
        if self.names.len() > MAX_NAMES {
            self.names.pop_first();
        }
        let Some((block, buffers)) = &mut self.block else {
            return;
        };
        for (position, watched) in buffers.iter_mut().enumerate() {
            let number = if watched.is_up {
                position
            } else {
                position - block.up
            };
            watched.name = name_of(watched.is_up, number, self.names.get(&watched.seen.name));
        }
    }

    /// Drops the control block, which is absent now.
    fn forget_block(&mut self) {
        (self.block, self.resumed) = (None, None);
        self.address = self.configured;
    }

    /// Checks bytes of the control block at an address.
    fn read_block(&mut self, address: u64, bytes: &[u8], breaches: &mut Vec<Breach>) {
        if !has_mark(bytes) {
            return self.forget_block();
        }
        if bytes.len() as u64 == HEADER {
            return self.read_header(address, bytes, breaches);
        }
        let Some(block) = Block::parse(bytes, self.pointer) else {
            return;
        };
        if self.is_searched() && !block.is_likely() {
            return self.forget_block();
        }
        let known = self.block.take();
        let mut buffers = match known {
            Some((before, buffers)) if before.widths == block.widths => {
                let numbers = |block: &Block| (block.up, block.buffers.len() - block.up);
                let (was, now) = (numbers(&before), numbers(&block));
                if was == now {
                    buffers
                } else {
                    breaches.push(format!(
                        "the control block at {address:#x} had {} up and {} down channels, and has {} and {}: firmware must not change \
                         them",
                        was.0, was.1, now.0, now.1
                    ));
                    Vec::new()
                }
            }
            _ => Vec::new(),
        };
        if buffers.is_empty() {
            buffers = begin(address, &block, &self.names, breaches);
        } else {
            for (watched, now) in buffers.iter_mut().zip(&block.buffers) {
                watched.reread(*now, breaches);
            }
        }
        if let Some(SavedTransfer { number, done, .. }) = self.resumed.take()
            && let Some(watched) = buffers.get_mut(number as usize)
            && watched.seen.is_possible()
        {
            watched.cursor = watched.cursor.wrapping_add(done) % watched.seen.size;
        }
        self.block = Some((block, buffers));
    }

    fn read_header(&mut self, address: u64, bytes: &[u8], breaches: &mut Vec<Breach>) {
        match counts(bytes) {
            Ok(_) => {
                self.address = Some(address);
                self.impossible = None;
            }
            Err(numbers) => {
                // A mark that a search has found may not belong to a control block.
                let is_reported = self.impossible.replace(numbers) == Some(numbers);
                if self.configured.is_some() && !is_reported {
                    let (up, down) = numbers;
                    breaches.push(format!(
                        "the control block at {address:#x} has {up:#x} up and {down:#x} down channels, more than {}: firmware writes \
                         the mark last",
                        block::MAX_BUFFERS
                    ));
                }
                self.forget_block();
            }
        }
    }

    /// Checks the polled words.
    fn words_changed(&mut self, rang: &WordsRang, breaches: &mut Vec<Breach>) {
        // If several segments take turns, all but one are older than the control block.
        let (Some(words), [at], Some(place)) = (&rang.words, &rang.segments[..], self.place) else {
            return;
        };
        let Some(first) = at.offset.checked_sub(place.offset) else {
            return;
        };
        if at.memory != place.memory {
            return;
        }
        if let Some(address) = self.address
            && first == 0
            && at.len >= HEADER
            && self.block.is_none()
        {
            if has_mark(words) {
                self.read_header(address, words, breaches);
            }
            return;
        }
        let Some((block, buffers)) = &mut self.block else {
            return;
        };
        for (position, watched) in buffers.iter_mut().take(block.up).enumerate() {
            let offset = block.widths.offset(position, WRITE).checked_sub(first);
            let write = offset.and_then(|offset| word(words, usize::try_from(offset).ok()?, 4));
            if let Some(write) = write {
                watched.polled(write);
            }
        }
    }

    fn transferred(&mut self, transferred: &Transferred, breaches: &mut Vec<Breach>) {
        let Some((block, buffers)) = &mut self.block else {
            return;
        };
        let number = transferred.buffer.number as usize;
        let position = match transferred.direction {
            Direction::Up => number,
            Direction::Down => block.up + number,
        };
        let Some(watched) = buffers.get_mut(position) else {
            return;
        };
        let bytes = transferred.bytes;
        match watched.moved.take() {
            Some(moved) if moved == bytes => {}
            Some(moved) => breaches.push(format!(
                "{}: the host reports {bytes:#x} bytes, and has moved its offset by {moved:#x}",
                watched.name
            )),
            None => breaches.push(format!(
                "{}: the host reports {bytes:#x} bytes, and has not moved its offset",
                watched.name
            )),
        }
    }

    /// Checks a write to the 32-bit flags of a buffer.
    fn sets_flags(
        modes: &BTreeSet<u64>,
        watched: &mut Watched,
        to: u64,
        breaches: &mut Vec<Breach>,
    ) {
        let before = watched.seen.flags;
        let is_mode = to & !MODE == before & !MODE && modes.contains(&(to & MODE));
        if !watched.is_up || !is_mode || watched.is_mode_set {
            breaches.push(format!(
                "{}: the host sets the flags at {:#x} from {before:#x} to {to:#x}, where it only sets a configured mode, and once",
                watched.name, watched.words[2]
            ));
        }
        watched.is_mode_set = true;
        watched.seen.flags = to;
    }
}

/// Name of a buffer in findings, such as ``up channel 0 `Terminal` ``.
fn name_of(is_up: bool, number: usize, name: Option<&String>) -> String {
    let direction = if is_up { "up" } else { "down" };
    let name = name.map_or_else(String::new, |name| format!(" `{name}`"));
    format!("{direction} channel {number}{name}")
}

/// Starts the check of all buffers of a control block.
fn begin(
    address: u64,
    block: &Block,
    names: &BTreeMap<u64, String>,
    breaches: &mut Vec<Breach>,
) -> Vec<Watched> {
    let buffers = block.buffers.iter().enumerate();
    let buffers = buffers.map(|(position, buffer)| {
        let is_up = position < block.up;
        let number = if is_up { position } else { position - block.up };
        let name = name_of(is_up, number, names.get(&buffer.name));
        let at = |number| address.wrapping_add(block.widths.offset(position, number));
        let words = [WRITE, READ, FLAGS].map(at);
        Watched::new(name, is_up, words, *buffer, breaches)
    });
    buffers.collect()
}

impl Rules for Rtt {
    fn start(&mut self) {
        self.is_known = true;
    }

    fn restore(&mut self, saved: &SavedFrontEnd) {
        let SavedFrontEnd::Rtt(saved) = saved else {
            return;
        };
        self.is_known = true;
        self.block = None;
        self.pending.clear();
        self.address = saved.block.or(self.configured);
        self.resumed = saved.transfer;
    }

    fn event(&mut self, _: u64, body: &dyn Body, breaches: &mut Vec<Breach>) {
        if let Some(rang) = body.downcast_ref::<WordsRang>() {
            self.words_changed(rang, breaches);
        } else if let Some(transferred) = body.downcast_ref::<Transferred>() {
            self.transferred(transferred, breaches);
        }
    }

    fn asks(&mut self, sequence: u64, request: Request) {
        match request {
            Request::Read(at) => {
                if self.block_at(at).is_some() && at.len != WIDE_HEAD {
                    self.pending.insert(sequence, request);
                }
                if let Some((_, buffers)) = &mut self.block {
                    for watched in buffers {
                        watched.reads(at);
                    }
                }
            }
            Request::Text(at) => {
                let mut buffers = self.block.iter().flat_map(|(_, buffers)| buffers);
                if buffers.any(|watched| watched.seen.name == at.address) {
                    self.pending.insert(sequence, request);
                }
            }
            Request::Locate(at) => {
                if Some(at.address) == self.address {
                    self.pending.insert(sequence, request);
                }
            }
        }
    }

    fn replied(&mut self, sequence: u64, reply: Option<&dyn Body>, breaches: &mut Vec<Breach>) {
        match self.pending.remove(sequence) {
            Some(Request::Read(at)) => {
                let read = reply.and_then(|it| it.downcast_ref::<Result<OpOutcome, AccessError>>());
                match read {
                    Some(Ok(OpOutcome::Bytes(bytes))) if bytes.len() as u64 == at.len => {
                        self.read_block(at.address, bytes, breaches);
                    }
                    _ => self.forget_block(),
                }
            }
            Some(Request::Text(at)) => {
                let read = reply.and_then(|it| it.downcast_ref::<Result<OpOutcome, AccessError>>());
                if let Some(Ok(OpOutcome::Bytes(bytes))) = read {
                    self.learn(at.address, bytes);
                }
            }
            Some(Request::Locate(_)) => {
                let located =
                    reply.and_then(|it| it.downcast_ref::<Result<Segments, AccessError>>());
                if let Some(Ok(segments)) = located {
                    self.place = segments.first().copied();
                }
            }
            None => {}
        }
    }

    fn writes(&mut self, write: MemoryWrite, breaches: &mut Vec<Breach>) -> Owner {
        let MemoryWrite { at, value } = write;
        let value = value.unwrap_or_default();
        let Some((_, buffers)) = &mut self.block else {
            return self.stranger();
        };
        for watched in buffers.iter_mut() {
            let [write, read, flags] = watched.words;
            let own = if watched.is_up { read } else { write };
            if at.len == 4 && at.address == own {
                watched.moves(value, breaches);
                return Owner::Channel;
            }
            if at.len == 4 && at.address == flags {
                Self::sets_flags(&self.modes, watched, value, breaches);
                return Owner::Channel;
            }
        }
        let mut put = buffers.iter_mut();
        if put.any(|watched| watched.puts(at, breaches).is_some()) {
            return Owner::Channel;
        }
        self.stranger()
    }

    fn looks_at(&self, at: Span) -> bool {
        match self.address {
            Some(address) if at.address == address => at.len == WIDE_HEAD || self.is_searched(),
            // Numbers after a mark that a search has found.
            _ => self.is_searched() && at.len == HEADER,
        }
    }

    fn names(&self, address: u64) -> Option<String> {
        let mut buffers = self.block.iter().flat_map(|(_, buffers)| buffers);
        let named = buffers.find_map(|watched| {
            let Buffer {
                name, data, size, ..
            } = watched.seen;
            let in_bytes = address.checked_sub(data).is_some_and(|at| at < size);
            if in_bytes && data != 0 {
                return Some(format!("{} with its bytes at {data:#x}", watched.name));
            }
            (name == address && name != 0)
                .then(|| format!("{} with its name at {name:#x}", watched.name))
        });
        let of_block = || {
            let at = self.address.filter(|at| *at == address)?;
            Some(format!("the control block at {at:#x}"))
        };
        named.or_else(of_block)
    }

    fn is_new_outside(&mut self, address: u64) -> bool {
        if self.outside.contains(&address) {
            return false;
        }
        self.outside.push_back(address);
        if self.outside.len() > MAX_UNMAPPED {
            self.outside.pop_front();
        }
        true
    }
}
