//! Text for C.

use std::ffi::{CString, c_char};

/// Longest text that takes no allocation, with its NUL.
const SHORT: usize = 64;

/// NUL-terminated text for one call. A short one takes no allocation.
pub(crate) enum CallText {
    Short([u8; SHORT]),
    Long(CString),
}

impl CallText {
    /// Copy of `text`; an inner NUL is replaced by `␀`.
    #[inline]
    pub(crate) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut short = [0; SHORT];
        match short.get_mut(..bytes.len()) {
            Some(to) if bytes.len() < SHORT && !bytes.contains(&0) => {
                to.copy_from_slice(bytes);
                Self::Short(short)
            }
            _ => Self::Long(c_text(text)),
        }
    }

    /// Pointer to the text, valid while this lives and stays where it is.
    pub(crate) fn as_ptr(&self) -> *const c_char {
        match self {
            Self::Short(bytes) => bytes.as_ptr().cast(),
            Self::Long(text) => text.as_ptr(),
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
        for text in ["", "a", "a\0b", &"long".repeat(100)] {
            let copy = CallText::new(text);
            // SAFETY: it points to a C string, which lives.
            let copy = unsafe { CStr::from_ptr(copy.as_ptr()) };
            assert_eq!(copy, c_text(text).as_c_str());
        }
    }
}
