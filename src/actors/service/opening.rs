//! Channel to open.

use std::rc::Rc;

use super::{ChannelProgress, Peers};
use crate::bus::{ActorContext, Bus};
use crate::messages::{ChannelDescriptor, ChannelId};

/// Channel to open, with its peers and configuration.
pub(crate) struct Opening<'a> {
    pub(in crate::actors) id: ChannelId,
    pub(in crate::actors) descriptor: &'a ChannelDescriptor,
    pub(in crate::actors) bus: &'a Bus,
    pub(in crate::actors) context: ActorContext,
    pub(in crate::actors) peers: Rc<Peers>,
    pub(in crate::actors) progress: Rc<ChannelProgress>,
}
