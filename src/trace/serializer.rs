//! Serializer of messages and replies, in the standard configuration of bincode 2.
//!
//! It is separate from bincode for speed: bincode makes a call for each number, with a large error
//! type in its result.

use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

/// Largest number of one byte. For a larger one, a mark is followed by as many bytes as its type
/// needs.
pub(super) const SHORT: u64 = 250;

const MARK_16: u8 = 251;
const MARK_32: u8 = 252;
const MARK_64: u8 = 253;

/// Reason why a type can't be serialized.
#[derive(Debug)]
pub(super) struct Unserializable(Box<str>);

impl Display for Unserializable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unserializable {}

impl ser::Error for Unserializable {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string().into())
    }
}

impl From<Unserializable> for Box<str> {
    fn from(Unserializable(text): Unserializable) -> Self {
        text
    }
}

type SerializeResult = Result<(), Unserializable>;

/// Appends a number.
#[inline]
pub(super) fn number(value: u64, to: &mut Vec<u8>) {
    if value <= SHORT {
        to.push(value as u8);
        return;
    }
    long_number(value, to);
}

#[inline(never)]
fn long_number(value: u64, to: &mut Vec<u8>) {
    if let Ok(value) = u16::try_from(value) {
        let [a, b] = value.to_le_bytes();
        to.extend_from_slice(&[MARK_16, a, b]);
    } else if let Ok(value) = u32::try_from(value) {
        let [a, b, c, d] = value.to_le_bytes();
        to.extend_from_slice(&[MARK_32, a, b, c, d]);
    } else {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        to.extend_from_slice(&[MARK_64, a, b, c, d, e, f, g, h]);
    }
}

/// Serializer that appends to bytes.
pub(super) struct Serializer<'a>(pub(super) &'a mut Vec<u8>);

impl Serializer<'_> {
    #[inline]
    fn byte(&mut self, byte: u8) -> SerializeResult {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn number(&mut self, value: u64) -> SerializeResult {
        number(value, self.0);
        Ok(())
    }

    /// Appends a signed number: 0, -1, 1, -2 and so on are written as 0, 1, 2, 3.
    #[inline]
    fn signed(&mut self, value: i64) -> SerializeResult {
        self.number((value << 1 ^ value >> 63) as u64)
    }

    #[inline]
    fn length(&mut self, len: Option<usize>) -> Result<&mut Self, Unserializable> {
        let len = len.ok_or_else(|| ser::Error::custom("a sequence of unknown length"))?;
        number(len as u64, self.0);
        Ok(self)
    }
}

