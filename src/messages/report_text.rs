//! Texts of firmware in reports.

use std::borrow::Cow;

/// Maximum number of characters of a name in a report.
const MAX_CHARACTERS: usize = 200;

/// Name that firmware has given, for a report: control characters are escaped, and a long name is
/// cut.
pub(crate) fn escaped_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let mut shown = String::new();
    for (at, c) in name.chars().enumerate() {
        if at == MAX_CHARACTERS {
            shown.push('…');
            break;
        }
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// Text of a report, with control characters escaped that only firmware can have put there.
pub(crate) fn escaped_text(text: &str) -> Cow<'_, str> {
    let is_foreign = |c: char| c.is_control() && c != '\n';
    if !text.contains(is_foreign) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match is_foreign(c) {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_firmware_are_shown_without_control_characters() {
        assert_eq!(escaped_name(b"dir/file \xc3\xa4.txt"), "dir/file ä.txt");
        assert_eq!(
            escaped_name(b"\x1b[31m\n\0\xc2\x9b"),
            "\\u{1b}[31m\\n\\u{0}\\u{9b}"
        );
        assert_eq!(
            escaped_name(&[b'x'; 4000]).chars().count(),
            MAX_CHARACTERS + 1
        );
    }

    #[test]
    fn reports_keep_their_lines() {
        assert_eq!(escaped_text("one\ntwo ä"), "one\ntwo ä");
        assert_eq!(escaped_text("one\r\n\x1b[0m\0"), "one\\r\n\\u{1b}[0m\\u{0}");
    }
}
