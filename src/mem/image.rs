//! ELF images: segments to load, and where the mailbox is. The bytes of a file stay in the file until they are loaded.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use mailbox_rs::PtrWidth;
use object::read::ReadCache;

use crate::guest;

use super::elf_builder::{ElfBuilder, ElfSegment};
use read::Parsed;

pub use doubt::ImageDoubt;
pub use error::{ImageError, ImageProblem};

mod doubt;
mod error;
mod read;
#[cfg(test)]
mod tests;

/// Bytes that are read, written and recorded at a time.
const PIECE: u64 = 1 << 20;

/// A validated ELF file: little endian, linked, and every loaded byte within the file and the 64-bit address range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    file: PathBuf,
    source: Source,
    parsed: Parsed,
}

/// The bytes of an image's file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    File(Stamp),
    Bytes(Bytes),
}

/// Identity of a file's content; another one where the file was written or replaced.
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

/// Addresses of the section `.mailbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Its first byte, as firmware addresses it (virtual address).
    pub address: u64,
    /// Its first byte, as it is loaded (physical address): translated by the segment that holds it.
    pub physical: u64,
    /// Bytes.
    pub size: u64,
}

/// A PT_LOAD segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSegment {
    /// Position in the program header table.
    pub index: usize,
    /// Physical address: where it is loaded.
    pub address: u64,
    /// Virtual address: where it is linked to run.
    pub virtual_address: u64,
    /// Offset of its bytes in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub len: u64,
    /// Zeros that follow, up to its size in memory. As the file says, so possibly more than there is memory.
    pub tail: u64,
}

/// One step of loading an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Zeros behind a segment's bytes. What of them is outside of the map is worth a note, not an error
    /// ([`MemoryMap::mapped`](super::MemoryMap::mapped) gives the rest).
    Zero {
        /// Physical address.
        address: u64,
        /// Bytes.
        len: u64,
    },
    /// Bytes of the file, which [`ImageContent::pieces`] reads.
    Bytes(ImageSegment),
}

impl Image {
    /// Reads and validates the headers of an ELF file, and no other byte of it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no little-endian, linked ELF file, or its tables contradict themselves.
    pub fn open(file: &Path) -> Result<Self, ImageError> {
        let (opened, stamp) = open(file).map_err(|problem| refuse(file, problem))?;
        let parsed = read::parse(&ReadCache::new(opened));
        Ok(Self {
            file: file.to_path_buf(),
            source: Source::File(stamp),
            parsed: parsed.map_err(|problem| refuse(file, problem))?,
        })
    }

    /// Validates an ELF file that is in memory. `file` is for messages.
    ///
    /// # Errors
    ///
    /// When the bytes are no little-endian, linked ELF file, or its tables contradict themselves.
    pub fn parse(bytes: impl Into<Bytes>, file: &Path) -> Result<Self, ImageError> {
        let bytes = bytes.into();
        let parsed = read::parse(&*bytes).map_err(|problem| refuse(file, problem))?;
        Ok(Self {
            file: file.to_path_buf(),
            source: Source::Bytes(bytes),
            parsed,
        })
    }

    /// The file it was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Pointer width of its CPU, as the ELF class says.
    pub fn ptr_width(&self) -> PtrWidth {
        self.parsed.ptr_width
    }

    /// Its section `.mailbox`, where it has one.
    pub fn mailbox(&self) -> Option<Section> {
        self.parsed.mailbox
    }

    /// Its PT_LOAD segments, in the order of the program headers.
    pub fn segments(&self) -> &[ImageSegment] {
        &self.parsed.segments
    }

    /// Number of its program headers, of any type.
    pub fn program_headers(&self) -> usize {
        self.parsed.program_headers
    }

    /// Properties that are accepted, and unusual for firmware.
    pub fn doubts(&self) -> &[ImageDoubt] {
        &self.parsed.doubts
    }

    /// The steps of loading it, in the order they must be done: all tails are zeroed before any bytes are copied, so that
    /// a tail that overlaps another segment's bytes does no harm.
    pub fn writes(&self) -> impl Iterator<Item = Write> {
        let zeros = self.segments().iter().filter_map(|segment| {
            let address = segment.address.checked_add(segment.len)?;
            let len = segment.tail;
            (len > 0).then_some(Write::Zero { address, len })
        });
        let loaded = self.segments().iter().filter(|segment| segment.len > 0);
        zeros.chain(loaded.map(|segment| Write::Bytes(*segment)))
    }

    /// Opens the file for the bytes of its segments.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any more, or has changed since its headers were read.
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

    /// An ELF file of the same class with the same section `.mailbox`, and without segments: what a replay needs to know of
    /// the image. The loaded bytes are in the recording as writes into memory.
    pub fn outline(&self) -> Bytes {
        let mailbox = self.mailbox();
        // The segment that translates the section's address, where that is needed.
        let translated = mailbox.filter(|section| section.address != section.physical);
        let segment = translated.map(|section| ElfSegment {
            address: section.physical,
            virtual_address: section.address,
            bytes: Vec::new(),
            mem_size: section.size.max(1),
        });
        let outline = ElfBuilder {
            class64: self.ptr_width() == PtrWidth::P8,
            segments: segment.into_iter().collect(),
            mailboxes: mailbox
                .map(|section| (section.address, section.size))
                .into_iter()
                .collect(),
            ..ElfBuilder::default()
        };
        outline.build().into()
    }
}

/// The bytes of an image, open for loading.
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
    /// The bytes of a segment with their physical addresses, at most 1 MiB at a time; the first error is the last item.
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
        (0..len.div_ceil(PIECE)).map_while(move |piece| {
            let done = piece * PIECE;
            let read = self.read(offset.saturating_add(done), PIECE.min(len - done));
            let ended = std::mem::replace(&mut failed, read.is_err());
            (!ended).then(|| match read {
                Ok(bytes) => Ok((address.saturating_add(done), bytes)),
                Err(cause) => Err(refuse(&self.image.file, ImageProblem::Read(cause))),
            })
        })
    }

    /// Reads at most [`PIECE`] bytes.
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

/// Opens a regular file. Others are not opened: a pipe may block, and a device may have no end.
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
