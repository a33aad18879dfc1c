//! Pointers from C, checked once on entry.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::slice;

use super::error::Error;
use crate::sim::open_array::OpenArray;

/// Text of a C string.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that is unchanged during `'a`.
pub(super) unsafe fn text<'a>(
    text: *const c_char,
    argument: &'static str,
) -> Result<&'a str, Error> {
    // SAFETY: as the caller promised.
    let bytes = unsafe { string(text, argument) }?;
    utf8(bytes, argument)
}

/// Path in a C string.
///
/// # Errors
/// As [`text`], and [`Error::Empty`].
///
/// # Safety
/// Same as [`text`].
pub(super) unsafe fn path<'a>(
    path: *const c_char,
    argument: &'static str,
) -> Result<&'a Path, Error> {
    // SAFETY: as the caller promised.
    Ok(not_empty(unsafe { text(path, argument) }?, argument)?.as_ref())
}

/// Refuses an empty text.
pub(super) fn not_empty<T: AsRef<str>>(text: T, argument: &'static str) -> Result<T, Error> {
    match text.as_ref() {
        "" => Err(Error::Empty { argument }),
        _ => Ok(text),
    }
}

/// Text of bytes.
pub(super) fn utf8<'a>(bytes: &'a [u8], argument: &'static str) -> Result<&'a str, Error> {
    str::from_utf8(bytes).map_err(|_| Error::NotUtf8 {
        argument,
        bytes: bytes.to_owned(),
    })
}

/// Text of a C string; `None` for NULL and for the empty string.
///
/// # Safety
/// Same as [`text`].
pub(super) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    argument: &'static str,
) -> Result<Option<&'a str>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: as the caller promised.
    let text = unsafe { text(pointer, argument) }?;
    Ok((!text.is_empty()).then_some(text))
}

/// Bytes of a C string, without its NUL.
///
/// # Safety
/// Same as [`text`].
pub(super) unsafe fn string<'a>(
    text: *const c_char,
    argument: &'static str,
) -> Result<&'a [u8], Error> {
    if text.is_null() {
        return Err(Error::Null { argument });
    }
    // SAFETY: it is not NULL, so it is NUL-terminated and unchanged, as the caller promised.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Elements of a C array; NULL is valid for no elements.
///
/// # Safety
/// `first` is NULL or points to `len` elements that are unchanged during `'a`.
pub(super) unsafe fn array<'a, T>(
    first: *const T,
    len: u64,
    argument: &'static str,
) -> Result<&'a [T], Error> {
    let len = array_len::<T>(len, argument)?;
    match NonNull::new(first.cast_mut()) {
        None if len == 0 => Ok(&[]),
        None => Err(Error::Null { argument }),
        // SAFETY: there are `len` elements, as the caller promised, and at most as many bytes as an
        // array can have.
        Some(first) => Ok(unsafe { slice::from_raw_parts(first.as_ptr(), len) }),
    }
}

/// Checked element count of an array.
fn array_len<T>(len: u64, argument: &'static str) -> Result<usize, Error> {
    let most = isize::MAX as usize / size_of::<T>().max(1);
    let fits = usize::try_from(len).ok().filter(|len| *len <= most);
    fits.ok_or(Error::TooLong { argument, len })
}

/// Open array of SystemVerilog.
///
/// # Safety
/// `handle` is NULL, or the simulator's handle of a one-dimensional array of bytes in the running
/// call.
pub(super) unsafe fn open_array(
    handle: *mut c_void,
    argument: &'static str,
) -> Result<OpenArray, Error> {
    if handle.is_null() {
        return Err(Error::Null { argument });
    }
    // SAFETY: as the caller promised.
    Ok(unsafe { OpenArray::new(handle) }?)
}

/// Out parameter of a C function, preset to its "no result" value.
#[derive(Debug)]
pub(super) struct Out<T>(NonNull<T>);

impl<T: Copy> Out<T> {
    /// Creates an out parameter at `place`, set to `none`.
    ///
    /// # Safety
    /// `place` is NULL or has room for a `T` during the life of this value.
    pub(super) unsafe fn new(
        place: *mut T,
        none: T,
        argument: &'static str,
    ) -> Result<Self, Error> {
        let place = NonNull::new(place).ok_or_else(|| Error::Null { argument })?;
        let out = Self(place);
        out.set(none);
        Ok(out)
    }

