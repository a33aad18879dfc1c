//! Down buffers: bytes of the standard input and of sockets.

use bytes::Bytes;

use super::block::Block;
use super::channel::Channel;
use super::control_block::{Descriptor, Header};
use super::targets::Complaint;
use crate::actors::service::Failure;
use crate::mem::{Op, Span};
use crate::messages::rtt::Direction;

impl Channel {
    /// Number of free bytes of a down buffer; `None` if the buffer can't be used.
    pub(super) fn room(&self, block: &Block, number: u32) -> Option<u32> {
        let descriptor = self.down(block, number)?;
        Some(descriptor.free().iter().map(|(_, len)| len).sum())
    }

    /// Descriptor of a down buffer that is set up.
    fn down(&self, block: &Block, number: u32) -> Option<Descriptor> {
        let Header { up, down } = block.header;
        let position = (number < down).then_some((up + number) as usize)?;
        let descriptor = block.descriptors.get(position).copied()?;
        let is_usable = descriptor.is_set_up() && descriptor.check().is_ok();
        is_usable.then_some(descriptor)
    }

    /// Puts bytes of the standard input into the first down buffer. Returns false if it is full.
    pub(super) async fn put_input(&self, address: u64) -> Result<bool, Failure> {
        let Some(block) = self.read_block(address).await? else {
            return Ok(true);
        };
        let room = self.room(&block, 0).unwrap_or_default();
        if room == 0 {
            return Ok(false);
        }
        let read = self.service.read_some(u64::from(room)).await;
        let read = read.unwrap_or_else(|failure| {
            let text = format!("RTT: standard input: {}", failure.with_cause());
            self.service.report_error(&text);
            None
        });
        match read {
            Some(data) => self.put_down(&block, 0, data).await?,
            None => self.is_input_over.set(true),
        }
        Ok(true)
    }

    /// Puts bytes of sockets into the down buffers of the same numbers.
    pub(super) async fn put_received(&self, address: u64) -> Result<(), Failure> {
        let Some(block) = self.read_block(address).await? else {
            return Ok(());
        };
        for number in 0..block.header.up {
            let name = block.descriptors.get(number as usize).map(|it| it.name);
            let buffer = self
                .name(Direction::Up, number, name.unwrap_or_default())
                .await;
            let Some(target) = self.targets.with_clients(&buffer) else {
                continue;
            };
            let room = self.room(&block, number).unwrap_or_default();
            if room > 0 {
                let data = target.receive(&self.service, room).await;
                if !data.is_empty() {
                    self.put_down(&block, number, data).await?;
                }
            }
        }
        Ok(())
    }

    /// Puts bytes into a down buffer that has room for them.
    async fn put_down(&self, block: &Block, number: u32, data: Bytes) -> Result<(), Failure> {
        let Some(descriptor) = self.down(block, number) else {
            return Ok(());
        };
        let buffer = self.name(Direction::Down, number, descriptor.name).await;
        let since = self.context.now();
        let (len, mut rest) = (data.len() as u32, data);
        for (offset, room) in descriptor.free() {
            let piece = rest.split_to(rest.len().min(room as usize));
            if piece.is_empty() {
                continue;
            }
            let span = Span {
                address: descriptor.data.wrapping_add(u64::from(offset)),
                len: piece.len() as u64,
            };
            if let Err(failure) = self.service.access(Op::Write(span, piece)).await {
                if self
                    .complaints
                    .is_new(Complaint::Bytes, Direction::Down, number)
                {
                    self.service.report_error(&format!(
                        "RTT: down channel {buffer}: {failure}; bytes for it are lost"
                    ));
                }
                return Ok(());
            }
        }
        let offset = (descriptor.write + len) % descriptor.size;
        let position = block.layout.offset(block.header.up + number);
        let at = Span {
            address: block.address + position + block.layout.write_offset(),
            len: 4,
        };
        let moved = Op::Word(at, u64::from(offset));
        self.service.access(moved).await?;
        self.emit(Direction::Down, buffer, u64::from(len), since, None);
        Ok(())
    }
}
