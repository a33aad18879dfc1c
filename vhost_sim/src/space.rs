//! Memories of a channel: the bytes in memory, and a shadow with the bytes that the protocol
//! requires.

use std::fmt::Write as _;

use vhost::Vhost;
use vhost::mem::Buffer;

use crate::event::{Log, channel_name, lock};
use crate::ram::{Fault, Ram, SharedRam};
use crate::scenario::{Backing, Channel, DEVICE, NEXT, RAM};

/// Memories of a channel, in order of precedence.
pub struct Space {
    channel: usize,
    memories: Vec<Memory>,
}

struct Memory {
    name: &'static str,
    base: u64,
    size: u64,
    backing: Backing,
    ram: Option<SharedRam>,
    buffers: Vec<Buffer>,
    shadow: Vec<u8>,
}

/// Part of a memory.
#[derive(Clone, Copy)]
struct Piece {
    memory: usize,
    offset: u64,
    len: u64,
}

impl Space {
    /// Memories of a channel. `fill` makes the first content of models.
    pub fn new(channel: usize, of: &Channel, log: &Log, mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut memories = Vec::new();
        let mut add = |name, base, size: u64, backing: &Backing| {
            let mut shadow = vec![0; size as usize];
            let model = *backing == Backing::Model;
            if model {
                fill(&mut shadow);
            }
            memories.push(Memory {
                name,
                base,
                size,
                backing: backing.clone(),
                ram: model.then(|| Ram::new(channel, base, shadow.clone(), log.clone())),
                buffers: Vec::new(),
                shadow,
            });
        };
        if let Some(device) = &of.device {
            add("dev", of.base + DEVICE.0, DEVICE.1, device);
        }
        add("ram", of.base, RAM, &of.backing);
        if let Some(next) = &of.next {
            add("next", of.base + RAM, NEXT, next);
        }
        Self { channel, memories }
    }

    /// Space in the memory configuration.
    pub fn yaml(&self) -> String {
        let mut yaml = format!("  {}:\n", channel_name(self.channel));
        for memory in &self.memories {
            let Memory {
                name: of,
                base,
                size,
                backing,
                ..
            } = memory;
            let path = format!("tb.{}.{of}", channel_name(self.channel));
            let how = match backing {
                Backing::Model => "backend: model".to_owned(),
                Backing::Direct { width, rows } => {
                    let cols = size / width / rows;
                    format!(
                        "backend: static, path: {path}, width: {}, array_dims: {{rows: {rows}, cols: {cols}}}",
                        width * 8
                    )
                }
                Backing::Banked { width, bank, rows } => {
                    let row = |row| {
                        let banks: Vec<_> =
                            (0..width / bank).map(|at| format!("r{row}c{at}")).collect();
                        format!("[{}]", banks.join(", "))
                    };
                    let all: Vec<_> = (0..*rows).map(row).collect();
                    format!(
                        "backend: static, path: {path}, width: {}, bank_width: {}, bank_depth: {}, banks: [{}]",
                        width * 8,
                        bank * 8,
                        size / width / rows,
                        all.join(", ")
                    )
                }
            };
            // Writing to a String does not fail.
            let _ = writeln!(
                yaml,
                "    - {of}: {{base: {base:#x}, size: {size:#x}, {how}}}"
            );
        }
        yaml
    }

    /// Memory models, by the name of their memory.
    pub fn models(&self) -> impl Iterator<Item = (String, SharedRam)> {
        let models = self.memories.iter().filter_map(|memory| {
            let full = format!("{}.{}", channel_name(self.channel), memory.name);
            Some((full, memory.ram.clone()?))
        });
        models.collect::<Vec<_>>().into_iter()
    }

    /// Takes the buffers of a started system.
    pub fn attach(&mut self, vhost: &Vhost) {
        let spaces = vhost.spaces();
        let Some(space) = spaces.get(&channel_name(self.channel)) else {
            return;
        };
        for memory in &mut self.memories {
            let view = space.get(memory.name);
            memory.buffers = view.map_or_else(Vec::new, |view| view.buffers.to_vec());
        }
    }

    /// Memory of an address, offset in it, and contiguous length from there.
    fn find(&self, address: u64) -> Option<Piece> {
        let holds = |memory: &Memory| address.wrapping_sub(memory.base) < memory.size;
        let at = self.memories.iter().position(holds)?;
        let memory = &self.memories[at];
        let offset = address - memory.base;
        let before = self.memories[..at].iter().map(|other| other.base);
        let next = before.filter(|base| *base > address).min();
        let len = (memory.size - offset).min(next.map_or(u64::MAX, |base| base - address));
        Some(Piece {
            memory: at,
            offset,
            len,
        })
    }

