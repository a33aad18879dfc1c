//! Sizes and addresses on the command line.

/// Parses a number of bytes: `4096`, `0x1000`, `64K`, `16M`, `1G`, optionally with `iB` after the
/// letter.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches("iB");
    let (number, shift) = match number.chars().last() {
        Some('k' | 'K') => (&number[..number.len() - 1], 10),
        Some('m' | 'M') => (&number[..number.len() - 1], 20),
        Some('g' | 'G') => (&number[..number.len() - 1], 30),
        _ => (text, 0),
    };
    let bytes = address(number)
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    match bytes {
        Some(0) | None => Err("it is to be a size, as 64K, 16M, 1G or 0x10000".to_owned()),
        Some(bytes) => Ok(bytes),
    }
}

/// Parses an address: `0x80000000` or a decimal number.
pub(super) fn address(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "it is to be a number, as 0x80000000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let sizes = ["1", "0x1000", "64K", "16M", "2G", "3MiB", "0x10k"];
        let expected = [1, 0x1000, 64 << 10, 16 << 20, 2 << 30, 3 << 20, 16 << 10];
        for (text, size) in sizes.into_iter().zip(expected) {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in [
            "",
            "K",
            "0",
            "-1",
            "1T",
            "16 M",
            "iB",
            "0x",
            "99999999999G",
            "4iB",
            "ü",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!(address("0xffffffffffffffff"), Ok(u64::MAX));
        assert!(address("80000000h").is_err());
    }
}
