//! Image of a run: segments and mailbox as read by the library, and entry point and symbols.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mailbox_rs::PtrWidth;
use object::{Architecture, Object, ObjectSymbol, ReadCache, SymbolKind};
use vhost::mem::Image;

use crate::output::Sanitized;

/// Maximum number of characters shown of a symbol's name.
const MAX_NAME_LENGTH: usize = 200;

/// Trap of semihosting: `slli zero, zero, 31`, `ebreak`, `srai zero, zero, 7`.
const TRAP: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];

/// Linked program for RISC-V.
pub(super) struct Program {
    image: Image,
    entry: u64,
}

impl Program {
    /// Reads the headers of an image.
    ///
    /// # Errors
    /// A file that can't be read, is not a linked ELF file, or is for another CPU.
    pub(super) fn open(file: &Path) -> Result<Self> {
        let image = Image::open(file)?;
        let cache = cache(file)?;
        let parsed = object::File::parse(&cache);
        let parsed = parsed.with_context(|| format!("{} can't be read", file.display()))?;
        match parsed.architecture() {
            Architecture::Riscv32 | Architecture::Riscv64 => {}
            other => bail!(
                "{} is for another CPU ({other:?}): give an image for RISC-V, RV32 or RV64",
                file.display()
            ),
        }
        let entry = parsed.entry();
        Ok(Self { image, entry })
    }

    pub(super) fn image(&self) -> &Image {
        &self.image
    }

    pub(super) fn file(&self) -> &Path {
        self.image.file()
    }

    /// Address of the first instruction.
    pub(super) fn entry(&self) -> u64 {
        self.entry
    }

    pub(super) fn ptr_width(&self) -> PtrWidth {
        self.image.ptr_width()
    }

    /// Address of the symbol of this name.
    pub(super) fn symbol(&self, name: &str) -> Option<u64> {
        let cache = cache(self.file()).ok()?;
        let parsed = object::File::parse(&cache).ok()?;
        let mut symbols = parsed.symbols();
        // Symbols of the linker's command line have no section.
        let found = symbols.find(|symbol| symbol.name() == Ok(name) && !symbol.is_undefined());
        found.map(|symbol| symbol.address())
    }

    /// Addresses of the traps of semihosting.
    ///
    /// # Errors
    /// The image can't be read any more.
    pub(super) fn traps(&self) -> Result<Vec<u64>> {
        let trap = TRAP.map(u32::to_le_bytes);
        let trap = trap.as_flattened();
        let content = self.image.content()?;
        let mut traps = vec![];
        for segment in self
            .image
            .segments()
            .iter()
            .filter(|segment| segment.len > 0)
        {
            for piece in content.pieces(segment) {
                let (address, bytes) = piece?;
                let places = bytes.windows(trap.len()).enumerate().step_by(2);
                let places = places.filter(|(_, window)| *window == trap);
                traps.extend(places.map(|(at, _)| address.wrapping_add(at as u64)));
            }
        }
        Ok(traps)
    }

    /// CRC-32 of the addresses and bytes that are loaded, and the path of the file.
    ///
    /// # Errors
    /// The image can't be read any more.
    pub(super) fn identity(&self) -> Result<String> {
        let content = self.image.content()?;
        let mut checksum = crc32fast::Hasher::new();
        for segment in self.image.segments() {
            checksum.update(&segment.address.to_le_bytes());
            for piece in content.pieces(segment) {
                checksum.update(&piece?.1);
            }
        }
        let checksum = checksum.finalize();
        Ok(format!("{checksum:08x} {}", self.file().display()))
    }

    /// True if the instruction at an address is the `ebreak` of a trap of semihosting.
    pub(super) fn is_semihosting(&self, address: u64) -> bool {
        let traps = self.traps().unwrap_or_default();
        traps.iter().any(|trap| trap.wrapping_add(4) == address)
    }

    /// Address with the preceding symbol: `0x80000010 (main+0x10)`.
    pub(super) fn place(&self, address: u64) -> String {
        match self.nearest(address) {
            None => format!("{address:#x}"),
            Some((name, 0)) => format!("{address:#x} ({name})"),
            Some((name, offset)) => format!("{address:#x} ({name}+{offset:#x})"),
        }
    }

    /// Name of the last symbol of code at or before an address within its segment, and the distance
    /// from it.
    fn nearest(&self, address: u64) -> Option<(String, u64)> {
        let mut segments = self.image.segments().iter();
        let segment = segments.find(|it| {
            let offset = address.checked_sub(it.virtual_address);
            offset.is_some_and(|offset| offset < it.len)
        })?;
        let cache = cache(self.file()).ok()?;
        let parsed = object::File::parse(&cache).ok()?;
        let code = parsed.symbols().filter(|symbol| {
            let kind = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Unknown);
            kind && symbol.is_definition()
        });
        let before =
            code.filter(|symbol| (segment.virtual_address..=address).contains(&symbol.address()));
        let named = before.filter_map(|symbol| {
            // Mapping symbols begin with `$`, assembler labels with `.L`.
            let name = symbol.name().ok()?;
            let shown = !name.is_empty() && !name.starts_with('$') && !name.starts_with(".L");
            shown.then(|| (symbol.address(), name.to_owned()))
        });
        let (start, name) = named.max_by_key(|(start, _)| *start)?;
        let name: String = name.chars().take(MAX_NAME_LENGTH).collect();
        Some((Sanitized(&name).to_string(), address - start))
    }
}

/// Reader of parts of a file.
fn cache(file: &Path) -> Result<ReadCache<File>> {
    let opened = File::open(file);
    let opened =
        opened.with_context(|| format!("{} can't be read", PathBuf::from(file).display()))?;
    Ok(ReadCache::new(opened))
}
