//! Parameters of system tasks, and their arguments in a call.

use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::slice;

use thiserror::Error;

use super::super::Absent;
use super::super::symbols::{vpi_get, vpi_get_value};
use super::super::vecval::Vecval;
use super::super::vpi_user::{
    ARRAYS, VPI_CONST_TYPE, VPI_CONSTANT, VPI_NAMED_EVENT, VPI_PARAMETER, VPI_REAL_CONST,
    VPI_SIGNED, VPI_SIZE, VPI_STRING_CONST, VPI_STRING_VAL, VPI_STRING_VAR, VPI_TYPE,
    VPI_VECTOR_VAL, Value, ValueUnion,
};
use super::super::vpi_value::{put_number, put_text};

/// `real`, `realtime`, `shortreal`.
const REALS: [i32; 2] = [47, 613];
/// Module, task, function, named blocks, scope of `generate`.
const SCOPES: [i32; 6] = [32, 59, 20, 33, 35, 134];
/// `reg`, `integer`, `time`, part-select, word of a memory; `longint`, `shortint`, `int`, `byte`,
/// `bit`.
const VARIABLES: [i32; 10] = [48, 25, 63, 42, 30, 610, 611, 612, 614, 620];

/// Kind of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgumentKind {
    /// Text: a constant, a `string`, or a vector with 8 bits for each character.
    Text,
    /// Number of up to 64 bits.
    Number,
    /// Variable that receives a text.
    TextOut,
    /// Variable that receives a number.
    NumberOut,
    /// Array of words of whole bytes.
    Array,
    /// Variable or event that the library changes.
    Trigger,
}

impl ArgumentKind {
    /// Description for error messages.
    fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text: a string, or a vector that holds one",
            Self::Number => "a number: a vector or an integer",
            Self::TextOut => {
                "a variable for a text: a reg of 8 bits for each character, or a string"
            }
            Self::NumberOut => "a variable: a reg, an integer or a time",
            Self::Array => "an array, as `reg [7:0] bytes[0:63]`",
            Self::Trigger => "a variable or an event",
        }
    }

    /// True if an object of this type is a valid argument.
    fn takes(self, object: i32, constant: Option<i32>) -> bool {
        let is_value = !ARRAYS.contains(&object)
            && !SCOPES.contains(&object)
            && !REALS.contains(&object)
            && object != VPI_NAMED_EVENT
            && constant != Some(VPI_REAL_CONST);
        match self {
            Self::Text => is_value,
            Self::Number => {
                is_value && object != VPI_STRING_VAR && constant != Some(VPI_STRING_CONST)
            }
            Self::TextOut => VARIABLES.contains(&object) || object == VPI_STRING_VAR,
            Self::NumberOut => VARIABLES.contains(&object),
            Self::Array => ARRAYS.contains(&object),
            Self::Trigger => VARIABLES.contains(&object) || object == VPI_NAMED_EVENT,
        }
    }
}

/// Parameter of a system task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: ArgumentKind,
}

/// Error of the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ArgumentError {
    /// Part of VPI is missing.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// Call from outside of a system task.
    #[error("the simulator names no running call")]
    NoCall,
    /// Too few or too many arguments.
    #[error("it has {}, and takes {}; usage: {usage}", counted(*.given), range(*.least, *.most))]
    Count {
        given: usize,
        least: usize,
        most: usize,
        usage: String,
    },
    /// Argument of another kind.
    #[error("argument {number} (`{name}`) must be {wanted}; usage: {usage}")]
    Kind {
        number: usize,
        name: &'static str,
        wanted: &'static str,
        usage: String,
    },
    /// Number with unknown bits.
    #[error("argument {number} (`{name}`) has X or Z bits: assign it before the call")]
    Unknown { number: usize, name: &'static str },
    /// Number of more than 64 bits.
    #[error("argument {number} (`{name}`) needs more than 64 bits")]
    TooLarge { number: usize, name: &'static str },
    /// Variable without room for a text.
    #[error(
        "argument {number} (`{name}`) has room for {room} characters, and the text has {needed}: \
         declare it with at least {} bits",
        .needed * 8
    )]
    TooShort {
        number: usize,
        name: &'static str,
        room: usize,
        needed: usize,
    },
    /// Value that the simulator does not provide.
    #[error("the simulator gives no value of argument {number} (`{name}`)")]
    NoValue { number: usize, name: &'static str },
}

/// Formats a count, such as "1 argument" or "2 arguments".
fn counted(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}

/// Formats a range, such as "3" or "1 to 3".
fn range(least: usize, most: usize) -> String {
    match least == most {
        true => most.to_string(),
        false => format!("{least} to {most}"),
    }
}

/// Argument of the running call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument {
    pub(super) handle: NonNull<c_void>,
    /// Number, from 1.
    pub(super) number: usize,
    pub(super) name: &'static str,
}

