//! Text for C.

use std::ffi::{CString, c_char};

/// Longest text that takes no allocation, with its NUL.
const SHORT: usize = 64;

/// NUL-terminated text for one call. A short one takes no allocation.
pub(crate) struct CallText {
    short: [u8; SHORT],
    /// In place of `short`.
    long: Option<CString>,
}

impl CallText {
    /// Copy of `text`; an inner NUL is replaced by `␀`.
    #[inline]
    pub(crate) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut short = [0; SHORT];
        if bytes.len() < SHORT {
            short[..bytes.len()].copy_from_slice(bytes);
            // SAFETY: the last byte is 0. The C library's function takes a fraction of the instructions of a search.
            if unsafe { libc::strlen(short.as_ptr().cast()) } == bytes.len() {
                return Self { short, long: None };
            }
        }
        let long = Some(c_text(text));
        Self { short, long }
    }

    /// Pointer to the text, valid while this lives and stays where it is.
    pub(crate) fn as_ptr(&self) -> *const c_char {
        match &self.long {
            None => self.short.as_ptr().cast(),
            Some(text) => text.as_ptr(),
        }
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
            let copy = CallText::new(text);
            // SAFETY: it points to a C string, which lives.
            let copy = unsafe { CStr::from_ptr(copy.as_ptr()) };
            assert_eq!(copy, c_text(text).as_c_str());
        }
    }
}