    /// Number of mapped bytes from an address, at most `max`.
    pub fn room(&self, address: u64, max: u64) -> u64 {
        let mut room = 0;
        while room < max {
            let piece = address.checked_add(room).and_then(|at| self.find(at));
            let Some(piece) = piece else { break };
            room += piece.len;
        }
        room.min(max)
    }

    /// True if all bytes of a range are mapped.
    pub fn maps(&self, address: u64, len: u64) -> bool {
        // No map of the simulation is larger.
        len <= 1 << 20 && self.room(address, len) == len
    }

    fn pieces(&self, address: u64, len: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut done = 0;
        while done < len
            && let Some(piece) = self.find(address + done)
        {
            let len = piece.len.min(len - done);
            pieces.push(Piece { len, ..piece });
            done += len;
        }
        pieces
    }

    /// Expected bytes of a range, which must be mapped.
    pub fn expected(&self, address: u64, len: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len as usize);
        for piece in self.pieces(address, len) {
            let from = piece.offset as usize;
            bytes.extend_from_slice(
                &self.memories[piece.memory].shadow[from..from + piece.len as usize],
            );
        }
        bytes
    }

    /// Expected word at an address.
    pub fn expected_word(&self, address: u64) -> u32 {
        crate::wire::number(&self.expected(address, 4), 0, 4) as u32
    }

    /// Changes expected bytes.
    pub fn set_expected(&mut self, address: u64, data: &[u8]) {
        let mut data = data;
        for piece in self.pieces(address, data.len() as u64) {
            let (now, rest) = data.split_at(piece.len as usize);
            let from = piece.offset as usize;
            self.memories[piece.memory].shadow[from..from + now.len()].copy_from_slice(now);
            data = rest;
        }
    }

    /// Bytes in memory.
    pub fn actual(&self, address: u64, len: u64) -> Vec<u8> {
        let mut bytes = vec![0; len as usize];
        let mut done = 0;
        for piece in self.pieces(address, len) {
            let to = &mut bytes[done..done + piece.len as usize];
            self.memories[piece.memory].read(piece.offset, to);
            done += to.len();
        }
        bytes
    }

    /// Word in memory.
    pub fn actual_word(&self, address: u64) -> u32 {
        crate::wire::number(&self.actual(address, 4), 0, 4) as u32
    }

    /// Writes as firmware does: to memory, and to the expected bytes.
    pub fn store(&mut self, address: u64, data: &[u8]) {
        self.set_expected(address, data);
        let mut data = data;
        for piece in self.pieces(address, data.len() as u64) {
            let (now, rest) = data.split_at(piece.len as usize);
            self.memories[piece.memory].write(piece.offset, now);
            data = rest;
        }
    }

    /// Writes a word as firmware does.
    pub fn store_word(&mut self, address: u64, word: u32) {
        self.store(address, &word.to_le_bytes());
    }

    /// Copies a range of memory to the expected content.
    pub fn adopt(&mut self, address: u64, len: u64) {
        let bytes = self.actual(address, len);
        self.set_expected(address, &bytes);
    }

    /// Copies all memory to the expected content.
    pub fn adopt_all(&mut self) {
        for memory in &mut self.memories {
            memory.shadow = memory.all();
        }
    }

    /// First difference between memory and expectation: address, actual byte, expected byte.
    pub fn difference(&self) -> Option<(u64, u8, u8)> {
        self.memories.iter().find_map(|memory| {
            let differs = |actual: &[u8]| {
                // Nearly all are the same, which is faster as a whole.
                if actual == memory.shadow {
                    return None;
                }
                let at = actual
                    .iter()
                    .zip(&memory.shadow)
                    .position(|(a, b)| a != b)?;
                Some((memory.base + at as u64, actual[at], memory.shadow[at]))
            };
            match &memory.ram {
                Some(ram) => differs(&lock(ram).bytes),
                None => differs(&memory.all()),
            }
        })
    }

    /// Sets or clears the failures of all models.
    pub fn set_fault(&self, fault: Option<Fault>) {
        for ram in self.rams() {
            lock(ram).fault = fault;
        }
    }

    /// Freezes the content that polls get, or releases it.
    pub fn set_stale(&self, stale: bool) {
        for ram in self.rams() {
            let mut ram = lock(ram);
            ram.stale = stale.then(|| ram.bytes.clone());
        }
    }

    fn rams(&self) -> impl Iterator<Item = &SharedRam> {
        self.memories
            .iter()
            .filter_map(|memory| memory.ram.as_ref())
    }

    /// True for an address in a memory model, whose writes are logged.
    pub fn logs(&self, address: u64) -> bool {
        let piece = self.find(address);
        piece.is_some_and(|piece| self.memories[piece.memory].ram.is_some())
    }
}

