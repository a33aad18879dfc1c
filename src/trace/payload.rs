//! Payloads: bytes in some messages, which may be most of a recording.

use std::sync::Arc;

use bytes::Bytes;

use super::Payloads;
use crate::bus::Body;
use crate::mem::{Op, Outcome};
use crate::messages::announced::FileRead;
use crate::messages::{files, foreign, memory};

/// Maximum number of bytes that are recorded in any case: entries of a queue must stay readable.
const FEW: usize = 64;

/// Returns the message or reply with its payload reduced; `None` if it is recorded unchanged.
pub(super) fn thin(body: &dyn Body, payloads: Payloads) -> Option<Arc<dyn Body>> {
    if payloads == Payloads::Keep {
        return None;
    }
    let any = body.as_any();
    macro_rules! thin {
        ($($type:ty: $body:ident => $thin:expr;)+) => {
            $(if let Some($body) = any.downcast_ref::<$type>() {
                return Some(Arc::new($thin));
            })+
        };
    }
    thin! {
        memory::Access: ask => memory::Access { space: ask.space, op: thin_op(&ask.op, payloads) };
        memory::AccessAt: ask => memory::AccessAt { space: ask.space, op: thin_op(&ask.op, payloads) };
        foreign::Access: ask => foreign::Access {
            space: ask.space,
            op: thin_op(&ask.op, payloads),
            observed: ask.observed,
        };
        files::Write: ask => files::Write { data: stand_in(&ask.data, payloads), ..ask.clone() };
        foreign::WriteSpecial: ask => foreign::WriteSpecial { data: stand_in(&ask.data, payloads), ..ask.clone() };
        FileRead: seen => FileRead { read: seen.read.clone().map(|read| stand_in(&read, payloads)) };
        Result<Outcome, crate::mem::AccessError>: reply => reply.clone().map(|outcome| thin_outcome(outcome, payloads));
        Result<Bytes, mailbox_rs::Errno>: reply => reply.clone().map(|read| stand_in(&read, payloads));
    }
    None
}

fn thin_op<P: Clone>(op: &Op<P>, payloads: Payloads) -> Op<P> {
    match op {
        Op::Write(place, data) => Op::Write(place.clone(), stand_in(data, payloads)),
        Op::Batch(ops) => Op::Batch(ops.iter().map(|op| thin_op(op, payloads)).collect()),
        other => other.clone(),
    }
}

fn thin_outcome(outcome: Outcome, payloads: Payloads) -> Outcome {
    match outcome {
        Outcome::Bytes(bytes) => Outcome::Bytes(stand_in(&bytes, payloads)),
        other => other,
    }
}

fn stand_in(data: &Bytes, payloads: Payloads) -> Bytes {
    match payloads {
        Payloads::Hash if data.len() > FEW => {
            Bytes::copy_from_slice(&crc32fast::hash(data).to_le_bytes())
        }
        Payloads::Drop if data.len() > FEW => Bytes::new(),
        _ => data.clone(),
    }
}
