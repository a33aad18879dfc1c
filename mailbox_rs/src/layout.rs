//! Offsets and sizes of a channel's fields, computed by C's alignment rules.
//!
//! Source: protocol, section *Layout*.

use core::mem::size_of;

/// Number of entries of a queue.
pub const QUEUE_LEN: u32 = 8;

/// Number of argument words of a request entry.
pub const REQUEST_ARGS: usize = 20;

/// Maximum bytes of a string, NUL included.
pub const MAX_STRING: u64 = 4096;

/// Pointer width of the firmware's CPU, and width of an argument word: *P* of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PtrWidth {
    /// 4 bytes, a 32-bit CPU.
    P4,
    /// 8 bytes, a 64-bit CPU.
    P8,
}

impl PtrWidth {
    /// Width of the CPU this crate is compiled for; a 16-bit CPU has no mailbox and counts as 32.
    pub const NATIVE: Self = if size_of::<usize>() == 8 {
        Self::P8
    } else {
        Self::P4
    };

    /// Width of `bits` bits; `None` unless 32 or 64.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            32 => Some(Self::P4),
            64 => Some(Self::P8),
            _ => None,
        }
    }

    /// Width in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::P4 => 4,
            Self::P8 => 8,
        }
    }

    /// Low part of `word` that fits this width.
    #[must_use]
    pub const fn truncate(self, word: u64) -> u64 {
        match self {
            Self::P4 => word as u32 as u64,
            Self::P8 => word,
        }
    }

    /// Returns true if [`truncate`](Self::truncate) loses no information of `word`: it drops only
    /// zeros, or copies of the sign.
    ///
    /// ```
    /// use mailbox_rs::PtrWidth;
    ///
    /// assert!(PtrWidth::P4.holds(0xffff_ffff) && PtrWidth::P4.holds(-1_i64 as u64));
    /// assert!(!PtrWidth::P4.holds(0x1_0000_0000));
    /// assert!(!PtrWidth::P4.holds(0xffff_ffff_0000_0000));
    /// ```
    #[must_use]
    pub const fn holds(self, word: u64) -> bool {
        let low = self.truncate(word);
        low == word || self.sign_extend(low) as u64 == word
    }

    /// `word` of this width as two's complement.
    #[must_use]
    pub const fn sign_extend(self, word: u64) -> i64 {
        match self {
            Self::P4 => word as u32 as i32 as i64,
            Self::P8 => word as i64,
        }
    }
}

/// Alignment that keeps host and firmware from sharing a cache line: *N* of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CacheLine {
    /// No alignment beyond C's own.
    #[default]
    None,
    /// Lines of 32 bytes.
    B32,
    /// Lines of 64 bytes.
    B64,
    /// Lines of 128 bytes.
    B128,
    /// Lines of 256 bytes.
    B256,
}

impl CacheLine {
    /// Alignment of `bytes` bytes, 0 for none; `None` if the protocol lacks it.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Option<Self> {
        match bytes {
            0 => Some(Self::None),
            32 => Some(Self::B32),
            64 => Some(Self::B64),
            128 => Some(Self::B128),
            256 => Some(Self::B256),
            _ => None,
        }
    }

    /// Alignment in bytes, 0 for none.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::None => 0,
            Self::B32 => 32,
            Self::B64 => 64,
            Self::B128 => 128,
            Self::B256 => 256,
        }
    }
}

/// Field offsets of a channel, in bytes from its base.
///
/// ```
/// use mailbox_rs::{CacheLine, Layout, PtrWidth};
///
/// let layout = Layout::new(PtrWidth::P8, CacheLine::None);
/// assert_eq!(layout.request.offset, 8);
/// assert_eq!(layout.request_entry(1), layout.request.entries + 168);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(from = "(PtrWidth, CacheLine)", into = "(PtrWidth, CacheLine)")
)]
pub struct Layout {
    /// Width of pointers and argument words.
    pub ptr_width: PtrWidth,
    /// Cache-line alignment of this layout.
    pub cache_line: CacheLine,
    /// `u32 version`, always first.
    pub version: u64,
    /// `u32 state`.
    pub state: u64,
    /// Queue from firmware to host.
    pub request: QueueLayout,
    /// Queue from host to firmware.
    pub response: QueueLayout,
    /// Size of a channel in bytes, and distance from one channel to the next.
    pub channel_size: u64,
    /// Required alignment of the base, in bytes.
    pub channel_align: u64,
}

