//! Content of the memories in this process. A simulator saves its own memories.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::CheckpointError;
use crate::backend::Backends;
use crate::mem::Buffer;

/// Name of the part with the memories.
pub(super) const MEMORIES: &str = "memories";

/// Length of a page in bytes. Pages of zeros are omitted.
const PAGE: usize = 4096;

/// Content of one memory.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedMemory {
    name: String,
    /// Buffers, in the order of the HDL instances.
    buffers: Vec<SavedBuffer>,
}

/// Content of one buffer.
#[derive(Debug, Serialize, Deserialize)]
struct SavedBuffer {
    /// Size in bytes.
    size: u64,
    /// Pages that are not all zeros, by number, in ascending order. The last one may be shorter.
    pages: Vec<(u64, Bytes)>,
}

/// Content of all memories that have bytes in this process.
pub(super) fn saved(memories: &Backends) -> Vec<SavedMemory> {
    let all = memories.map().numbered();
    let own = all.filter_map(|(id, memory)| {
        let buffers = memories.buffers(id);
        (!buffers.is_empty()).then(|| SavedMemory {
            name: memory.name.clone(),
            buffers: buffers.iter().map(saved_buffer).collect(),
        })
    });
    own.collect()
}

fn saved_buffer(buffer: &Buffer) -> SavedBuffer {
    let numbered = (0..).zip(buffer.cells().chunks(PAGE));
    let pages = numbered.filter(|(_, cells)| cells.iter().any(|cell| cell.get() != 0));
    SavedBuffer {
        size: buffer.len() as u64,
        pages: pages
            .map(|(number, cells)| (number, cells.iter().map(|cell| cell.get()).collect()))
            .collect(),
    }
}

/// Fails unless the content fits the memories.
pub(super) fn check(memories: &Backends, content: &[SavedMemory]) -> Result<(), CheckpointError> {
    let fits = |buffer: &Buffer, saved: &SavedBuffer| {
        let size = buffer.len();
        let is_page = |(number, bytes): &(u64, Bytes)| {
            let start = usize::try_from(*number).ok();
            let start = start.and_then(|number| number.checked_mul(PAGE));
            let end = start.and_then(|start| start.checked_add(bytes.len()));
            bytes.len() <= PAGE && end.is_some_and(|end| end <= size)
        };
        saved.size == size as u64 && saved.pages.iter().all(is_page)
    };
    let mut saved = content.iter();
    for (id, memory) in memories.map().numbered() {
        let buffers = memories.buffers(id);
        if buffers.is_empty() {
            continue;
        }
        let found = saved.next().filter(|saved| {
            let pairs = || buffers.iter().zip(&saved.buffers);
            saved.name == memory.name
                && saved.buffers.len() == buffers.len()
                && pairs().all(|(buffer, saved)| fits(buffer, saved))
        });
        if found.is_none() {
            let cause = format!("it does not have memory `{}` as it is here", memory.name);
            return Err(CheckpointError::Content {
                part: MEMORIES.to_owned(),
                cause,
            });
        }
    }
    Ok(())
}

/// Replaces the content of the memories by one that [fits](check).
pub(super) fn restore(memories: &Backends, content: &[SavedMemory]) {
    let own = memories.map().numbered();
    let own = own.map(|(id, _)| memories.buffers(id));
    let own = own.filter(|buffers| !buffers.is_empty());
    for (buffers, saved) in own.zip(content) {
        for (buffer, saved) in buffers.iter().zip(&saved.buffers) {
            restore_buffer(buffer, saved);
        }
    }
}

fn restore_buffer(buffer: &Buffer, saved: &SavedBuffer) {
    let mut pages = saved.pages.iter().peekable();
    for (number, cells) in (0..).zip(buffer.cells().chunks(PAGE)) {
        let offset = number as usize * PAGE;
        let page = pages.next_if(|(at, _)| *at == number);
        let is_zero = || cells.iter().all(|cell| cell.get() == 0);
        // Pages of zeros that were never written take no memory.
        let written = match page {
            Some((_, bytes)) => buffer.write(offset, bytes),
            None if is_zero() => true,
            None => buffer.write(offset, &vec![0; cells.len()]),
        };
        debug_assert!(written, "a page is in its buffer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_zeros_are_left_out_and_come_back() {
        let buffer = Buffer::new(3 * PAGE as u64 + 5).unwrap();
        assert!(buffer.write(PAGE + 7, &[1, 2, 3]));
        assert!(buffer.write(3 * PAGE + 4, &[9]));
        let saved = saved_buffer(&buffer);
        let numbers = saved
            .pages
            .iter()
            .map(|(number, bytes)| (*number, bytes.len()));
        assert_eq!(numbers.collect::<Vec<_>>(), [(1, PAGE), (3, 5)]);
        let other = Buffer::new(3 * PAGE as u64 + 5).unwrap();
        assert!(other.write(0, &[7; 2 * PAGE]));
        restore_buffer(&other, &saved);
        let bytes = |buffer: &Buffer| buffer.cells().iter().map(|it| it.get()).collect::<Vec<_>>();
        assert_eq!(bytes(&other), bytes(&buffer));
    }
}
