//! Formats of image and memory files, recognised by their first bytes. Used in errors about a file
//! of the wrong format.

/// Name of the format of images.
pub(super) const ELF: &str = "an ELF file";

/// Name of the format of memory files.
pub(super) const READMEMH: &str = "a memory file in the format of `$readmemh`";

/// Number of bytes in which a file is recognised, even after comments before its first record.
pub(super) const START: usize = 4096;

/// Number of first bytes that are searched for a NUL, the sign of binary data.
const BINARY: usize = 64;

/// Returns the name of the format of a file that starts with these bytes; `None` for an unknown
/// format.
pub(super) fn recognise(start: &[u8]) -> Option<&'static str> {
    let start = start.get(..START).unwrap_or(start);
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = without_comments(text);
    let begins = |word: &[u8]| {
        let begin = text.get(..word.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
    };
    let digits = |skipped: usize, count: usize| {
        let digits = text.get(skipped..).and_then(|rest| rest.get(..count));
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    Some(match text {
        [0x7f, b'E', b'L', b'F', ..] => ELF,
        [0x1f, 0x8b, ..] => "a gzip archive",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "text in UTF-16",
        // Shortest records: length, address, type or address, checksum.
        [b':', ..] if digits(1, 10) => "Intel HEX",
        [b'S' | b's', ..] if digits(1, 9) => "a file of Motorola S-records",
        _ if begins(b"!<arch>") => "an archive of objects",
        _ if begins(b"memory_initialization_radix") => "a COE file",
        _ if begins(b"DEPTH") || begins(b"WIDTH") => "an MIF file",
        _ if start.iter().take(BINARY).any(|byte| *byte == 0) => "binary data",
        _ if begins(b"@") && digits(1, 1) => READMEMH,
        _ => return None,
    })
}

/// Skips leading comment lines of any of the formats.
fn without_comments(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii_start();
    while [&b"#"[..], b"//", b";", b"--", b"%"]
        .iter()
        .any(|mark| text.starts_with(mark))
    {
        let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        text = text.get(end.unwrap_or(text.len())..).unwrap_or_default();
        text = text.trim_ascii_start();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named() {
        let cases: [(&[u8], Option<&str>); 18] = [
            (b"\x7fELF\x01\x01\x01", Some(ELF)),
            (b"\x1f\x8b\x08\0", Some("a gzip archive")),
            (b"\xff\xfe0\0", Some("text in UTF-16")),
            (
                b":10000000214601360121470136007EFE09D2190140",
                Some("Intel HEX"),
            ),
            (b"\r\n:00000001FF\r\n", Some("Intel HEX")),
            (
                b"S00F000068656C6C6F202020202000003C",
                Some("a file of Motorola S-records"),
            ),
            (b"S9030000FC", Some("a file of Motorola S-records")),
            (b"memory_initialization_radix=16;", Some("a COE file")),
            (b"Depth = 32;", Some("an MIF file")),
            (b"\x13\0\0\0\x93", Some("binary data")),
            (
                b"# made by a tool\r# and another\r\n:00000001FF\n",
                Some("Intel HEX"),
            ),
            (
                b"\xef\xbb\xbf// :00000001FF\n\n; x\nS9030000FC\n",
                Some("a file of Motorola S-records"),
            ),
            (
                b"; radix\nmemory_initialization_radix=16;",
                Some("a COE file"),
            ),
            (b"-- a ROM\n% of 32 %\nWIDTH=32;", Some("an MIF file")),
            (b"// :00000001FF", None),
            (b"@80000000\n13 00", Some(READMEMH)),
            (b":", None),
            (b"", None),
        ];
        for (start, name) in cases {
            assert_eq!(recognise(start), name, "{start:?}");
        }
    }
}
