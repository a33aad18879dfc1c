//! Commands of HTIF without a response: from the poll that finds one in `tohost` to its event.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use vhost::mem::{AccessError, Op, OpOutcome, SpaceId};
use vhost::messages::checkpoint::SavedHtif;
use vhost::messages::events::{CommandServed, WordsRang};
use vhost::messages::htif::{Command, SystemCall};
use vhost::messages::memory::Access;
use vhost::messages::{ChannelId, Interface, ServedRequest as _};

use super::lists::Lists;
use super::{OpenRequest, ProtocolRequest};
use crate::trace::DecodedEntry;
use crate::trace::channels::Channels;

/// Maximum number of console reads that wait for a character. The host ignores further ones.
const MAX_READS: usize = 64;

/// Maximum number of commands of a channel without a response: console reads, one in service, and
/// the next one in `tohost`.
const MAX_OPEN_REQUESTS: usize = MAX_READS + 2;

/// Maximum number of awaited replies to reads of system calls.
const MAX_AWAITED_REPLIES: usize = 64;

/// Command of firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenCommand {
    /// Event of the command, without a result.
    answer: CommandServed,
    /// True once the host has cleared `tohost`.
    is_taken: bool,
}

/// Tracker of the channels with HTIF.
#[derive(Debug)]
pub(super) struct Commands {
    /// Space and address of `tohost`, with the name of the channel.
    places: Vec<(SpaceId, u64, Arc<str>)>,
    /// Channel and address of each read of a system call's words, by the sequence number of the
    /// message.
    reads: BTreeMap<u64, (Arc<str>, u64)>,
    /// True once `tohost` was cleared: the recording contains accesses to memory.
    shows_accesses: bool,
}

impl OpenCommand {
    pub(super) fn kind(&self) -> &'static str {
        self.answer.kind()
    }

    pub(super) fn text(&self) -> String {
        self.answer.request_text()
    }

    #[cfg(feature = "parquet")]
    pub(super) fn args(&self) -> &[u64] {
        self.answer.args()
    }

    pub(super) fn word(&self) -> u64 {
        self.answer.command.0
    }

    fn is_console_read(&self) -> bool {
        self.answer.command.kind() == "console read"
    }

    /// True for a system call with its words at this address.
    fn calls_at(&self, address: u64) -> bool {
        let command = self.answer.command;
        command.kind() == "system call" && command.payload() == address
    }
}

impl Commands {
    pub(super) fn of(channels: &Channels) -> Self {
        let all = channels.descriptors().iter();
        let places = all.filter_map(|channel| match &channel.interface {
            Interface::Htif(place) => Some((channel.space, place.tohost, channel.name.clone())),
            _ => None,
        });
        Self {
            places: places.collect(),
            reads: BTreeMap::new(),
            shows_accesses: false,
        }
    }

    /// Forgets reads without a reply.
    pub(super) fn forget_reads(&mut self) {
        self.reads.clear();
    }

    /// Processes a message.
    pub(super) fn follow(&mut self, decoded: &DecodedEntry, lists: &mut Lists) {
        if let (Some(served), Some(channel)) = (decoded.is::<CommandServed>(), &decoded.channel) {
            answered(served, channel, lists);
        }
        if &*decoded.entry.kind.from != "htif" {
            return;
        }
        if let (Some(rang), Some(channel)) = (decoded.is::<WordsRang>(), &decoded.channel) {
            let word = rang.words.as_ref().and_then(|words| words.first_chunk());
            if let Some(word) = word.copied().map(u64::from_le_bytes) {
                let asked = open(decoded.entry.tick, word, rang.channel);
                self.rang(asked, word, channel, lists);
            }
        } else if let Some(Access { space, op }) = decoded.is() {
            match op {
                Op::Fill(at, 0) => self.taken(*space, at.address, lists),
                Op::Read(at) if at.len == SystemCall::SIZE => {
                    self.reads(decoded.entry.sequence, *space, at.address, lists);
                }
                _ => {}
            }
        }
    }

    /// Processes a reply: the words of a system call.
    pub(super) fn replied(&mut self, decoded: &DecodedEntry, lists: &mut Lists) {
        let Some((channel, address)) = self.reads.remove(&decoded.entry.sequence) else {
            return;
        };
        let Some(Ok(OpOutcome::Bytes(bytes))) = decoded.is::<Result<OpOutcome, AccessError>>()
        else {
            return;
        };
        let last = last(lists, &channel);
        if let Some(open) = last.filter(|open| open.calls_at(address)) {
            open.answer.call = SystemCall::parse(bytes);
        }
    }

