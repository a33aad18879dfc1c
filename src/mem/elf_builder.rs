//! Builder of small ELF files, for the outlines of images in recordings and for tests.

/// Content of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ElfBuilder {
    pub(crate) class64: bool,
    pub(crate) big_endian: bool,
    /// Value of `e_type`; `None` for ET_EXEC.
    pub(crate) kind: Option<u16>,
    pub(crate) segments: Vec<ElfSegment>,
    /// Address and size of each section `.mailbox`.
    pub(crate) mailboxes: Vec<(u64, u64)>,
    /// Content of section `.note.vhost`; none if it is empty.
    pub(crate) notes: Vec<u8>,
    /// Global symbols: name, value and size.
    pub(crate) symbols: Vec<(&'static str, u64, u64)>,
}

/// PT_LOAD segment.
#[derive(Debug, Clone)]
pub(crate) struct ElfSegment {
    /// Physical address.
    pub(crate) address: u64,
    pub(crate) virtual_address: u64,
    pub(crate) bytes: Vec<u8>,
    /// Number of bytes in memory.
    pub(crate) mem_size: u64,
}

#[cfg(test)]
impl ElfSegment {
    /// Segment with a different virtual address, which must not be used.
    pub(crate) fn at(address: u64, bytes: impl Into<Vec<u8>>, mem_size: u64) -> Self {
        Self {
            address,
            virtual_address: !address,
            bytes: bytes.into(),
            mem_size,
        }
    }
}

impl ElfBuilder {
    /// Builds the file: header, program headers, section headers, names, and the bytes of the
    /// segments.
    pub(crate) fn build(&self) -> Vec<u8> {
        let has_notes = !self.notes.is_empty();
        let has_symbols = !self.symbols.is_empty();
        let all_names: &[u8] = b"\0.mailbox\0.shstrtab\0.note.vhost\0.symtab\0.strtab\0";
        // Without notes and symbols, the table has no names for them.
        let used_names = match (has_symbols, has_notes) {
            (true, _) => all_names.len(),
            (false, true) => 32,
            (false, false) => 20,
        };
        let all_names = &all_names[..used_names];
        let (header, program, section) = if self.class64 {
            (64, 56, 64)
        } else {
            (52, 32, 40)
        };
        let sections =
            2 + self.mailboxes.len() as u64 + u64::from(has_notes) + 2 * u64::from(has_symbols);
        let segments = self.segments.len() as u64;
        let shoff = header + program * segments;
        let names = shoff + section * sections;

        let mut out = Out {
            bytes: Vec::new(),
            class64: self.class64,
            big: self.big_endian,
        };
        out.bytes.extend([
            0x7f,
            b'E',
            b'L',
            b'F',
            1 + u8::from(self.class64),
            1 + u8::from(self.big_endian),
            1,
        ]);
        out.bytes.resize(16, 0);
        out.half(self.kind.unwrap_or(2).into()); // e_type: ET_EXEC
        out.half(243); // e_machine: EM_RISCV
        out.word(1); // e_version
        out.address(0); // e_entry
        out.address(if segments > 0 { header } else { 0 }); // e_phoff
        out.address(shoff); // e_shoff
        out.word(0); // e_flags
        for half in [header, program, segments, section, sections, sections - 1] {
            out.half(half);
        }

        let notes = names + all_names.len() as u64;
        let symbols = notes + self.notes.len() as u64;
        let (table, symbol_names) = self.symbol_table();
        let strings = symbols + table.len() as u64;
        let mut offset = strings + symbol_names.len() as u64;
        for segment in &self.segments {
            let len = segment.bytes.len() as u64;
            out.word(1); // p_type: PT_LOAD
            if self.class64 {
                out.word(7); // p_flags
            }
            out.address(offset); // p_offset
            out.address(segment.virtual_address); // p_vaddr
            out.address(segment.address); // p_paddr
            out.address(len); // p_filesz
            out.address(segment.mem_size); // p_memsz
            if !self.class64 {
                out.word(7); // p_flags
            }
            out.address(1); // p_align
            offset += len;
        }

        out.section(0, 0, 0, 0, (0, 0));
        for (address, size) in &self.mailboxes {
            out.section(1, 8, 2, *address, (0, *size)); // SHT_NOBITS, SHF_ALLOC
        }
        if has_notes {
            out.section(20, 7, 0, 0, (notes, self.notes.len() as u64)); // SHT_NOTE
        }
        if has_symbols {
            // SHT_SYMTAB. Its names are in the previous section, and all symbols after the empty
            // one are global.
            let link = 1 + self.mailboxes.len() as u64 + u64::from(has_notes);
            out.section(40, 3, 0, 0, (strings, symbol_names.len() as u64)); // SHT_STRTAB
            out.linked_section(32, 2, (symbols, table.len() as u64), link);
        }
        out.section(10, 3, 0, 0, (names, all_names.len() as u64)); // SHT_STRTAB
        out.bytes.extend(all_names);
        out.bytes.extend(&self.notes);
        out.bytes.extend(table);
        out.bytes.extend(symbol_names);
        for segment in &self.segments {
            out.bytes.extend(&segment.bytes);
        }
        out.bytes
    }

