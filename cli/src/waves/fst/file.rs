//! Writer of FST files, the container of signals that simulators and viewers share.
//!
//! Crates that write this format don't support texts of variable length, which GTKWave needs. This
//! writer implements the part of the format that these signals need: a header, a compressed
//! hierarchy, the shapes of signals, and blocks of changes with their times.

use std::io::{self, Seek, SeekFrom, Write};

use super::encoding::{deflated, gzipped, put_signed_varint, put_u64, put_varint};
use super::hierarchy::{Hierarchy, Shape, SignalId};

/// Types of sections.
const HEADER: u8 = 0;
const GEOMETRY: u8 = 3;
const HIERARCHY: u8 = 4;
const CHANGES: u8 = 8;

/// Size of the header in bytes, including its length, without its type.
const HEADER_LEN: u64 = 329;

/// Sizes of texts in the header: name of the writer, date.
const VERSION_LEN: usize = 128;
const DATE_LEN: usize = 119;

/// Number by which readers detect the byte order of real numbers.
const ORDER_OF_BYTES: f64 = std::f64::consts::E;

/// Compression of changes: zlib.
const ZLIB: u8 = b'Z';

/// Size of changes in bytes after which a block ends.
pub(super) const BLOCK: usize = 16 << 20;

/// Signal in the current block.
struct Signal {
    shape: Shape,
    /// Value of a bit or a number; `None` before its first change.
    value: Option<u64>,
    /// Changes in the current block.
    changes: Vec<u8>,
    /// Position of the last change in the list of times.
    last: u64,
}

/// File under construction.
pub(super) struct FstFile<W> {
    to: W,
    exponent: i8,
    scopes: u64,
    /// Size of changes in bytes after which a block ends.
    most: usize,
    signals: Vec<Signal>,
    /// Values of bits and numbers at the beginning of the block.
    frame: Vec<u8>,
    /// Times of the block, as differences.
    times: Vec<u8>,
    /// Number of times in the block.
    count: u64,
    /// First and last time of the block.
    first: u64,
    now: u64,
    /// Size of the block's changes in bytes.
    size: usize,
    blocks: u64,
}

impl<W: Write + Seek> FstFile<W> {
    /// Begins a file with times in units of 10 to the power of `exponent` seconds. `most`: size of
    /// changes in bytes after which a block ends.
    pub(super) fn begin(
        to: W,
        exponent: i8,
        hierarchy: &Hierarchy,
        most: usize,
    ) -> io::Result<Self> {
        let signals = hierarchy.shapes.iter().map(|shape| Signal {
            shape: *shape,
            value: None,
            changes: Vec::new(),
            last: 0,
        });
        let mut file = Self {
            to,
            exponent,
            scopes: hierarchy.scopes,
            most,
            signals: signals.collect(),
            frame: Vec::new(),
            times: Vec::new(),
            count: 0,
            first: 0,
            now: 0,
            size: 0,
            blocks: 0,
        };
        file.write_header()?;
        let (entries, count) = (&hierarchy.entries, file.signals.len() as u64);
        let mut section = Vec::new();
        put_u64(&mut section, entries.len() as u64);
        section.extend(gzipped(entries));
        file.write_section(HIERARCHY, &section)?;
        let geometry = hierarchy.geometry();
        let mut section = Vec::new();
        put_u64(&mut section, geometry.len() as u64);
        put_u64(&mut section, count);
        section.extend(geometry);
        file.write_section(GEOMETRY, &section)?;
        file.begin_block();
        Ok(file)
    }

    /// Advances to a later time. The first time may be 0.
    pub(super) fn advance(&mut self, time: u64) -> io::Result<()> {
        if self.count > 0 {
            if time <= self.now {
                return Ok(());
            }
            if self.size > self.most {
                self.end_block()?;
                self.begin_block();
            }
        }
        let before = if self.count == 0 { 0 } else { self.now };
        put_varint(&mut self.times, time - before);
        if self.count == 0 {
            self.first = time;
        }
        self.now = time;
        self.count += 1;
        Ok(())
    }

    /// Changes a bit or a number at the current time.
    pub(super) fn set(&mut self, signal: SignalId, value: u64) {
        let index = self.count.saturating_sub(1);
        let Some(signal) = self.signals.get_mut(signal.0) else {
            return;
        };
        if signal.value == Some(value) {
            return;
        }
        signal.value = Some(value);
        let before = signal.changes.len();
        let steps = index - signal.last;
        match signal.shape {
            Shape::Bit => put_varint(&mut signal.changes, steps << 2 | (value & 1) << 1),
            Shape::Word => {
                put_varint(&mut signal.changes, steps << 1);
                put_u64(&mut signal.changes, value);
            }
            Shape::Text => return,
        }
        signal.last = index;
        self.size += signal.changes.len() - before;
    }