/// Field offsets of a queue, in bytes from the *channel's* base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueLayout {
    /// Start of the queue.
    pub offset: u64,
    /// `u32 idx_p`, the producer index. The word before it is reserved in the response queue; in
    /// the request queue it is the version that firmware offers ([`offer`](Self::offer)).
    pub idx_p: u64,
    /// First of [`QUEUE_LEN`] entries.
    pub entries: u64,
    /// Size of an entry in bytes.
    pub entry_size: u64,
    /// `u32 idx_c`, the consumer index.
    pub idx_c: u64,
    /// Size of the queue in bytes, padding included.
    pub size: u64,
}

/// `u32 action`, `u32 words` before the arguments; `u32 version`, `u32 state` before the queues;
/// `u32 reserved`, `u32 idx_p` before the entries.
const TWO_U32: u64 = 8;

const U32: u64 = 4;

impl Layout {
    /// Layout for a pointer width and a cache line.
    #[must_use]
    pub const fn new(ptr_width: PtrWidth, cache_line: CacheLine) -> Self {
        let p = ptr_width.bytes();
        let n = cache_line.bytes();
        let align = max(p, n);
        let request_entry = TWO_U32 + REQUEST_ARGS as u64 * p;
        let response_entry = U32.next_multiple_of(p) + p;

        let request = QueueLayout::after(TWO_U32, request_entry, p, n);
        let response = QueueLayout::after(request.offset + request.size, response_entry, p, n);
        Self {
            ptr_width,
            cache_line,
            version: 0,
            state: U32,
            request,
            response,
            channel_size: (response.offset + response.size).next_multiple_of(align),
            channel_align: align,
        }
    }

    /// Request entry of `slot`, modulo [`QUEUE_LEN`].
    #[must_use]
    pub const fn request_entry(&self, slot: u32) -> u64 {
        self.request.entry(slot)
    }

    /// Response entry of `slot`, modulo [`QUEUE_LEN`].
    #[must_use]
    pub const fn response_entry(&self, slot: u32) -> u64 {
        self.response.entry(slot)
    }
}

impl QueueLayout {
    /// First word of the request queue: the highest protocol version that firmware understands, 0
    /// without an offer.
    #[must_use]
    pub const fn offer(&self) -> u64 {
        self.offset
    }

    /// Queue behind `end`, for pointers of `p` bytes and lines of `n`.
    const fn after(end: u64, entry_size: u64, p: u64, n: u64) -> Self {
        let align = max(p, n);
        let offset = end.next_multiple_of(align);
        let entries = TWO_U32;
        let idx_c = (entries + QUEUE_LEN as u64 * entry_size).next_multiple_of(max(U32, n));
        Self {
            offset,
            idx_p: offset + U32,
            entries: offset + entries,
            entry_size,
            idx_c: offset + idx_c,
            size: (idx_c + U32).next_multiple_of(align),
        }
    }

    /// Entry of `slot`, modulo [`QUEUE_LEN`].
    #[must_use]
    pub const fn entry(&self, slot: u32) -> u64 {
        self.entries + (slot % QUEUE_LEN) as u64 * self.entry_size
    }
}

impl From<(PtrWidth, CacheLine)> for Layout {
    fn from((ptr_width, cache_line): (PtrWidth, CacheLine)) -> Self {
        Self::new(ptr_width, cache_line)
    }
}

impl From<Layout> for (PtrWidth, CacheLine) {
    fn from(layout: Layout) -> Self {
        (layout.ptr_width, layout.cache_line)
    }
}

