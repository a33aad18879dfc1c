//! Rules of semihosting, by `docs/semihosting.md`.

mod handles;
mod operation;

use std::any::Any;
use std::collections::BTreeMap;

use bytes::Bytes;
use mailbox_rs::PtrWidth;

use self::handles::Handles;
use self::operation::{is_operation, name, named_memory, parameters};
use super::rules::{Breach, Owner, Pending, Request, Rules, Written, covers, word};
use crate::mem::{AccessError, Outcome, Span};
use crate::messages::SemihostingPlace;
use crate::messages::checkpoint::{SavedFrontEnd, SavedSemihosting};
use crate::messages::front_end::{Operate, OperateError, WordsRang};
use crate::messages::semihosting::OperationServed;

/// Harts with words of their own. Their flags of 32 bits come first, and the flag of a hart without words.
const HARTS: u32 = 8;

/// Offset of the first hart's `a0` and `a1` from the code, and bytes of both.
const ARGUMENTS: u64 = 64;
const ARGUMENTS_LEN: u64 = 16;

/// Most operations in service. The testbench chooses the numbers of its harts.
const MOST_CALLS: usize = 64;

/// Observed state of a channel.
#[derive(Debug)]
pub(super) struct Semihosting {
    width: PtrWidth,
    /// Address of the code in place of traps.
    stub: Option<u64>,
    handles: Handles,
    /// Operations without an answer, by the way they were asked and by hart.
    calls: BTreeMap<(Way, u32), Call>,
    /// Flags as last polled, or cleared by the host.
    flags: [Option<u64>; HARTS as usize + 1],
    /// True if the state is known from the start, or from a restore on.
    is_known: bool,
    pending: Pending<Asked>,
}

/// Way in which a hart asks for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// By the words of the code in place of traps.
    Words,
    /// By the testbench.
    Testbench,
}

/// Operation without an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Call {
    operation: u64,
    argument: u64,
    /// True once its parameter block is known.
    has_parameters: bool,
    /// Memory that the host may write.
    named: Vec<Span>,
    /// Result, after the event of the operation.
    result: Option<u64>,
    /// True once the host has written the result.
    is_written: bool,
}

/// Message whose reply is waited for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    /// Read of a hart's words.
    Words(u32),
    /// Read of a parameter block.
    Parameters((Way, u32)),
    /// Operation that the testbench asks for.
    Operation(u32),
}

