//! Open array `byte unsigned data[]` of the caller of an imported function.

use std::ffi::{c_int, c_void};
use std::ptr;

use thiserror::Error;

use super::Absent;
use super::symbols::{svGetArrElemPtr1, svGetArrayPtr, svLow, svSize};

/// One-dimensional open array of bytes.
#[derive(Debug)]
pub(crate) struct OpenArray {
    handle: *mut c_void,
    size: c_int,
    len: usize,
}

/// Error of an open array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ArrayError {
    /// Missing simulator function.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// No dimension, or a negative size.
    #[error("`svSize` returned {0} elements")]
    Size(c_int),
    /// No address for an element.
    #[error("the simulator gives no access to element {0} of the array")]
    Element(c_int),
}

/// Dimension number of a one-dimensional unpacked array.
const DIMENSION: c_int = 1;

impl OpenArray {
    /// Creates the access to the open array of a handle.
    ///
    /// # Safety
    /// The handle is the simulator's handle of a one-dimensional array of bytes in the current
    /// call.
    pub(crate) unsafe fn new(handle: *mut c_void) -> Result<Self, ArrayError> {
        let size = svSize.get()?;
        // SAFETY: the handle is the simulator's.
        let size = unsafe { size(handle, DIMENSION) };
        let len = usize::try_from(size).map_err(|_| ArrayError::Size(size))?;
        Ok(Self { handle, size, len })
    }

    /// Size in bytes, as an `int` of the simulator.
    pub(crate) fn size(&self) -> c_int {
        self.size
    }

    /// Size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Copies the bytes.
    pub(crate) fn to_vec(&self) -> Result<Vec<u8>, ArrayError> {
        let mut bytes = vec![0; self.len];
        if let Some(elements) = self.elements()? {
            // SAFETY: the array has that many consecutive bytes, which do not overlap ours.
            unsafe { ptr::copy_nonoverlapping(elements, bytes.as_mut_ptr(), self.len) };
        } else {
            for (byte, index) in bytes.iter_mut().zip(self.first()..) {
                let element = self.element(index)?;
                // SAFETY: it is the address of one byte.
                *byte = unsafe { element.read() };
            }
        }
        Ok(bytes)
    }

    /// Overwrites the first bytes of the array, up to the shorter of the two lengths.
    pub(crate) fn fill(&self, bytes: &[u8]) -> Result<(), ArrayError> {
        let len = bytes.len().min(self.len);
        if let Some(elements) = self.elements()? {
            // SAFETY: the array has at least that many consecutive bytes, which do not overlap
            // ours.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), elements, len) };
        } else {
            for (byte, index) in bytes[..len].iter().zip(self.first()..) {
                let element = self.element(index)?;
                // SAFETY: it is the address of one byte.
                unsafe { element.write(*byte) };
            }
        }
        Ok(())
    }

    /// Bytes in C's layout, lowest index first; `None` if the simulator has another layout.
    fn elements(&self) -> Result<Option<*mut u8>, ArrayError> {
        let elements = svGetArrayPtr.get()?;
        // SAFETY: the handle is the simulator's.
        let elements = unsafe { elements(self.handle) };
        Ok((!elements.is_null()).then_some(elements.cast()))
    }

    fn element(&self, index: c_int) -> Result<*mut u8, ArrayError> {
        let element = svGetArrElemPtr1.get()?;
        // SAFETY: the handle is the simulator's, which checks the index.
        let element = unsafe { element(self.handle, index) };
        if element.is_null() {
            return Err(ArrayError::Element(index));
        }
        Ok(element.cast())
    }

    /// Lowest index of the caller's array, which may differ from 0.
    fn first(&self) -> c_int {
        svLow.get().map_or(0, |low| {
            // SAFETY: the handle is the simulator's.
            unsafe { low(self.handle, DIMENSION) }
        })
    }
}
