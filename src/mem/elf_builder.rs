//! Small ELF files for tests.

/// What goes into the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ElfBuilder {
    pub(crate) class64: bool,
    pub(crate) big_endian: bool,
    pub(crate) relocatable: bool,
    /// Physical address, bytes in the file, bytes in memory.
    pub(crate) segments: Vec<(u64, Vec<u8>, u64)>,
    /// Address and size of section `.mailbox`.
    pub(crate) mailbox: Option<(u64, u64)>,
}

impl ElfBuilder {
    /// The file: header, program headers, section headers, names, then the bytes of the segments.
    pub(crate) fn build(&self) -> Vec<u8> {
        const NAMES: &[u8] = b"\0.mailbox\0.shstrtab\0";
        let (header, program, section) = if self.class64 {
            (64, 56, 64)
        } else {
            (52, 32, 40)
        };
        let sections = 2 + u64::from(self.mailbox.is_some());
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
        out.half(if self.relocatable { 1 } else { 2 }); // e_type: ET_REL or ET_EXEC
        out.half(243); // e_machine: EM_RISCV
        out.word(1); // e_version
        out.address(0); // e_entry
        out.address(header); // e_phoff
        out.address(shoff); // e_shoff
        out.word(0); // e_flags
        for half in [header, program, segments, section, sections, sections - 1] {
            out.half(half);
        }

        let mut offset = names + NAMES.len() as u64;
        for (address, bytes, mem_size) in &self.segments {
            let len = bytes.len() as u64;
            out.word(1); // p_type: PT_LOAD
            if self.class64 {
                out.word(7); // p_flags
            }
            out.address(offset); // p_offset
            out.address(!*address); // p_vaddr: another address, which must not be used
            out.address(*address); // p_paddr
            out.address(len); // p_filesz
            out.address(*mem_size); // p_memsz
            if !self.class64 {
                out.word(7); // p_flags
            }
            out.address(1); // p_align
            offset += len;
        }

        out.section(0, 0, 0, 0, 0);
        if let Some((address, size)) = self.mailbox {
            out.section(1, 8, address, 0, size); // SHT_NOBITS
        }
        out.section(10, 3, 0, names, NAMES.len() as u64); // SHT_STRTAB
        out.bytes.extend(NAMES);
        for (_, bytes, _) in &self.segments {
            out.bytes.extend(bytes);
        }
        out.bytes
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

    fn section(&mut self, name: u64, kind: u64, address: u64, offset: u64, size: u64) {
        self.word(name);
        self.word(kind);
        self.address(0); // sh_flags
        self.address(address);
        self.address(offset);
        self.address(size);
        self.word(0); // sh_link
        self.word(0); // sh_info
        self.address(1); // sh_addralign
        self.address(0); // sh_entsize
    }
}
