//! State of a channel's session beyond its queues: protocol version, standard streams, random
//! bytes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use mailbox_rs::{Errno, NEWEST, VERSION, Version};

use crate::messages::checkpoint::SavedService;
use crate::messages::front_end::StdinError;

/// Maximum number of bytes of the standard input that wait for firmware.
const INPUT_MAX: usize = 16 << 20;

/// Standard stream, by its descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::actors) enum Stream {
    Input = 0,
    Output = 1,
    Error = 2,
}

/// State of a channel's session, and state that later sessions inherit.
pub(in crate::actors) struct Session {
    version: Cell<Version>,
    /// True for each standard stream that firmware has closed.
    closed: Cell<[bool; 3]>,
    /// Descriptors of the files behind standard streams; `None` for a stream without an open file.
    files: Cell<[Option<u64>; 3]>,
    /// True for each standard stream whose file was opened in any session.
    opened_before: Cell<[bool; 3]>,
    /// Errors of lost text that firmware has not got yet: of the output, and of the output of
    /// standard error.
    lost: Cell<[Option<Errno>; 2]>,
    pub(in crate::actors) input: Input,
    pub(in crate::actors) random: Random,
}

impl Session {
    pub(in crate::actors) fn new(random: Random) -> Self {
        Self {
            version: Cell::new(VERSION),
            closed: Cell::default(),
            files: Cell::default(),
            opened_before: Cell::default(),
            lost: Cell::default(),
            input: Input::default(),
            random,
        }
    }

    /// Begins a session of a protocol version, with all standard streams open.
    pub(in crate::actors) fn begin(&self, version: Version) {
        self.version.set(version);
        self.closed.set([false; 3]);
        self.files.set([None; 3]);
        self.lost.set([None; 2]);
    }

    /// State for a checkpoint, except injected faults.
    pub(super) fn saved(&self) -> SavedService {
        SavedService {
            version: self.version.get(),
            closed: self.closed.get(),
            files: self.files.get(),
            opened_before: self.opened_before.get(),
            lost: self.lost.get(),
            input: self.input.peek(INPUT_MAX).into(),
            input_ended: self.input.ended.get(),
            random: self.random.state(),
            faults: None,
        }
    }

    /// Replaces the state by that of a checkpoint.
    pub(super) fn restore(&self, saved: &SavedService) {
        self.version.set(saved.version);
        self.closed.set(saved.closed);
        self.files.set(saved.files);
        self.opened_before.set(saved.opened_before);
        self.lost.set(saved.lost);
        self.input.replace(&saved.input, saved.input_ended);
        self.random.set_state(saved.random);
    }

    /// Records that text could not be written.
    pub(in crate::actors) fn output_failed(&self, is_error: bool, errno: Errno) {
        let mut lost = self.lost.get();
        lost[usize::from(is_error)].get_or_insert(errno);
        self.lost.set(lost);
    }

    /// Takes the error of text that could not be written.
    pub(in crate::actors) fn take_lost(&self, is_error: bool) -> Option<Errno> {
        let mut lost = self.lost.get();
        let taken = lost[usize::from(is_error)].take();
        self.lost.set(lost);
        taken
    }

    /// Protocol version of the session.
    pub(in crate::actors) fn version(&self) -> Version {
        self.version.get()
    }

    /// Standard stream of a descriptor, open or not. Sessions of protocol 0.2 have none.
    pub(in crate::actors) fn stream(&self, fd: u64) -> Option<Stream> {
        if self.version.get() < NEWEST {
            return None;
        }
        match fd {
            0 => Some(Stream::Input),
            1 => Some(Stream::Output),
            2 => Some(Stream::Error),
            _ => None,
        }
    }

    /// True if firmware has closed a standard stream.
    pub(in crate::actors) fn is_closed(&self, stream: Stream) -> bool {
        self.closed.get()[stream as usize]
    }

    /// Closes a standard stream. Returns the descriptor of its file, if one is open.
    pub(in crate::actors) fn close(&self, stream: Stream) -> Option<u64> {
        let mut closed = self.closed.get();
        closed[stream as usize] = true;
        self.closed.set(closed);
        let mut files = self.files.get();
        let file = files[stream as usize].take();
        self.files.set(files);
        file
    }

    /// Descriptor of the file behind a standard stream, if it is open.
    pub(in crate::actors) fn file(&self, stream: Stream) -> Option<u64> {
        self.files.get()[stream as usize]
    }

    /// True if no session has opened the file behind a standard stream yet.
    pub(in crate::actors) fn is_first_open(&self, stream: Stream) -> bool {
        !self.opened_before.get()[stream as usize]
    }

