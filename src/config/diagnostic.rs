//! Diagnostics of a valid configuration: warnings and notes.

use std::path::PathBuf;

use crate::mem::ImageWarning;

/// Diagnostic of a valid configuration: a warning of a probable mistake, or a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}", .file.display())]
pub struct ConfigDiagnostic {
    /// The configuration file.
    pub file: PathBuf,
    /// Kind and subject.
    pub kind: DiagnosticKind,
}

/// Kind of a diagnostic, and its subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiagnosticKind {
    /// An unknown key.
    #[error("{whose}: the key `{key}` is unknown, and ignored{hint}")]
    UnknownKey {
        /// Name and place of the memory or channel.
        whose: String,
        /// The key, dotted if nested.
        key: String,
        /// Probable meaning of the key.
        hint: KeyHint,
    },
    /// A memory that hides a part of another.
    #[error(
        "space `{space}`: memory `{front}` ({base:#x} to {last:#x}) is in front of memory `{behind}`, which contains it and is listed \
         later: accesses there do not reach `{behind}`"
    )]
    InFront {
        /// Name of the space.
        space: String,
        /// Memory that is listed first.
        front: String,
        /// Base address of that memory.
        base: u64,
        /// Last address of that memory.
        last: u64,
        /// The larger memory.
        behind: String,
    },
    /// A memory hidden by another one that contains it.
    #[error(
        "space `{space}`: memory `{memory}` ({base:#x} to {last:#x}) is hidden by memory `{by}`, which contains it and is listed before \
         it: no access reaches `{memory}`; list it first"
    )]
    Hidden {
        /// Name of the space.
        space: String,
        /// Name of the memory.
        memory: String,
        /// Base address of the hidden memory.
        base: u64,
        /// Last address of the hidden memory.
        last: u64,
        /// Memory that hides it.
        by: String,
    },
    /// A memory hidden by several others together.
    #[error(
        "space `{space}`: memory `{memory}` ({base:#x} to {last:#x}) is hidden by the memories in front of it, which cover all of it: no \
         access reaches `{memory}`; leave it out, or list it first"
    )]
    Covered {
        /// Name of the space.
        space: String,
        /// Name of the memory.
        memory: String,
        /// Base address of the memory.
        base: u64,
        /// Last address of the memory.
        last: u64,
    },
    /// Overlaps beyond the maximum number reported.
    #[error("space `{space}`: {more} more pairs of memories overlap")]
    MorePairs {
        /// Name of the space.
        space: String,
        /// Number of pairs not reported.
        more: usize,
    },
    /// Different addresses of a channel in the configuration and in the image.
    #[error("channel `{channel}`: {used}")]
    TwoAddresses {
        /// Name of the channel.
        channel: String,
        /// The address that is used.
        used: Used,
    },
    /// Words of HTIF that `abi: auto` has found in an image.
    #[error(
        "channel `{channel}`: {} has no section .mailbox, but the symbols tohost ({tohost:#x}) and fromhost ({fromhost:#x}): firmware is \
         served by HTIF",
        .image.display()
    )]
    HtifFound {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// Address of `tohost`.
        tohost: u64,
        /// Address of `fromhost`.
        fromhost: u64,
    },
    /// Control block of RTT that `abi: auto` has found in an image.
    #[error(
        "channel `{channel}`: {} has no section .mailbox, but the symbol _SEGGER_RTT ({block:#x}): firmware is served by RTT",
        .image.display()
    )]
    RttFound {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// Address of the control block.
        block: u64,
    },
    /// Protocol of an image that no channel serves.
    #[error(
        "channel `{channel}`: {} has {unserved}, which is not served; add a channel of the same space and image with `abi: {}` and `load: \
         false`",
        .image.display(), .unserved.abi()
    )]
    Unserved {
        /// Name of the channel that serves another protocol.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// The protocol.
        unserved: Unserved,
    },
    /// Control block of RTT that `abi: auto` has found in addition to another protocol.
    #[error(
        "channel `{channel}`: {} has RTT, too (symbol _SEGGER_RTT, {block:#x}), which channel `{added}` serves; give `abi` for one protocol \
         alone",
        .image.display()
    )]
    RttBeside {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// Address of the control block.
        block: u64,
        /// Name of the added channel.
        added: String,
    },
    /// Traps of semihosting that `abi: auto` has found in addition to another protocol.
    #[error(
        "channel `{channel}`: {} has {} of semihosting, too, which channel `{added}` serves; give `abi` for one protocol alone",
        .image.display(), traps(*.count)
    )]
    SemihostingBeside {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// Number of traps.
        count: usize,
        /// Name of the added channel.
        added: String,
    },
    /// Traps of semihosting that `abi: auto` has found in an image.
    #[error(
        "channel `{channel}`: {} has no section .mailbox, but {} of semihosting: firmware is served by semihosting",
        .image.display(), traps(*.count)
    )]
    SemihostingFound {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// Number of traps.
        count: usize,
    },
    /// Image without symbols, in which `abi: auto` has found only traps of semihosting.
    #[error(
        "channel `{channel}`: {} has no symbols, by which HTIF (tohost, fromhost) and RTT (_SEGGER_RTT) are found: if it has these, link \
         it without --strip-all or -s, and don't run strip on it; else give `abi: semihosting`",
        .image.display()
    )]
    NoSymbols {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
    },
    /// Place for the code that replaces traps.
    #[error(
        "channel `{channel}`: the code in place of traps of semihosting is at {address:#x}, in a gap ({start:#x} to {last:#x}) of RAM outside \
         of images, heap and stack; give `stub` for another place, or `stub: none` where the testbench sees the traps"
    )]
    StubFound {
        /// Name of the channel.
        channel: String,
        /// Address of the code.
        address: u64,
        /// First address of the gap.
        start: u64,
        /// Last address of the gap.
        last: u64,
    },
    /// No traps that could be replaced.
    #[error(
        "channel `{channel}`: {} has no trap of semihosting that could be replaced: firmware asks for nothing; leave `abi: semihosting` out, \
         or give `stub: none` where the testbench sees its traps, or an address as `stub` where firmware unpacks them",
        .image.display()
    )]
    NoTraps {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
    },
    /// No place for the code that replaces traps.
    #[error(
        "channel `{channel}`: {} has traps of semihosting, and no RAM of its space has {size} bytes outside of images, heap and stack: the \
         traps stay as they are; give `stub`, or `stub: none` where the testbench sees the traps",
        .image.display()
    )]
    NoStub {
        /// Name of the channel.
        channel: String,
        /// Path of the image.
        image: PathBuf,
        /// Number of bytes of the code.
        size: u64,
    },
    /// Image that should probably not be loaded.
    #[error("image {} {warning}", .image.display())]
    Image {
        /// Path of the image.
        image: PathBuf,
        /// Property of the image.
        warning: ImageWarning,
    },
}