impl ser::Serializer for &mut Serializer<'_> {
    type Ok = ();
    type Error = Unserializable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    #[inline]
    fn serialize_bool(self, value: bool) -> SerializeResult {
        self.byte(value.into())
    }

    #[inline]
    fn serialize_i8(self, value: i8) -> SerializeResult {
        self.byte(value as u8)
    }

    #[inline]
    fn serialize_i16(self, value: i16) -> SerializeResult {
        self.signed(value.into())
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> SerializeResult {
        self.signed(value.into())
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> SerializeResult {
        self.signed(value)
    }

    #[inline]
    fn serialize_u8(self, value: u8) -> SerializeResult {
        self.byte(value)
    }

    #[inline]
    fn serialize_u16(self, value: u16) -> SerializeResult {
        self.number(value.into())
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> SerializeResult {
        self.number(value.into())
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> SerializeResult {
        self.number(value)
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> SerializeResult {
        self.0.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> SerializeResult {
        self.0.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_char(self, value: char) -> SerializeResult {
        let mut utf8 = [0; 4];
        self.0
            .extend_from_slice(value.encode_utf8(&mut utf8).as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_str(self, text: &str) -> SerializeResult {
        self.serialize_bytes(text.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, bytes: &[u8]) -> SerializeResult {
        number(bytes.len() as u64, self.0);
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> SerializeResult {
        self.byte(0)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> SerializeResult {
        self.0.push(1);
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> SerializeResult {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> SerializeResult {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
    ) -> SerializeResult {
        self.number(variant.into())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> SerializeResult {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        value: &T,
    ) -> SerializeResult {
        number(variant.into(), self.0);
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Unserializable> {
        self.length(len)
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, Unserializable> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unserializable> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserializable> {
        number(variant.into(), self.0);
        Ok(self)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self, Unserializable> {
        self.length(len)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unserializable> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserializable> {
        number(variant.into(), self.0);
        Ok(self)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Implements a trait for values with several parts, which are written in order.
macro_rules! parts {
    ($($of:ident: $method:ident($($key:ty)?);)+) => {
        $(
            impl $of for &mut Serializer<'_> {
                type Ok = ();
                type Error = Unserializable;

                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, $(_: $key,)? part: &T) -> SerializeResult {
                    part.serialize(&mut **self)
                }

                #[inline]
                fn end(self) -> SerializeResult {
                    Ok(())
                }
            }
        )+
    };
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}

impl SerializeMap for &mut Serializer<'_> {
    type Ok = ();
    type Error = Unserializable;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> SerializeResult {
        key.serialize(&mut **self)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> SerializeResult {
        value.serialize(&mut **self)
    }

    #[inline]
    fn end(self) -> SerializeResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Serialize)]
    enum Any {
        Unit,
        New(i64),
        Tuple(u16, String),
        Struct { short: i8, optional: Option<u32> },
    }

    #[derive(Debug, Clone, Serialize)]
    struct Tuple(u64, Any);

    #[derive(Debug, Clone, Serialize)]
    struct All {
        any: Vec<Any>,
        tuple: Tuple,
        numbers: (u8, i16, i32, u64, u32),
        floats: (f32, f64, char, bool),
        map: BTreeMap<String, i64>,
        bytes: Bytes,
        unit: (),
    }

    fn number_at_edges() -> impl Strategy<Value = u64> {
        let edge = prop_oneof![
            Just(0_u64),
            Just(250),
            Just(0xffff),
            Just(0xffff_ffff),
            Just(1 << 63),
            any::<u64>()
        ];
        (edge, 0..4_u64).prop_map(|(edge, more)| edge.wrapping_add(more).wrapping_sub(1))
    }

    fn any_variant() -> impl Strategy<Value = Any> {
        prop_oneof![
            Just(Any::Unit),
            number_at_edges().prop_map(|number| Any::New(number as i64)),
            (any::<u16>(), ".{0,4}").prop_map(|(number, text)| Any::Tuple(number, text)),
            (any::<i8>(), any::<Option<u32>>())
                .prop_map(|(short, optional)| Any::Struct { short, optional }),
        ]
    }

    prop_compose! {
        fn all()(
            any in proptest::collection::vec(any_variant(), 0..4),
            last in any_variant(),
            number in number_at_edges(),
            numbers in any::<(u8, i16, i32, u32)>(),
            floats in any::<(f32, f64, char, bool)>(),
            map in proptest::collection::btree_map(".{0,3}", any::<i64>(), 0..3),
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) -> All {
            let (one, two, four, long) = numbers;
            All {
                any,
                tuple: Tuple(number, last),
                numbers: (one, two, four, number, long),
                floats,
                map,
                bytes: bytes.into(),
                unit: (),
            }
        }
    }

    proptest! {
        #[test]
        fn values_are_written_as_bincode_writes_them(all in all()) {
            let mut written = Vec::new();
            all.serialize(&mut Serializer(&mut written)).unwrap();
            let expected = bincode::serde::encode_to_vec(&all, bincode::config::standard());
            prop_assert_eq!(written, expected.unwrap());
        }
    }

    #[test]
    fn numbers_at_the_ends_of_their_encodings() {
        for edge in [0, 250, 0xffff, 0xffff_ffff, u64::MAX - 1] {
            for value in [edge, edge + 1] {
                let mut written = Vec::new();
                number(value, &mut written);
                let expected = bincode::serde::encode_to_vec(value, bincode::config::standard());
                assert_eq!(written, expected.unwrap());
            }
        }
    }
}
