//! Black-box memories of a C model, behind `__vhost_bb_mem_*`.

use super::Absent;
use super::strand::CodeGuard;
use super::symbols::{__vhost_bb_mem_read, __vhost_bb_mem_write};

/// Reads from the C model of the memory at `base`; `address` is absolute. Returns the number of
/// bytes moved.
pub(crate) fn api_read(base: u64, address: u64, buffer: &mut [u8]) -> Result<usize, Absent> {
    let read = __vhost_bb_mem_read.get()?;
    let _foreign = CodeGuard::foreign();
    // SAFETY: the model writes at most as many bytes as `buffer` has.
    Ok(unsafe { read(base, address, buffer.as_mut_ptr(), buffer.len()) })
}

/// As [`api_read`], for polls. `is_settled` is true in a tick of a settled system. Returns
/// `usize::MAX` without a model.
#[inline]
pub(crate) fn api_peek(base: u64, address: u64, buffer: &mut [u8], is_settled: bool) -> usize {
    match __vhost_bb_mem_read.known() {
        Some(read) if is_settled => {
            let _foreign = CodeGuard::foreign_in_poll();
            // SAFETY: the model writes at most as many bytes as `buffer` has.
            unsafe { read(base, address, buffer.as_mut_ptr(), buffer.len()) }
        }
        _ => first_peek(base, address, buffer),
    }
}

/// First poll, and polls outside of a settled tick.
#[cold]
#[inline(never)]
fn first_peek(base: u64, address: u64, buffer: &mut [u8]) -> usize {
    api_read(base, address, buffer).unwrap_or(usize::MAX)
}

/// Writes to the C model of the memory at `base`; `address` is absolute. Returns the number of
/// bytes moved.
pub(crate) fn api_write(base: u64, address: u64, data: &[u8]) -> Result<usize, Absent> {
    let write = __vhost_bb_mem_write.get()?;
    let _foreign = CodeGuard::foreign();
    // SAFETY: the model reads at most as many bytes as `data` has.
    Ok(unsafe { write(base, address, data.as_ptr(), data.len()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_functions_are_named() {
        let symbol = "__vhost_bb_mem_read";
        assert_eq!(api_read(0, 0, &mut [0]), Err(Absent { symbol }));
        assert_eq!(api_peek(0, 0, &mut [0], true), usize::MAX);
        let symbol = "__vhost_bb_mem_write";
        assert_eq!(api_write(0, 0, &[0]), Err(Absent { symbol }));
    }
}