    /// Sets the result.
    pub(super) fn set(&self, value: T) {
        // SAFETY: there is room for it, as the caller of `new` promised; C may have placed it at
        // any alignment.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// Byte buffer of C for a result.
#[derive(Debug)]
pub(super) struct OutBytes {
    first: *mut u8,
    len: u64,
}

impl OutBytes {
    /// Creates a buffer of `len` bytes at `first`. NULL is valid for no bytes.
    ///
    /// # Safety
    /// `first` is NULL or has room for `len` bytes during the life of this value.
    pub(super) unsafe fn new(
        first: *mut c_void,
        len: u64,
        argument: &'static str,
    ) -> Result<Self, Error> {
        array_len::<u8>(len, argument)?;
        if first.is_null() && len > 0 {
            return Err(Error::Null { argument });
        }
        let first = first.cast();
        Ok(Self { first, len })
    }

    /// Size in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Overwrites the first bytes, up to the shorter of the two lengths.
    pub(super) fn fill(&self, bytes: &[u8]) {
        let room = usize::try_from(self.len).unwrap_or(usize::MAX);
        let len = bytes.len().min(room);
        if len == 0 {
            return;
        }
        // SAFETY: there is room for them, as the caller of `new` promised, and C's bytes do not
        // overlap ours.
        unsafe { self.first.copy_from_nonoverlapping(bytes.as_ptr(), len) };
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn null_is_an_error_that_names_the_argument() {
        // SAFETY: NULL is allowed.
        let error = unsafe { text(ptr::null(), "space") }.unwrap_err();
        assert_eq!(error.to_string(), "`space` is NULL");
        // SAFETY: NULL is allowed.
        let error = unsafe { Out::new(ptr::null_mut(), 0_u8, "data") }.unwrap_err();
        assert_eq!(error.to_string(), "`data` is NULL");
        // SAFETY: NULL is allowed.
        let error = unsafe { array(ptr::null::<u64>(), 1, "args") }.unwrap_err();
        assert_eq!(error.to_string(), "`args` is NULL");
        // SAFETY: NULL is allowed.
        let error = unsafe { OutBytes::new(ptr::null_mut(), 1, "data") }.unwrap_err();
        assert_eq!(error.to_string(), "`data` is NULL");
        // SAFETY: NULL is allowed.
        let error = unsafe { open_array(ptr::null_mut(), "data") }.unwrap_err();
        assert_eq!(error.to_string(), "`data` is NULL");
    }

    #[test]
    fn an_empty_path_is_an_error() {
        // SAFETY: a C string.
        let error = unsafe { path(c"".as_ptr(), "file") }.unwrap_err();
        assert_eq!(error.to_string(), "`file` is empty: give a name");
        assert!(not_empty("a", "file").is_ok());
    }

    #[test]
    fn null_may_stand_for_nothing() {
        // SAFETY: NULL is allowed.
        let absent = unsafe { optional_text(ptr::null(), "fs_root") };
        assert!(matches!(absent, Ok(None)));
        // SAFETY: a C string.
        let empty = unsafe { optional_text(c"".as_ptr(), "fs_root") };
        assert!(matches!(empty, Ok(None)));
        // SAFETY: NULL is allowed.
        let nothing = unsafe { array(ptr::null::<u64>(), 0, "args") };
        assert!(nothing.is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_shown() {
        // SAFETY: a C string.
        let error = unsafe { text(c"a\xff".as_ptr(), "space") }.unwrap_err();
        assert_eq!(error.to_string(), "`space` is not UTF-8: \"a\\xff\"");
    }

    #[test]
    fn an_impossible_length_is_refused() {
        let word = 0_u64;
        // SAFETY: the length is refused before the pointer is used.
        let array = unsafe { array(&raw const word, u64::MAX, "args") };
        assert!(matches!(array, Err(Error::TooLong { .. })));
    }

    #[test]
    fn a_result_is_its_zero_until_it_is_set() {
        let mut place = 7_u32;
        // SAFETY: there is room.
        let out = unsafe { Out::new(&raw mut place, 0, "data") }.unwrap();
        assert_eq!(place, 0);
        out.set(9);
        assert_eq!(place, 9);
    }
}
