//! Treatment of payloads, which may be most of a recording.

use std::sync::Arc;

use bytes::Bytes;

use super::Payloads;
use crate::bus::Body;

/// Maximum number of bytes that are recorded in any case: entries of a queue must stay readable.
const FEW: usize = 64;

/// Returns the message or reply with its payload replaced; `None` if it is recorded unchanged.
#[inline(always)]
pub(super) fn redacted(body: &dyn Body, payloads: Payloads) -> Option<Arc<dyn Body>> {
    match payloads {
        Payloads::Keep => None,
        changed => replaced(body, changed),
    }
}

#[cold]
fn replaced(body: &dyn Body, payloads: Payloads) -> Option<Arc<dyn Body>> {
    match payloads {
        Payloads::Keep => None,
        Payloads::Hash => body.redacted(&hashed),
        Payloads::Drop => body.redacted(&dropped),
    }
}

fn hashed(data: &Bytes) -> Bytes {
    match data.len() {
        0..=FEW => data.clone(),
        _ => Bytes::copy_from_slice(&crc32fast::hash(data).to_le_bytes()),
    }
}

fn dropped(data: &Bytes) -> Bytes {
    match data.len() {
        0..=FEW => data.clone(),
        _ => Bytes::new(),
    }
}
