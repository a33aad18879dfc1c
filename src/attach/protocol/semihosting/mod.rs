//! Rules of semihosting, by `docs/semihosting.md`.

mod call;
mod calls;
mod handles;
mod operation;

use std::collections::BTreeMap;

use bytes::Bytes;
use mailbox_rs::PtrWidth;

use self::call::{Call, RequestedBy};
use self::handles::Handles;
use self::operation::parameters;
use super::rules::{Breach, MemoryWrite, Owner, Pending, Request, Rules, covers, word};
use crate::bus::Body;
use crate::mem::{AccessError, OpOutcome, Span};
use crate::messages::SemihostingPlace;
use crate::messages::checkpoint::{SavedFrontEnd, SavedSemihosting};
use crate::messages::front_end::{Operate, OperateError, WordsRang};
use crate::messages::semihosting::OperationServed;

/// Number of harts with words of their own. Their flags of 32 bits come first, followed by the flag
/// for other harts.
const HARTS: u32 = 8;

/// Offset of the first hart's `a0` and `a1` from the start of the code, and the size of both.
const ARGUMENTS: u64 = 64;
const ARGUMENTS_LEN: u64 = 16;

/// Observed state of a channel.
#[derive(Debug)]
pub(super) struct Semihosting {
    width: PtrWidth,
    /// Address of the code that replaces traps.
    stub: Option<u64>,
    handles: Handles,
    /// Operations without an answer, by the way they were asked and by hart.
    calls: BTreeMap<(RequestedBy, u32), Call>,
    /// Flags as last polled, or cleared by the host.
    flags: [Option<u64>; HARTS as usize + 1],
    /// True if the state is known from the start, or from a restore.
    is_known: bool,
    pending: Pending<AwaitedReply>,
}

/// Message with a pending reply.
#[derive(Debug, Clone, Copy)]
enum AwaitedReply {
    /// Read of a hart's words.
    Words(u32),
    /// Read of a parameter block.
    Parameters((RequestedBy, u32)),
    /// Operation that the testbench asks for.
    Operation(u32),
}

impl Semihosting {
    pub(super) fn new(place: &SemihostingPlace) -> Self {
        let SemihostingPlace {
            ptr_width, stub, ..
        } = *place;
        Self {
            width: ptr_width,
            stub,
            handles: Handles::default(),
            calls: BTreeMap::new(),
            flags: [None; HARTS as usize + 1],
            is_known: false,
            pending: Pending::default(),
        }
    }

    /// Address of the flag at a position; its offset if no code replaces traps.
    fn flag(&self, position: u64) -> u64 {
        self.stub.unwrap_or_default().wrapping_add(4 * position)
    }

    /// Range of a hart's `a0` and `a1`.
    fn arguments(&self, hart: u32) -> Span {
        let stub = self.stub.unwrap_or_default();
        let offset = ARGUMENTS + ARGUMENTS_LEN * u64::from(hart);
        Span {
            address: stub.wrapping_add(offset),
            len: ARGUMENTS_LEN,
        }
    }

    /// Checks the polled flags.
    fn words_changed(&mut self, words: &Bytes, breaches: &mut Vec<Breach>) {
        for position in 0..=u64::from(HARTS) {
            let at = position as usize;
            let Some(now) = word(words, 4 * at, 4) else {
                return;
            };
            let address = self.flag(position);
            let before = self.flags[at].replace(now);
            if before == Some(now) {
                continue;
            }
            if position == u64::from(HARTS) {
                // The second of two harts waits for the first, and sets 1; others set their number
                // plus 1.
                let ends = match now {
                    0 => continue,
                    1 => {
                        "an operation is asked for while another one waits, by a second hart or by a trap handler; the code in place of traps is for one"
                    }
                    _ => "a hart without words asks for an operation, and gets no answer",
                };
                breaches.push(format!("the flag at {address:#x} is {now:#x}: {ends}"));
            } else if now > 1 {
                breaches.push(format!(
                    "hart {position}: the flag at {address:#x} is {now:#x}, which firmware only sets to 1"
                ));
            } else if now == 0 {
                // Firmware begins anew.
                self.calls.remove(&(RequestedBy::Words, position as u32));
            }
        }
    }

    /// Checks a write to the words of a hart, after the code in place of traps; `None` for another
    /// place.
    fn answers(&mut self, write: MemoryWrite, breaches: &mut Vec<Breach>) -> Option<()> {
        let MemoryWrite { at, value } = write;
        let stub = self.stub?;
        let value = value.unwrap_or_default();
        let offset = at.address.checked_sub(stub)?;
        if at.len == 4 && offset.is_multiple_of(4) && offset < 4 * u64::from(HARTS) {
            let hart = (offset / 4) as u32;
            if value != 0 {
                breaches.push(format!(
                    "hart {hart}: the host writes {value:#x} to the flag at {:#x}, which it only sets to 0",
                    at.address
                ));
            }
            let call = self.calls.remove(&(RequestedBy::Words, hart));
            let is_answered = call.is_some_and(|call| call.is_written);
            if !is_answered && self.is_known {
                breaches.push(format!(
                    "hart {hart}: the host sets the flag at {:#x} to 0, and has not answered",
                    at.address
                ));
            }
            self.flags[hart as usize] = Some(0);
            return Some(());
        }
        let slot = offset.checked_sub(ARGUMENTS)?;
        if at.len != 8
            || !slot.is_multiple_of(ARGUMENTS_LEN)
            || slot / ARGUMENTS_LEN >= u64::from(HARTS)
        {
            return None;
        }
        let hart = (slot / ARGUMENTS_LEN) as u32;
        match self.calls.get_mut(&(RequestedBy::Words, hart)) {
            Some(Call {
                result: Some(result),
                is_written: is_written @ false,
                ..
            }) => {
                *is_written = true;
                if *result != value {
                    breaches.push(format!(
                        "hart {hart}: the host writes {value:#x} at {:#x} as the result of an operation that has given {result:#x}",
                        at.address
                    ));
                }
            }
            _ if !self.is_known => {}
            _ => breaches.push(format!(
                "hart {hart}: the host writes the result {value:#x} at {:#x}, where no operation waits for it",
                at.address
            )),
        }
        Some(())
    }

