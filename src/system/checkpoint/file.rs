//! File of a checkpoint.
//!
//! | offset | content |
//! | --- | --- |
//! | 0 | magic number `VHOSTCKP` |
//! | 8 | number of the format, 4 bytes |
//! | 12 | length of the library's version, 1 byte, and the version |
//! | behind it | CRC-32 of the rest, 4 bytes; length of the rest, 8 bytes; the rest |
//!
//! Numbers are little-endian. The rest has the configuration, the tick, and the parts, each
//! compressed by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::CheckpointError;
use super::encoding::{deserialized, serialized};
use crate::guest;

/// First bytes of a file.
const MAGIC: [u8; 8] = *b"VHOSTCKP";

/// Number of the format. It changes with the state of any actor.
const FORMAT: u32 = 2;

/// Version of this library.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Maximum size of a part in bytes.
const MAX_PART_BYTES: u64 = 1 << 36;

/// Maximum tick of a checkpoint. It is far beyond a run, so that sums of ticks do not overflow.
const LAST_TICK: u64 = 1 << 62;

/// Level of compression: fast, since most of a memory is empty or code.
const LEVEL: u8 = 3;

/// State of a system, with parts of the host program.
///
/// ```no_run
/// use vhost::{Checkpoint, Error, Vhost};
///
/// # fn example(vhost: &Vhost) -> Result<(), Error> {
/// let mut checkpoint = vhost.checkpoint()?;
/// checkpoint.set_part("model", vec![1, 2, 3]);
/// checkpoint.write("run.ckpt")?;
///
/// let checkpoint = Checkpoint::read("run.ckpt")?;
/// vhost.restore_checkpoint(&checkpoint)?;
/// assert_eq!(checkpoint.part("model"), Some(&[1, 2, 3][..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Memories and channels of the system, one line each.
    configuration: Vec<String>,
    /// Number of ticks.
    tick: u64,
    /// Content by name.
    parts: BTreeMap<String, Vec<u8>>,
}

/// Content of a file behind its head.
#[derive(Serialize, Deserialize)]
struct Content {
    configuration: Vec<String>,
    tick: u64,
    parts: BTreeMap<String, CompressedPart>,
}

/// Compressed part.
#[derive(Serialize, Deserialize)]
struct CompressedPart {
    /// Size without compression.
    size: u64,
    bytes: Bytes,
}

impl Checkpoint {
    pub(super) fn new(configuration: Vec<String>, tick: u64) -> Self {
        Self {
            configuration,
            tick,
            parts: BTreeMap::new(),
        }
    }

    /// Number of ticks of the system.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// Bytes of a part; `None` if there is no such part.
    pub fn part(&self, name: &str) -> Option<&[u8]> {
        self.parts.get(name).map(Vec::as_slice)
    }

    /// Adds a part, or replaces it. Names of the library itself are `state` and `memories`.
    pub fn set_part(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.parts.insert(name.into(), bytes);
    }

