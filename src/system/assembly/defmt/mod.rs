//! Decoders of defmt's frames, by the images of the channels.
//!
//! - `table`: format strings and locations of an image, with the crate `defmt-decoder`.

#[cfg(feature = "defmt")]
mod table;

use std::sync::Arc;

use crate::actors::service::{FrameDecoder, FrameDecoders};
use crate::config::ChannelConfig;
use crate::mem::Image;
use crate::messages::ChannelId;
use crate::messages::rtt::{DefmtFrame, DefmtFrameError};

/// Decoders by the images of the served channels.
pub(super) struct ImageFrames {
    images: Vec<Option<Arc<Image>>>,
}

impl ImageFrames {
    /// Decoders for the channels of a configuration.
    pub(super) fn of(channels: &[ChannelConfig]) -> Self {
        let served = channels.iter().filter(|it| it.interface.is_some());
        Self {
            images: served.map(|channel| channel.image.clone()).collect(),
        }
    }
}

impl FrameDecoders for ImageFrames {
    fn open(&self, ChannelId(number): ChannelId) -> Box<dyn FrameDecoder> {
        let at = usize::try_from(number).ok();
        let image = at.and_then(|at| self.images.get(at)?.as_deref());
        let opened = image.ok_or_else(|| {
            "the channel has no image, which has the format strings: give it as `elf`".to_owned()
        });
        match opened.and_then(decoder) {
            Ok(decoder) => decoder,
            Err(reason) => Box::new(NoTable(Some(reason))),
        }
    }
}

#[cfg(feature = "defmt")]
fn decoder(image: &Image) -> Result<Box<dyn FrameDecoder>, String> {
    Ok(Box::new(table::TableDecoder::of(image)?))
}

#[cfg(not(feature = "defmt"))]
fn decoder(_: &Image) -> Result<Box<dyn FrameDecoder>, String> {
    Err(
        "this library was built without the feature `defmt`; build it with --features defmt"
            .to_owned(),
    )
}

/// Decoder without format strings. It returns the reason once.
struct NoTable(Option<String>);

impl FrameDecoder for NoTable {
    fn received(&mut self, _: &[u8]) {}

    fn next_frame(&mut self) -> Option<Result<DefmtFrame, DefmtFrameError>> {
        self.0
            .take()
            .map(|reason| Err(DefmtFrameError::NoTable(reason)))
    }
}
