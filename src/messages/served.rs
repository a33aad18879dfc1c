//! Served requests of every front end, for taps and for the testbench.

use mailbox_rs::{Errno, PtrWidth, REQUEST_ARGS, RequestEntry};

use super::ChannelId;

/// Event: a front end has served a request of firmware.
pub trait ServedRequest {
    /// Channel of the request.
    fn channel(&self) -> ChannelId;

    /// Name of the request's kind, such as `"PRINT"` or `"write"`.
    fn kind(&self) -> &'static str;

    /// Arguments of the request.
    fn args(&self) -> &[u64];

    /// Slot of the request's queue; `None` for a protocol without queues.
    fn slot(&self) -> Option<u32> {
        None
    }

    /// Tick in which the request was taken.
    fn since(&self) -> u64;

    /// Value of the response, if the request has one and has not failed.
    fn value(&self) -> Option<u64>;

    /// Error of a request that has failed.
    fn error(&self) -> Option<Errno>;

    /// Number of bytes that the request has moved; 0 if it has failed.
    fn moved_bytes(&self) -> u64;

    /// Number of bytes that the request has printed, moved, read or written; 0 if it has failed.
    /// `printed` is the sum of [`printed_bytes`](super::printed_bytes) over the messages of its
    /// channel since the request before. The moved bytes of a request include the printed ones. The
    /// text that a failed write has left is part of `printed` too.
    fn bytes(&self, printed: u64) -> u64 {
        match self.moved_bytes() {
            0 if self.error().is_some() => 0,
            0 => printed,
            moved => moved,
        }
    }

    /// Request in the form that the testbench gets (`mb_served`).
    fn entry(&self) -> RequestEntry;

    /// Result word in the form that the testbench gets, for a channel with words of `width`; `None`
    /// for a request without a response.
    fn result(&self, width: PtrWidth) -> Option<u64>;

    /// Request in the terms of its protocol.
    fn request_text(&self) -> String;

    /// Outcome in the terms of the protocol, as a suffix to the request: `; gives 0xc; slot 2,
    /// taken in tick 1290`.
    fn outcome_text(&self) -> String;
}

/// Slot of `mb_served` for a request of a protocol without queues.
pub const NO_SLOT: u32 = u32::MAX;

/// First action of `mb_served` for commands of HTIF: device × 256 + command is added.
pub const HTIF_ACTION: u32 = 0x4000_0000;

/// First action of `mb_served` for transfers of RTT: 0 is added for one up, 1 for one down.
pub const RTT_ACTION: u32 = 0x4200_0000;

/// First action of `mb_served` for operations of semihosting: the number of the operation is added.
pub const SEMIHOSTING_ACTION: u32 = 0x4100_0000;

/// Entry for `mb_served`, of a request in a protocol without entries.
pub(super) fn entry_of(action: u32, args: &[u64]) -> RequestEntry {
    let mut words = [0; REQUEST_ARGS];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = *arg;
    }
    RequestEntry {
        action,
        words: args.len().min(REQUEST_ARGS) as u32,
        args: words,
    }
}
