//! Frames of defmt in an up buffer, decoded to reports.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::targets::Piece;
use crate::actors::service::{ChannelService, FrameDecoder};
use crate::bus::ActorContext;
use crate::messages::escaped_text;
use crate::messages::foreign::{FrameReport, Report, Severity};
use crate::messages::rtt::{DefmtFrameError, DefmtLevel, FrameDecoded};

/// Maximum number of reports on undecodable frames, for one buffer.
const MAX_REPORTS: u32 = 16;

/// Decoders of one channel's buffers, by their numbers.
#[derive(Default)]
pub(super) struct Frames {
    streams: RefCell<BTreeMap<u32, Stream>>,
    /// True after a restore: a stream may start within a frame.
    is_restored: Cell<bool>,
}

struct Stream {
    decoder: Box<dyn FrameDecoder>,
    reports: u32,
    /// True while the next frame may be the rest of one that began before a checkpoint.
    may_be_cut: bool,
}

impl Frames {
    /// Decodes and reports the frames that a chunk of bytes completes.
    pub(super) fn deliver(
        &self,
        service: &ChannelService,
        context: &ActorContext,
        piece: &Piece<'_>,
    ) {
        let number = piece.buffer.number;
        let mut streams = self.streams.borrow_mut();
        let stream = streams.entry(number).or_insert_with(|| Stream {
            decoder: service.peers.frames.open(service.id),
            reports: 0,
            may_be_cut: self.is_restored.get(),
        });
        stream.decoder.received(&piece.data);
        while let Some(frame) = stream.decoder.next_frame() {
            // Emitted first, because a replay takes the frame from the event.
            let channel = service.id;
            context.emit(|| FrameDecoded {
                channel,
                number,
                frame: frame.clone(),
            });
            let may_be_cut = std::mem::take(&mut stream.may_be_cut);
            match &frame {
                Ok(frame) => {
                    let severity = match frame.level {
                        Some(DefmtLevel::Error) => Severity::Error,
                        Some(DefmtLevel::Warn) => Severity::Warning,
                        _ => Severity::Info,
                    };
                    service.peers.foreign.post(FrameReport(Report {
                        severity,
                        id: service.name().to_string(),
                        text: escaped_text(&frame.to_string()).into_owned(),
                    }));
                }
                Err(DefmtFrameError::Malformed) if may_be_cut => service.report(
                    Severity::Info,
                    &format!(
                        "RTT: up channel {}: defmt: the first frame behind the restore was begun before the checkpoint, and is lost",
                        piece.buffer
                    ),
                ),
                Err(error) if stream.reports < MAX_REPORTS => {
                    stream.reports += 1;
                    let last = match stream.reports < MAX_REPORTS {
                        true => "",
                        false => "; later ones are not reported",
                    };
                    let buffer = piece.buffer;
                    service.report_error(&format!("RTT: up channel {buffer}: defmt: {error}{last}"));
                }
                Err(_) => {}
            }
        }
    }

    /// Restarts all streams, after a reset or a restore.
    pub(super) fn reset(&self, is_restored: bool) {
        self.streams.borrow_mut().clear();
        self.is_restored.set(is_restored);
    }
}