    /// Table of the symbols, and their names. Both are empty without symbols.
    fn symbol_table(&self) -> (Vec<u8>, Vec<u8>) {
        let mut table = Out {
            bytes: Vec::new(),
            class64: self.class64,
            big: self.big_endian,
        };
        if self.symbols.is_empty() {
            return (Vec::new(), Vec::new());
        }
        // The first symbol is empty, and so is the first name.
        table.bytes.resize(if self.class64 { 24 } else { 16 }, 0);
        let mut names = vec![0];
        for (name, value, size) in &self.symbols {
            table.word(names.len() as u64);
            names.extend(name.bytes().chain([0]));
            // st_info: STB_GLOBAL, STT_NOTYPE; st_other; st_shndx: SHN_ABS.
            let kind = [0x10, 0];
            if self.class64 {
                table.bytes.extend(kind);
                table.half(0xfff1);
                table.address(*value);
                table.address(*size);
            } else {
                table.address(*value);
                table.address(*size);
                table.bytes.extend(kind);
                table.half(0xfff1);
            }
        }
        (table.bytes, names)
    }
}

struct Out {
    bytes: Vec<u8>,
    class64: bool,
    big: bool,
}

impl Out {
    fn put(&mut self, value: u64, len: usize) {
        let little = value.to_le_bytes();
        let bytes = &little[..len];
        if self.big {
            self.bytes.extend(bytes.iter().rev());
        } else {
            self.bytes.extend(bytes);
        }
    }

    fn half(&mut self, value: u64) {
        self.put(value, 2);
    }

    fn word(&mut self, value: u64) {
        self.put(value, 4);
    }

    fn address(&mut self, value: u64) {
        self.put(value, if self.class64 { 8 } else { 4 });
    }

    /// Appends the header of a symbol table, whose names are in section `link`.
    fn linked_section(&mut self, name: u64, kind: u64, bytes: (u64, u64), link: u64) {
        let (offset, size) = bytes;
        self.word(name);
        self.word(kind);
        self.address(0);
        self.address(0);
        self.address(offset);
        self.address(size);
        self.word(link); // sh_link
        self.word(1); // sh_info: the first global symbol
        self.address(1); // sh_addralign
        self.address(if self.class64 { 24 } else { 16 }); // sh_entsize
    }

    /// Appends a section header. `bytes` is the section's offset in the file and its size.
    fn section(&mut self, name: u64, kind: u64, flags: u64, address: u64, bytes: (u64, u64)) {
        let (offset, size) = bytes;
        self.word(name);
        self.word(kind);
        self.address(flags);
        self.address(address);
        self.address(offset);
        self.address(size);
        self.word(0); // sh_link
        self.word(0); // sh_info
        self.address(1); // sh_addralign
        self.address(0); // sh_entsize
    }
}
