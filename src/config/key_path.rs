//! Location of a problem in a file: the keys that lead to a value from the top.

use super::error::{
    ChannelProblem, ConfigProblem, HtifProblem, KeyProblem, MemoryProblem, RttProblem,
    SemihostingProblem, SpaceProblem,
};

/// Name of the document in messages.
pub(super) const DOCUMENT: &str = "the document";

impl ConfigProblem {
    /// Keys from the top of the file to the wrong value. If a key is missing, they lead to the
    /// memory or channel.
    pub(super) fn path(&self) -> Vec<&str> {
        let (mut path, key) = match self {
            Self::Memory { memory, problem } => (memory.path(), problem.key()),
            Self::Channel {
                channel,
                problem: ChannelProblem::Service(problem),
            } => {
                let mut path = vec![channel.as_str()];
                path.extend(problem.path());
                return path;
            }
            Self::Channel { channel, problem } => (vec![channel.as_str()], problem.key()),
            Self::Space {
                space,
                problem: SpaceProblem::Overlap { first, .. },
            } => (vec!["space", space.as_str(), first], None),
            Self::Space { space, .. } => (vec!["space", space.as_str()], None),
            // The key is in backquotes, unlike descriptions of places.
            Self::Form { key, .. } => {
                match key.strip_prefix('`').and_then(|key| key.strip_suffix('`')) {
                    Some(key) => (Vec::new(), Some(key)),
                    None => return Vec::new(),
                }
            }
            _ => return Vec::new(),
        };
        // List items have no keys.
        let key = key.map(|key| key.split_once('[').map_or(key, |(list, _)| list));
        path.extend(key.into_iter().flat_map(|key| key.split('.')));
        path
    }
}

impl ConfigProblem {
    /// True if the document as a whole is wrong.
    pub(super) fn is_of_document(&self) -> bool {
        matches!(self, Self::Form { key, .. } if key == DOCUMENT)
    }

    /// Keys from the top of the file to the second of two conflicting values.
    pub(super) fn other_path(&self) -> Option<Vec<&str>> {
        match self {
            Self::Space {
                space,
                problem: SpaceProblem::Overlap { second, .. },
            } => Some(vec!["space", space, second]),
            Self::Channel {
                problem: ChannelProblem::Overlap { first, .. },
                ..
            } => Some(vec![first]),
            _ => None,
        }
    }
}

impl KeyProblem {
    fn key(&self) -> Option<&str> {
        match self {
            Self::At { key, .. }
            | Self::NearMiss { key, .. }
            | Self::Twice { key, .. }
            | Self::Expand { key, .. }
            | Self::Digits { key } => Some(key),
            // These words contain dots themselves.
            Self::NoBlank { .. } | Self::Map(_) => None,
        }
    }
}

impl MemoryProblem {
    /// Key of the wrong value; `None` if a key is missing.
    fn key(&self) -> Option<&str> {
        Some(match self {
            Self::Key(key) => return key.key(),
            Self::Missing { .. } | Self::StaticBlackBox(_) => return None,
            Self::Expand(error) => error.key,
            Self::NoName(error) => error.key,
            Self::OtherMethod { key }
            | Self::Zero { key }
            | Self::NotWholeBytes { key, .. }
            | Self::TooWide { key, .. }
            | Self::NoBanks { key } => key,
            Self::Wraps { .. } => "base",
            Self::NotWholeWords { .. } => "size",
            Self::ArrayDims { .. } | Self::TooManyRows { .. } => "array_dims",
            Self::BankWidth { .. } => "bank_width",
            Self::BankRows { .. } | Self::BankColumns { .. } => "banks",
            Self::NoHexFile { .. } => "init.file",
            Self::PathInApi(_) => "path",
        })
    }
}

impl ChannelProblem {
    /// Key of the wrong value; `None` if a key is missing or the channel's address is wrong.
    fn key(&self) -> Option<&str> {
        Some(match self {
            Self::Key(key) => return key.key(),
            Self::Expand(error) => error.key,
            Self::NoName(error) => error.key,
            Self::Flag { key, .. } => key,
            Self::UnknownSpace { .. } => "space",
            Self::Elf(_)
            | Self::NoMailbox { .. }
            | Self::SectionNotInMemory { .. }
            | Self::ImageVersion { .. } => "elf",
            Self::NothingToCount { .. } | Self::PastSection { .. } | Self::ImageChannels { .. } => {
                "mb_id"
            }
            Self::Ptr { .. } | Self::ImagePtr { .. } => "ptr",
            Self::CacheLine { .. } | Self::ImageCacheLine { .. } => "cache_line",
            Self::AdoptsLoaded => "adopt",
            Self::Abi { .. } => "abi",
            Self::Htif(problem) => return problem.key(),
            Self::Rtt(problem) => return problem.key(),
            Self::Semihosting(problem) => return Some(problem.key()),
            Self::NoAddress
            | Self::NoPtr
            | Self::Service(_)
            | Self::Misaligned { .. }
            | Self::Overlap { .. }
            | Self::NotInMemory(_) => return None,
        })
    }
}

impl SemihostingProblem {
    /// Key of the wrong value.
    fn key(&self) -> &str {
        match self {
            Self::KeyOfMailbox { key } | Self::KeyOfSemihosting { key } => key,
            Self::Word { .. }
            | Self::Misaligned { .. }
            | Self::NotInMemory { .. }
            | Self::InImage { .. } => "stub",
            Self::Harts { .. } => "harts",
            Self::FlushCpu { .. }
            | Self::FlushLength { .. }
            | Self::FlushWord { .. }
            | Self::FlushWithoutCode
            | Self::FlushAndHarts { .. } => "flush",
        }
    }
}

impl RttProblem {
    /// Key of the wrong value; `None` if a key is missing or an address of the image is wrong.
    fn key(&self) -> Option<&str> {
        match self {
            Self::KeyOfMailbox { key } => Some(key),
            Self::KeyOfRtt
            | Self::TwoPlaces
            | Self::NoRange
            | Self::Range { .. }
            | Self::Target { .. }
            | Self::Mode { .. }
            | Self::Empty { .. } => Some("rtt"),
            Self::NoBlock { .. } | Self::NotInMemory { .. } => None,
        }
    }
}

impl HtifProblem {
    /// Key of the wrong value; `None` if a key is missing or an address of the image is wrong.
    fn key(&self) -> Option<&str> {
        Some(match self {
            Self::KeyOfMailbox { key } | Self::KeyOfHtif { key } => key,
            Self::Granularity { .. } => "granularity",
            Self::NoSignature { .. } | Self::NoSignatureFile | Self::SignatureEnds { .. } => {
                "signature"
            }
            Self::NoWord { .. } | Self::NotInMemory { .. } | Self::Overlap { .. } => return None,
        })
    }
}
