//! Delivery of the bytes of up buffers.

use mailbox_rs::Errno;

use super::block::Block;
use super::channel::Channel;
use super::targets::{Complaint, Piece};
use crate::actors::service::Failure;
use crate::mem::{MAX_TRANSFER, Op, Span};
use crate::messages::checkpoint::SavedTransfer;
use crate::messages::rtt::{BufferName, Direction, RttStep, Transferred};

impl Channel {
    /// Takes the bytes of an up buffer.
    pub(super) async fn take_up(&self, block: &Block, number: u32) -> Result<(), Failure> {
        let Some(mut descriptor) = block.descriptors.get(number as usize).copied() else {
            return Ok(());
        };
        let restored = self.restored_transfer.get();
        let restored = restored.filter(|transfer| transfer.number == number);
        let mut delivered_before = 0;
        if let Some(transfer) = restored {
            self.restored_transfer.set(None);
            descriptor.write = transfer.write;
            delivered_before = transfer.done;
        }
        if !descriptor.is_set_up() || self.disabled.borrow().contains(&number) {
            return Ok(());
        }
        if descriptor.write == descriptor.read {
            return Ok(());
        }
        let buffer = self.name(Direction::Up, number, descriptor.name).await;
        if let Err(implausible) = descriptor.check() {
            if self
                .complaints
                .is_new(Complaint::Descriptor, Direction::Up, number)
            {
                self.service.report_error(&format!(
                    "RTT: up channel {buffer}: {implausible}; it is not served until firmware corrects it"
                ));
            }
            return Ok(());
        }
        let step = RttStep::Deliver {
            buffer: buffer.clone(),
        };
        self.tracker.transition(step);
        let since = self.context.now();
        let (mut bytes, mut error) = (0, None);
        for (offset, len) in descriptor.filled() {
            let mut done = 0;
            while done < len {
                let address = descriptor.data.wrapping_add(u64::from(offset + done));
                let len = MAX_TRANSFER.min(u64::from(len - done));
                if bytes < delivered_before {
                    done += len as u32;
                    bytes += len;
                    continue;
                }
                self.transfer.set(Some(SavedTransfer {
                    number,
                    write: descriptor.write,
                    done: bytes,
                }));
                let read = self.service.access(Op::Read(Span { address, len })).await;
                let data = match read {
                    Ok(outcome) => outcome.into_bytes(),
                    Err(failure) => return self.disable(&buffer, Complaint::Bytes, &failure),
                };
                done += len as u32;
                bytes += len;
                let piece = Piece {
                    buffer: &buffer,
                    address,
                    data,
                };
                error = self.deliver(piece).await.or(error);
            }
        }
        let at = Span {
            address: block.address + block.layout.offset(number) + block.layout.read_offset(),
            len: 4,
        };
        let moved = Op::Word(at, u64::from(descriptor.write));
        if let Err(failure) = self.service.access(moved).await {
            return self.disable(&buffer, Complaint::Offset, &failure);
        }
        self.emit(Direction::Up, buffer, bytes, since, error);
        let address = block.address;
        self.tracker.transition(RttStep::Bytes { address });
        Ok(())
    }

    /// Delivers bytes to their target. Returns the error of a failure, and reports the first one of
    /// the buffer.
    async fn deliver(&self, piece: Piece<'_>) -> Option<Errno> {
        let buffer = piece.buffer;
        let target = self.targets.of(buffer);
        if target.is_defmt() {
            self.frames.deliver(&self.service, &self.context, &piece);
            return None;
        }
        let delivered = target.deliver(&self.service, piece);
        let failure = Box::pin(delivered).await.err()?;
        let number = buffer.number;
        if self
            .complaints
            .is_new(Complaint::Target, Direction::Up, number)
        {
            self.service.report_error(&format!(
                "RTT: up channel {buffer}: {}; its bytes are lost, and later ones are not reported",
                failure.with_cause()
            ));
        }
        Some(failure.errno())
    }

    /// Stops serving an up buffer until the control block is found again.
    fn disable(
        &self,
        buffer: &BufferName,
        what: Complaint,
        failure: &Failure,
    ) -> Result<(), Failure> {
        self.disabled.borrow_mut().insert(buffer.number);
        if self.complaints.is_new(what, Direction::Up, buffer.number) {
            self.service.report_error(&format!(
                "RTT: up channel {buffer} is not served any more: {failure}"
            ));
        }
        Ok(())
    }

    pub(super) fn emit(
        &self,
        direction: Direction,
        buffer: BufferName,
        bytes: u64,
        since: u64,
        error: Option<Errno>,
    ) {
        self.tracker.transferred(direction, &buffer, bytes);
        let id = self.service.id;
        let event = || Transferred::new(id, direction, buffer.clone(), bytes, since, error);
        self.service.emit_served(&self.context, event);
    }
}
