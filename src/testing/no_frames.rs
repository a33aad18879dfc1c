//! Decoders of defmt without frames.

use crate::actors::service::{FrameDecoder, FrameDecoders};
use crate::messages::ChannelId;
use crate::messages::rtt::{DefmtFrame, DefmtFrameError};

/// Decoders that never have a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoFrames;

impl FrameDecoders for NoFrames {
    fn open(&self, _: ChannelId) -> Box<dyn FrameDecoder> {
        Box::new(*self)
    }
}

impl FrameDecoder for NoFrames {
    fn received(&mut self, _: &[u8]) {}

    fn next_frame(&mut self) -> Option<Result<DefmtFrame, DefmtFrameError>> {
        None
    }
}
