//! Recorded frames of defmt.

use crate::actors::service::{FrameDecoder, FrameDecoders};
use crate::messages::ChannelId;
use crate::messages::events::FrameDecoded;
use crate::messages::rtt::{DefmtFrame, DefmtFrameError};
use crate::system::replay::comparison::SharedComparison;

/// Decoders that return recorded frames.
#[derive(Clone)]
pub(in crate::system::replay) struct RecordedFrames(SharedComparison);

impl RecordedFrames {
    pub(in crate::system::replay) fn new(comparison: SharedComparison) -> Self {
        Self(comparison)
    }
}

impl FrameDecoders for RecordedFrames {
    fn open(&self, _: ChannelId) -> Box<dyn FrameDecoder> {
        Box::new(self.clone())
    }
}

impl FrameDecoder for RecordedFrames {
    fn received(&mut self, _: &[u8]) {}

    fn next_frame(&mut self) -> Option<Result<DefmtFrame, DefmtFrameError>> {
        let decoded: Option<FrameDecoded> = self.0.next_own_event();
        decoded.map(|decoded| decoded.frame)
    }
}
