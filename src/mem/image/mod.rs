//! ELF images: segments to load, and the address of the mailbox. The bytes of a segment are read
//! only when it is loaded.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use mailbox_rs::{ImageNote, PtrWidth};
use object::read::ReadCache;

use crate::guest;

use super::elf_builder::{ElfBuilder, ElfSegment};
use read::Parsed;

pub use error::{ImageError, ImageProblem};
use parts::physical;
pub use parts::{ImageSegment, Section, Symbol};
pub use warning::ImageWarning;

mod error;
mod parts;
mod read;
#[cfg(test)]
mod tests;
mod warning;

/// Maximum number of bytes that are read, written and recorded at a time.
const MAX_READ: u64 = 1 << 20;

/// Validated ELF file: little endian, linked, and with every loaded byte within the file and the
/// 64-bit address range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    file: PathBuf,
    source: Source,
    parsed: Parsed,
}

/// Source of an image's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    File(Stamp),
    Bytes(Bytes),
}

/// Identity of a file's content. It changes if the file is written or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Symbols that a replay needs.
const OUTLINED: [&str; 5] = [
    "tohost",
    "fromhost",
    "begin_signature",
    "end_signature",
    "_SEGGER_RTT",
];

/// One step of loading an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Zeros after a segment's bytes. Unmapped zeros are not an error, but are noted
    /// ([`MemoryMap::mapped`](super::MemoryMap::mapped) gives the mapped ones).
    Zero {
        /// Physical address.
        address: u64,
        /// Number of bytes.
        len: u64,
    },
    /// Bytes of the file, to be read by [`ImageContent::pieces`].
    Bytes(ImageSegment),
}

impl Image {
    /// Reads and validates the headers of an ELF file, and no other byte.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be read, if it is not a little-endian, linked ELF file, or if its
    /// tables are inconsistent.
    pub fn open(file: &Path) -> Result<Self, ImageError> {
        let (opened, stamp) = open(file).map_err(|problem| refuse(file, problem))?;
        let parsed = read::parse(&ReadCache::new(opened));
        Ok(Self {
            file: file.to_path_buf(),
            source: Source::File(stamp),
            parsed: parsed.map_err(|problem| refuse(file, problem))?,
        })
    }

    /// Validates an ELF file in memory. `file` is for error messages.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not a little-endian, linked ELF file, or if the tables are
    /// inconsistent.
    pub fn parse(bytes: impl Into<Bytes>, file: &Path) -> Result<Self, ImageError> {
        let bytes = bytes.into();
        let parsed = read::parse(&*bytes).map_err(|problem| refuse(file, problem))?;
        Ok(Self {
            file: file.to_path_buf(),
            source: Source::Bytes(bytes),
            parsed,
        })
    }

    /// Path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Pointer width of the CPU, from the ELF class.
    pub fn ptr_width(&self) -> PtrWidth {
        self.parsed.ptr_width
    }

    /// True for a CPU of Arm with 32 bits.
    pub(crate) fn is_arm(&self) -> bool {
        self.parsed.is_arm
    }

    /// Section `.mailbox`, if there is one.
    pub fn mailbox(&self) -> Option<Section> {
        self.parsed.mailbox
    }

    /// Note of firmware's client about its channels, if there is one.
    pub fn note(&self) -> Option<ImageNote> {
        self.parsed.note
    }

    /// PT_LOAD segments, in the order of the program headers.
    pub fn segments(&self) -> &[ImageSegment] {
        &self.parsed.segments
    }

    /// Number of program headers of any type.
    pub fn program_headers(&self) -> usize {
        self.parsed.program_headers
    }

    /// Properties that are accepted, but unusual for firmware.
    pub fn warnings(&self) -> &[ImageWarning] {
        &self.parsed.warnings
    }

