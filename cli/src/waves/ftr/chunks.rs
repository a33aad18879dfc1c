//! Chunks of an FTR file: an array of tagged items of CBOR (RFC 8949), most of which contain their
//! content as bytes.
//!
//! LWTR4SC, a library for SystemC, describes the format. Chunks are not compressed, since readers
//! of whole files do not accept compressed ones.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ciborium_ll::{Encoder, Header};

use super::strings::Strings;

/// Tag of CBOR itself, at the beginning of a file.
const SELF_DESCRIBED: u64 = 55799;
/// Tag of a time in seconds since 1970.
const EPOCH: u64 = 1;

/// Tags of chunks.
const INFO: u64 = 6;
const DICTIONARY: u64 = 8;
const DIRECTORY: u64 = 10;
const TRANSACTIONS: u64 = 12;

/// Tags in a directory.
const STREAM: u64 = 16;
const GENERATOR: u64 = 17;

/// Tag of a transaction's numbers and times.
const EVENT: u64 = 6;

/// Types of attributes.
const UNSIGNED: u64 = 3;
const STRING: u64 = 10;

/// Size in bytes of a stream's transactions that form a chunk, and limit of all streams.
const CHUNK: usize = 1 << 16;
const ALL_CHUNKS: usize = 1 << 24;

/// Transaction with its attributes.
pub(super) struct Transaction<'a> {
    pub(super) number: u64,
    pub(super) generator: u64,
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) attributes: &'a [(AttributeTime, &'static str, Attribute<'a>)],
}

/// Time of an attribute.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(super) enum AttributeTime {
    Begin = 7,
    End = 9,
}

/// Value of an attribute.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attribute<'a> {
    Number(u64),
    Text(&'a str),
}

/// Unwritten transactions of a stream.
struct Block {
    begin: u64,
    end: u64,
    content: Vec<u8>,
}

/// Writer of a file.
pub(super) struct Chunks<W: Write> {
    to: Encoder<W>,
    strings: Strings,
    /// Number of streams and generators, which share one sequence of numbers.
    entries: u64,
    directory: Vec<u8>,
    blocks: BTreeMap<u64, Block>,
    /// Size of all blocks in bytes.
    size: usize,
}

impl<W: Write> Chunks<W> {
    /// Begins a file with times in units of 10 to the power of `exponent` seconds. `created`:
    /// seconds since 1970.
    pub(super) fn begin(to: W, exponent: i8, created: u64) -> io::Result<Self> {
        let mut to = Encoder::from(to);
        to.push(Header::Tag(SELF_DESCRIBED))?;
        to.push(Header::Array(None))?;
        let mut content = Vec::new();
        let mut info = Encoder::from(&mut content);
        info.push(Header::Array(Some(2)))?;
        info.push(signed(exponent.into()))?;
        info.push(Header::Tag(EPOCH))?;
        info.push(Header::Positive(created))?;
        to.push(Header::Tag(INFO))?;
        to.bytes(&content, None)?;
        let mut strings = Strings::default();
        // Number 0 is the empty text.
        strings.number("");
        Ok(Self {
            to,
            strings,
            entries: 0,
            directory: Vec::new(),
            blocks: BTreeMap::new(),
            size: 0,
        })
    }

    /// Adds a stream, and returns its number.
    pub(super) fn stream(&mut self, name: &str, kind: &str) -> io::Result<u64> {
        let (name, kind) = (self.strings.number(name), self.strings.number(kind));
        self.entry(STREAM, |number| [number, name, kind])
    }

    /// Adds a generator to a stream, and returns its number.
    pub(super) fn generator(&mut self, name: &str, stream: u64) -> io::Result<u64> {
        let name = self.strings.number(name);
        self.entry(GENERATOR, |number| [number, name, stream])
    }