impl Memory {
    fn all(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size as usize];
        let Backing::Banked { width, bank, rows } = self.backing else {
            self.read(0, &mut bytes);
            return bytes;
        };
        // In a banked memory, a run of `read` has the few bytes of one word of one bank.
        let (row, columns) = ((self.size / rows) as usize, (width / bank) as usize);
        let (width, bank) = (width as usize, bank as usize);
        let mut part = vec![0; row / columns];
        for (number, buffer) in self.buffers.iter().enumerate() {
            // A missing part causes a difference.
            let _ = buffer.read(0, &mut part);
            let words = bytes[number / columns * row..].chunks_mut(width);
            let at = number % columns * bank;
            for (word, actual) in words.zip(part.chunks_exact(bank)) {
                word[at..at + bank].copy_from_slice(actual);
            }
        }
        bytes
    }

    fn read(&self, offset: u64, to: &mut [u8]) {
        if let Some(ram) = &self.ram {
            let from = offset as usize;
            to.copy_from_slice(&lock(ram).bytes[from..from + to.len()]);
            return;
        }
        let mut done = 0;
        while done < to.len() {
            let (buffer, at, run) = self.place(offset + done as u64);
            let len = run.min(to.len() - done);
            if let Some(buffer) = self.buffers.get(buffer) {
                // A missing part causes a difference.
                let _ = buffer.read(at, &mut to[done..done + len]);
            }
            done += len;
        }
    }

    fn write(&self, offset: u64, data: &[u8]) {
        if let Some(ram) = &self.ram {
            let from = offset as usize;
            lock(ram).bytes[from..from + data.len()].copy_from_slice(data);
            return;
        }
        let mut done = 0;
        while done < data.len() {
            let (buffer, at, run) = self.place(offset + done as u64);
            let len = run.min(data.len() - done);
            if let Some(buffer) = self.buffers.get(buffer) {
                let _ = buffer.write(at, &data[done..done + len]);
            }
            done += len;
        }
    }

    /// Buffer of a byte, offset in it, and number of consecutive bytes there. Source:
    /// `docs/configuration.md`, *Memories*.
    fn place(&self, offset: u64) -> (usize, usize, usize) {
        let (buffer, at, run) = match self.backing {
            Backing::Model => (0, offset, self.size - offset),
            Backing::Direct { rows, .. } => {
                let row = self.size / rows;
                (offset / row, offset % row, row - offset % row)
            }
            Backing::Banked { width, bank, rows } => {
                let depth = self.size / width / rows;
                let columns = width / bank;
                let row = offset / (width * depth);
                let column = offset / bank % columns;
                let word = offset / width % depth;
                let byte = offset % bank;
                (row * columns + column, word * bank + byte, bank - byte)
            }
        };
        (buffer as usize, at as usize, run as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vhost::mem::Buffer;

    #[test]
    fn bytes_are_the_same_one_by_one_and_all_at_once() {
        for (width, bank, rows) in [(4, 4, 1), (8, 4, 2), (16, 2, 4), (32, 8, 2), (4, 1, 4)] {
            let size = 0x400_u64;
            let banks = rows * (width / bank);
            let of = |number: u64| {
                let buffer = Buffer::new(size / banks).expect("a few bytes");
                let bytes: Vec<u8> = (0..size / banks)
                    .map(|at| (at * 7 + number * 13 + 1) as u8)
                    .collect();
                assert!(buffer.write(0, &bytes));
                buffer
            };
            let memory = Memory {
                name: "ram",
                base: 0,
                size,
                backing: Backing::Banked { width, bank, rows },
                ram: None,
                buffers: (0..banks).map(of).collect(),
                shadow: Vec::new(),
            };
            let byte = |at| {
                let mut byte = [0];
                memory.read(at, &mut byte);
                byte[0]
            };
            let one_by_one: Vec<u8> = (0..size).map(byte).collect();
            assert_eq!(memory.all(), one_by_one, "{width} {bank} {rows}");
        }
    }
}
