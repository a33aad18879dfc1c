//! HDL objects by VPI (IEEE 1800-2017, clauses 36 to 38).
//!
//! A handle is looked up once and stored, because a look-up by name takes several times as long as
//! the access. Handles have the [lifetime](Lifetime) of their simulation. They are not released
//! after its end.

use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::slice;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::lifetime::{Lifetime, Validity};
use super::strand::CodeGuard;
use super::symbols::{
    vpi_chk_error, vpi_get, vpi_get_value, vpi_get_value_array, vpi_handle, vpi_handle_by_index,
    vpi_handle_by_name, vpi_put_value, vpi_put_value_array, vpi_release_handle,
};
use super::vecval::{Vecval, parse_binary, print_binary};
use super::vpi_control::is_product;
use super::vpi_user::{
    ARRAYS, ArrayValue, ErrorInfo, VPI_BIN_STR_VAL, VPI_ERROR, VPI_INT_VAL, VPI_LEFT_RANGE,
    VPI_NO_DELAY, VPI_RIGHT_RANGE, VPI_SIZE, VPI_TYPE, VPI_VECTOR_VAL, Value, ValueUnion,
};
use super::{Absent, c_text};

/// Error of a VPI access.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum VpiError {
    /// VPI is missing, in whole or in part.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// Error reported by the simulator.
    #[error("{symbol}: {message}")]
    Message {
        /// Function name.
        symbol: &'static str,
        /// Text of `vpi_chk_error`.
        message: String,
    },
}

/// HDL object.
#[derive(Debug)]
pub(crate) struct Object(NonNull<c_void>, Rc<Lifetime>);

impl Object {
    /// Object with a hierarchical name, if there is one.
    pub(crate) fn by_name(name: &str) -> Result<Option<Self>, VpiError> {
        let by_name = vpi_handle_by_name.get()?;
        let mut text = c_text(name).into_bytes_with_nul();
        // SAFETY: the name is NUL-terminated, and a NULL scope means the whole design.
        let handle = unsafe { by_name(text.as_mut_ptr().cast(), ptr::null_mut()) };
        let handle = NonNull::new(handle);
        Ok(handle.map(|handle| Self(handle, Rc::new(Lifetime::of_object(name)))))
    }

    /// Object of a handle that is valid as long as the design.
    pub(super) fn of_design(handle: NonNull<c_void>) -> Self {
        Self(handle, Rc::new(Lifetime::of_object("")))
    }

    /// State of the object's simulation. The handle may be used only while that is alive.
    pub(crate) fn validity(&self) -> Validity {
        self.1.validity()
    }

    /// Element `index` of an array, if there is one.
    pub(crate) fn element(&self, index: i32) -> Result<Option<Self>, VpiError> {
        let by_index = vpi_handle_by_index.get()?;
        // SAFETY: the handle is the simulator's, and was not released.
        let handle = unsafe { by_index(self.0.as_ptr(), index) };
        Ok(self.beside(handle))
    }

    /// Object of a handle that was obtained through this one.
    fn beside(&self, handle: *mut c_void) -> Option<Self> {
        NonNull::new(handle).map(|handle| Self(handle, self.1.clone()))
    }

    /// Width of a vector in bits, 0 if unknown; `None` for an array, whose size counts elements.
    pub(crate) fn bits(&self) -> Result<Option<u64>, VpiError> {
        if ARRAYS.contains(&self.get(VPI_TYPE)?) {
            return Ok(None);
        }
        // vpiUndefined is -1.
        Ok(Some(u64::try_from(self.get(VPI_SIZE)?).unwrap_or(0)))
    }

    fn get(&self, property: i32) -> Result<i32, VpiError> {
        let get = vpi_get.get()?;
        // SAFETY: as in `element`.
        Ok(unsafe { get(property, self.0.as_ptr()) })
    }

