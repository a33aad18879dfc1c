//! File formats of exported memories.

use std::io::{self, Write};

use super::{StaticMemDescriptor, StaticMemRange};

/// File format of an exported memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StaticMemFormat {
    /// All bytes in order, without addresses. Bytes that were never written are 0. Extension
    /// `.bin`.
    Binary,
    /// Format of `$readmemh` for an array like the memory itself: one word in a line, with `@` and
    /// the number of the *word* after omitted words. Partially written words are included as a
    /// whole. Extension `.hex`.
    Readmemh,
    /// Verilog format of `objcopy -O verilog`: bytes, with `@` and the number of the *byte* in the
    /// memory after omitted bytes. `$readmemh` reads it into an array of bytes, too. Extension
    /// `.mem`.
    Verilog,
}

/// Number of bytes in a line of [`StaticMemFormat::Verilog`].
const BYTES_A_LINE: usize = 16;

impl StaticMemFormat {
    /// Extension of file names.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Binary => "bin",
            Self::Readmemh => "hex",
            Self::Verilog => "mem",
        }
    }

    /// Writes one memory. `written` is in ascending order.
    pub(super) fn write(
        self,
        to: &mut dyn Write,
        descriptor: &StaticMemDescriptor,
        data: &[u8],
        written: &[StaticMemRange],
    ) -> io::Result<()> {
        match self {
            Self::Binary => to.write_all(data),
            Self::Readmemh => {
                let StaticMemDescriptor { path, width, depth } = descriptor;
                // The path is user text, and must not end the comment.
                let path = path.escape_debug();
                writeln!(to, "// {path}: {depth} words of {width} bytes")?;
                words(to, data, written, *width, 1)
            }
            Self::Verilog => words(to, data, written, 1, BYTES_A_LINE),
        }
    }
}

/// Writes the words of `width` bytes that the ranges touch, with `a_line` words in a line.
fn words(
    to: &mut dyn Write,
    data: &[u8],
    written: &[StaticMemRange],
    width: usize,
    a_line: usize,
) -> io::Result<()> {
    let (width, mut line) = (width.max(1), Vec::new());
    let mut next = None;
    for range in written {
        let end = (range.offset + range.len).div_ceil(width);
        // Ranges that touch the same word or adjacent words continue without an address.
        let first = (range.offset / width).max(next.unwrap_or(0));
        if next != Some(first) {
            writeln!(to, "@{first:08X}")?;
        }
        next = Some(end);
        let bytes = data.get(first * width..end * width).unwrap_or_default();
        for words in bytes.chunks(width * a_line) {
            line.clear();
            for word in words.chunks(width) {
                word.iter().rev().for_each(|byte| line.extend(hex(*byte)));
                line.push(b' ');
            }
            // Removes the space after the last word.
            line.pop();
            line.push(b'\n');
            to.write_all(&line)?;
        }
    }
    Ok(())
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [byte >> 4, byte & 0xf].map(|digit| DIGITS[usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::mem::{Buffer, HexRuns};

    fn written(format: StaticMemFormat, width: usize, buffer: &Buffer) -> String {
        let descriptor = StaticMemDescriptor {
            path: "tb.ram\n1".to_owned(),
            width,
            depth: buffer.len() / width,
        };
        let mut text = Vec::new();
        let data = buffer.copy().unwrap();
        let done = format.write(&mut text, &descriptor, &data, &buffer.written());
        done.unwrap();
        String::from_utf8(text).unwrap()
    }

    fn buffer(size: u64, writes: &[(usize, &[u8])]) -> Buffer {
        let buffer = Buffer::new(size).unwrap();
        for (offset, data) in writes {
            assert!(buffer.write(*offset, data));
        }
        buffer
    }

    #[test]
    fn words_for_readmemh_have_their_number_where_some_are_left_out() {
        let ram = buffer(24, &[(0, &[1, 2, 3, 4, 5]), (7, &[6]), (16, &[0xab; 4])]);
        let text = "// tb.ram\\n1: 6 words of 4 bytes\n@00000000\n04030201\n06000005\n@00000004\nABABABAB\n";
        assert_eq!(written(StaticMemFormat::Readmemh, 4, &ram), text);
        let odd = buffer(6, &[(4, &[1])]);
        let text = "// tb.ram\\n1: 2 words of 3 bytes\n@00000001\n000100\n";
        assert_eq!(written(StaticMemFormat::Readmemh, 3, &odd), text);
    }

    #[test]
    fn bytes_of_a_verilog_file_have_their_number_where_some_are_left_out() {
        let ram = buffer(64, &[(1, &[0x5a; 17]), (32, &[1, 2])]);
        let text = format!(
            "@00000001\n{}\n5A\n@00000020\n01 02\n",
            ["5A"; 16].join(" ")
        );
        assert_eq!(written(StaticMemFormat::Verilog, 4, &ram), text);
    }

    #[test]
    fn unwritten_memory_has_no_words() {
        let ram = buffer(8, &[]);
        assert_eq!(written(StaticMemFormat::Verilog, 4, &ram), "");
        let text = "// tb.ram\\n1: 2 words of 4 bytes\n";
        assert_eq!(written(StaticMemFormat::Readmemh, 4, &ram), text);
        assert_eq!(written(StaticMemFormat::Binary, 4, &ram), "\0".repeat(8));
    }

    /// Reads a file of words of this width into zeroed memory. Returns the bytes, and the number of
    /// words in the file.
    fn read_back(text: &str, width: usize, size: usize) -> (Vec<u8>, usize) {
        let (mut bytes, mut words) = (vec![0; size], 0);
        let file = Path::new("written");
        for run in HexRuns::new(text.as_bytes(), file, width as u64, (size / width) as u64) {
            let run = run.unwrap();
            let start = usize::try_from(run.word).unwrap() * width;
            bytes[start..start + run.bytes.len()].copy_from_slice(&run.bytes);
            words += run.bytes.len() / width;
        }
        (bytes, words)
    }

    proptest! {
        #[test]
        fn written_words_alone_are_read_back(
            width in 1..10usize,
            depth in 1..40usize,
            writes in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(1..=u8::MAX, 0..12)), 0..8),
        ) {
            let size = width * depth;
            let ram = Buffer::new(size as u64).unwrap();
            let mut model = vec![0; size];
            for (at, data) in &writes {
                let at = at.index(size);
                let data = &data[..data.len().min(size - at)];
                prop_assert!(ram.write(at, data));
                model[at..at + data.len()].copy_from_slice(data);
            }
            // Bytes other than 0 were written.
            let words = |width| model.chunks(width).filter(|word| word.iter().any(|byte| *byte > 0)).count();
            let text = written(StaticMemFormat::Readmemh, width, &ram);
            prop_assert_eq!(read_back(&text, width, size), (model.clone(), words(width)));
            let text = written(StaticMemFormat::Verilog, width, &ram);
            prop_assert_eq!(read_back(&text, 1, size), (model.clone(), words(1)));
        }
    }
}
