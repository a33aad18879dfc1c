//! Small 64-bit ELF files, valid and invalid.

/// Contents of an ELF file.
pub struct Elf {
    /// `e_type`.
    pub kind: u16,
    /// `e_machine`.
    pub machine: u16,
    /// `e_entry`.
    pub entry: u64,
    pub segments: Vec<Segment>,
    /// Address and size of each section `.mailbox`.
    pub mailboxes: Vec<(u64, u64)>,
    /// Name, value and size of each symbol.
    pub symbols: Vec<(&'static str, u64, u64)>,
    /// Size of a section behind all others that no segment loads. The built file has no bytes of
    /// it.
    pub debug: u64,
}

/// PT_LOAD segment.
pub struct Segment {
    pub virtual_address: u64,
    pub physical: u64,
    pub bytes: Vec<u8>,
    pub mem_size: u64,
    /// True if the segment contains the beginning of the file.
    pub own_headers: bool,
}

impl Segment {
    /// Segment whose load address is its run address.
    pub fn at(address: u64, bytes: &[u8], mem_size: u64) -> Self {
        Self {
            virtual_address: address,
            physical: address,
            bytes: bytes.to_vec(),
            mem_size,
            own_headers: false,
        }
    }
}

impl Elf {
    /// Executable with these segments and without sections.
    pub fn of(segments: Vec<Segment>) -> Self {
        Self {
            kind: 2,
            machine: 243,
            entry: 0,
            segments,
            mailboxes: Vec::new(),
            symbols: Vec::new(),
            debug: 0,
        }
    }

    /// Builds the file: header, program headers, bytes of the segments, names, section headers.
    pub fn build(&self) -> Vec<u8> {
        const NAMES: &[u8] = b"\0.mailbox\0.shstrtab\0.debug_info\0";
        let headers = 64 + 56 * self.segments.len() as u64;
        let body: u64 = self.segments.iter().map(|it| it.bytes.len() as u64).sum();
        let names = headers + body;
        let strings = names + NAMES.len() as u64;
        let (symbol_names, symbols) = self.symbol_table();
        let symbols_at = strings + symbol_names.len() as u64;
        let table = symbols_at + symbols.len() as u64;
        // The null section, names, mailboxes, symbols with their names, debug information.
        let of_symbols = if symbols.is_empty() { 0 } else { 2 };
        let sections = match (self.mailboxes.len() as u64, self.debug, of_symbols) {
            (0, 0, 0) => 0,
            (mailboxes, debug, of_symbols) => 2 + mailboxes + of_symbols + u64::from(debug > 0),
        };
        let end = table + 64 * sections;

        let mut out = b"\x7fELF\x02\x01\x01".to_vec();
        out.resize(16, 0);
        let mut put = |fields: &[(usize, u64)]| {
            for (size, value) in fields {
                out.extend_from_slice(&value.to_le_bytes()[..*size]);
            }
        };
        // Type, machine, version; entry, program headers, section headers; flags, sizes and counts.
        put(&[
            (2, self.kind.into()),
            (2, self.machine.into()),
            (4, 1),
            (8, self.entry),
            (8, if self.segments.is_empty() { 0 } else { 64 }),
            (8, if sections > 0 { table } else { 0 }),
            (4, 0),
            (2, 64),
            (2, 56),
            (2, self.segments.len() as u64),
            (2, 64),
            (2, sections),
            (2, u64::from(sections > 0)),
        ]);
        let mut offset = headers;
        for segment in &self.segments {
            // Type, flags, offset, virtual and physical address, sizes in file and memory,
            // alignment.
            put(&[
                (4, 1),
                (4, 7),
                (8, if segment.own_headers { 0 } else { offset }),
                (8, segment.virtual_address),
                (8, segment.physical),
                (8, segment.bytes.len() as u64),
                (8, segment.mem_size),
                (8, 1),
            ]);
            offset += segment.bytes.len() as u64;
        }
        for segment in &self.segments {
            segment
                .bytes
                .iter()
                .for_each(|byte| put(&[(1, (*byte).into())]));
        }
        if sections == 0 {
            return out;
        }
        let bytes = NAMES.iter().chain(&symbol_names).chain(&symbols);
        bytes.for_each(|byte| put(&[(1, (*byte).into())]));
        // Name, type, flags, address, offset, size; link, info, alignment, size of entries. From
        // the second one on, symbols are global.
        let mut section = |name, kind, flags, address, offset, size| {
            let (link, info, entry) = if kind == 2 { (2, 1, 24) } else { (0, 0, 0) };
            put(&[
                (4, name),
                (4, kind),
                (8, flags),
                (8, address),
                (8, offset),
                (8, size),
                (4, link),
                (4, info),
                (8, 1),
                (8, entry),
            ]);
        };
        section(0, 0, 0, 0, 0, 0);
        section(10, 3, 0, 0, names, NAMES.len() as u64);
        if !symbols.is_empty() {
            section(0, 3, 0, 0, strings, symbol_names.len() as u64);
            section(0, 2, 0, 0, symbols_at, symbols.len() as u64);
        }
        for (address, size) in &self.mailboxes {
            section(1, 8, 3, *address, 0, *size);
        }
        if self.debug > 0 {
            section(20, 1, 0, 0, end, self.debug);
        }
        out
    }

    /// Names of the symbols, and their table; both are empty without symbols.
    fn symbol_table(&self) -> (Vec<u8>, Vec<u8>) {
        if self.symbols.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let (mut names, mut table) = (vec![0], vec![0; 24]);
        for (name, value, size) in &self.symbols {
            table.extend((names.len() as u32).to_le_bytes());
            // Global, an object, absolute.
            table.extend([0x11, 0, 0xf1, 0xff]);
            table.extend(value.to_le_bytes());
            table.extend(size.to_le_bytes());
            names.extend(name.bytes().chain([0]));
        }
        (names, table)
    }
}