    /// True for an array declared from the lowest index to the highest, such as `[0:7]`.
    pub(crate) fn ascends(&self) -> Result<bool, VpiError> {
        Ok(self.range()?.is_some_and(|(left, right)| left <= right))
    }

    /// Lowest index of an array's elements, 0 if unknown.
    pub(crate) fn least_index(&self) -> Result<i32, VpiError> {
        Ok(self.range()?.map_or(0, |(left, right)| left.min(right)))
    }

    /// Lowest index and number of elements of an array; index 0 and vpiSize elements if the range
    /// is unknown.
    pub(super) fn extent(&self) -> Result<(i32, u64), VpiError> {
        Ok(match self.range()? {
            Some((left, right)) => (left.min(right), u64::from(left.abs_diff(right)) + 1),
            None => (0, u64::try_from(self.get(VPI_SIZE)?).unwrap_or(0)),
        })
    }

    /// Rows and columns of an array of arrays; `None` for another object, or if the simulator does
    /// not provide them.
    pub(crate) fn dims(&self) -> Result<Option<(u64, u64)>, VpiError> {
        let Some((left, right)) = self.range()? else {
            return Ok(None);
        };
        let Some(row) = self.element(left.min(right))? else {
            return Ok(None);
        };
        // The range of a word is the range of its bits.
        if row.bits()?.is_some() {
            return Ok(None);
        }
        let len = |left: i32, right: i32| u64::from(left.abs_diff(right)) + 1;
        let cols = row.range()?;
        Ok(cols.map(|cols| (len(left, right), len(cols.0, cols.1))))
    }

    /// Left and right bound of an array's first dimension.
    fn range(&self) -> Result<Option<(i32, i32)>, VpiError> {
        let bounds = (self.bound(VPI_LEFT_RANGE)?, self.bound(VPI_RIGHT_RANGE)?);
        Ok(match bounds {
            (Some(left), Some(right)) => Some((left, right)),
            _ => None,
        })
    }

    fn bound(&self, side: i32) -> Result<Option<i32>, VpiError> {
        let (handle, get_value) = (vpi_handle.get()?, vpi_get_value.get()?);
        // SAFETY: as in `element`.
        let bound = unsafe { handle(side, self.0.as_ptr()) };
        let Some(bound) = self.beside(bound) else {
            return Ok(None);
        };
        let mut value = Value {
            format: VPI_INT_VAL,
            value: ValueUnion { integer: 0 },
        };
        // SAFETY: the handle is the simulator's, and `value` is valid during the call.
        unsafe { get_value(bound.0.as_ptr(), &mut value) };
        if value.format != VPI_INT_VAL {
            return Ok(None);
        }
        // SAFETY: the format determines this member.
        Ok(Some(unsafe { value.value.integer }))
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.validity() != Validity::Valid {
            return;
        }
        if let Ok(release) = vpi_release_handle.get() {
            // SAFETY: the handle is the simulator's, and this is its last use.
            unsafe { release(self.0.as_ptr()) };
        }
    }
}

/// Vector: an object whose value has a fixed number of vecvals. Simulators without vecvals
/// represent it as binary digits.
#[derive(Debug)]
pub(crate) struct Vector {
    object: Object,
    bits: u64,
    vecvals: usize,
}

/// True if the simulator has texts of binary digits instead of vecvals.
static BY_TEXT: AtomicBool = AtomicBool::new(false);

/// Recognises a simulator that reports an error for each query of a vector.
fn detect_text_values() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if is_product("GHDL") {
            BY_TEXT.store(true, Ordering::Relaxed);
        }
    });
}

impl Vector {
    /// Vector of an object; `None` for an array, because the simulator would return the value of
    /// one element.
    pub(crate) fn new(object: Object) -> Result<Option<Self>, VpiError> {
        let bits = object.bits()?;
        detect_text_values();
        Ok(bits.map(|bits| Self {
            object,
            bits,
            vecvals: bits.div_ceil(32) as usize,
        }))
    }

    /// Width in bits; 0 if unknown.
    pub(crate) fn bits(&self) -> u64 {
        self.bits
    }

