//! Parser of ELF headers, from memory or from a file. No other byte of the file is read.

use mailbox_rs::{ImageNote, PtrWidth};
use object::Endianness;
use object::elf::{
    EM_ARM, ET_REL, FileHeader32, FileHeader64, PF_W, PF_X, PT_LOAD, SHF_ALLOC, SHN_UNDEF,
    SHT_NOBITS, SHT_SYMTAB, STT_FILE, STT_SECTION,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};
use object::read::{FileKind, Object as _, ObjectSection as _, ReadRef};

use super::parts::physical;
use super::warning::{overlap_warning, type_warning};
use super::{ImageProblem, ImageSegment, ImageWarning, Section, Symbol};
use crate::mem::file_format::{ELF, START, recognise};

/// Name of the section of the channels, with the NUL that terminates it in the table of names.
const MAILBOX_SECTION: &[u8] = b".mailbox\0";

/// Name of the section of notes about the channels, with NUL.
const NOTE_SECTION: &[u8] = b".note.vhost\0";

/// Name of the section of attributes.
const ATTRIBUTES_SECTION: &str = ".riscv.attributes";

/// Maximum size of the note section, above that of 1024 channels with a note each.
const MAX_NOTES: u64 = 0x1_0000;

/// Maximum size of a build id. Linkers write 8 to 20 bytes.
const MAX_BUILD_ID: usize = 64;

/// Maximum ratio of loaded bytes to the size of the file. Only headers that refer to the same bytes
/// many times exceed it.
const MAX_LOADS: u128 = 16;

/// Maximum number of program headers. Linkers write about ten.
const MAX_SEGMENTS: u32 = 4096;

/// Maximum number of section headers, the number of 16-bit section indices.
const MAX_SECTIONS: u32 = 0xff00;

/// Maximum size of a symbol table, and of the names in it, for several million symbols.
const MAX_SYMBOLS: u64 = 256 << 20;

/// Content of the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) ptr_width: PtrWidth,
    pub(super) is_arm: bool,
    pub(super) program_headers: usize,
    pub(super) segments: Vec<ImageSegment>,
    pub(super) mailbox: Option<Section>,
    pub(super) note: Option<ImageNote>,
    pub(super) has_symbols: bool,
    pub(super) warnings: Vec<ImageWarning>,
}

/// Reads and validates the headers of an ELF file of either class.
pub(super) fn parse<'a, R: ReadRef<'a>>(data: R) -> Result<Parsed, ImageProblem> {
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => read::<FileHeader32<Endianness>, R>(data),
        Ok(FileKind::Elf64) => read::<FileHeader64<Endianness>, R>(data),
        _ => {
            let len = data.len().unwrap_or_default().min(START as u64);
            let start = data.read_bytes_at(0, len).unwrap_or_default();
            Err(ImageProblem::NotElf {
                found: recognise(start).filter(|found| *found != ELF),
            })
        }
    }
}

fn read<'a, H, R>(data: R) -> Result<Parsed, ImageProblem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    if endian == Endianness::Big {
        return Err(ImageProblem::BigEndian);
    }
    let kind = header.e_type(endian);
    if kind == ET_REL {
        return Err(ImageProblem::Relocatable);
    }
    let file_len = data.len().unwrap_or_default();
    bounded("program", header.phnum(endian, data)?, MAX_SEGMENTS)?;
    bounded("section", header.shnum(endian, data)?, MAX_SECTIONS)?;
    let headers = header.program_headers(endian, data)?;
    let mut segments = Vec::new();
    for (index, segment) in headers.iter().enumerate() {
        if segment.p_type(endian) == PT_LOAD {
            segments.push(load(index, segment, endian, file_len)?);
        }
    }
    let len = segments.iter().map(|segment| u128::from(segment.len)).sum();
    if len > u128::from(file_len) * MAX_LOADS {
        return Err(ImageProblem::LoadsTooMuch { len, file_len });
    }
    let mut warnings = Vec::new();
    warnings.extend(type_warning(kind.0));
    let own = segments
        .iter()
        .find(|segment| segment.len > 0 && segment.offset < size_of::<H>() as u64);
    warnings.extend(own.map(|segment| ImageWarning::OwnHeaders {
        segment: segment.index,
        address: segment.address,
    }));
    warnings.extend(overlap_warning(&segments));
    let mailbox = mailbox(header, endian, data, &segments, &mut warnings)?;
    let note = note(header, endian, data)?;
    let is_64 = header.is_class_64();
    Ok(Parsed {
        ptr_width: if is_64 { PtrWidth::P8 } else { PtrWidth::P4 },
        is_arm: header.e_machine(endian) == EM_ARM,
        program_headers: headers.len(),
        segments,
        mailbox,
        note,
        has_symbols: has_symbols(header, endian, data),
        warnings,
    })
}

