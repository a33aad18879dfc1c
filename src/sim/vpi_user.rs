//! Constants and structures of `vpi_user.h` and `sv_vpi_user.h` (IEEE 1800-2017, annexes K and M).

use std::ffi::{c_char, c_void};

use super::vecval::Vecval;

// Results and calls of system tasks.
pub(super) const VPI_SYS_TASK: i32 = 1;
pub(super) const VPI_SYS_FUNC: i32 = 2;
pub(super) const VPI_INT_FUNC: i32 = 1;
pub(super) const VPI_SIZED_FUNC: i32 = 4;
pub(super) const VPI_SYS_TF_CALL: i32 = 85;

// Types of objects.
pub(super) const VPI_CONSTANT: i32 = 7;
const VPI_MEMORY: i32 = 29;
pub(super) const VPI_MODULE: i32 = 32;
pub(super) const VPI_NAMED_EVENT: i32 = 34;
const VPI_NET_ARRAY: i32 = 114;
pub(super) const VPI_PARAMETER: i32 = 41;
const VPI_REG_ARRAY: i32 = 116;
pub(super) const VPI_STRING_VAR: i32 = 616;

/// Types of arrays: memories, nets, variables.
pub(super) const ARRAYS: [i32; 3] = [VPI_MEMORY, VPI_NET_ARRAY, VPI_REG_ARRAY];

// Relations of objects.
pub(super) const VPI_ARGUMENT: i32 = 89;
pub(super) const VPI_LEFT_RANGE: i32 = 79;
pub(super) const VPI_RIGHT_RANGE: i32 = 83;
pub(super) const VPI_SCOPE: i32 = 84;

// Properties of objects.
pub(super) const VPI_TYPE: i32 = 1;
pub(super) const VPI_FULL_NAME: i32 = 3;
pub(super) const VPI_SIZE: i32 = 4;
pub(super) const VPI_FILE: i32 = 5;
pub(super) const VPI_LINE: i32 = 6;
pub(super) const VPI_CONST_TYPE: i32 = 40;
pub(super) const VPI_SIGNED: i32 = 65;

// Types of constants.
pub(super) const VPI_REAL_CONST: i32 = 2;
pub(super) const VPI_STRING_CONST: i32 = 6;

// Formats of values.
pub(super) const VPI_BIN_STR_VAL: i32 = 1;
pub(super) const VPI_INT_VAL: i32 = 6;
pub(super) const VPI_STRING_VAL: i32 = 8;
pub(super) const VPI_VECTOR_VAL: i32 = 9;

// Others: delay, time, control, level of an error.
pub(super) const VPI_NO_DELAY: i32 = 1;
pub(super) const VPI_SIM_TIME: i32 = 2;
pub(super) const VPI_FINISH: i32 = 67;
pub(super) const VPI_ERROR: i32 = 3;

// Reasons of callbacks.
pub(super) const CB_END_OF_SIMULATION: i32 = 12;
pub(super) const CB_START_OF_RESET: i32 = 19;

/// `s_vpi_value`, only with its members for vectors, integers and texts.
#[repr(C)]
pub(super) struct Value {
    pub(super) format: i32,
    pub(super) value: ValueUnion,
}

#[repr(C)]
pub(super) union ValueUnion {
    pub(super) integer: i32,
    pub(super) text: *mut c_char,
    pub(super) vector: *mut Vecval,
    /// Widest member, which makes the union large enough for any.
    pub(super) real: f64,
}

/// `s_vpi_arrayvalue`.
#[repr(C)]
pub(super) struct ArrayValue {
    pub(super) format: u32,
    pub(super) flags: u32,
    pub(super) vectors: *mut Vecval,
}

/// `s_vpi_error_info`.
#[repr(C)]
pub(super) struct ErrorInfo {
    pub(super) state: i32,
    pub(super) level: i32,
    pub(super) message: *mut c_char,
    pub(super) product: *mut c_char,
    pub(super) code: *mut c_char,
    pub(super) file: *mut c_char,
    pub(super) line: i32,
}

/// `svTimeVal` of `svdpi.h`, which is `s_vpi_time` of `vpi_user.h`.
#[repr(C)]
#[derive(Default)]
pub(super) struct Time {
    pub(super) kind: i32,
    pub(super) high: u32,
    pub(super) low: u32,
    pub(super) real: f64,
}

/// `s_cb_data` of `vpi_user.h`.
#[repr(C)]
pub(super) struct CallbackData {
    pub(super) reason: i32,
    pub(super) function: extern "C" fn(*mut CallbackData) -> i32,
    pub(super) object: *mut c_void,
    pub(super) time: *mut c_void,
    pub(super) value: *mut c_void,
    pub(super) index: i32,
    pub(super) user_data: *mut c_char,
}

/// `s_vpi_systf_data` of `vpi_user.h`.
#[repr(C)]
pub(super) struct SystemTaskData {
    /// Task or function.
    pub(super) kind: i32,
    /// Type of a function's result.
    pub(super) result: i32,
    pub(super) name: *const c_char,
    /// Callback in each call.
    pub(super) call: Option<extern "C" fn(*mut c_char) -> i32>,
    /// Callback for each call in the source, before the simulation.
    pub(super) check: Option<extern "C" fn(*mut c_char) -> i32>,
    /// Width of a function's result in bits.
    pub(super) size: Option<extern "C" fn(*mut c_char) -> i32>,
    /// Argument of all three callbacks.
    pub(super) user_data: *mut c_char,
}

/// `s_vpi_vlog_info` of `vpi_user.h`.
#[repr(C)]
pub(super) struct ProductInfo {
    pub(super) argc: i32,
    pub(super) argv: *mut *mut c_char,
    pub(super) product: *mut c_char,
    pub(super) version: *mut c_char,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layout of a C compiler with 64 bits.
    #[test]
    fn structures_are_those_of_c() {
        assert_eq!(size_of::<Value>(), 16);
        assert_eq!(size_of::<ArrayValue>(), 16);
        assert_eq!(size_of::<ErrorInfo>(), 48);
        assert_eq!(size_of::<Time>(), 24);
        assert_eq!(size_of::<CallbackData>(), 56);
        assert_eq!(size_of::<Vecval>(), 8);
        assert_eq!(size_of::<SystemTaskData>(), 48);
        assert_eq!(size_of::<ProductInfo>(), 32);
    }
}