    /// Changes a text at the current time.
    pub(super) fn set_text(&mut self, signal: SignalId, text: &str) {
        let index = self.count.saturating_sub(1);
        let Some(signal) = self.signals.get_mut(signal.0) else {
            return;
        };
        if signal.shape != Shape::Text {
            return;
        }
        let before = signal.changes.len();
        put_varint(&mut signal.changes, (index - signal.last) << 1);
        put_varint(&mut signal.changes, text.len() as u64);
        signal.changes.extend(text.as_bytes());
        signal.last = index;
        self.size += signal.changes.len() - before;
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.end_block()?;
        self.to.seek(SeekFrom::Start(0))?;
        self.write_header()?;
        self.to.flush()
    }

    fn begin_block(&mut self) {
        self.frame.clear();
        for signal in &mut self.signals {
            signal.last = 0;
            let bits = signal.shape.bits();
            let digits = (0..bits).rev().map(|bit| {
                let value = signal.value?;
                Some(if value >> bit & 1 == 1 { b'1' } else { b'0' })
            });
            self.frame.extend(digits.map(|digit| digit.unwrap_or(b'x')));
        }
        self.times.clear();
        (self.count, self.size) = (0, 0);
    }

    fn end_block(&mut self) -> io::Result<()> {
        let mut section = Vec::new();
        put_u64(&mut section, self.first);
        put_u64(&mut section, self.now);
        // Memory that a reader needs for the changes.
        put_u64(&mut section, self.size as u64);
        let count = self.signals.len() as u64;
        let frame = deflated(&self.frame);
        let frame = frame.as_ref().unwrap_or(&self.frame);
        for number in [self.frame.len(), frame.len()] {
            put_varint(&mut section, number as u64);
        }
        put_varint(&mut section, count);
        section.extend(frame);
        put_varint(&mut section, count);
        // Positions are relative to this place.
        let base = section.len();
        section.push(ZLIB);
        let (mut positions, mut without, mut last) = (Vec::new(), 0, base);
        for signal in &mut self.signals {
            let changes = std::mem::take(&mut signal.changes);
            if changes.is_empty() {
                without += 1;
                continue;
            }
            put_run(&mut positions, &mut without);
            let here = section.len();
            let step = i64::try_from(here - last).unwrap_or(i64::MAX >> 1);
            put_signed_varint(&mut positions, step << 1 | 1);
            last = here;
            match deflated(&changes) {
                Some(deflated) => {
                    put_varint(&mut section, changes.len() as u64);
                    section.extend(deflated);
                }
                None => {
                    put_varint(&mut section, 0);
                    section.extend(changes);
                }
            }
        }
        put_run(&mut positions, &mut without);
        section.extend(&positions);
        put_u64(&mut section, positions.len() as u64);
        let times = deflated(&self.times);
        let times = times.as_ref().unwrap_or(&self.times);
        section.extend(times);
        for number in [self.times.len(), times.len()] {
            put_u64(&mut section, number as u64);
        }
        put_u64(&mut section, self.count);
        self.write_section(CHANGES, &section)?;
        self.blocks += 1;
        Ok(())
    }

    fn write_section(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        let mut head = vec![kind];
        // The length includes itself.
        put_u64(&mut head, content.len() as u64 + 8);
        self.to.write_all(&head)?;
        self.to.write_all(content)
    }

    fn write_header(&mut self) -> io::Result<()> {
        let mut bytes = vec![HEADER];
        put_u64(&mut bytes, HEADER_LEN);
        // First and last time of the file.
        put_u64(&mut bytes, 0);
        put_u64(&mut bytes, self.now);
        bytes.extend(ORDER_OF_BYTES.to_le_bytes());
        // Memory of the writer.
        put_u64(&mut bytes, 0);
        let count = self.signals.len() as u64;
        for number in [self.scopes, count, count, self.blocks] {
            put_u64(&mut bytes, number);
        }
        bytes.extend(self.exponent.to_le_bytes());
        let version = concat!("vhost ", env!("CARGO_PKG_VERSION"));
        let mut texts = version.as_bytes().to_vec();
        texts.truncate(VERSION_LEN - 1);
        texts.resize(VERSION_LEN + DATE_LEN, 0);
        bytes.extend(texts);
        // Type of a Verilog simulator; no offset of times.
        bytes.push(0);
        put_u64(&mut bytes, 0);
        self.to.write_all(&bytes)
    }
}