    /// Adds a value as a part.
    pub(super) fn put<T: Serialize>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), CheckpointError> {
        self.set_part(name, serialized(value)?);
        Ok(())
    }

    /// Value of a part.
    pub(super) fn take<T: DeserializeOwned>(&self, name: &str) -> Result<T, CheckpointError> {
        let part = name.to_owned();
        let bytes = self.part(name).ok_or(CheckpointError::NoPart { part })?;
        deserialized(name, bytes)
    }

    /// Compares the configuration with that of a system.
    pub(super) fn check_configuration(&self, here: &[String]) -> Result<(), CheckpointError> {
        let saved = &self.configuration;
        let most = saved.len().max(here.len());
        match (0..most).find(|at| saved.get(*at) != here.get(*at)) {
            None => Ok(()),
            Some(at) => Err(CheckpointError::OtherConfiguration {
                saved: saved.get(at).cloned(),
                here: here.get(at).cloned(),
            }),
        }
    }

    /// Writes the checkpoint. An existing file is replaced when the new one is complete.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write(&self, file: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let file = file.as_ref();
        let bytes = self.bytes()?;
        // A link, a device or a pipe stays: a file must not replace it.
        let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let is_special = fs::metadata(&target).is_ok_and(|it| !it.is_file() && !it.is_dir());
        let temporary = match is_special {
            true => target.clone(),
            false => temporary(&target),
        };
        let written = guest::create(&temporary).and_then(|mut new| {
            new.write_all(&bytes)?;
            new.flush()
        });
        let renamed = written.and_then(|()| match is_special {
            true => Ok(()),
            false => fs::rename(&temporary, &target),
        });
        renamed.map_err(|cause| {
            if !is_special {
                // An incomplete file is removed.
                let _ = fs::remove_file(&temporary);
            }
            CheckpointError::Write {
                file: file.to_owned(),
                cause,
            }
        })
    }

    fn bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let parts = self.parts.iter().map(|(name, bytes)| {
            let part = CompressedPart {
                size: bytes.len() as u64,
                bytes: compress_to_vec(bytes, LEVEL).into(),
            };
            (name.clone(), part)
        });
        let content = serialized(&Content {
            configuration: self.configuration.clone(),
            tick: self.tick,
            parts: parts.collect(),
        })?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.push(VERSION.len() as u8);
        bytes.extend(VERSION.as_bytes());
        bytes.extend(crc32fast::hash(&content).to_le_bytes());
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(content);
        Ok(bytes)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// A file that can't be read, or is not a complete checkpoint of a supported format.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let file = file.as_ref();
        let bytes = guest::read(file).map_err(|cause| CheckpointError::Read {
            file: file.to_owned(),
            cause,
        })?;
        Self::parse(&bytes, file)
    }

    /// Decodes the content of a file.
    fn parse(bytes: &[u8], file: &Path) -> Result<Self, CheckpointError> {
        let file = || file.to_owned();
        let Some(rest) = bytes.strip_prefix(&MAGIC) else {
            return Err(match MAGIC.starts_with(bytes) {
                true => truncated(file(), bytes.len() as u64, MAGIC.len() as u64),
                false => CheckpointError::NotACheckpoint { file: file() },
            });
        };
        let mut rest = UnreadBytes { all: bytes, rest };
        let too_short = |needs: u64| truncated(file(), bytes.len() as u64, needs);
        let format = u32::from_le_bytes(rest.array().map_err(too_short)?);
        let [len] = rest.array().map_err(too_short)?;
        let version = rest.take(len.into()).map_err(too_short)?;
        if format != FORMAT {
            return Err(CheckpointError::Format {
                file: file(),
                format,
                version: String::from_utf8_lossy(version).into_owned(),
                here: VERSION,
                known: FORMAT,
            });
        }
        let checksum = u32::from_le_bytes(rest.array().map_err(too_short)?);
        let len = u64::from_le_bytes(rest.array().map_err(too_short)?);
        let content = rest.take(len).map_err(too_short)?;
        let damaged = |what: String| CheckpointError::Damaged { file: file(), what };
        if !rest.rest.is_empty() {
            let left = rest.rest.len();
            return Err(damaged(format!("{left} bytes follow its end")));
        }
        if crc32fast::hash(content) != checksum {
            return Err(damaged("checksum mismatch".to_owned()));
        }
        let content: Content =
            deserialized("content", content).map_err(|error| damaged(error.to_string()))?;
        if content.tick > LAST_TICK {
            return Err(damaged(format!(
                "tick {} is no tick of a run",
                content.tick
            )));
        }
        let parts = content.parts.into_iter().map(|(name, part)| {
            let bytes = part.inflated();
            let bytes = bytes.ok_or_else(|| damaged(format!("part `{name}` can't be unpacked")))?;
            Ok((name, bytes))
        });
        Ok(Self {
            configuration: content.configuration,
            tick: content.tick,
            parts: parts.collect::<Result<_, CheckpointError>>()?,
        })
    }
}

impl CompressedPart {
    /// Content; `None` if its size differs from the stated one.
    fn inflated(&self) -> Option<Vec<u8>> {
        // Deflate shrinks by a factor of 1032 at most.
        let most = (self.bytes.len() as u64)
            .saturating_mul(1032)
            .min(MAX_PART_BYTES);
        let limit = usize::try_from(self.size.min(most)).ok()?;
        let bytes = decompress_to_vec_with_limit(&self.bytes, limit).ok()?;
        (bytes.len() as u64 == self.size).then_some(bytes)
    }
}

