//! Firmware of one channel, which sends as many requests as possible and checks each response.

use std::rc::Rc;

use vhost::mem::Buffer;

use crate::methods::COMMANDS;
use crate::wire::{ENTRIES, Entry, INIT, Layout, READY, VERSION, action, file, number};

/// Size of a channel with its data in bytes.
pub(super) const SIZE: u64 = 0x1000;

/// Name of the method.
pub(super) const METHOD: &str = "echo";

/// Number of requests of a session, after which the channel is reset.
const REQUESTS_OF_A_SESSION: u64 = 2000;

/// Offsets of data: name of the method, name of a file, text, and work area.
const NAME: u64 = 0x800;
const PATH: u64 = 0x820;
const TEXT: u64 = 0x840;
const WORK: u64 = 0x880;

/// Number of turns without a response after which it counts as lost.
const MAX_IDLE_TURNS: u32 = 10_000;

/// Printed text.
const LINE: &[u8] = b"a line of the soak\n";

/// Expected response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Empty,
    Value(u64),
    Descriptor,
}

/// Firmware of one channel.
pub(super) struct Unit {
    number: usize,
    at: u64,
    layout: Layout,
    buffer: Rc<Buffer>,
    is_ready: bool,
    produced: u32,
    consumed: u32,
    expected: [Expected; ENTRIES as usize],
    fd: u64,
    /// Number of requests sent in the session.
    sent: u64,
    /// Number of turns since the last response.
    idle: u32,
    pub(super) resets: u64,
    pub(super) printed: u64,
}

impl Unit {
    pub(super) fn new(number: usize, buffer: Rc<Buffer>) -> Self {
        let unit = Self {
            number,
            at: SIZE * number as u64,
            layout: Layout::new(Self::pointer(number), 0),
            buffer,
            is_ready: false,
            produced: 0,
            consumed: 0,
            expected: [Expected::Empty; ENTRIES as usize],
            fd: 0,
            sent: 0,
            idle: 0,
            resets: 0,
            printed: 0,
        };
        unit.store(NAME, format!("{METHOD}\0").as_bytes());
        unit.store(PATH, format!("file{number}\0").as_bytes());
        unit.store(TEXT, LINE);
        unit.write_handshake();
        unit
    }

    /// Size of a channel's pointers in bytes.
    pub(super) fn pointer(number: usize) -> u64 {
        if number.is_multiple_of(2) { 8 } else { 4 }
    }

    /// Takes responses, and sends requests while there is room. Returns the number of responses.
    pub(super) fn turn(&mut self) -> Result<u64, String> {
        self.idle += 1;
        if self.idle > MAX_IDLE_TURNS {
            return Err(format!(
                "channel {}: no response in {MAX_IDLE_TURNS} ticks",
                self.number
            ));
        }
        if !self.is_ready {
            self.is_ready = self.word(self.layout.state) == READY;
            if !self.is_ready {
                return Ok(0);
            }
        }
        let done = self.take_responses()?;
        if done > 0 {
            self.idle = 0;
        }
        if self.sent >= REQUESTS_OF_A_SESSION {
            // Some sessions end with pending requests.
            if self.produced == self.consumed || self.resets.is_multiple_of(4) {
                self.reset();
            }
            return Ok(done);
        }
        let queue = self.layout.request;
        let produced = self.produced;
        while self.produced.wrapping_sub(self.consumed) < ENTRIES
            && self.sent < REQUESTS_OF_A_SESSION
        {
            let (entry, expected) = self.request();
            self.store(queue.slot(self.produced), &entry);
            self.expected[(self.produced % ENTRIES) as usize] = expected;
            self.produced = self.produced.wrapping_add(1);
            self.sent += 1;
            if self.sent == 1 {
                // The descriptor is needed for the following requests.
                break;
            }
        }
        if self.produced != produced {
            self.store_word(queue.idx_p, self.produced);
        }
        Ok(done)
    }