    /// Finds symbols by their names. Of several definitions, the first global one is returned, or
    /// the first one if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be read any more, or has changed since its headers were read, or if
    /// its symbol table is inconsistent.
    pub fn symbols<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<Symbol>; N], ImageError> {
        let found = match &self.source {
            Source::Bytes(bytes) => read::symbols(&**bytes, names),
            Source::File(known) => open(&self.file).and_then(|(file, stamp)| {
                if stamp != *known {
                    return Err(ImageProblem::Changed);
                }
                read::symbols(&ReadCache::new(file), names)
            }),
        };
        found.map_err(|problem| refuse(&self.file, problem))
    }

    /// True if the image has symbols, which `strip` and the linker's `--strip-all` remove.
    pub fn has_symbols(&self) -> bool {
        self.parsed.has_symbols
    }

    /// Instruction set for which the image was compiled, from its attributes, such as
    /// `rv32i2p1_m2p0_a2p1`. `None` without attributes.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be read any more, or has changed since its headers were read.
    pub fn architecture(&self) -> Result<Option<String>, ImageError> {
        Ok(read::architecture(&self.bytes()?))
    }

    /// Build id that the linker wrote (`--build-id`), as hex digits. `None` without one, or if the
    /// file can't be read any more or has changed.
    pub fn build_id(&self) -> Option<String> {
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect();
        match &self.source {
            Source::Bytes(bytes) => read::build_id(&**bytes).map(hex),
            Source::File(known) => {
                let (file, stamp) = open(&self.file).ok()?;
                let cache = ReadCache::new(file);
                read::build_id(&cache).filter(|_| stamp == *known).map(hex)
            }
        }
    }

    /// Reads the whole file. Needed for sections that are not loaded.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be read any more, or has changed since its headers were read.
    pub fn bytes(&self) -> Result<Bytes, ImageError> {
        let read = || match &self.source {
            Source::Bytes(bytes) => Ok(bytes.clone()),
            Source::File(known) => {
                let (mut file, stamp) = open(&self.file)?;
                if stamp != *known {
                    return Err(ImageProblem::Changed);
                }
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        };
        read().map_err(|problem| refuse(&self.file, problem))
    }

    /// Physical (load) address of a virtual address, if a segment contains it.
    pub fn physical(&self, address: u64) -> Option<u64> {
        physical(self.segments(), address)
    }

    /// Iterates over the steps of loading, in the order in which they must be done. All tails are
    /// zeroed before any bytes are copied, because a tail may overlap another segment's bytes.
    pub fn writes(&self) -> impl Iterator<Item = Write> {
        let zeros = self.segments().iter().filter_map(|segment| {
            let address = segment.address.checked_add(segment.len)?;
            let len = segment.tail;
            (len > 0).then_some(Write::Zero { address, len })
        });
        let loaded = self.segments().iter().filter(|segment| segment.len > 0);
        zeros.chain(loaded.map(|segment| Write::Bytes(*segment)))
    }

    /// Opens the file to read the bytes of segments.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be read any more, or has changed since its headers were read.
    pub fn content(&self) -> Result<ImageContent<'_>, ImageError> {
        let source = match &self.source {
            Source::Bytes(bytes) => Opened::Bytes(bytes),
            Source::File(known) => {
                let opened = open(&self.file).and_then(|(file, stamp)| {
                    let same = stamp == *known;
                    same.then_some(file).ok_or(ImageProblem::Changed)
                });
                Opened::File(opened.map_err(|problem| refuse(&self.file, problem))?)
            }
        };
        Ok(ImageContent {
            image: self,
            source,
        })
    }

    /// Builds an ELF file with the part of the image that a replay needs: of the same class, with
    /// the section `.mailbox` and the symbols of HTIF and RTT, without loaded bytes. The recording
    /// has the loaded bytes as writes to memory.
    pub fn outline(&self) -> Bytes {
        let mailbox = self.mailbox();
        // Segment that translates the section's address, if its two addresses differ.
        let translated = mailbox.filter(|section| section.address != section.physical);
        let segment = translated.map(|section| ElfSegment {
            address: section.physical,
            virtual_address: section.address,
            bytes: Vec::new(),
            mem_size: section.size.max(1),
        });
        // Without a readable table, the configuration has no symbols either.
        let symbols = self.symbols(OUTLINED).unwrap_or_default();
        let symbols = OUTLINED.into_iter().zip(symbols);
        let symbols: Vec<_> = symbols
            .filter_map(|(name, symbol)| symbol.map(|Symbol { value, size }| (name, value, size)))
            .collect();
        let translated_symbols = symbols.iter().filter_map(|(_, value, _)| {
            let physical = self.physical(*value).filter(|physical| physical != value)?;
            Some(ElfSegment {
                address: physical,
                virtual_address: *value,
                bytes: Vec::new(),
                mem_size: 1,
            })
        });
        let outline = ElfBuilder {
            class64: self.ptr_width() == PtrWidth::P8,
            segments: segment.into_iter().chain(translated_symbols).collect(),
            symbols: symbols.clone(),
            mailboxes: mailbox
                .map(|section| (section.address, section.size))
                .into_iter()
                .collect(),
            ..ElfBuilder::default()
        };
        outline.build().into()
    }
}

/// Bytes of an image, open for loading.
#[derive(Debug)]
pub struct ImageContent<'a> {
    image: &'a Image,
    source: Opened<'a>,
}

#[derive(Debug)]
enum Opened<'a> {
    File(File),
    Bytes(&'a Bytes),
}

impl ImageContent<'_> {
    /// Iterates over the bytes of a segment and their physical addresses, at most 1 MiB at a time.
    /// An error is the last item.
    pub fn pieces(
        &self,
        segment: &ImageSegment,
    ) -> impl Iterator<Item = Result<(u64, Bytes), ImageError>> {
        let ImageSegment {
            address,
            offset,
            len,
            ..
        } = *segment;
        let mut failed = false;
        (0..len.div_ceil(MAX_READ)).map_while(move |piece| {
            let done = piece * MAX_READ;
            let read = self.read(offset.saturating_add(done), MAX_READ.min(len - done));
            let ended = std::mem::replace(&mut failed, read.is_err());
            (!ended).then(|| match read {
                Ok(bytes) => Ok((address.saturating_add(done), bytes)),
                Err(cause) => Err(refuse(&self.image.file, ImageProblem::Read(cause))),
            })
        })
    }

    /// Reads at most [`MAX_READ`] bytes.
    fn read(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let len = usize::try_from(len).map_err(|_| cut())?;
        match &self.source {
            Opened::File(file) => {
                let mut bytes = vec![0; len];
                file.read_exact_at(&mut bytes, offset)?;
                Ok(bytes.into())
            }
            Opened::Bytes(bytes) => {
                let start = usize::try_from(offset).map_err(|_| cut())?;
                let end = start.checked_add(len).filter(|end| *end <= bytes.len());
                end.map(|end| bytes.slice(start..end)).ok_or_else(cut)
            }
        }
    }
}

/// Opens a regular file. Other files are refused: a pipe may block, and a device may have no end.
fn open(file: &Path) -> Result<(File, Stamp), ImageProblem> {
    if !std::fs::metadata(file)?.is_file() {
        return Err(ImageProblem::NotRegular);
    }
    let opened = guest::open(file)?;
    let stamp = Stamp::of(&opened.metadata()?);
    Ok((opened, stamp))
}

fn refuse(file: &Path, problem: ImageProblem) -> ImageError {
    ImageError {
        file: file.to_path_buf(),
        problem,
    }
}