/// Bytes of a file that were not read.
struct UnreadBytes<'a> {
    all: &'a [u8],
    rest: &'a [u8],
}

impl<'a> UnreadBytes<'a> {
    /// Next bytes, or the minimum size of a complete file.
    fn take(&mut self, len: u64) -> Result<&'a [u8], u64> {
        let read = (self.all.len() - self.rest.len()) as u64;
        let at = usize::try_from(len).ok();
        let split = at.and_then(|at| self.rest.split_at_checked(at));
        let (taken, rest) = split.ok_or(read.saturating_add(len))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], u64> {
        let bytes = self.take(N as u64)?;
        bytes.try_into().map_err(|_| N as u64)
    }
}

fn truncated(file: PathBuf, has: u64, needs: u64) -> CheckpointError {
    CheckpointError::Truncated { file, has, needs }
}

/// Name of the file while it is incomplete, in the same directory.
fn temporary(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.parts.iter().map(|(name, bytes)| (name, bytes.len()));
        f.debug_struct("Checkpoint")
            .field("tick", &self.tick)
            .field("parts", &sizes.collect::<BTreeMap<_, _>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checkpoint() -> Checkpoint {
        let mut checkpoint = Checkpoint::new(vec!["memory ram".to_owned()], 77);
        checkpoint.set_part("state", vec![7; 1000]);
        checkpoint.set_part("model", Vec::new());
        checkpoint
    }

    fn parse(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::parse(bytes, Path::new("x.ckpt"))
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ckpt");
        fs::write(&file, "older").unwrap();
        checkpoint().write(&file).unwrap();
        assert_eq!(Checkpoint::read(&file).unwrap(), checkpoint());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = checkpoint().write(folder.path().join("no/x")).unwrap_err();
        assert!(
            error.to_string().contains("no/x can't be written"),
            "{error}"
        );
        assert!(Checkpoint::read(folder.path().join("no.ckpt")).is_err());
    }

    #[test]
    fn every_prefix_is_cut_off() {
        let bytes = checkpoint().bytes().unwrap();
        assert_eq!(parse(&bytes).unwrap(), checkpoint());
        for len in 0..bytes.len() {
            let error = parse(&bytes[..len]).unwrap_err();
            assert!(
                matches!(error, CheckpointError::Truncated { .. }),
                "{len}: {error}"
            );
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = checkpoint().bytes().unwrap();
        for at in 0..bytes.len() {
            // The version is for messages.
            let is_version = (13..13 + VERSION.len()).contains(&at);
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(parse(&changed).is_ok(), is_version, "{at}");
        }
    }

    #[test]
    fn others_are_named() {
        let mut newer = checkpoint().bytes().unwrap();
        newer[8] = 9;
        let error = parse(&newer).unwrap_err().to_string();
        assert!(error.contains("format 9, of library 0."), "{error}");
        let error = parse(b"#!/bin/sh").unwrap_err();
        assert!(
            matches!(error, CheckpointError::NotACheckpoint { .. }),
            "{error}"
        );
        let mut longer = checkpoint().bytes().unwrap();
        longer.push(0);
        let error = parse(&longer).unwrap_err().to_string();
        assert!(error.contains("1 bytes follow"), "{error}");
    }

    /// A part that claims to be large is not allocated.
    #[test]
    fn parts_have_the_size_that_they_claim() {
        for (size, fits) in [(999, false), (1000, true), (1001, false), (u64::MAX, false)] {
            let bytes = compress_to_vec(&[7; 1000], LEVEL).into();
            assert_eq!(CompressedPart { size, bytes }.inflated().is_some(), fits);
        }
    }

    #[test]
    fn a_tick_leaves_room_for_later_ones() {
        for (tick, fits) in [(LAST_TICK, true), (LAST_TICK + 1, false), (u64::MAX, false)] {
            let bytes = Checkpoint::new(vec![], tick).bytes().unwrap();
            assert_eq!(parse(&bytes).is_ok(), fits);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_behind_the_magic_are_refused(bytes: Vec<u8>) {
            let all = [&MAGIC[..], &bytes].concat();
            prop_assert!(parse(&all).is_err());
        }
    }
}
