//! Counting allocator: bytes in use, and their peak.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with counters.
pub(crate) struct Counted;

/// Allocated bytes.
pub(crate) fn held() -> usize {
    HELD.load(Relaxed)
}

/// Peak of allocated bytes.
pub(crate) fn peak() -> usize {
    PEAK.load(Relaxed)
}

/// Counts an allocation unless it failed.
fn grown(at: *mut u8, by: usize) -> *mut u8 {
    if !at.is_null() {
        PEAK.fetch_max(HELD.fetch_add(by, Relaxed) + by, Relaxed);
    }
    at
}

// SAFETY: every call is the system allocator's own, and the caller's guarantees are unchanged.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        grown(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        grown(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        let moved = grown(unsafe { System.realloc(at, layout, size) }, size);
        if !moved.is_null() {
            // Both may have been allocated at the same time.
            HELD.fetch_sub(layout.size(), Relaxed);
        }
        moved
    }
}
