//! Bytes that the host writes for operations of protocol 0.3, as predicted by the model.

use crate::wire::number;

/// Expected bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Expect {
    /// Status of a file.
    Status {
        /// Type, as in a mode from bit 12.
        kind: u64,
        /// Size in bytes.
        size: Option<u64>,
        /// Number of links.
        links: Option<u64>,
    },
    /// Time in nanoseconds.
    Time(u64),
    /// Records of a directory: names, true for a directory.
    Records(Vec<(String, bool)>),
    /// Random bytes.
    Random,
}

/// Size of a directory's record in bytes.
pub fn record_size(name: &str) -> u64 {
    (12 + name.len() as u64 + 1).next_multiple_of(8)
}

impl Expect {
    /// Compares bytes.
    ///
    /// # Errors
    /// Fails on the first difference.
    pub fn check(&self, bytes: &[u8]) -> Result<(), String> {
        let equal = |property: &str, actual: u64, expected: u64| {
            if actual == expected {
                return Ok(());
            }
            Err(format!("{property} is {actual:#x}, expected {expected:#x}"))
        };
        match self {
            Self::Status { kind, size, links } => {
                let mode = number(bytes, 72, 4);
                equal("the type of a status", mode >> 12, *kind)?;
                equal("a status: bits above the permissions", mode & 0o7000, 0)?;
                if let Some(size) = size {
                    equal("the size of a status", number(bytes, 0, 8), *size)?;
                }
                if let Some(links) = links {
                    equal(
                        "the number of names in a status",
                        number(bytes, 76, 4),
                        *links,
                    )?;
                }
                for at in [32, 48, 64] {
                    if number(bytes, at, 8) >= 1_000_000_000 {
                        return Err(format!(
                            "a time of a status has {} ns",
                            number(bytes, at, 8)
                        ));
                    }
                }
                Ok(())
            }
            Self::Time(nanoseconds) => {
                equal(
                    "the seconds",
                    number(bytes, 0, 8),
                    nanoseconds / 1_000_000_000,
                )?;
                equal(
                    "the nanoseconds",
                    number(bytes, 8, 8),
                    nanoseconds % 1_000_000_000,
                )
            }
            Self::Records(records) => {
                let mut at = 0;
                for (name, is_directory) in records {
                    let size = record_size(name);
                    equal("the size of a record", number(bytes, at + 8, 2), size)?;
                    let kind = if *is_directory { 4 } else { 8 };
                    equal("the type of a record", number(bytes, at + 10, 1), kind)?;
                    equal(
                        "the length of a name",
                        number(bytes, at + 11, 1),
                        name.len() as u64,
                    )?;
                    let rest = &bytes[at + 12..at + size as usize];
                    let zeros = rest.get(name.len()..).unwrap_or_default();
                    if !rest.starts_with(name.as_bytes()) || zeros.iter().any(|byte| *byte != 0) {
                        return Err(format!(
                            "the name of a record is {rest:x?}, expected {name}"
                        ));
                    }
                    at += size as usize;
                }
                equal("the bytes of records", bytes.len() as u64, at as u64)
            }
            Self::Random => {
                let is_plain = bytes.len() >= 32 && bytes.iter().all(|byte| *byte == bytes[0]);
                if is_plain {
                    Err(format!("random bytes are all {:#x}", bytes[0]))
                } else {
                    Ok(())
                }
            }
        }
    }
}
