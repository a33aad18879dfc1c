//! Images of a system whose symbols can be looked up.

use std::sync::Arc;

use crate::config::ChannelConfig;
use crate::mem::{Image, SpaceId};

/// Image whose symbols can be looked up.
pub(in crate::system) struct KnownImage {
    pub(in crate::system) space: SpaceId,
    /// Channel of the image; `None` for an image that was loaded by a call.
    pub(in crate::system) channel: Option<String>,
    pub(in crate::system) image: Arc<Image>,
}

/// Images of the channels, loaded or not.
pub(in crate::system) fn known_images(channels: &[ChannelConfig]) -> Vec<KnownImage> {
    let known = channels.iter().filter_map(|channel| {
        Some(KnownImage {
            space: channel.space,
            channel: Some(channel.name.clone()),
            image: channel.image.clone()?,
        })
    });
    known.collect()
}
