//! Operations of semihosting, by `docs/semihosting.md`.

use mailbox_rs::PtrWidth;

use crate::mem::Span;

/// Numbers of the operations, their names, and the numbers of their parameters.
const OPERATIONS: [(u64, &str, usize); 24] = [
    (0x01, "OPEN", 3),
    (0x02, "CLOSE", 1),
    (0x03, "WRITEC", 0),
    (0x04, "WRITE0", 0),
    (0x05, "WRITE", 3),
    (0x06, "READ", 3),
    (0x07, "READC", 0),
    (0x08, "ISERROR", 1),
    (0x09, "ISTTY", 1),
    (0x0a, "SEEK", 2),
    (0x0c, "FLEN", 1),
    (0x0d, "TMPNAM", 3),
    (0x0e, "REMOVE", 2),
    (0x0f, "RENAME", 4),
    (0x10, "CLOCK", 0),
    (0x11, "TIME", 0),
    (0x12, "SYSTEM", 2),
    (0x13, "ERRNO", 0),
    (0x15, "GET_CMDLINE", 2),
    (0x16, "HEAPINFO", 1),
    (0x18, "EXIT", 0),
    (0x20, "EXIT_EXTENDED", 2),
    (0x30, "ELAPSED", 0),
    (0x31, "TICKFREQ", 0),
];

fn known(operation: u64) -> Option<(u64, &'static str, usize)> {
    let mut all = OPERATIONS.into_iter();
    all.find(|(number, _, _)| *number == operation)
}

/// True for an operation of the specification.
pub(super) fn is_operation(operation: u64) -> bool {
    known(operation).is_some()
}

/// Name of an operation, or its number.
pub(super) fn name(operation: u64) -> String {
    match known(operation) {
        Some((_, name, _)) => name.to_owned(),
        None => format!("operation {operation:#x}"),
    }
}

/// Number of words in the parameter block.
pub(super) fn parameters(operation: u64) -> usize {
    known(operation).map_or(0, |(_, _, count)| count)
}

/// Memory that an operation lets the host write.
pub(super) fn named_memory(
    operation: u64,
    argument: u64,
    words: &[u64],
    width: PtrWidth,
) -> Vec<Span> {
    let at = |address, len| Span { address, len };
    match (operation, words) {
        (0x06, &[_, buffer, len]) | (0x0d, &[buffer, _, len]) => vec![at(buffer, len)],
        // The second parameter becomes the length of the text.
        (0x15, &[buffer, len]) => vec![
            at(buffer, len),
            at(argument.wrapping_add(width.bytes()), width.bytes()),
        ],
        (0x16, &[block]) => vec![at(block, 4 * width.bytes())],
        (0x30, _) => vec![at(argument, 8)],
        _ => Vec::new(),
    }
}
