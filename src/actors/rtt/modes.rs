//! Configured modes of up buffers. The host sets them once, as a debugger does when it connects.

use bytes::Bytes;

use super::block::Block;
use super::channel::Channel;
use crate::actors::service::Failure;
use crate::mem::{Op, Span};
use crate::messages::rtt::Direction;

impl Channel {
    /// Sets the configured mode of each up buffer once it is set up. Firmware may change it after
    /// that.
    pub(super) async fn set_modes(&self, block: &Block) -> Result<(), Failure> {
        for (number, descriptor) in (0..block.header.up).zip(&block.descriptors) {
            if !descriptor.is_set_up() || !self.modes_set.borrow_mut().insert(number) {
                continue;
            }
            let buffer = self.name(Direction::Up, number, descriptor.name).await;
            let by_name = buffer.name.as_ref();
            let by_name = by_name.and_then(|name| self.place.modes.get(name));
            let mode = by_name.or_else(|| self.place.modes.get(&number.to_string()));
            let Some(flags) = mode.and_then(|mode| descriptor.flags_with(mode.bits())) else {
                continue;
            };
            let offset = block.layout.offset(number) + block.layout.flags_offset();
            let span = Span {
                address: block.address.wrapping_add(offset),
                len: size_of::<u32>() as u64,
            };
            let data = Bytes::copy_from_slice(&flags.to_le_bytes());
            if let Err(failure) = self.service.access(Op::Write(span, data)).await {
                self.report(&format!(
                    "RTT: the mode of up channel {buffer} can't be set: {failure}"
                ));
            }
        }
        Ok(())
    }
}