const fn max(a: u64, b: u64) -> u64 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::{align_of, offset_of};

    #[test]
    fn numbers_of_the_protocol() {
        let p4 = Layout::new(PtrWidth::P4, CacheLine::None);
        assert_eq!((p4.request.entry_size, p4.response.entry_size), (88, 8));
        assert_eq!((p4.request.offset, p4.request.size), (8, 716));
        assert_eq!(p4.response.offset, 8 + 716);
        assert_eq!(p4.channel_size, 800);

        let p8 = Layout::new(PtrWidth::P8, CacheLine::None);
        assert_eq!((p8.request.entry_size, p8.response.entry_size), (168, 16));
        assert_eq!((p8.request.offset, p8.request.size), (8, 1360));
        assert_eq!(p8.response.offset, 8 + 1360);
        assert_eq!(p8.channel_size, 1512);
    }

    /// Structure with C's layout rules, from the fields that the protocol lists.
    #[derive(Clone, Copy)]
    struct Structure {
        size: u64,
        align: u64,
    }

    impl Structure {
        const fn word(size: u64) -> Self {
            Self { size, align: size }
        }

        /// Structure of `fields`, with their offsets. A cache line aligns the whole.
        fn of<const N: usize>(fields: [Self; N], line: u64) -> (Self, [u64; N]) {
            let up = |offset: u64, align: u64| offset.div_ceil(align) * align;
            let mut end = 0;
            let offsets = fields.map(|field| {
                let offset = up(end, field.align);
                end = offset + field.size;
                offset
            });
            let align = fields.iter().map(|field| field.align).fold(line, u64::max);
            let size = up(end, align);
            (Self { size, align }, offsets)
        }

        fn times(self, count: u64) -> Self {
            let size = self.size * count;
            Self { size, ..self }
        }
    }

    #[test]
    fn every_layout_follows_from_the_fields_of_the_protocol() {
        for (width, p) in [(PtrWidth::P4, 4), (PtrWidth::P8, 8)] {
            for n in [0, 32, 64, 128, 256] {
                let layout = Layout::new(width, CacheLine::from_bytes(n).unwrap());
                let (u32, word) = (Structure::word(4), Structure::word(p));
                let (request, _) = Structure::of([u32, u32, word.times(20)], 0);
                let (response, [words, rets]) = Structure::of([u32, word], 0);
                assert_eq!((words, rets), (0, p));
                let queue = |entry: Structure| {
                    let (idx_c, _) = Structure::of([u32], n);
                    Structure::of([u32, u32, entry.times(8), idx_c], n)
                };
                let (requests, responses) = (queue(request), queue(response));
                let (channel, [version, state, first, second]) =
                    Structure::of([u32, u32, requests.0, responses.0], n);
                let laid_out =
                    |offset, (queue, fields): (Structure, [u64; 4]), entry: Structure| {
                        QueueLayout {
                            offset,
                            idx_p: offset + fields[1],
                            entries: offset + fields[2],
                            entry_size: entry.size,
                            idx_c: offset + fields[3],
                            size: queue.size,
                        }
                    };
                let expected = Layout {
                    ptr_width: width,
                    cache_line: layout.cache_line,
                    version,
                    state,
                    request: laid_out(first, requests, request),
                    response: laid_out(second, responses, response),
                    channel_size: channel.size,
                    channel_align: channel.align,
                };
                assert_eq!(layout, expected);
            }
        }
    }

    #[test]
    fn every_entry_of_every_layout_is_apart_from_all_other_words() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            for n in [0, 32, 64, 128, 256] {
                let layout = Layout::new(width, CacheLine::from_bytes(n).unwrap());
                let mut owners = std::vec![0; layout.channel_size as usize];
                let mut own = |offset: u64, size: u64| {
                    let (from, to) = (offset as usize, (offset + size) as usize);
                    owners[from..to].iter_mut().for_each(|count| *count += 1);
                };
                own(layout.version, 4);
                own(layout.state, 4);
                for queue in [layout.request, layout.response] {
                    own(queue.idx_p, 4);
                    own(queue.idx_c, 4);
                }
                for slot in 0..QUEUE_LEN {
                    own(layout.request_entry(slot), layout.request.entry_size);
                    own(layout.response_entry(slot), layout.response.entry_size);
                }
                assert!(owners.iter().all(|count| *count <= 1), "{layout:?}");
                let words = 6 * 4 + 8 * (layout.request.entry_size + layout.response.entry_size);
                assert_eq!(owners.iter().sum::<u64>(), words);
            }
        }
    }

    #[test]
    fn cache_lines_separate_words_written_by_each_side() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            for line in [
                CacheLine::B32,
                CacheLine::B64,
                CacheLine::B128,
                CacheLine::B256,
            ] {
                let layout = Layout::new(width, line);
                let n = line.bytes();
                assert_eq!(layout.request.offset, n);
                assert_eq!(layout.channel_size % n, 0);
                for queue in [layout.request, layout.response] {
                    let end_of_entries = 8 + 8 * queue.entry_size;
                    assert_eq!(queue.offset % n, 0);
                    assert_eq!(queue.size % n, 0);
                    assert_eq!(
                        queue.idx_c - queue.offset,
                        end_of_entries.next_multiple_of(n)
                    );
                    assert_eq!(queue.offset + queue.size, queue.idx_c + n);
                }
            }
        }
    }

    #[test]
    fn slots_wrap_inside_the_queue() {
        let layout = Layout::new(PtrWidth::P4, CacheLine::None);
        assert_eq!(layout.request_entry(8), layout.request_entry(0));
        assert_eq!(layout.response_entry(u32::MAX), layout.response_entry(7));
    }

    /// Compares a layout with the compiler's layout of the same structures.
    macro_rules! same_as_the_compiler {
        ($test:ident, $word:ty, $width:expr, $line:expr, $($repr:tt)*) => {
            #[test]
            fn $test() {
                #[repr(C)]
                struct RequestEntry { action: u32, words: u32, args: [$word; 20] }
                #[repr(C)]
                struct ResponseEntry { words: u32, rets: $word }
                #[repr($($repr)*)]
                struct Index { value: u32 }
                #[repr($($repr)*)]
                struct Queue<T> { reserved: u32, idx_p: u32, entries: [T; 8], idx_c: Index }
                #[repr($($repr)*)]
                struct Channel {
                    version: u32, state: u32, request: Queue<RequestEntry>, response: Queue<ResponseEntry>,
                }
                fn queue<T>(offset: usize) -> QueueLayout {
                    QueueLayout {
                        offset: offset as u64,
                        idx_p: (offset + offset_of!(Queue<T>, idx_p)) as u64,
                        entries: (offset + offset_of!(Queue<T>, entries)) as u64,
                        entry_size: size_of::<T>() as u64,
                        idx_c: (offset + offset_of!(Queue<T>, idx_c)) as u64,
                        size: size_of::<Queue<T>>() as u64,
                    }
                }
                let compiled = Layout {
                    ptr_width: $width,
                    cache_line: $line,
                    version: offset_of!(Channel, version) as u64,
                    state: offset_of!(Channel, state) as u64,
                    request: queue::<RequestEntry>(offset_of!(Channel, request)),
                    response: queue::<ResponseEntry>(offset_of!(Channel, response)),
                    channel_size: size_of::<Channel>() as u64,
                    channel_align: align_of::<Channel>() as u64,
                };
                assert_eq!(Layout::new($width, $line), compiled);
                assert_eq!(offset_of!(RequestEntry, args), 8);
                assert_eq!(offset_of!(ResponseEntry, rets) as u64, $width.bytes());
            }
        };
    }

    same_as_the_compiler!(p4, u32, PtrWidth::P4, CacheLine::None, C);
    same_as_the_compiler!(p4_b32, u32, PtrWidth::P4, CacheLine::B32, C, align(32));
    same_as_the_compiler!(p4_b64, u32, PtrWidth::P4, CacheLine::B64, C, align(64));
    same_as_the_compiler!(p4_b128, u32, PtrWidth::P4, CacheLine::B128, C, align(128));
    same_as_the_compiler!(p4_b256, u32, PtrWidth::P4, CacheLine::B256, C, align(256));
    same_as_the_compiler!(p8, u64, PtrWidth::P8, CacheLine::None, C);
    same_as_the_compiler!(p8_b32, u64, PtrWidth::P8, CacheLine::B32, C, align(32));
    same_as_the_compiler!(p8_b64, u64, PtrWidth::P8, CacheLine::B64, C, align(64));
    same_as_the_compiler!(p8_b128, u64, PtrWidth::P8, CacheLine::B128, C, align(128));
    same_as_the_compiler!(p8_b256, u64, PtrWidth::P8, CacheLine::B256, C, align(256));
}
