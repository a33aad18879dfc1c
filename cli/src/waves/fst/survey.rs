//! First pass over a recording: its channels, its segments, and the long requests of one segment.

use vhost::trace::TraceError;

use super::order::{Change, What, Window};
use super::timing::Timing;
use crate::trace::EntryReader;
use crate::waves::requests::{Lanes, Unanswered};
use crate::waves::steps::TimeBase;
use crate::waves::{UNANSWERED, request_text};

/// Result of the first pass.
pub(super) struct Survey {
    /// Configured channels, followed by those without a configuration.
    pub(super) lanes: Lanes,
    /// Beginnings of the requests that are longer than the window, and changes of requests without
    /// a response.
    pub(super) long: Vec<Change>,
    /// Number of segments.
    pub(super) segments: u64,
    /// Error at which the recording ends.
    pub(super) end: Result<(), TraceError>,
    /// True if the recording was cut off.
    pub(super) is_truncated: bool,
}

impl Survey {
    /// Reads a recording up to its end, or to a damaged frame. `chosen`: number of the segment.
    pub(super) fn of(mut reader: EntryReader, base: TimeBase, chosen: u64) -> Self {
        let lanes = Lanes::of(reader.channels().names());
        let mut timing = Timing::new(&reader, base, chosen, lanes);
        let mut window = Window::new();
        let mut long = Vec::new();
        let mut end = Ok(());
        for decoded in &mut reader {
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            };
            if let Some((timed, served)) = timing.request(&decoded) {
                if window.is_long(&timed) {
                    let (kind, request) = (served.kind(), request_text(served));
                    long.push(Change::begin(&timed, What::Taken { kind, request }));
                }
                window.pass(&timed);
            }
            let (unanswered, is_last) = timing.go_on(&decoded);
            long.extend(unanswered.into_iter().flat_map(|it| changes(it, is_last)));
        }
        let unanswered = timing.end().into_iter();
        long.extend(unanswered.flat_map(|it| changes(it, true)));
        let (lanes, segments) = timing.into_parts();
        Self {
            lanes,
            long,
            segments,
            end,
            is_truncated: reader.trace().is_truncated(),
        }
    }
}

/// Changes of a request that gets no response. The last one of a channel has no end.
fn changes(unanswered: Unanswered, is_last: bool) -> impl Iterator<Item = Change> {
    let Unanswered {
        timed, kind, text, ..
    } = unanswered;
    let what = What::Taken {
        kind,
        request: text,
    };
    let end = || Change::end(&timed, What::Answered(UNANSWERED.to_owned()));
    let end = (!is_last).then(end);
    [Change::begin(&timed, what)].into_iter().chain(end)
}