    /// Sets the descriptor of the file behind a standard stream.
    pub(in crate::actors) fn opened(&self, stream: Stream, fd: u64) {
        let mut files = self.files.get();
        files[stream as usize] = Some(fd);
        self.files.set(files);
        let mut before = self.opened_before.get();
        before[stream as usize] = true;
        self.opened_before.set(before);
    }
}

/// Standard input from the testbench.
#[derive(Default)]
pub(in crate::actors) struct Input {
    bytes: RefCell<VecDeque<u8>>,
    ended: Cell<bool>,
    /// Waker of the channel's task, while it waits for bytes.
    waker: Cell<Option<Waker>>,
}

impl Input {
    /// Adds as many bytes as there is room for. Returns their number.
    ///
    /// # Errors
    /// Fails after the end of the input.
    pub(in crate::actors) fn write(&self, data: &[u8]) -> Result<u64, StdinError> {
        if self.ended.get() {
            return Err(StdinError::Closed);
        }
        let mut bytes = self.bytes.borrow_mut();
        let taken = data.len().min(INPUT_MAX - bytes.len());
        bytes.extend(&data[..taken]);
        drop(bytes);
        self.wake();
        Ok(taken as u64)
    }

    /// Ends the input.
    pub(in crate::actors) fn end(&self) {
        self.ended.set(true);
        self.wake();
    }

    /// Replaces the bytes. Drops those for which there is no room.
    fn replace(&self, data: &[u8], ended: bool) {
        let len = data.len().min(INPUT_MAX);
        *self.bytes.borrow_mut() = data[..len].iter().copied().collect();
        self.ended.set(ended);
        self.wake();
    }

    /// Waits for bytes, or for the end.
    pub(in crate::actors) async fn ready(&self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }

    /// Polls for bytes, or for the end. The task is woken when either is there.
    pub(in crate::actors) fn poll_ready(&self, context: &Context<'_>) -> Poll<()> {
        if self.ended.get() || !self.bytes.borrow().is_empty() {
            return Poll::Ready(());
        }
        self.waker.set(Some(context.waker().clone()));
        Poll::Pending
    }

    /// Number of bytes that wait for firmware.
    pub(in crate::actors) fn len(&self) -> usize {
        self.bytes.borrow().len()
    }

    /// Copies the first bytes, at most `len`.
    pub(in crate::actors) fn peek(&self, len: usize) -> Vec<u8> {
        self.bytes.borrow().iter().take(len).copied().collect()
    }

    /// Removes the first bytes.
    pub(in crate::actors) fn consume(&self, len: usize) {
        let mut bytes = self.bytes.borrow_mut();
        let len = len.min(bytes.len());
        bytes.drain(..len);
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Random bytes by SplitMix64. Every version of the library has the published sequence, because a
/// replay needs the same bytes.
pub(in crate::actors) struct Random(Cell<u64>);

impl Random {
    /// Creates the sequence of a seed, which differs from channel to channel.
    pub(in crate::actors) fn new(seed: u64, channel: &str) -> Self {
        // FNV-1a.
        let hash = channel.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(Cell::new(seed ^ hash))
    }

    /// State of the sequence.
    pub(super) fn state(&self) -> u64 {
        self.0.get()
    }

    /// Continues the sequence from a state.
    pub(super) fn set_state(&self, state: u64) {
        self.0.set(state);
    }

    /// Next bytes.
    pub(in crate::actors) fn bytes(&self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len.next_multiple_of(8));
        while bytes.len() < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    /// Next number.
    pub(super) fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut z = self.0.get();
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs for seed 1234567, as published with the algorithm's reference implementation.
    #[test]
    fn random_bytes_are_those_of_splitmix64() {
        let random = Random(Cell::new(1_234_567));
        let expected: [u64; 3] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        let bytes = random.bytes(20);
        let all = expected.map(u64::to_le_bytes);
        assert_eq!(bytes, all.as_flattened()[..20]);
    }

    #[test]
    fn channels_and_seeds_have_their_own_bytes() {
        let bytes = |seed, channel| Random::new(seed, channel).bytes(8);
        assert_eq!(bytes(1, "a"), bytes(1, "a"));
        assert_ne!(bytes(1, "a"), bytes(2, "a"));
        assert_ne!(bytes(1, "a"), bytes(1, "b"));
    }

    #[test]
    fn the_input_is_bounded_and_in_order() {
        let input = Input::default();
        assert_eq!(input.write(b"abc"), Ok(3));
        let much = vec![7; INPUT_MAX];
        assert_eq!(input.write(&much), Ok(INPUT_MAX as u64 - 3));
        assert_eq!(input.write(b"x"), Ok(0));
        assert_eq!(input.peek(4), b"abc\x07");
        input.consume(3);
        assert_eq!(input.write(b"xyz+"), Ok(3));
        assert_eq!(input.len(), INPUT_MAX);
        input.end();
        assert_eq!(input.write(b"x"), Err(StdinError::Closed));
    }
}
