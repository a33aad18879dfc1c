//! Operations of semihosting without a result: from the trap in the testbench, or from the read of
//! a hart's words, to their event.

use std::collections::BTreeMap;
use std::sync::Arc;

use mailbox_rs::PtrWidth;
use vhost::mem::{AccessError, Op, OpOutcome, SpaceId, Span};
use vhost::messages::events::OperationServed;
use vhost::messages::front_end::{Operate, OperateError};
use vhost::messages::memory::Access;
use vhost::messages::semihosting::{Operation, STUB_ARGUMENTS, STUB_ARGUMENTS_LEN, STUB_HARTS};
use vhost::messages::{ChannelId, Interface, ServedRequest as _};

use super::lists::Lists;
use super::{OpenRequest, ProtocolRequest};
use crate::trace::DecodedEntry;
use crate::trace::channels::Channels;

/// Maximum number of a channel's operations without a result: one per hart.
const MAX_OPEN_REQUESTS: usize = 65;

/// Maximum number of messages that await a reply.
const MAX_AWAITED_REPLIES: usize = 64;

/// Event of a hart's operation, without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenOperation(OperationServed);

/// Tracker of the channels with semihosting.
#[derive(Debug)]
pub(super) struct Operations {
    places: Vec<TrackedChannel>,
    /// Awaited replies, by the sequence number of the message.
    awaited: BTreeMap<u64, Awaited>,
}

/// Channel with semihosting.
#[derive(Debug, Clone)]
struct TrackedChannel {
    name: Arc<str>,
    id: ChannelId,
    space: SpaceId,
    width: PtrWidth,
    /// Address of the code that replaces traps.
    stub: Option<u64>,
    /// True once firmware has exited.
    has_ended: bool,
}

/// Reply to a message: position of the channel, number of the hart, and content.
#[derive(Debug, Clone, Copy)]
struct Awaited {
    place: usize,
    hart: u32,
    content: ReplyContent,
}

#[derive(Debug, Clone, Copy)]
enum ReplyContent {
    /// Result of an operation, or its error.
    Result,
    /// Operation and argument of a hart, stored by the code that replaces traps.
    Hart,
    /// Parameter block of the operation in service.
    Block,
}

impl OpenOperation {
    pub(super) fn kind(&self) -> &'static str {
        self.0.kind()
    }

    pub(super) fn text(&self) -> String {
        let Self(answer) = self;
        format!("{} of hart {}", answer.request_text(), answer.hart)
    }

    #[cfg(feature = "parquet")]
    pub(super) fn args(&self) -> &[u64] {
        self.0.args()
    }
}

impl Operations {
    pub(super) fn of(channels: &Channels) -> Self {
        let all = (0..).zip(channels.descriptors());
        let places = all.filter_map(|(number, channel)| match &channel.interface {
            Interface::Semihosting(place) => Some(TrackedChannel {
                name: channel.name.clone(),
                id: ChannelId(number),
                space: channel.space,
                width: place.ptr_width,
                stub: place.stub,
                has_ended: false,
            }),
            _ => None,
        });
        Self {
            places: places.collect(),
            awaited: BTreeMap::new(),
        }
    }

    /// Ends a channel: firmware has exited, and expects no result.
    pub(super) fn end(&mut self, channel: &str) {
        let ended = self.places.iter_mut().filter(|it| &*it.name == channel);
        ended.for_each(|place| place.has_ended = true);
    }

    /// Restarts all channels.
    pub(super) fn restart(&mut self) {
        let places = self.places.iter_mut();
        places.for_each(|place| place.has_ended = false);
    }

    /// Forgets messages that await a reply.
    pub(super) fn forget_replies(&mut self) {
        self.awaited.clear();
    }

    /// Processes a message.
    pub(super) fn follow(&mut self, decoded: &DecodedEntry, lists: &mut Lists) {
        if let (Some(served), Some(channel)) = (decoded.is::<OperationServed>(), &decoded.channel) {
            remove(served.hart, channel, lists);
        } else if let Some(operate) = decoded.is::<Operate>() {
            let position = self.places.iter().position(|it| it.id == operate.channel);
            let place = position.and_then(|at| Some((at, self.places.get(at)?)));
            if let Some((at, place)) = place {
                let asked = Operation(operate.operation);
                place.ask(operate.hart, asked, operate.argument, decoded, lists);
                self.awaits(decoded, at, operate.hart, ReplyContent::Result);
            }
        } else if let Some(Access {
            space,
            op: Op::Read(at),
        }) = decoded.is()
            && &*decoded.entry.kind.from == "semihosting"
        {
            let mut places = (0..).zip(&self.places);
            let read = places.find_map(|(number, place)| {
                let (hart, content) = place.read(*space, *at, lists)?;
                Some((number, hart, content))
            });
            if let Some((number, hart, content)) = read {
                self.awaits(decoded, number, hart, content);
            }
        }
    }