    fn take_responses(&mut self) -> Result<u64, String> {
        let (queue, pointer) = (self.layout.response, self.layout.pointer as usize);
        let (from, to) = (self.consumed, self.word(queue.idx_p));
        while self.consumed != to {
            let entry = self.bytes(queue.slot(self.consumed), queue.entry);
            let words = number(&entry, 0, 4);
            let value = number(&entry, pointer, pointer);
            let expected = self.expected[(self.consumed % ENTRIES) as usize];
            let is_right = match expected {
                Expected::Empty => (words, value) == (0, 0),
                Expected::Value(expected) => (words, value) == (1, expected),
                Expected::Descriptor => words == 1 && value <= i32::MAX as u64,
            };
            if !is_right {
                return Err(format!(
                    "channel {}: {words} words with {value:#x}, expected {expected:?}",
                    self.number
                ));
            }
            if expected == Expected::Descriptor {
                self.fd = value;
            }
            self.consumed = self.consumed.wrapping_add(1);
        }
        if from != to {
            self.store_word(queue.idx_c, to);
        }
        Ok(u64::from(to.wrapping_sub(from)))
    }

    fn request(&mut self) -> (Vec<u8>, Expected) {
        let (work, word) = (self.at + WORK, self.sent % 0x1_0000);
        let (action, args, expected) = match self.sent % 9 {
            _ if self.sent == 0 => {
                let args = vec![file::OPEN, self.at + PATH, 3];
                (action::FILE, args, Expected::Descriptor)
            }
            0 => {
                self.printed += LINE.len() as u64;
                let args = vec![LINE.len() as u64, self.at + TEXT];
                (action::PRINT, args, Expected::Empty)
            }
            1 => (action::MEMSET, vec![work, word, 64], Expected::Empty),
            2 => (action::MEMMOVE, vec![work + 64, work, 64], Expected::Empty),
            3 => (
                action::MEMCMP,
                vec![work, work + 64, 64],
                Expected::Value(0),
            ),
            4 => {
                let args = vec![self.at + NAME, word];
                (action::CALL, args, Expected::Value(word))
            }
            5 => {
                let args = vec![COMMANDS[0].0, word];
                (action::OTHER, args, Expected::Value(word))
            }
            6 => {
                let args = vec![file::SEEK, self.fd, word % 100];
                (action::FILE, args, Expected::Value(word % 100))
            }
            7 => {
                let args = vec![file::WRITE, self.fd, work, 32];
                (action::FILE, args, Expected::Value(32))
            }
            _ => {
                let args = vec![file::SEEK, self.fd, 0];
                (action::FILE, args, Expected::Value(0))
            }
        };
        let pointer = self.layout.pointer;
        (
            Entry::emit(action, args.len() as u32, &args, pointer),
            expected,
        )
    }

    fn reset(&mut self) {
        self.resets += 1;
        (self.is_ready, self.produced, self.consumed, self.sent) = (false, 0, 0, 0);
        self.write_handshake();
    }

    /// Requests a handshake.
    fn write_handshake(&self) {
        let Layout {
            state,
            request,
            response,
            ..
        } = self.layout;
        self.store_word(request.start, 0);
        self.store_word(0, VERSION);
        self.store_word(state, INIT);
        for index in [request.idx_p, request.idx_c, response.idx_p, response.idx_c] {
            self.store_word(index, 0);
        }
    }

    fn store(&self, offset: u64, data: &[u8]) {
        let inside = self.buffer.write((self.at + offset) as usize, data);
        debug_assert!(inside, "a write past the end of the memory");
    }

    fn store_word(&self, offset: u64, word: u32) {
        self.store(offset, &word.to_le_bytes());
    }

    fn word(&self, offset: u64) -> u32 {
        number(&self.bytes(offset, 4), 0, 4) as u32
    }

    fn bytes(&self, offset: u64, len: u64) -> Vec<u8> {
        let mut bytes = vec![0; len as usize];
        let inside = self.buffer.read((self.at + offset) as usize, &mut bytes);
        debug_assert!(inside, "a read past the end of the memory");
        bytes
    }
}