    /// Length of the value in vecvals.
    pub(crate) fn vecvals(&self) -> usize {
        self.vecvals
    }

    /// Reads the value into `to`, which has its length.
    pub(crate) fn read(&self, to: &mut [Vecval]) -> Result<(), VpiError> {
        assert_eq!(to.len(), self.vecvals, "a vector is read as a whole");
        if BY_TEXT.load(Ordering::Relaxed) {
            return self.read_text(to);
        }
        let Some(value) = self.object.value(VPI_VECTOR_VAL)? else {
            self.read_text(to)?;
            BY_TEXT.store(true, Ordering::Relaxed);
            return Ok(());
        };
        // SAFETY: the simulator has set this member.
        let vector = unsafe { value.vector };
        // SAFETY: the simulator's vector has a vecval for each 32 bits of the object, whose size
        // was queried.
        to.copy_from_slice(unsafe { slice::from_raw_parts(vector, to.len()) });
        Ok(())
    }

    /// Reads the value as binary digits.
    fn read_text(&self, to: &mut [Vecval]) -> Result<(), VpiError> {
        let value = self.object.value(VPI_BIN_STR_VAL)?;
        let value = value.ok_or_else(|| no_value("vpi_get_value"))?;
        // SAFETY: the simulator has set this member.
        let text = unsafe { value.text };
        // SAFETY: the simulator returns a NUL-terminated text, which is valid until its next call.
        let digits = unsafe { CStr::from_ptr(text) };
        match parse_binary(digits.to_bytes(), to) {
            true => Ok(()),
            false => Err(no_value("vpi_get_value")),
        }
    }

    /// Sets the value by binary digits.
    fn write_text(&self, from: &[Vecval]) -> Result<(), VpiError> {
        let digits = c_text(&print_binary(from, self.bits));
        let text = digits.as_ptr().cast_mut();
        // SAFETY: the text outlives the call.
        unsafe { self.object.set_value(VPI_BIN_STR_VAL, ValueUnion { text }) }
    }

    /// Sets the value from `from`, which has its length.
    pub(crate) fn write(&self, from: &mut [Vecval]) -> Result<(), VpiError> {
        assert_eq!(from.len(), self.vecvals, "a vector is written as a whole");
        if BY_TEXT.load(Ordering::Relaxed) {
            return self.write_text(from);
        }
        let vector = from.as_mut_ptr();
        // SAFETY: the vector has a vecval for each 32 bits of the object.
        unsafe { self.object.set_value(VPI_VECTOR_VAL, ValueUnion { vector }) }
    }
}

impl Object {
    /// Value in a format whose member of the union is a pointer. `None` if the simulator returns
    /// NULL or another format. It is valid until the simulator's next call.
    fn value(&self, format: i32) -> Result<Option<ValueUnion>, VpiError> {
        let get_value = vpi_get_value.get()?;
        let mut value = Value {
            format,
            value: ValueUnion {
                vector: ptr::null_mut(),
            },
        };
        let foreign = CodeGuard::foreign();
        // SAFETY: the handle is the simulator's, and `value` is there for the call.
        unsafe { get_value(self.0.as_ptr(), &mut value) };
        drop(foreign);
        succeeded("vpi_get_value")?;
        // SAFETY: the bytes of a pointer were initialised before, whichever member the simulator
        // has set.
        let is_null = unsafe { value.value.vector }.is_null();
        Ok((value.format == format && !is_null).then_some(value.value))
    }

    /// Sets the value.
    ///
    /// # Safety
    /// The format's member of the union is a value with the object's width, which is valid during
    /// the call.
    unsafe fn set_value(&self, format: i32, value: ValueUnion) -> Result<(), VpiError> {
        let put_value = vpi_put_value.get()?;
        let mut value = Value { format, value };
        let foreign = CodeGuard::foreign();
        // SAFETY: the handle is the simulator's, the value is as promised, and no time is needed
        // without a delay.
        unsafe { put_value(self.0.as_ptr(), &mut value, ptr::null_mut(), VPI_NO_DELAY) };
        drop(foreign);
        succeeded("vpi_put_value")
    }
}