    fn entry(&mut self, tag: u64, content: impl Fn(u64) -> [u64; 3]) -> io::Result<u64> {
        self.entries += 1;
        let mut to = Encoder::from(&mut self.directory);
        to.push(Header::Tag(tag))?;
        numbers(&mut to, &content(self.entries))?;
        Ok(self.entries)
    }

    pub(super) fn transaction(
        &mut self,
        stream: u64,
        transaction: &Transaction<'_>,
    ) -> io::Result<()> {
        let (begin, end) = (transaction.begin, transaction.end);
        let block = self.blocks.entry(stream).or_insert(Block {
            begin,
            end,
            content: Vec::new(),
        });
        block.begin = block.begin.min(begin);
        block.end = block.end.max(end);
        let before = block.content.len();
        let mut to = Encoder::from(&mut block.content);
        to.push(Header::Array(Some(transaction.attributes.len() + 1)))?;
        to.push(Header::Tag(EVENT))?;
        let event = [transaction.number, transaction.generator, begin, end];
        numbers(&mut to, &event)?;
        for (place, name, value) in transaction.attributes {
            to.push(Header::Tag(*place as u64))?;
            let name = self.strings.number(name);
            let (kind, value) = match value {
                Attribute::Number(value) => (UNSIGNED, *value),
                Attribute::Text(text) => (STRING, self.strings.number(text)),
            };
            numbers(&mut to, &[name, kind, value])?;
        }
        let len = block.content.len();
        self.size += len - before;
        if self.size >= ALL_CHUNKS {
            self.flush()
        } else if len >= CHUNK {
            self.write_block(stream)
        } else {
            Ok(())
        }
    }

    /// Writes all unwritten transactions.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while let Some((stream, _)) = self.blocks.first_key_value() {
            self.write_block(*stream)?;
        }
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.to.push(Header::Break)?;
        ciborium_io::Write::flush(&mut self.to)
    }

    fn write_block(&mut self, stream: u64) -> io::Result<()> {
        let Some(block) = self.blocks.remove(&stream) else {
            return Ok(());
        };
        self.size = self.size.saturating_sub(block.content.len());
        self.write_directory()?;
        self.to.push(Header::Tag(TRANSACTIONS))?;
        self.to.push(Header::Array(Some(4)))?;
        for number in [stream, block.begin, block.end] {
            self.to.push(Header::Positive(number))?;
        }
        self.to.bytes(&list(&block.content)?, None)
    }

    /// Writes new texts, followed by new streams and generators.
    fn write_directory(&mut self) -> io::Result<()> {
        let new = self.strings.take_new();
        if !new.is_empty() {
            let mut content = Vec::new();
            let mut to = Encoder::from(&mut content);
            to.push(Header::Map(Some(new.len())))?;
            for (number, text) in new {
                to.push(Header::Positive(number))?;
                to.text(&text, None)?;
            }
            self.to.push(Header::Tag(DICTIONARY))?;
            self.to.bytes(&content, None)?;
        }
        if !self.directory.is_empty() {
            let content = list(&std::mem::take(&mut self.directory))?;
            self.to.push(Header::Tag(DIRECTORY))?;
            self.to.bytes(&content, None)?;
        }
        Ok(())
    }
}

/// Array of items whose number is not known in advance.
fn list(items: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(items.len() + 2);
    Encoder::from(&mut content).push(Header::Array(None))?;
    content.extend_from_slice(items);
    Encoder::from(&mut content).push(Header::Break)?;
    Ok(content)
}

/// Array of numbers.
fn numbers(to: &mut Encoder<&mut Vec<u8>>, numbers: &[u64]) -> io::Result<()> {
    to.push(Header::Array(Some(numbers.len())))?;
    for number in numbers {
        to.push(Header::Positive(*number))?;
    }
    Ok(())
}

fn signed(number: i64) -> Header {
    if number < 0 {
        Header::Negative((!number).cast_unsigned())
    } else {
        Header::Positive(number.cast_unsigned())
    }
}