/// Number of traps, with the noun.
fn traps(count: usize) -> String {
    match count {
        1 => "1 trap".to_owned(),
        _ => format!("{count} traps"),
    }
}

impl DiagnosticKind {
    /// True for a warning, false for a note.
    pub fn is_warning(&self) -> bool {
        !matches!(
            self,
            Self::TwoAddresses { .. }
                | Self::HtifFound { .. }
                | Self::RttFound { .. }
                | Self::Unserved { .. }
                | Self::RttBeside { .. }
                | Self::SemihostingBeside { .. }
                | Self::SemihostingFound { .. }
                | Self::StubFound { .. }
        )
    }
}

/// Protocol in an image, and the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unserved {
    /// Section of a mailbox.
    #[error("a mailbox, too (section .mailbox, {section:#x})")]
    Mailbox {
        /// Address of the section.
        section: u64,
    },
    /// Words of HTIF.
    #[error("HTIF, too (symbols tohost, {tohost:#x}, and fromhost, {fromhost:#x})")]
    Htif {
        /// Address of `tohost`.
        tohost: u64,
        /// Address of `fromhost`.
        fromhost: u64,
    },
    /// Control block of RTT.
    #[error("RTT, too (symbol _SEGGER_RTT, {block:#x})")]
    Rtt {
        /// Address of the control block.
        block: u64,
    },
    /// Traps of semihosting.
    #[error("{} of semihosting, too", traps(*.count))]
    Semihosting {
        /// Number of traps.
        count: usize,
    },
}

impl Unserved {
    /// Value of the key `abi` for the protocol.
    fn abi(&self) -> &'static str {
        match self {
            Self::Mailbox { .. } => "mailbox",
            Self::Htif { .. } => "htif",
            Self::Rtt { .. } => "rtt",
            Self::Semihosting { .. } => "semihosting",
        }
    }
}

/// Probable meaning of an unknown key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyHint {
    /// No guess.
    #[error("")]
    None,
    /// A known key that is absent.
    #[error("; did you mean `{meant}`?")]
    Near {
        /// The known key.
        meant: &'static str,
    },
    /// A known key that is present too.
    #[error("; did you mean `{meant}`, which is given, too?")]
    NearGiven {
        /// The known key.
        meant: &'static str,
    },
    /// A key of a nested map.
    #[error("; it belongs inside `{map}`")]
    Inside {
        /// Key of the nested map.
        map: &'static str,
    },
    /// A key of the outer map.
    #[error("; it belongs beside `{map}`, not inside")]
    FurtherProtocols {
        /// Key of this map.
        map: &'static str,
    },
    /// A key of the other file.
    #[error("; it is a key of {what}")]
    Of {
        /// Description of the maps with this key.
        what: &'static str,
    },
}

/// Address of a channel that has both `base` and an image with a section `.mailbox`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Used {
    /// Address of the image.
    #[error(
        "`base` {base:#x} is not used: section .mailbox of {} puts the channel at {address:#x}; leave `base` out, or link the section \
         there",
        .image.display()
    )]
    Image {
        /// Path of the image.
        image: PathBuf,
        /// Address of the channel.
        address: u64,
        /// Value of `base`.
        base: u64,
    },
    /// Address of `base`, because the image has two addresses, or one that is not in memory.
    #[error(
        "`base` {base:#x} is used: section .mailbox of {} is linked for {linked:#x}{}",
        .image.display(),
        if linked == loaded { ", which is not in memory".to_owned() } else { format!(" and loaded at {loaded:#x}") }
    )]
    Base {
        /// Path of the image.
        image: PathBuf,
        /// Value of `base`.
        base: u64,
        /// Virtual address of the channel.
        linked: u64,
        /// Physical address of the channel.
        loaded: u64,
    },
}
