//! ELF images: what a loader writes where, and where the mailbox is.

use std::fmt;
use std::path::{Path, PathBuf};

use mailbox_rs::PtrWidth;
use object::Endianness;
use object::elf::{ET_REL, FileHeader32, FileHeader64, PT_LOAD};
use object::read::FileKind;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

pub use error::{ImageError, ImageProblem};

mod error;
#[cfg(test)]
mod tests;

/// Section that holds the channels.
const MAILBOX_SECTION: &[u8] = b".mailbox";

/// How many times its own size a file may load: a table of headers that all take the same bytes is no program.
const MAX_LOADS: u128 = 16;

/// A believed ELF file: little endian, linked, and every loaded byte within the file and the 64-bit address range.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    file: PathBuf,
    bytes: Vec<u8>,
    ptr_width: PtrWidth,
    loads: Vec<Load>,
    mailbox: Option<Section>,
}

/// Addresses of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Its first byte.
    pub address: u64,
    /// Bytes.
    pub size: u64,
}

/// One step of loading an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write<'a> {
    /// Zeros: the tail of a segment, from its file size to its memory size. What of it is outside of the map is worth a
    /// note, not an error ([`MemoryMap::mapped`](super::MemoryMap::mapped) gives the rest).
    Zero {
        /// Physical address.
        address: u64,
        /// Bytes; as the file says, so possibly more than there is memory.
        len: u64,
    },
    /// Bytes of the file.
    Bytes {
        /// Physical address.
        address: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
}

/// A PT_LOAD segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Load {
    /// Physical address.
    address: u64,
    /// Offset of its bytes in the file.
    start: usize,
    /// Bytes in the file.
    len: usize,
    /// Bytes that follow as zeros.
    tail: u64,
}

impl Image {
    /// Believes the bytes of an ELF file. `file` is for messages.
    ///
    /// # Errors
    ///
    /// When the bytes are no little-endian, linked ELF file, or its tables contradict themselves.
    pub fn parse(bytes: Vec<u8>, file: &Path) -> Result<Self, ImageError> {
        let parsed = match FileKind::parse(bytes.as_slice()) {
            Ok(FileKind::Elf32) => read::<FileHeader32<Endianness>>(&bytes),
            Ok(FileKind::Elf64) => read::<FileHeader64<Endianness>>(&bytes),
            _ => Err(ImageProblem::NotElf),
        };
        let file = file.to_path_buf();
        match parsed {
            Ok(Parsed {
                ptr_width,
                loads,
                mailbox,
            }) => Ok(Self {
                file,
                bytes,
                ptr_width,
                loads,
                mailbox,
            }),
            Err(problem) => Err(ImageError { file, problem }),
        }
    }

    /// The file it was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Pointer width of its CPU, as the ELF class says.
    pub fn ptr_width(&self) -> PtrWidth {
        self.ptr_width
    }

    /// Its section `.mailbox`, where it has one.
    pub fn mailbox(&self) -> Option<Section> {
        self.mailbox
    }

    /// The steps of loading it, in the order they must be done: all tails are zeroed before any bytes are copied, so that
    /// a tail that overlaps another segment's bytes does no harm.
    pub fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        let zeros = self.loads.iter().filter_map(|load| {
            let address = load.address.checked_add(u64::try_from(load.len).ok()?)?;
            (load.tail > 0).then_some(Write::Zero {
                address,
                len: load.tail,
            })
        });
        let copies = self.loads.iter().filter_map(|load| {
            let bytes = self.bytes.get(load.start..)?.get(..load.len)?;
            (load.len > 0).then_some(Write::Bytes {
                address: load.address,
                bytes,
            })
        });
        zeros.chain(copies)
    }
}

impl fmt::Debug for Image {
    /// Without the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("file", &self.file)
            .field("ptr_width", &self.ptr_width)
            .field("loads", &self.loads)
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}

/// What [`read`] finds.
struct Parsed {
    ptr_width: PtrWidth,
    loads: Vec<Load>,
    mailbox: Option<Section>,
}

fn read<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Parsed, ImageProblem> {
    let header = H::parse(bytes)?;
    let endian = header.endian()?;
    if endian == Endianness::Big {
        return Err(ImageProblem::BigEndian);
    }
    if header.e_type(endian) == ET_REL {
        return Err(ImageProblem::Relocatable);
    }
    let mut loads = Vec::new();
    for (index, segment) in header.program_headers(endian, bytes)?.iter().enumerate() {
        if segment.p_type(endian) == PT_LOAD {
            loads.push(load(index, segment, endian, bytes.len())?);
        }
    }
    let len = loads.iter().map(|load: &Load| load.len as u128).sum();
    if len > bytes.len() as u128 * MAX_LOADS {
        return Err(ImageProblem::LoadsTooMuch {
            len,
            file_len: bytes.len(),
        });
    }
    let ptr_width = if header.is_class_64() {
        PtrWidth::P8
    } else {
        PtrWidth::P4
    };
    Ok(Parsed {
        ptr_width,
        loads,
        mailbox: mailbox(header, endian, bytes)?,
    })
}

fn load<P: ProgramHeader<Endian = Endianness>>(
    index: usize,
    segment: &P,
    endian: Endianness,
    file_len: usize,
) -> Result<Load, ImageProblem> {
    let address = segment.p_paddr(endian).into();
    let offset = segment.p_offset(endian).into();
    let file_size = segment.p_filesz(endian).into();
    let mem_size = segment.p_memsz(endian).into();
    let tail = mem_size
        .checked_sub(file_size)
        .ok_or(ImageProblem::Shrinks {
            index,
            file_size,
            mem_size,
        })?;
    // The last byte must have an address; what follows it need not.
    if address.checked_add(mem_size.saturating_sub(1)).is_none() {
        return Err(ImageProblem::Wraps {
            index,
            address,
            mem_size,
        });
    }
    let outside = ImageProblem::OutsideFile {
        index,
        offset,
        len: file_size,
        file_len,
    };
    let (Ok(start), Ok(len)) = (usize::try_from(offset), usize::try_from(file_size)) else {
        return Err(outside);
    };
    match start.checked_add(len) {
        Some(end) if end <= file_len || len == 0 => Ok(Load {
            address,
            start,
            len,
            tail,
        }),
        _ => Err(outside),
    }
}

fn mailbox<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    bytes: &[u8],
) -> Result<Option<Section>, ImageProblem> {
    let Some((_, section)) = header
        .sections(endian, bytes)?
        .section_by_name(endian, MAILBOX_SECTION)
    else {
        return Ok(None);
    };
    let address = section.sh_addr(endian).into();
    let size = section.sh_size(endian).into();
    match address.checked_add(size.saturating_sub(1)) {
        Some(_) => Ok(Some(Section { address, size })),
        None => Err(ImageProblem::MailboxWraps { address, size }),
    }
}
