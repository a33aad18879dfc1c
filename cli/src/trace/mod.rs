//! `vhost trace`: examines recordings. Each is read once, from its beginning to its end, with
//! memory that does not grow with its length. Chunks of compressed recordings without the requested
//! ticks are skipped.

mod access;
mod channels;
mod cut;
mod diff;
mod entry;
mod entry_reader;
mod export;
mod open;
mod show;
mod stat;
mod ticks;

use anyhow::Result;

pub(crate) use entry::{MAX_CHARACTERS, served_text, text as entry_text};
pub(crate) use entry_reader::{DecodedEntry, EntryReader};
pub(crate) use open::{OpenRequest, OpenRequests};

use crate::ExitOutcome;

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Show messages and replies, one per line
    Show(show::Args),
    /// Count messages and requests
    Stat(stat::Args),
    /// Show the first difference between two recordings; the exit status is 1 if they differ
    Diff(diff::Args),
    /// Write a part of a recording that replays by itself
    Cut(cut::Args),
    /// Write a recording in another format
    Export(export::Args),
}

pub(crate) fn run(verb: &Verb) -> Result<ExitOutcome> {
    match verb {
        Verb::Show(args) => show::run(args),
        Verb::Stat(args) => stat::run(args),
        Verb::Diff(args) => diff::run(args),
        Verb::Cut(args) => cut::run(args),
        Verb::Export(args) => export::run(args),
    }
}