/// True if there is a table with more symbols than the undefined one, with which each table starts.
fn has_symbols<'a, H, R>(header: &H, endian: Endianness, data: R) -> bool
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let is_table = |section: &H::SectionHeader| {
        section.sh_type(endian) == SHT_SYMTAB
            && section.sh_size(endian).into() > size_of::<H::Sym>() as u64
    };
    let sections = header.sections(endian, data);
    sections.is_ok_and(|sections| sections.iter().any(is_table))
}

/// Rejects tables larger than those of any linker, before memory is allocated for them.
fn bounded(what: &'static str, count: u32, max: u32) -> Result<(), ImageProblem> {
    if count > max {
        return Err(ImageProblem::TooManyHeaders { what, count, max });
    }
    Ok(())
}

fn load<P: ProgramHeader<Endian = Endianness>>(
    index: usize,
    segment: &P,
    endian: Endianness,
    file_len: u64,
) -> Result<ImageSegment, ImageProblem> {
    let address = segment.p_paddr(endian).into();
    let offset: u64 = segment.p_offset(endian).into();
    let len = segment.p_filesz(endian).into();
    let mem_size: u64 = segment.p_memsz(endian).into();
    let tail = mem_size.checked_sub(len).ok_or(ImageProblem::Shrinks {
        index,
        file_size: len,
        mem_size,
    })?;
    // The last byte must have an address; the byte after it need not.
    if address.checked_add(mem_size.saturating_sub(1)).is_none() {
        return Err(ImageProblem::Wraps {
            index,
            address,
            mem_size,
        });
    }
    let end = offset.checked_add(len);
    if len > 0 && end.is_none_or(|end| end > file_len) {
        return Err(ImageProblem::OutsideFile {
            index,
            offset,
            len,
            file_len,
        });
    }
    Ok(ImageSegment {
        index,
        address,
        virtual_address: segment.p_vaddr(endian).into(),
        offset,
        len,
        tail,
        executable: segment.p_flags(endian).0 & PF_X.0 != 0,
        writable: segment.p_flags(endian).0 & PF_W.0 != 0,
    })
}

/// Instruction set in the attributes of an image for RISC-V: the first text that has its form.
pub(super) fn architecture(image: &[u8]) -> Option<String> {
    let file = object::File::parse(image).ok()?;
    let attributes = file.section_by_name(ATTRIBUTES_SECTION)?.data().ok()?;
    let starts = |at: &usize| matches!(attributes.get(*at..at + 4), Some(b"rv32" | b"rv64"));
    let start = (0..attributes.len()).find(starts)?;
    let text = attributes[start..].split(|byte| *byte == 0).next()?;
    Some(str::from_utf8(text).ok()?.to_owned())
}

/// Build id in the notes, if one has a usual length.
pub(super) fn build_id<'a, R: ReadRef<'a>>(data: R) -> Option<&'a [u8]> {
    let file = object::File::parse(data).ok()?;
    let id = file.build_id().ok()??;
    (1..=MAX_BUILD_ID).contains(&id.len()).then_some(id)
}

/// Headers of all sections with this name, which ends with NUL; none without a table of names.
fn named<'a, H, R>(
    header: &H,
    endian: Endianness,
    data: R,
    wanted: &'static [u8],
) -> Result<Vec<&'a H::SectionHeader>, ImageProblem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let sections = header.section_headers(endian, data)?;
    if sections.is_empty() || header.e_shstrndx(endian) == SHN_UNDEF {
        return Ok(Vec::new());
    }
    let names = usize::try_from(header.shstrndx(endian, data)?);
    let Some(names) = names.ok().and_then(|names| sections.get(names)) else {
        return Ok(Vec::new());
    };
    let is_wanted = |section: &&H::SectionHeader| {
        let name = u64::from(section.sh_name(endian));
        let at = names.sh_offset(endian).into().checked_add(name);
        let read = at.and_then(|at| data.read_bytes_at(at, wanted.len() as u64).ok());
        read == Some(wanted)
    };
    Ok(sections.iter().filter(is_wanted).collect())
}

