//! First reading of a recording: its channels, its segments, and the long requests of one of them.

use vhost::trace::TraceError;

use super::order::{Change, What, Window};
use crate::trace::EntryReader;
use crate::waves::open::OpenRequests;
use crate::waves::request_text;
use crate::waves::requests::Lanes;
use crate::waves::segments::Segments;
use crate::waves::steps::{Steps, TimeBase};

/// Facts of a recording.
pub(super) struct Survey {
    /// Configured channels, then those without a configuration.
    pub(super) lanes: Lanes,
    /// Begins of the requests that are longer than the window, or have no answer.
    pub(super) long: Vec<Change>,
    /// Number of segments.
    pub(super) segments: u64,
    /// Error at which the recording ends.
    pub(super) end: Result<(), TraceError>,
}

impl Survey {
    /// Reads a recording up to its end, or to a damaged frame. `chosen`: the segment.
    pub(super) fn of(reader: EntryReader, base: TimeBase, chosen: u64) -> Self {
        let mut lanes = Lanes::of(reader.channels().names());
        let mut segments = Segments::new();
        let mut steps = Steps::new(base.per_tick);
        let mut window = Window::new();
        let mut long = Vec::new();
        let mut open = OpenRequests::default();
        let mut end = Ok(());
        for decoded in reader {
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            };
            let is_chosen = segments.present().number == chosen;
            if is_chosen {
                open.follow(&decoded, &mut lanes);
            }
            if is_chosen && decoded.served().is_some() {
                let now = steps.advance(decoded.entry.tick);
                if let Some((timed, served)) = lanes.request(&decoded, now, &steps) {
                    if window.is_long(&timed) {
                        let (kind, request) = (served.kind(), request_text(served));
                        long.push(Change::begin(&timed, What::Taken { kind, request }));
                    }
                    window.pass(&timed);
                }
            }
            if segments.follow(&decoded) && is_chosen {
                long.extend(unanswered(&mut open, &lanes, &steps));
            }
        }
        if segments.present().number == chosen {
            long.extend(unanswered(&mut open, &lanes, &steps));
        }
        Self {
            lanes,
            long,
            segments: segments.present().number,
            end,
        }
    }
}

/// Begins of requests that have no answer at the end of a segment.
fn unanswered(open: &mut OpenRequests, lanes: &Lanes, steps: &Steps) -> Vec<Change> {
    let all = open.take(lanes, steps).into_iter().map(|unanswered| {
        let what = What::Taken {
            kind: unanswered.kind,
            request: unanswered.text,
        };
        Change::begin(&unanswered.timed, what)
    });
    all.collect()
}
