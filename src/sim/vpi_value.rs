//! Values of variables, events and results by VPI.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::symbols::{vpi_get, vpi_put_value};
use super::vecval::Vecval;
use super::vpi_user::{
    VPI_NAMED_EVENT, VPI_NO_DELAY, VPI_SIZE, VPI_STRING_VAL, VPI_TYPE, VPI_VECTOR_VAL, Value,
    ValueUnion,
};
use super::{Absent, c_text};

/// Variable or event of the design, which is valid as long as the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trigger(NonNull<c_void>);

impl Trigger {
    /// Trigger of a handle that is valid as long as the design.
    pub(super) fn of(handle: NonNull<c_void>) -> Self {
        Self(handle)
    }

    /// Triggers an event, or sets a variable to a number.
    pub(super) fn pull(self, number: u32) -> Result<(), Absent> {
        put_number(self.0, number.into())
    }
}

/// Sets a variable to a number; triggers an event.
pub(super) fn put_number(handle: NonNull<c_void>, number: u64) -> Result<(), Absent> {
    let mut vector = vec![Vecval::default(); vecvals(handle)?.max(2)];
    vector[0].aval = number as u32;
    vector[1].aval = (number >> 32) as u32;
    let vector = vector.as_mut_ptr();
    put(handle, VPI_VECTOR_VAL, ValueUnion { vector })
}

/// Sets the result of a function with up to 64 bits.
pub(super) fn put_result(handle: NonNull<c_void>, number: u64) -> Result<(), Absent> {
    let word = |aval| Vecval { aval, bval: 0 };
    let mut vector = [word(number as u32), word((number >> 32) as u32)];
    let vector = vector.as_mut_ptr();
    put(handle, VPI_VECTOR_VAL, ValueUnion { vector })
}

/// Sets a variable to a text.
pub(super) fn put_text(handle: NonNull<c_void>, text: &str) -> Result<(), Absent> {
    let text = c_text(text);
    let text = text.as_ptr().cast_mut();
    put(handle, VPI_STRING_VAL, ValueUnion { text })
}

/// Width of a variable in vecvals.
fn vecvals(handle: NonNull<c_void>) -> Result<usize, Absent> {
    let get = vpi_get.get()?;
    // SAFETY: the handle is the simulator's.
    let kind = unsafe { get(VPI_TYPE, handle.as_ptr()) };
    // Icarus Verilog ends if it is queried for a property that an object lacks.
    if kind == VPI_NAMED_EVENT {
        return Ok(1);
    }
    // SAFETY: as above.
    let bits = unsafe { get(VPI_SIZE, handle.as_ptr()) };
    Ok(usize::try_from(bits).unwrap_or(1).div_ceil(32))
}

fn put(handle: NonNull<c_void>, format: i32, value: ValueUnion) -> Result<(), Absent> {
    let put = vpi_put_value.get()?;
    let mut value = Value { format, value };
    // SAFETY: the handle is the simulator's, the value has its full width, and no time is needed
    // without a delay.
    unsafe { put(handle.as_ptr(), &mut value, ptr::null_mut(), VPI_NO_DELAY) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_simulator_nothing_is_put() {
        let handle = NonNull::dangling();
        let absent = |symbol| Err(Absent { symbol });
        assert_eq!(put_number(handle, 1), absent("vpi_get"));
        assert_eq!(put_result(handle, 1), absent("vpi_put_value"));
        assert_eq!(put_text(handle, "text"), absent("vpi_put_value"));
    }
}
