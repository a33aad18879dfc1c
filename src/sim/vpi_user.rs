//! Structures of `vpi_user.h` (IEEE 1800-2017, annex K).

use std::ffi::{c_char, c_void};

use super::vecval::Vecval;

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