/// Access to runs of array elements, one call each.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    array: &'a Object,
    vecvals: usize,
}

impl<'a> Elements<'a> {
    /// Access to an array with elements like this one.
    pub(crate) fn new(array: &'a Object, like: &Vector) -> Self {
        Self {
            array,
            vecvals: like.vecvals,
        }
    }

    /// Reads elements starting at `first` to fill `to`.
    pub(crate) fn read(&self, first: i32, to: &mut [Vecval]) -> Result<(), VpiError> {
        let get_array = vpi_get_value_array.get()?;
        let count = self.count(to);
        let mut value = ArrayValue {
            format: VPI_VECTOR_VAL as u32,
            flags: 0,
            vectors: ptr::null_mut(),
        };
        let mut index = first;
        let foreign = CodeGuard::foreign();
        // SAFETY: the handle is the simulator's, and `value` and `index` are there for the call;
        // without flags the simulator provides the room.
        unsafe { get_array(self.array.0.as_ptr(), &mut value, &mut index, count) };
        drop(foreign);
        succeeded("vpi_get_value_array")?;
        if value.vectors.is_null() {
            return Err(no_value("vpi_get_value_array"));
        }
        // SAFETY: the simulator has returned `count` elements, each with the vecvals of one
        // element, whose size was queried.
        to.copy_from_slice(unsafe { slice::from_raw_parts(value.vectors, to.len()) });
        Ok(())
    }

    /// Sets elements starting at `first` from `from`.
    pub(crate) fn write(&self, first: i32, from: &mut [Vecval]) -> Result<(), VpiError> {
        let put_array = vpi_put_value_array.get()?;
        let count = self.count(from);
        let mut value = ArrayValue {
            format: VPI_VECTOR_VAL as u32,
            flags: 0,
            vectors: from.as_mut_ptr(),
        };
        let mut index = first;
        let foreign = CodeGuard::foreign();
        // SAFETY: the handle is the simulator's, and there is a value for each of the `count`
        // elements.
        unsafe { put_array(self.array.0.as_ptr(), &mut value, &mut index, count) };
        drop(foreign);
        succeeded("vpi_put_value_array")
    }

    fn count(&self, values: &[Vecval]) -> u32 {
        assert!(
            values.len().is_multiple_of(self.vecvals),
            "elements are moved as a whole"
        );
        (values.len() / self.vecvals) as u32
    }
}

/// Error of the last VPI call, if the simulator reports it.
fn succeeded(symbol: &'static str) -> Result<(), VpiError> {
    let Ok(chk_error) = vpi_chk_error.get() else {
        return Ok(());
    };
    let mut info = ErrorInfo {
        state: 0,
        level: 0,
        message: ptr::null_mut(),
        product: ptr::null_mut(),
        code: ptr::null_mut(),
        file: ptr::null_mut(),
        line: 0,
    };
    // SAFETY: `info` is valid during the call.
    let level = unsafe { chk_error(&mut info) };
    if level < VPI_ERROR {
        return Ok(());
    }
    let message = if info.message.is_null() {
        "the simulator gives no reason".to_owned()
    } else {
        // SAFETY: the simulator's message is NUL-terminated text that is valid until its next call.
        let text = unsafe { CStr::from_ptr(info.message) };
        text.to_string_lossy().trim_end().to_owned()
    };
    Err(VpiError::Message { symbol, message })
}

fn no_value(symbol: &'static str) -> VpiError {
    let message = "it returns no vector value".to_owned();
    VpiError::Message { symbol, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_functions_are_named() {
        let error = Object::by_name("top.ram").unwrap_err();
        let symbol = "vpi_handle_by_name";
        assert_eq!(error, VpiError::Absent(Absent { symbol }));
    }
}
