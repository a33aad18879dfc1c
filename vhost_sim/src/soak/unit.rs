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
const SESSION: u64 = 2000;

/// Offsets of data: name of the method, name of a file, text, and work area.
const NAME: u64 = 0x800;
const PATH: u64 = 0x820;
const TEXT: u64 = 0x840;
const WORK: u64 = 0x880;

/// Number of turns without a response after which it counts as lost.
const PATIENCE: u32 = 10_000;

/// Printed text.
const LINE: &[u8] = b"a line of the soak\n";

/// Expected response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
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
    is_up: bool,
    put: u32,
    read: u32,
    wanted: [Wanted; ENTRIES as usize],
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
            is_up: false,
            put: 0,
            read: 0,
            wanted: [Wanted::Empty; ENTRIES as usize],
            fd: 0,
            sent: 0,
            idle: 0,
            resets: 0,
            printed: 0,
        };
        unit.store(NAME, format!("{METHOD}\0").as_bytes());
        unit.store(PATH, format!("file{number}\0").as_bytes());
        unit.store(TEXT, LINE);
        unit.begin();
        unit
    }

    /// Size of a channel's pointers in bytes.
    pub(super) fn pointer(number: usize) -> u64 {
        if number.is_multiple_of(2) { 8 } else { 4 }
    }

    /// Takes responses, and sends requests while there is room. Returns the number of responses.
    pub(super) fn turn(&mut self) -> Result<u64, String> {
        self.idle += 1;
        if self.idle > PATIENCE {
            return Err(format!(
                "channel {}: no response in {PATIENCE} ticks",
                self.number
            ));
        }
        if !self.is_up {
            self.is_up = self.word(self.layout.state) == READY;
            if !self.is_up {
                return Ok(0);
            }
        }
        let done = self.take()?;
        if done > 0 {
            self.idle = 0;
        }
        if self.sent >= SESSION {
            // Some sessions end with pending requests.
            if self.put == self.read || self.resets.is_multiple_of(4) {
                self.reset();
            }
            return Ok(done);
        }
        let queue = self.layout.request;
        let put = self.put;
        while self.put.wrapping_sub(self.read) < ENTRIES && self.sent < SESSION {
            let (entry, wanted) = self.request();
            self.store(queue.slot(self.put), &entry);
            self.wanted[(self.put % ENTRIES) as usize] = wanted;
            self.put = self.put.wrapping_add(1);
            self.sent += 1;
            if self.sent == 1 {
                // The descriptor is needed for the following requests.
                break;
            }
        }
        if self.put != put {
            self.store_word(queue.idx_p, self.put);
        }
        Ok(done)
    }

    fn take(&mut self) -> Result<u64, String> {
        let (queue, pointer) = (self.layout.response, self.layout.pointer as usize);
        let (from, to) = (self.read, self.word(queue.idx_p));
        while self.read != to {
            let entry = self.bytes(queue.slot(self.read), queue.entry);
            let words = number(&entry, 0, 4);
            let value = number(&entry, pointer, pointer);
            let wanted = self.wanted[(self.read % ENTRIES) as usize];
            let is_right = match wanted {
                Wanted::Empty => (words, value) == (0, 0),
                Wanted::Value(wanted) => (words, value) == (1, wanted),
                Wanted::Descriptor => words == 1 && value <= i32::MAX as u64,
            };
            if !is_right {
                return Err(format!(
                    "channel {}: {words} words with {value:#x}, expected {wanted:?}",
                    self.number
                ));
            }
            if wanted == Wanted::Descriptor {
                self.fd = value;
            }
            self.read = self.read.wrapping_add(1);
        }
        if from != to {
            self.store_word(queue.idx_c, to);
        }
        Ok(u64::from(to.wrapping_sub(from)))
    }

    fn request(&mut self) -> (Vec<u8>, Wanted) {
        let (work, word) = (self.at + WORK, self.sent % 0x1_0000);
        let (action, args, wanted) = match self.sent % 9 {
            _ if self.sent == 0 => {
                let args = vec![file::OPEN, self.at + PATH, 3];
                (action::FILE, args, Wanted::Descriptor)
            }
            0 => {
                self.printed += LINE.len() as u64;
                let args = vec![LINE.len() as u64, self.at + TEXT];
                (action::PRINT, args, Wanted::Empty)
            }
            1 => (action::MEMSET, vec![work, word, 64], Wanted::Empty),
            2 => (action::MEMMOVE, vec![work + 64, work, 64], Wanted::Empty),
            3 => (action::MEMCMP, vec![work, work + 64, 64], Wanted::Value(0)),
            4 => {
                let args = vec![self.at + NAME, word];
                (action::CALL, args, Wanted::Value(word))
            }
            5 => {
                let args = vec![COMMANDS[0].0, word];
                (action::OTHER, args, Wanted::Value(word))
            }
            6 => {
                let args = vec![file::SEEK, self.fd, word % 100];
                (action::FILE, args, Wanted::Value(word % 100))
            }
            7 => {
                let args = vec![file::WRITE, self.fd, work, 32];
                (action::FILE, args, Wanted::Value(32))
            }
            _ => {
                let args = vec![file::SEEK, self.fd, 0];
                (action::FILE, args, Wanted::Value(0))
            }
        };
        let pointer = self.layout.pointer;
        (
            Entry::emit(action, args.len() as u32, &args, pointer),
            wanted,
        )
    }

    fn reset(&mut self) {
        self.resets += 1;
        (self.is_up, self.put, self.read, self.sent) = (false, 0, 0, 0);
        self.begin();
    }

    /// Requests a handshake.
    fn begin(&self) {
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
