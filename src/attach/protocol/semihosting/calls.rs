//! Operations in service, from the request of a hart to their result.

use bytes::Bytes;

use super::Semihosting;
use super::call::{Call, RequestedBy};
use super::operation::{is_operation, name, named_memory, parameters};
use crate::attach::protocol::rules::{Breach, word};
use crate::messages::semihosting::OperationServed;

/// Maximum number of operations in service. The testbench chooses the numbers of its harts.
const MAX_CALLS: usize = 64;

impl Semihosting {
    /// Starts an operation.
    pub(super) fn begins(
        &mut self,
        key: (RequestedBy, u32),
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
            } else if key.0 == RequestedBy::Words
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
        if self.calls.len() > MAX_CALLS {
            self.calls.pop_last();
        }
    }

    /// Notes the parameter block of an operation.
    pub(super) fn parameters(&mut self, key: (RequestedBy, u32), bytes: &Bytes) {
        let width = self.width;
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let size = width.bytes() as usize;
        let words = (0..parameters(call.operation))
            .map(|at| word(bytes, size * at, size).unwrap_or_default());
        let words: Vec<_> = words.collect();
        call.named = named_memory(call.operation, call.argument, &words, width);
        call.words = words;
        call.has_parameters = true;
    }

    /// Checks the event of an operation.
    pub(super) fn served(&mut self, served: &OperationServed, breaches: &mut Vec<Breach>) {
        let OperationServed {
            hart,
            operation,
            ref args,
            result,
            error,
            ..
        } = *served;
        let argument = args.first().copied().unwrap_or_default();
        let mut ways = [RequestedBy::Words, RequestedBy::Testbench].into_iter();
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
                "hart {hart}: firmware asks for operation {:#x} at {argument:#x}, which does not exist",
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
        // An exit has no result.
        if result.is_none()
            && let Some(key @ (RequestedBy::Words, _)) = key
        {
            self.calls.remove(&key);
        }
    }

    /// Operation without a result that has named an address, with its hart and parameters. If none
    /// is known to have named it, the only operation in service.
    pub(super) fn naming(&self, address: u64) -> Option<String> {
        let mut open = self.calls.iter().filter(|(_, call)| call.result.is_none());
        let names = |(_, call): &(_, &Call)| {
            let is_pointer = |word: &u64| *word == address;
            is_pointer(&call.argument) || call.words.iter().any(is_pointer)
        };
        let ((_, hart), call) = match open.clone().find(names) {
            Some(naming) => naming,
            None => open.next().filter(|_| open.next().is_none())?,
        };
        let (name, at) = (name(call.operation), call.argument);
        let words: Vec<_> = call.words.iter().map(|word| format!("{word:#x}")).collect();
        Some(match (parameters(call.operation), words.is_empty()) {
            (0, _) => format!("{name} of hart {hart} with argument {at:#x}"),
            (_, true) => format!("{name} of hart {hart} with its parameter block at {at:#x}"),
            (_, false) => format!(
                "{name}({}) of hart {hart} with its parameter block at {at:#x}",
                words.join(", ")
            ),
        })
    }

    /// Checks the result for the testbench; `None` for an operation that waits for input or was not
    /// executed.
    pub(super) fn replied_to_testbench(
        &mut self,
        hart: u32,
        answer: Option<u64>,
        breaches: &mut Vec<Breach>,
    ) {
        let Some(call) = self.calls.remove(&(RequestedBy::Testbench, hart)) else {
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
}
