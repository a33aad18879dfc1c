//! Treatment of payloads, which may be most of a recording's size.

use std::sync::Arc;

use bytes::Bytes;

use super::Payloads;
use crate::bus::Body;

/// Maximum number of payload bytes that are always recorded, so that entries of a queue stay
/// readable.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::ChannelId;
    use crate::messages::events::FrameDecoded;
    use crate::messages::foreign::{FrameReport, Report, Severity};
    use crate::messages::rtt::DefmtFrame;

    #[test]
    fn text_of_frames_is_payload_and_text_of_the_host_is_not() {
        let text = "x".repeat(FEW + 1);
        let frame = DefmtFrame {
            level: None,
            timestamp: None,
            text: text.clone(),
            file: None,
            line: None,
        };
        let decoded = FrameDecoded {
            channel: ChannelId(0),
            number: 0,
            frame: Ok(frame),
        };
        let report = Report {
            severity: Severity::Info,
            id: "rtt".to_owned(),
            text,
        };
        assert!(redacted(&report, Payloads::Drop).is_none());
        let report = FrameReport(report);
        for (payloads, len) in [(Payloads::Drop, 0), (Payloads::Hash, 8)] {
            let decoded = redacted(&decoded, payloads).unwrap();
            let decoded: &FrameDecoded = decoded.downcast_ref().unwrap();
            assert_eq!(decoded.frame.as_ref().unwrap().text.len(), len);
            let report = redacted(&report, payloads).unwrap();
            let FrameReport(report) = report.downcast_ref().unwrap();
            assert_eq!(report.text.len(), len);
        }
        assert!(redacted(&decoded, Payloads::Keep).is_none());
    }
}
