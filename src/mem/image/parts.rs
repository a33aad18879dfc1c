//! Parts of an image: segments, the section of mailboxes, symbols.

/// PT_LOAD segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSegment {
    /// Position in the program header table.
    pub index: usize,
    /// Physical (load) address.
    pub address: u64,
    /// Virtual (run) address.
    pub virtual_address: u64,
    /// Offset of the bytes in the file.
    pub offset: u64,
    /// Number of bytes in the file.
    pub len: u64,
    /// Number of zeros after the bytes, up to the size in memory. Not validated: it may exceed the
    /// memory.
    pub tail: u64,
    /// True if the segment is marked as executable.
    pub executable: bool,
    /// True if the segment is marked as writable.
    pub writable: bool,
}

/// Physical (load) address of a virtual address, if a segment contains it.
pub(super) fn physical(segments: &[ImageSegment], address: u64) -> Option<u64> {
    segments.iter().find_map(|segment| {
        let into = address.checked_sub(segment.virtual_address)?;
        let within = into < segment.len.saturating_add(segment.tail);
        within.then(|| segment.address.checked_add(into))?
    })
}

/// Addresses of the section `.mailbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Virtual address of the first byte, used by firmware.
    pub address: u64,
    /// Physical address of the first byte, used for loading. Translated by the segment that
    /// contains the section.
    pub physical: u64,
    /// Size in bytes.
    pub size: u64,
}

/// Symbol of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// Value: for a function or a variable its virtual address.
    pub value: u64,
    /// Size in bytes; 0 if the image does not have it.
    pub size: u64,
}