impl Argument {
    /// Checks that the argument is valid for the parameter.
    pub(super) fn check(
        &self,
        kind: ArgumentKind,
        usage: impl Fn() -> String,
    ) -> Result<(), ArgumentError> {
        let object = self.get(VPI_TYPE)?;
        if kind.takes(object, self.constant(object)?) {
            return Ok(());
        }
        Err(ArgumentError::Kind {
            number: self.number,
            name: self.name,
            wanted: kind.wanted(),
            usage: usage(),
        })
    }

    /// Type of a constant; `None` for another object.
    fn constant(&self, object: i32) -> Result<Option<i32>, Absent> {
        // Icarus Verilog ends if it is queried for a property that an object lacks.
        match object {
            VPI_CONSTANT | VPI_PARAMETER => self.get(VPI_CONST_TYPE).map(Some),
            _ => Ok(None),
        }
    }

    fn get(&self, property: i32) -> Result<i32, Absent> {
        let get = vpi_get.get()?;
        // SAFETY: the handle is an argument of the running call.
        Ok(unsafe { get(property, self.handle.as_ptr()) })
    }

    /// Bytes of a text, without a NUL.
    ///
    /// # Errors
    /// [`ArgumentError::Unknown`] for a vector with unknown bits, which the simulator leaves out.
    pub(super) fn text(&self) -> Result<Vec<u8>, ArgumentError> {
        let object = self.get(VPI_TYPE)?;
        if object != VPI_STRING_VAR && self.constant(object)? != Some(VPI_STRING_CONST) {
            self.known_vector()?;
        }
        let value = self.value(VPI_STRING_VAL)?;
        // SAFETY: the format determines this member; it was initialised before.
        let text = unsafe { value.value.text };
        if text.is_null() {
            return Err(self.no_value());
        }
        // SAFETY: the simulator returns a NUL-terminated text, which is valid until its next call.
        Ok(unsafe { CStr::from_ptr(text) }.to_bytes().to_owned())
    }

    /// Number of an argument, zero-extended to 64 bits.
    pub(super) fn number(&self) -> Result<u64, ArgumentError> {
        self.extended(false)
    }

    /// Number of an argument, sign-extended to 64 bits if the argument is signed. Icarus Verilog
    /// does not report the sign of a word of an array.
    pub(super) fn signed_number(&self) -> Result<u64, ArgumentError> {
        self.extended(self.get(VPI_SIGNED)? == 1)
    }

    fn extended(&self, is_signed: bool) -> Result<u64, ArgumentError> {
        let (vector, bits) = self.known_vector()?;
        let (number, name) = (self.number, self.name);
        extend(vector, bits, is_signed).ok_or(ArgumentError::TooLarge { number, name })
    }

    /// Vector of an argument, which is valid until the simulator's next call, and its bits.
    fn known_vector(&self) -> Result<(&[Vecval], usize), ArgumentError> {
        let bits = usize::try_from(self.get(VPI_SIZE)?).unwrap_or(0);
        let vecvals = bits.div_ceil(32);
        let value = self.value(VPI_VECTOR_VAL)?;
        // SAFETY: as in `text`.
        let vector = unsafe { value.value.vector };
        if vector.is_null() || vecvals == 0 {
            return Err(self.no_value());
        }
        // SAFETY: the simulator's vector has a vecval for each 32 bits of the argument, whose size
        // was queried.
        let vector = unsafe { slice::from_raw_parts(vector, vecvals) };
        let (number, name) = (self.number, self.name);
        if !is_known(vector, bits) {
            return Err(ArgumentError::Unknown { number, name });
        }
        Ok((vector, bits))
    }

    fn value(&self, format: i32) -> Result<Value, ArgumentError> {
        let get = vpi_get_value.get()?;
        let mut value = Value {
            format,
            value: ValueUnion {
                vector: ptr::null_mut(),
            },
        };
        // SAFETY: the handle is an argument of the running call, and `value` is valid during the
        // call.
        unsafe { get(self.handle.as_ptr(), &mut value) };
        if value.format != format {
            return Err(self.no_value());
        }
        Ok(value)
    }

    fn no_value(&self) -> ArgumentError {
        let (number, name) = (self.number, self.name);
        ArgumentError::NoValue { number, name }
    }

    /// Sets a variable to a text.
    ///
    /// # Errors
    /// [`ArgumentError::TooShort`] if the variable is a vector that has no room for the text.
    pub(super) fn set_text(&self, text: &str) -> Result<(), ArgumentError> {
        if self.get(VPI_TYPE)? != VPI_STRING_VAR {
            let room = usize::try_from(self.get(VPI_SIZE)?).unwrap_or(0) / 8;
            if room < text.len() {
                return Err(ArgumentError::TooShort {
                    number: self.number,
                    name: self.name,
                    room,
                    needed: text.len(),
                });
            }
        }
        Ok(put_text(self.handle, text)?)
    }

    /// Sets a variable to a number.
    pub(super) fn set_number(&self, number: u64) -> Result<(), Absent> {
        put_number(self.handle, number)
    }
}