    /// Sets the state to that of a checkpoint.
    fn restored(&mut self, saved: &SavedSemihosting) {
        self.is_known = true;
        self.pending.clear();
        self.calls.clear();
        self.flags = [None; HARTS as usize + 1];
        let handles = (0..).zip(&saved.handles);
        let open = handles.filter(|(_, it)| it.is_some());
        self.handles = Handles::of(open.map(|(handle, _)| handle));
        if let Some((hart, result, _)) = saved.delayed {
            let call = Call {
                result: Some(result),
                ..Call::default()
            };
            self.calls.insert((RequestedBy::Words, hart), call);
        }
    }
}

impl Rules for Semihosting {
    fn start(&mut self) {
        self.is_known = true;
        self.handles = Handles::of(0..=2);
    }

    fn restore(&mut self, saved: &SavedFrontEnd) {
        if let SavedFrontEnd::Semihosting(saved) = saved {
            self.restored(saved);
        }
    }

    fn event(&mut self, sequence: u64, body: &dyn Body, breaches: &mut Vec<Breach>) {
        if let Some(rang) = body.downcast_ref::<WordsRang>() {
            if let Some(words) = &rang.words {
                self.words_changed(words, breaches);
            }
        } else if let Some(served) = body.downcast_ref::<OperationServed>() {
            self.served(served, breaches);
        } else if let Some(operate) = body.downcast_ref::<Operate>() {
            let Operate {
                hart,
                operation,
                argument,
                ..
            } = *operate;
            self.begins(
                (RequestedBy::Testbench, hart),
                operation,
                argument,
                breaches,
            );
            self.pending.insert(sequence, AwaitedReply::Operation(hart));
        }
    }

    fn asks(&mut self, sequence: u64, request: Request) {
        let Request::Read(at) = request else {
            return;
        };
        if self.stub.is_some()
            && let Some(hart) = (0..HARTS).find(|hart| self.arguments(*hart) == at)
        {
            return self.pending.insert(sequence, AwaitedReply::Words(hart));
        }
        let mut calls = self.calls.iter();
        let asking = calls.find(|(_, call)| {
            let len = parameters(call.operation) as u64 * self.width.bytes();
            let block = Span {
                address: call.argument,
                len,
            };
            !call.has_parameters && call.result.is_none() && len > 0 && at == block
        });
        if let Some((key, _)) = asking {
            self.pending
                .insert(sequence, AwaitedReply::Parameters(*key));
        }
    }

    fn replied(&mut self, sequence: u64, reply: Option<&dyn Body>, breaches: &mut Vec<Breach>) {
        let Some(asked) = self.pending.remove(sequence) else {
            return;
        };
        let read = reply.and_then(|it| it.downcast_ref::<Result<OpOutcome, AccessError>>());
        match (asked, read) {
            (AwaitedReply::Words(hart), Some(Ok(OpOutcome::Bytes(bytes)))) => {
                let (Some(operation), Some(argument)) = (word(bytes, 0, 8), word(bytes, 8, 8))
                else {
                    return;
                };
                if self.flags[hart as usize] == Some(0) {
                    let flag = self.flag(u64::from(hart));
                    breaches.push(format!(
                        "hart {hart}: the host takes an operation, and the flag at {flag:#x} is 0"
                    ));
                }
                let operation = self.width.truncate(operation);
                self.begins((RequestedBy::Words, hart), operation, argument, breaches);
            }
            (AwaitedReply::Parameters(key), Some(Ok(OpOutcome::Bytes(bytes)))) => {
                self.parameters(key, bytes);
            }
            (AwaitedReply::Operation(hart), _) => {
                let answer =
                    reply.and_then(|it| it.downcast_ref::<Result<Option<u64>, OperateError>>());
                let answer = answer.and_then(|it| it.as_ref().ok().copied().flatten());
                self.replied_to_testbench(hart, answer, breaches);
            }
            (AwaitedReply::Words(_) | AwaitedReply::Parameters(_), _) => {}
        }
    }

    fn names(&self, address: u64) -> Option<String> {
        self.naming(address)
    }

    fn writes(&mut self, write: MemoryWrite, breaches: &mut Vec<Breach>) -> Owner {
        let mut named = self.calls.values().flat_map(|call| &call.named);
        if named.any(|place| covers(*place, write.at)) || self.answers(write, breaches).is_some() {
            return Owner::Channel;
        }
        match self.is_known {
            true => Owner::Other,
            false => Owner::Unknown,
        }
    }
}