/// Reads the notes about the channels.
fn note<'a, H, R>(
    header: &H,
    endian: Endianness,
    data: R,
) -> Result<Option<ImageNote>, ImageProblem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    // A linker writes only one section of this name.
    let found = named(header, endian, data, NOTE_SECTION)?;
    let Some(section) = found.first() else {
        return Ok(None);
    };
    let size = section.sh_size(endian).into();
    if size > MAX_NOTES {
        let max = MAX_NOTES;
        return Err(ImageProblem::NoteTooLong { size, max });
    }
    if section.sh_type(endian) == SHT_NOBITS {
        return Ok(None);
    }
    let bytes = data.read_bytes_at(section.sh_offset(endian).into(), size);
    let bytes = bytes.map_err(|()| ImageProblem::NoteOutsideFile)?;
    ImageNote::of_section(bytes).map_err(ImageProblem::Note)
}

/// Finds the first section `.mailbox` that is not empty. A linker script leaves an empty one in a
/// program without a mailbox.
fn mailbox<'a, H, R>(
    header: &H,
    endian: Endianness,
    data: R,
    segments: &[ImageSegment],
    warnings: &mut Vec<ImageWarning>,
) -> Result<Option<Section>, ImageProblem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let found = named(header, endian, data, MAILBOX_SECTION)?.into_iter();
    let mut found = found.filter(|section| section.sh_size(endian).into() > 0);
    let Some(section) = found.next() else {
        return Ok(None);
    };
    let address = section.sh_addr(endian).into();
    let size = section.sh_size(endian).into();
    if let Some(other) = found.next() {
        warnings.push(ImageWarning::SecondMailbox {
            address,
            ignored: other.sh_addr(endian).into(),
        });
    }
    if section.sh_flags(endian).0 & SHF_ALLOC.0 == 0 {
        warnings.push(ImageWarning::MailboxNotAllocated { address });
    }
    if address.checked_add(size.saturating_sub(1)).is_none() {
        return Err(ImageProblem::MailboxWraps { address, size });
    }
    // Load address, if a segment contains the section.
    let physical = physical(segments, address).unwrap_or(address);
    Ok(Some(Section {
        address,
        physical,
        size,
    }))
}

/// Finds symbols of an ELF file that was parsed before; none without a symbol table.
pub(super) fn symbols<'a, R: ReadRef<'a>, const N: usize>(
    data: R,
    names: [&str; N],
) -> Result<[Option<Symbol>; N], ImageProblem> {
    match FileKind::parse(data)? {
        FileKind::Elf32 => find::<FileHeader32<Endianness>, R, N>(data, names),
        FileKind::Elf64 => find::<FileHeader64<Endianness>, R, N>(data, names),
        _ => Ok([None; N]),
    }
}

fn find<'a, H, R, const N: usize>(
    data: R,
    names: [&str; N],
) -> Result<[Option<Symbol>; N], ImageProblem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    bounded("section", header.shnum(endian, data)?, MAX_SECTIONS)?;
    let sections = header.sections(endian, data)?;
    let is_small = |section: &H::SectionHeader| section.sh_size(endian).into() <= MAX_SYMBOLS;
    if !sections.iter().all(|section| {
        section.sh_type(endian) != SHT_SYMTAB
            || is_small(section) && sections.section(section.link(endian)).is_ok_and(is_small)
    }) {
        let max = MAX_SYMBOLS;
        return Err(ImageProblem::SymbolsTooLong { max });
    }
    let table = sections.symbols(endian, data, SHT_SYMTAB)?;
    let mut found = [None; N];
    let mut is_local = [true; N];
    for symbol in table.iter() {
        if symbol.is_undefined(endian) || [STT_FILE, STT_SECTION].contains(&symbol.st_type()) {
            continue;
        }
        // A damaged name matches no symbol.
        let Ok(name) = table.symbol_name(endian, symbol) else {
            continue;
        };
        let Some(at) = names.iter().position(|wanted| wanted.as_bytes() == name) else {
            continue;
        };
        if found[at].is_none() || (is_local[at] && !symbol.is_local()) {
            is_local[at] = symbol.is_local();
            found[at] = Some(Symbol {
                value: symbol.st_value(endian).into(),
                size: symbol.st_size(endian).into(),
            });
        }
    }
    Ok(found)
}
