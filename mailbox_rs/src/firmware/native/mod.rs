//! Channel in the program's own memory. The only file with `unsafe` in this crate.
#![allow(
    unsafe_code,
    reason = "the host changes a channel's memory behind the program's back: accesses are volatile"
)]

use core::cell::UnsafeCell;

use super::Words;
use crate::layout::{CacheLine, Layout, PtrWidth};

/// Channel in the program's own memory and pointer width.
#[derive(Debug)]
pub struct Native {
    base: *mut u32,
    layout: Layout,
}

impl Native {
    /// Channel at `base`.
    ///
    /// # Safety
    ///
    /// From `base`, aligned to the layout's `channel_align`, `channel_size` bytes are readable and
    /// writable while the value is used. No reference to them exists, and only the host and this
    /// hart (CPU) access them meanwhile.
    #[must_use]
    pub const unsafe fn new(base: *mut u32, cache_line: CacheLine) -> Self {
        Self {
            base,
            layout: Layout::new(PtrWidth::NATIVE, cache_line),
        }
    }

    /// Address of the word at `offset`; `None` outside of the channel.
    fn word(&self, offset: u64) -> Option<*mut u32> {
        let inside = offset < self.layout.channel_size && offset.is_multiple_of(4);
        inside.then(|| self.base.wrapping_byte_add(offset as usize))
    }
}

// SAFETY: it is the only access to the channel on the firmware's side, which `new` demands, on any
// thread.
unsafe impl Send for Native {}

/// Offsets outside of the channel read as 0; writes to them are ignored.
impl Words for Native {
    fn load(&self, offset: u64) -> u32 {
        self.word(offset).map_or(0, |word| {
            // SAFETY: `word` is in the channel and aligned; `new` demands that it is readable.
            u32::from_le(unsafe { word.read_volatile() })
        })
    }

    fn store(&self, offset: u64, value: u32) {
        if let Some(word) = self.word(offset) {
            // SAFETY: `word` is in the channel and aligned; `new` demands that it is writable.
            unsafe { word.write_volatile(value.to_le()) }
        }
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn base(&self) -> u64 {
        self.base.expose_provenance() as u64
    }
}

/// Memory for channels, to be placed in section `.mailbox`.
///
/// ```
/// # #![allow(unsafe_code)]
/// use mailbox_rs::firmware::{Client, NoHooks, Region};
/// use mailbox_rs::{CacheLine, Layout, PtrWidth};
///
/// const SIZE: usize = Layout::new(PtrWidth::NATIVE, CacheLine::None).channel_size as usize;
///
/// #[unsafe(link_section = ".mailbox")]
/// static MAILBOX: Region<SIZE> = Region::new();
///
/// // SAFETY: this is the only client of channel 0.
/// let channel = unsafe { MAILBOX.channel(0, CacheLine::None) };
/// let client = channel.map(|channel| Client::new(channel, NoHooks));
/// # assert!(client.is_some());
/// ```
///
/// [`note!`](crate::note) informs the host about the channels in the image.
///
/// For several channels, `BYTES` must be a multiple of the channel size.
#[derive(Debug)]
#[repr(C, align(256))]
pub struct Region<const BYTES: usize> {
    bytes: UnsafeCell<[u8; BYTES]>,
}

impl<const BYTES: usize> Region<BYTES> {
    /// Zeroed memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: UnsafeCell::new([0; BYTES]),
        }
    }

    /// Channel number `mb_id`; `None` past the end.
    ///
    /// # Safety
    ///
    /// Of the values that were returned for the same bytes, only one is used at a time.
    #[must_use]
    pub unsafe fn channel(&'static self, mb_id: usize, cache_line: CacheLine) -> Option<Native> {
        let size = Layout::new(PtrWidth::NATIVE, cache_line).channel_size as usize;
        let offset = mb_id.checked_mul(size)?;
        if offset.checked_add(size)? > BYTES {
            return None;
        }
        let base = self.bytes.get().wrapping_byte_add(offset).cast();
        // SAFETY: the channel lies in this static region, which is aligned for every cache line and
        // hands out no reference. The caller promises that no other code on this side uses it.
        Some(unsafe { Native::new(base, cache_line) })
    }
}

impl<const BYTES: usize> Default for Region<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: the bytes are accessed only through a `Native`, and `channel` demands that only one is
// used at a time.
unsafe impl<const BYTES: usize> Sync for Region<BYTES> {}

/// Puts an [`ImageNote`](crate::ImageNote) into the image. The host compares its configuration with
/// it: cache line, and number of channels.
///
/// ```
/// # #![allow(unsafe_code)]
/// use mailbox_rs::CacheLine;
///
/// mailbox_rs::note!(CacheLine::B64, 1);
/// ```
#[macro_export]
macro_rules! note {
    ($cache_line:expr, $channels:expr) => {
        const _: () = {
            #[repr(C, align(4))]
            struct Note([u8; $crate::NOTE_SIZE]);

            #[used]
            #[unsafe(link_section = ".note.vhost")]
            static NOTE: Note = Note($crate::ImageNote::native($cache_line, $channels).to_bytes());
        };
    };
}

#[cfg(test)]
mod tests;