    /// Adds the command in `tohost`. It replaces one there that the host has not taken, such as its
    /// first half.
    fn rang(&self, mut asked: OpenRequest, word: u64, channel: &Arc<str>, lists: &mut Lists) {
        let before = lists.get_mut(channel).and_then(VecDeque::pop_back);
        if let Some(before) = before {
            match &before.request {
                ProtocolRequest::Htif(last) if !last.is_taken && is_part_of(last.word(), word) => {
                    asked.seen = before.seen;
                }
                // Firmware has withdrawn it.
                ProtocolRequest::Htif(last) if !last.is_taken && self.shows_accesses => {}
                _ => lists.add(channel, before, MAX_OPEN_REQUESTS),
            }
        }
        if word != 0 {
            lists.add(channel, asked, MAX_OPEN_REQUESTS);
        }
    }

    /// Notes that the host has taken the command in `tohost`.
    fn taken(&mut self, space: SpaceId, address: u64, lists: &mut Lists) {
        let mut places = self.places.iter();
        let of = places.find(|(of, tohost, _)| (*of, *tohost) == (space, address));
        let Some((_, _, channel)) = of else {
            return;
        };
        self.shows_accesses = true;
        let Some(command) = last(lists, channel) else {
            return;
        };
        command.is_taken = true;
        let is_read = command.is_console_read();
        if let Some(open) = lists.get_mut(channel).filter(|_| is_read) {
            let reads = open.iter();
            let reads = reads.filter(|it| command_of(it).is_some_and(OpenCommand::is_console_read));
            if reads.count() > MAX_READS {
                // The host ignores it.
                open.pop_back();
            }
        }
    }

    /// Notes the read of a system call's words.
    fn reads(&mut self, sequence: u64, space: SpaceId, address: u64, lists: &Lists) {
        let newest = |channel: &str| command_of(lists.get(channel)?.back()?);
        let mut places = self.places.iter().filter(|(of, ..)| *of == space);
        let of = places
            .find(|(.., channel)| newest(channel).is_some_and(|command| command.calls_at(address)));
        if let Some((.., channel)) = of {
            self.reads.insert(sequence, (channel.clone(), address));
            if self.reads.len() > MAX_AWAITED_REPLIES {
                self.reads.pop_first();
            }
        }
    }
}

/// Restores the commands in service at a checkpoint. A command in `tohost` is found when the host
/// polls it again.
pub(super) fn resume(state: &SavedHtif, id: ChannelId, channel: &Arc<str>, lists: &mut Lists) {
    let reads = state.reads.iter().copied();
    let command = state.command.as_ref();
    // The event of a command whose response is delayed precedes the checkpoint.
    let command = command.filter(|command| command.delayed.is_none());
    let command = command.map(|command| (command.command, command.since));
    for (word, since) in reads.chain(command) {
        let mut asked = open(since, word, id);
        if let ProtocolRequest::Htif(command) = &mut asked.request {
            command.is_taken = true;
        }
        lists.add(channel, asked, MAX_OPEN_REQUESTS);
    }
}

fn open(seen: u64, word: u64, channel: ChannelId) -> OpenRequest {
    let answer = CommandServed {
        channel,
        command: Command(word),
        call: None,
        since: seen,
        result: None,
    };
    OpenRequest {
        seen,
        request: ProtocolRequest::Htif(OpenCommand {
            answer,
            is_taken: false,
        }),
    }
}

fn command_of(request: &OpenRequest) -> Option<&OpenCommand> {
    match &request.request {
        ProtocolRequest::Htif(command) => Some(command),
        _ => None,
    }
}

/// Newest command of a channel.
fn last<'a>(lists: &'a mut Lists, channel: &str) -> Option<&'a mut OpenCommand> {
    match &mut lists.get_mut(channel)?.back_mut()?.request {
        ProtocolRequest::Htif(command) => Some(command),
        _ => None,
    }
}

/// Removes a served command. A character completes the oldest console read, and other commands may
/// be served in between.
fn answered(served: &CommandServed, channel: &str, lists: &mut Lists) {
    let Some(open) = lists.get_mut(channel) else {
        return;
    };
    let position = open.iter().position(|it| {
        let is_it = command_of(it).is_some_and(|command| command.word() == served.command.0);
        // A command that was taken before a cut is not in the list.
        is_it && it.seen <= served.since
    });
    if let Some(position) = position {
        open.remove(position);
    }
}

/// True if a word equals another one, or one of its halves with the other half 0.
fn is_part_of(part: u64, whole: u64) -> bool {
    let halves = |word: u64| [word & 0xffff_ffff, word >> 32];
    let pairs = halves(part).into_iter().zip(halves(whole));
    part != 0
        && pairs
            .into_iter()
            .all(|(one, other)| one == 0 || one == other)
}