    /// Processes a reply.
    pub(super) fn replied(&mut self, decoded: &DecodedEntry, lists: &mut Lists) {
        let Some(awaited) = self.awaited.remove(&decoded.entry.sequence) else {
            return;
        };
        let Some(place) = self.places.get(awaited.place) else {
            return;
        };
        let hart = awaited.hart;
        let outcome = decoded.is::<Result<OpOutcome, AccessError>>();
        match (awaited.content, outcome) {
            (ReplyContent::Result, _) => {
                let result = decoded.is::<Result<Option<u64>, OperateError>>();
                if let Some(Err(_)) = result {
                    // Nothing is served after the exit.
                    remove(hart, &place.name, lists);
                }
            }
            (ReplyContent::Hart, Some(Ok(OpOutcome::Bytes(bytes)))) => {
                if let ([operation, argument], _) = bytes.as_chunks() {
                    let [number, argument] =
                        [operation, argument].map(|it| u64::from_le_bytes(*it));
                    let operation = Operation(place.width.truncate(number));
                    place.ask(hart, operation, argument, decoded, lists);
                }
            }
            (ReplyContent::Block, Some(Ok(OpOutcome::Bytes(bytes)))) => {
                if let Some(OpenOperation(operation)) = find(hart, &place.name, lists) {
                    operation.args.truncate(1);
                    operation.args.extend(words(bytes, place.width));
                }
            }
            _ => {}
        }
    }

    fn awaits(&mut self, decoded: &DecodedEntry, place: usize, hart: u32, content: ReplyContent) {
        let awaited = Awaited {
            place,
            hart,
            content,
        };
        self.awaited.insert(decoded.entry.sequence, awaited);
        if self.awaited.len() > MAX_AWAITED_REPLIES {
            self.awaited.pop_first();
        }
    }
}

impl TrackedChannel {
    /// Adds an operation, unless the hart repeats it, or firmware has exited.
    fn ask(
        &self,
        hart: u32,
        operation: Operation,
        argument: u64,
        decoded: &DecodedEntry,
        lists: &mut Lists,
    ) {
        if self.has_ended {
            return;
        }
        let (seen, argument) = (decoded.entry.tick, self.width.truncate(argument));
        if let Some(OpenOperation(before)) = find(hart, &self.name, lists)
            && (before.operation, before.args.first()) == (operation, Some(&argument))
        {
            // Its parameter block is read again.
            before.args.truncate(1);
            return;
        }
        remove(hart, &self.name, lists);
        let answer = OperationServed {
            channel: self.id,
            hart,
            operation,
            args: vec![argument],
            since: seen,
            result: None,
            error: None,
        };
        let request = ProtocolRequest::Semihosting(OpenOperation(answer));
        lists.add(&self.name, OpenRequest { seen, request }, MAX_OPEN_REQUESTS);
    }

    /// Hart whose words are read by this access.
    fn read(&self, space: SpaceId, at: Span, lists: &Lists) -> Option<(u32, ReplyContent)> {
        if space != self.space {
            return None;
        }
        let of_stub = self.stub.and_then(|stub| hart_of(stub, at));
        if let Some(hart) = of_stub {
            return Some((hart, ReplyContent::Hart));
        }
        let mut open = lists.get(&self.name)?.iter().filter_map(operation_of);
        // A new operation, whose block was not read yet.
        let operation = open.find(|it| {
            let len = self.width.bytes() * it.operation.words() as u64;
            it.args == [at.address] && at.len == len
        })?;
        Some((operation.hart, ReplyContent::Block))
    }
}

/// Hart that stores its operation and argument at this place behind the code that replaces traps.
fn hart_of(stub: u64, at: Span) -> Option<u32> {
    let offset = at.address.checked_sub(stub.checked_add(STUB_ARGUMENTS)?)?;
    let hart = offset / STUB_ARGUMENTS_LEN;
    let is_it = offset.is_multiple_of(STUB_ARGUMENTS_LEN) && at.len == STUB_ARGUMENTS_LEN;
    u32::try_from(hart)
        .ok()
        .filter(|_| is_it && hart < STUB_HARTS)
}

/// Words of a parameter block.
fn words(bytes: &[u8], width: PtrWidth) -> Vec<u64> {
    match width {
        PtrWidth::P4 => {
            let (words, _) = bytes.as_chunks();
            words
                .iter()
                .map(|it| u32::from_le_bytes(*it).into())
                .collect()
        }
        PtrWidth::P8 => {
            let (words, _) = bytes.as_chunks();
            words.iter().map(|it| u64::from_le_bytes(*it)).collect()
        }
    }
}

fn operation_of(request: &OpenRequest) -> Option<&OperationServed> {
    match &request.request {
        ProtocolRequest::Semihosting(OpenOperation(operation)) => Some(operation),
        _ => None,
    }
}

/// Operation of a hart.
fn find<'a>(hart: u32, channel: &str, lists: &'a mut Lists) -> Option<&'a mut OpenOperation> {
    let mut open = lists.get_mut(channel)?.iter_mut();
    open.find_map(|it| match &mut it.request {
        ProtocolRequest::Semihosting(asked) if asked.0.hart == hart => Some(asked),
        _ => None,
    })
}

/// Removes the operation of a hart.
fn remove(hart: u32, channel: &str, lists: &mut Lists) {
    if let Some(open) = lists.get_mut(channel) {
        open.retain(|it| operation_of(it).is_none_or(|operation| operation.hart != hart));
    }
}