/// True if no bit of a vector of `bits` bits is X or Z. Of an expression, Icarus Verilog leaves the
/// bits above its width unset.
fn is_known(vector: &[Vecval], bits: usize) -> bool {
    let last = bits / 32;
    vector.iter().enumerate().all(|(at, vecval)| {
        let mask = if at == last {
            !(u32::MAX << (bits % 32))
        } else {
            u32::MAX
        };
        vecval.bval & mask == 0
    })
}

/// Extends a vector of `bits` bits to 64 bits, by its sign or by zeros. `None` if it needs more.
fn extend(vector: &[Vecval], bits: usize, is_signed: bool) -> Option<u64> {
    let bit = |at: usize| {
        vector
            .get(at / 32)
            .is_some_and(|it| it.aval >> (at % 32) & 1 == 1)
    };
    let is_negative = is_signed && bits > 0 && bit(bits - 1);
    let extended = |at| if at < bits { bit(at) } else { is_negative };
    let fits = (64..bits).all(|at| bit(at) == is_negative) && (!is_negative || extended(63));
    let number = (0..64)
        .rev()
        .fold(0, |number, at| number << 1 | u64::from(extended(at)));
    fits.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::super::vpi_user::VPI_MODULE;
    use super::*;

    #[test]
    fn bits_above_the_width_of_an_expression_are_not_unknown() {
        let is_known = |bvals: &[u32], bits| {
            let vecval = |bval: &u32| Vecval {
                aval: 0,
                bval: *bval,
            };
            let vector: Vec<Vecval> = bvals.iter().map(vecval).collect();
            is_known(&vector, bits)
        };
        for (bvals, bits, expected) in [
            (vec![0, 0xffff_ff00], 40, true),
            (vec![0, 0x80], 40, false),
            (vec![1, 0xffff_ff00], 40, false),
            (vec![0x8000_0000], 32, false),
            (vec![0, 0], 64, true),
            (vec![0xffff_fffe], 1, true),
        ] {
            assert_eq!(is_known(&bvals, bits), expected, "{bvals:x?}, {bits} bits");
        }
    }

    #[test]
    fn numbers_are_extended_by_their_sign_or_by_zeros() {
        let extend = |avals: &[u32], bits, is_signed| {
            let vecval = |aval: &u32| Vecval {
                aval: *aval,
                bval: 0,
            };
            let vector: Vec<Vecval> = avals.iter().map(vecval).collect();
            extend(&vector, bits, is_signed)
        };
        let minus_5 = (-5_i32) as u32;
        assert_eq!(extend(&[minus_5], 32, true), Some((-5_i64).cast_unsigned()));
        assert_eq!(extend(&[minus_5], 32, false), Some(u64::from(minus_5)));
        assert_eq!(extend(&[0x7f], 7, true), Some(u64::MAX));
        assert_eq!(extend(&[0x7f], 8, true), Some(0x7f));
        assert_eq!(extend(&[1, 2], 64, true), Some(0x2_0000_0001));
        let ones = u32::MAX;
        assert_eq!(
            extend(&[minus_5, ones, 0xff], 72, true),
            Some((-5_i64).cast_unsigned())
        );
        assert_eq!(extend(&[minus_5, ones, 0xff], 72, false), None);
        assert_eq!(extend(&[0, 0, 0xff], 72, true), None);
        assert_eq!(extend(&[1, 0, 0], 72, true), Some(1));
        assert_eq!(extend(&[0, 0, 1], 72, true), None);
    }

    #[test]
    fn a_wrong_number_of_arguments_is_reported_with_the_usage() {
        let error = |given, least, most| {
            let usage = "$t(a)".to_owned();
            let error = ArgumentError::Count {
                given,
                least,
                most,
                usage,
            };
            error.to_string()
        };
        assert_eq!(
            error(2, 1, 1),
            "it has 2 arguments, and takes 1; usage: $t(a)"
        );
        assert_eq!(
            error(1, 2, 3),
            "it has 1 argument, and takes 2 to 3; usage: $t(a)"
        );
    }

    #[test]
    fn each_kind_takes_its_objects() {
        let objects = [
            ("text", VPI_CONSTANT, Some(VPI_STRING_CONST)),
            ("number", VPI_CONSTANT, Some(3)),
            ("real", VPI_CONSTANT, Some(VPI_REAL_CONST)),
            ("string", VPI_STRING_VAR, None),
            ("reg", 48, None),
            ("net", 36, None),
            ("memory", 29, None),
            ("event", VPI_NAMED_EVENT, None),
            ("module", VPI_MODULE, None),
            ("real variable", 47, None),
        ];
        let taken = |kind: ArgumentKind| {
            let taken = objects
                .iter()
                .filter(|(_, object, constant)| kind.takes(*object, *constant));
            taken.map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(taken(ArgumentKind::Text), "text, number, string, reg, net");
        assert_eq!(taken(ArgumentKind::Number), "number, reg, net");
        assert_eq!(taken(ArgumentKind::TextOut), "string, reg");
        assert_eq!(taken(ArgumentKind::NumberOut), "reg");
        assert_eq!(taken(ArgumentKind::Array), "memory");
        assert_eq!(taken(ArgumentKind::Trigger), "reg, event");
    }
}
