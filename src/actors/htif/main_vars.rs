//! Arguments of firmware's `main`, in the format of getmainvars.

/// Words and strings for a buffer at `address`: the number of arguments, the address of each, NULL,
/// NULL as the environment, and the strings. `arguments` has all arguments, each with its NUL.
pub(super) fn main_vars(arguments: &[u8], address: u64) -> Vec<u8> {
    let ends = arguments.split_inclusive(|byte| *byte == 0);
    let lengths: Vec<u64> = ends.map(|argument| argument.len() as u64).collect();
    let count = lengths.len() as u64;
    let mut next = address.wrapping_add((count + 3) * 8);
    let mut words = vec![count];
    for len in lengths {
        words.push(next);
        next = next.wrapping_add(len);
    }
    words.extend([0, 0]);
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    bytes.extend(arguments);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_follow_the_words() {
        let bytes = main_vars(b"prog\0-x\0", 0x1000);
        let word = |at: usize| u64::from_le_bytes(bytes[8 * at..8 * at + 8].try_into().unwrap());
        assert_eq!([0, 1, 2, 3, 4].map(word), [2, 0x1028, 0x102d, 0, 0]);
        assert_eq!(&bytes[0x28..], b"prog\0-x\0");
        let none = main_vars(b"", 0x1000);
        assert_eq!(none, [0; 24]);
    }
}