/// Appends a number of signals without changes.
fn put_run(positions: &mut Vec<u8>, count: &mut u64) {
    if *count > 0 {
        put_varint(positions, *count << 1);
        *count = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Cursor;

    use fst_reader::{FstFilter, FstReader, FstSignalValue};

    use super::*;

    type Changes = Vec<(u64, usize, String)>;

    /// Changes as read by another implementation.
    fn read(bytes: Vec<u8>) -> (FstReader<Cursor<Vec<u8>>>, Changes) {
        let mut reader = FstReader::open(Cursor::new(bytes)).unwrap();
        let mut found = Vec::new();
        let filter = FstFilter::all();
        reader
            .read_signals(&filter, |time, signal, value| {
                let FstSignalValue::String(value) = value else {
                    panic!("a real number");
                };
                let value = String::from_utf8(value.to_vec()).unwrap();
                found.push((time, signal.get_index(), value));
                Ok::<(), ()>(())
            })
            .unwrap();
        (reader, found)
    }

    fn hierarchy(signals: usize) -> (Hierarchy, Vec<SignalId>) {
        let mut hierarchy = Hierarchy::default();
        hierarchy.begin_scope("top");
        let shapes = [Shape::Bit, Shape::Word, Shape::Text];
        let ids = (0..signals).map(|at| hierarchy.signal(&format!("s{at}"), shapes[at % 3]));
        let ids = ids.collect();
        hierarchy.end_scope();
        (hierarchy, ids)
    }

    #[test]
    fn a_reader_finds_each_change() {
        let mut random = fastrand::Rng::with_seed(4);
        for case in 0..40 {
            let signals = random.usize(1..40);
            let (hierarchy, ids) = hierarchy(signals);
            let most = [BLOCK, 1000, 10][case % 3];
            let mut bytes = Cursor::new(Vec::new());
            let mut file = FstFile::begin(&mut bytes, -12, &hierarchy, most).unwrap();
            let mut values: Vec<Option<String>> = vec![None; signals];
            let mut expected: BTreeMap<(u64, usize), String> = BTreeMap::new();
            let mut time = random.u64(..3);
            for _ in 0..random.usize(1..200) {
                file.advance(time).unwrap();
                for id in &ids {
                    if random.u8(..4) > 0 {
                        continue;
                    }
                    let value = match hierarchy.shapes[id.0] {
                        Shape::Text => {
                            let text = "01ä".repeat(random.usize(..30));
                            file.set_text(*id, &text);
                            text
                        }
                        shape => {
                            let value = random.u64(..) & u64::MAX >> (64 - shape.bits());
                            file.set(*id, value);
                            format!("{value:0bits$b}", bits = shape.bits())
                        }
                    };
                    let is_text = hierarchy.shapes[id.0] == Shape::Text;
                    let value = Some(value);
                    if is_text || value != values[id.0] {
                        expected.extend(value.clone().map(|value| ((time, id.0), value)));
                    }
                    values[id.0] = value;
                }
                time += 1 + random.u64(..) % (1 << random.u32(1..40));
            }
            let (end, blocks) = (file.now, file.blocks);
            file.finish().unwrap();
            let (reader, found) = read(bytes.into_inner());
            let header = reader.get_header();
            assert_eq!((header.start_time, header.end_time), (0, end));
            assert_eq!(header.timescale_exponent, -12);
            assert_eq!(header.var_count, signals as u64);
            assert!(most == BLOCK || blocks > 0 || expected.len() < 200);
            let changes = found
                .into_iter()
                .map(|(time, signal, value)| ((time, signal), value));
            let changes: BTreeMap<(u64, usize), String> = changes.collect();
            assert!(changes == expected, "case {case}");
        }
    }

    #[test]
    fn kept_values_are_bounded() {
        let (hierarchy, ids) = hierarchy(3);
        let mut bytes = Cursor::new(Vec::new());
        let (text, most) = ("text ".repeat(100), 10_000);
        let mut file = FstFile::begin(&mut bytes, -15, &hierarchy, most).unwrap();
        for time in 0..1000 {
            file.advance(time).unwrap();
            file.set_text(ids[2], &text);
            assert!(file.size <= most + 2 * text.len());
        }
        assert!(file.blocks > 40);
        file.finish().unwrap();
        let (_, found) = read(bytes.into_inner());
        let texts = found.iter().filter(|(_, _, value)| *value == text);
        assert_eq!(texts.count(), 1000);
    }
}
