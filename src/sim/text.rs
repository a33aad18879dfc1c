//! Text for C.

use std::ffi::CString;

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
    }
}
