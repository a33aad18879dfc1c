//! Decoders of defmt's frames. They are outside of the actors, because the format strings are in
//! the images.

use crate::messages::ChannelId;
use crate::messages::rtt::{DefmtFrame, DefmtFrameError};

/// Source of decoders: the images of the channels, or a recording.
pub(crate) trait FrameDecoders {
    /// Decoder for the frames of one buffer.
    fn open(&self, channel: ChannelId) -> Box<dyn FrameDecoder>;
}

/// Decoder of the frames of one buffer.
pub(crate) trait FrameDecoder {
    /// Adds bytes of the buffer.
    fn received(&mut self, bytes: &[u8]);

    /// Next frame, or its error; `None` until more bytes come.
    fn next_frame(&mut self) -> Option<Result<DefmtFrame, DefmtFrameError>>;
}
