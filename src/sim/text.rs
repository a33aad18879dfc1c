//! Text for C.

use std::ffi::{CString, c_char};

use smallvec::SmallVec;

/// NUL-terminated text for one call. A short one takes no allocation.
pub(crate) struct CallText(SmallVec<[u8; 64]>);

impl CallText {
    /// Copy of `text`; an inner NUL is replaced by `␀`.
    pub(crate) fn new(text: &str) -> Self {
        if text.as_bytes().contains(&0) {
            return Self(c_text(text).into_bytes_with_nul().into());
        }
        let mut bytes = SmallVec::from_slice(text.as_bytes());
        bytes.push(0);
        Self(bytes)
    }

    /// Pointer to the text, valid while this lives.
    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
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
    use super::*;

    #[test]
    fn a_nul_does_not_end_a_text() {
        assert_eq!(c_text("a\0b").to_str(), Ok("a␀b"));
        assert_eq!(c_text("").as_c_str(), c"");
        for text in ["", "a", "a\0b", &"long".repeat(100)] {
            assert_eq!(&CallText::new(text).0[..], c_text(text).to_bytes_with_nul());
        }
    }
}
