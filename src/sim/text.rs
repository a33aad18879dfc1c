//! Text for C.

use std::ffi::{CString, c_char};

/// Maximum length of a text that needs no allocation, with its NUL.
const SHORT: usize = 64;

/// Room for a NUL-terminated text during one call. A short text needs no allocation.
pub(crate) struct CallText {
    short: [u8; SHORT],
    /// Text that is too long for `short`.
    long: Option<CString>,
}

impl CallText {
    /// Room without a text.
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            short: [0; SHORT],
            long: None,
        }
    }

    /// Copies a text. Returns a pointer to the copy, which is valid until this value is dropped or
    /// moved. An inner NUL is replaced by `␀`.
    #[inline]
    pub(crate) fn set(&mut self, text: &str) -> *const c_char {
        let bytes = text.as_bytes();
        if let Some((copy, [end, ..])) = self.short.split_at_mut_checked(bytes.len()) {
            copy.copy_from_slice(bytes);
            *end = 0;
            // SAFETY: a byte behind the copy is 0. C's function takes a fraction of the
            // instructions of a search.
            if unsafe { libc::strlen(self.short.as_ptr().cast()) } == bytes.len() {
                return self.short.as_ptr().cast();
            }
        }
        self.long.insert(c_text(text)).as_ptr()
    }
}

/// NUL-terminated text; an inner NUL is replaced by `␀`.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| {
        let shown = text.replace('\0', "␀");
        CString::new(shown).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_nul_does_not_end_a_text() {
        assert_eq!(c_text("a\0b").to_str(), Ok("a␀b"));
        assert_eq!(c_text("").as_c_str(), c"");
        for text in [
            "",
            "a",
            "a\0b",
            "a\0",
            &"s".repeat(63),
            &"l".repeat(64),
            &"long".repeat(100),
        ] {
            let mut room = CallText::new();
            // SAFETY: it points to a C string, which is valid here.
            let copy = unsafe { CStr::from_ptr(room.set(text)) };
            assert_eq!(copy, c_text(text).as_c_str());
        }
    }
}