impl Semihosting {
    pub(super) fn new(place: SemihostingPlace) -> Self {
        let SemihostingPlace { ptr_width, stub } = place;
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

    /// Address of the flag at a position, or offset without code in place of traps.
    fn flag(&self, position: u64) -> u64 {
        self.stub.unwrap_or_default().wrapping_add(4 * position)
    }

    /// Place of a hart's `a0` and `a1`.
    fn arguments(&self, hart: u32) -> Span {
        let stub = self.stub.unwrap_or_default();
        let offset = ARGUMENTS + ARGUMENTS_LEN * u64::from(hart);
        Span {
            address: stub.wrapping_add(offset),
            len: ARGUMENTS_LEN,
        }
    }

    /// Checks the flags as polled.
    fn rang(&mut self, words: &Bytes, breaches: &mut Vec<Breach>) {
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
                if now != 0 {
                    breaches.push(format!(
                        "the flag at {address:#x} is {now:#x}: a hart without words asks for an operation, and gets no answer"
                    ));
                }
            } else if now > 1 {
                breaches.push(format!(
                    "hart {position}: the flag at {address:#x} is {now:#x}, which firmware only sets to 1"
                ));
            } else if now == 0 {
                // Firmware begins anew.
                self.calls.remove(&(Way::Words, position as u32));
            }
        }
    }

    /// Begins an operation.
    fn begins(
        &mut self,
        key: (Way, u32),
        operation: u64,
        argument: u64,
        breaches: &mut Vec<Breach>,
    ) {
        let (_, hart) = key;
        let argument = self.width.truncate(argument);
        if let Some(before) = self.calls.get(&key) {
            if before.result.is_some() {
                breaches.push(format!(
                    "hart {hart}: the host begins {}, and has not answered {} before",
                    name(operation),
                    name(before.operation)
                ));
            } else if key.0 == Way::Words
                && (before.operation, before.argument) != (operation, argument)
            {
                let at = self.arguments(hart).address;
                breaches.push(format!(
                    "hart {hart}: the words at {at:#x} went from {} of {:#x} to {} of {argument:#x}: firmware must leave them alone while \
                     an operation waits",
                    name(before.operation),
                    before.argument,
                    name(operation)
                ));
            }
        }
        let call = Call {
            operation,
            argument,
            named: named_memory(operation, argument, &[], self.width),
            ..Call::default()
        };
        self.calls.insert(key, call);
        if self.calls.len() > MOST_CALLS {
            self.calls.pop_last();
        }
    }

    /// Notes the parameter block of an operation.
    fn parameters(&mut self, key: (Way, u32), bytes: &Bytes) {
        let width = self.width;
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let size = width.bytes() as usize;
        let words = (0..parameters(call.operation))
            .map(|at| word(bytes, size * at, size).unwrap_or_default());
        let words: Vec<_> = words.collect();
        call.named = named_memory(call.operation, call.argument, &words, width);
        call.has_parameters = true;
    }

    /// Checks the event of an operation.
    fn served(&mut self, served: &OperationServed, breaches: &mut Vec<Breach>) {
        let OperationServed {
            hart,
            operation,
            ref args,
            result,
            error,
            ..
        } = *served;
        let argument = args.first().copied().unwrap_or_default();
        let mut ways = [Way::Words, Way::Testbench].into_iter();
        let key = ways.find_map(|way| {
            let call = self.calls.get(&(way, hart))?;
            let is_it = (call.operation, call.argument) == (operation.0, argument);
            (is_it && call.result.is_none()).then_some((way, hart))
        });
        if let Some(call) = key.and_then(|key| self.calls.get_mut(&key)) {
            call.result = Some(result.unwrap_or_default());
            call.named.clear();
        } else if self.is_known {
            breaches.push(format!(
                "hart {hart}: the host has served {} of {argument:#x}, which the hart has not asked for",
                name(operation.0)
            ));
        }
        if !is_operation(operation.0) {
            breaches.push(format!(
                "hart {hart}: firmware asks for operation {:#x}, which does not exist",
                operation.0
            ));
        }
        let words = args.get(1..).unwrap_or_default();
        if let (0x05 | 0x06, &[_, _, len], Some(rest)) = (operation.0, words, result)
            && rest > len
        {
            breaches.push(format!(
                "hart {hart}: the host says that {rest:#x} of {len:#x} bytes of the {} at {argument:#x} were not moved",
                name(operation.0)
            ));
        }
        let failed = error.is_some();
        let at = (hart, argument);
        self.handles
            .served(at, operation.0, words, result.filter(|_| !failed), breaches);
        // An exit has no answer.
        if result.is_none()
            && let Some(key @ (Way::Words, _)) = key
        {
            self.calls.remove(&key);
        }
    }

    /// Checks a write to the words of a hart, after the code in place of traps; `None` for another place.
    fn answers(&mut self, write: Written, breaches: &mut Vec<Breach>) -> Option<()> {
        let Written { at, value } = write;
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
            let call = self.calls.remove(&(Way::Words, hart));
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
        match self.calls.get_mut(&(Way::Words, hart)) {
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

    /// Checks the answer to the testbench; `None` for an operation that waits for input or was not carried out.
    fn replied_to_testbench(&mut self, hart: u32, answer: Option<u64>, breaches: &mut Vec<Breach>) {
        let Some(call) = self.calls.remove(&(Way::Testbench, hart)) else {
            return;
        };
        let operation = name(call.operation);
        match (answer, call.result) {
            (Some(answer), Some(result)) if answer == result => {}
            (Some(answer), Some(result)) => breaches.push(format!(
                "hart {hart}: the host answers {operation} by {answer:#x}, which has given {result:#x}"
            )),
            (Some(answer), None) if self.is_known => breaches.push(format!(
                "hart {hart}: the host answers {operation} by {answer:#x}, and has not served it"
            )),
            (None, Some(_)) => breaches.push(format!(
                "hart {hart}: the host has served {operation}, and does not answer it"
            )),
            (Some(_) | None, None) => {}
        }
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
            self.calls.insert((Way::Words, hart), call);
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

    fn event(&mut self, sequence: u64, body: &dyn Any, breaches: &mut Vec<Breach>) {
        if let Some(rang) = body.downcast_ref::<WordsRang>() {
            if let Some(words) = &rang.words {
                self.rang(words, breaches);
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
            self.begins((Way::Testbench, hart), operation, argument, breaches);
            self.pending.insert(sequence, Asked::Operation(hart));
        }
    }

    fn asks(&mut self, sequence: u64, request: Request) {
        let Request::Read(at) = request else {
            return;
        };
        if self.stub.is_some()
            && let Some(hart) = (0..HARTS).find(|hart| self.arguments(*hart) == at)
        {
            return self.pending.insert(sequence, Asked::Words(hart));
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
            self.pending.insert(sequence, Asked::Parameters(*key));
        }
    }

    fn replied(&mut self, sequence: u64, reply: Option<&dyn Any>, breaches: &mut Vec<Breach>) {
        let Some(asked) = self.pending.remove(sequence) else {
            return;
        };
        let read = reply.and_then(|it| it.downcast_ref::<Result<Outcome, AccessError>>());
        match (asked, read) {
            (Asked::Words(hart), Some(Ok(Outcome::Bytes(bytes)))) => {
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
                self.begins((Way::Words, hart), operation, argument, breaches);
            }
            (Asked::Parameters(key), Some(Ok(Outcome::Bytes(bytes)))) => {
                self.parameters(key, bytes);
            }
            (Asked::Operation(hart), _) => {
                let answer =
                    reply.and_then(|it| it.downcast_ref::<Result<Option<u64>, OperateError>>());
                let answer = answer.and_then(|it| it.as_ref().ok().copied().flatten());
                self.replied_to_testbench(hart, answer, breaches);
            }
            (Asked::Words(_) | Asked::Parameters(_), _) => {}
        }
    }

    fn writes(&mut self, write: Written, breaches: &mut Vec<Breach>) -> Owner {
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
