//! Injected faults: configured failures of the services of a channel. Each is reported.

use bytes::Bytes;
use mailbox_rs::Request;

use super::{ChannelService, Failure};
use crate::mem::{MAX_TRANSFER, Op, Span};
use crate::messages::AwaitedOperation;
use crate::messages::foreign::Severity;

/// Maximum number of bits that are flipped in the data of one request.
const MAX_FLIPS: u32 = 16;

impl ChannelService {
    /// True if faults are injected.
    #[inline]
    pub(in crate::actors) fn has_faults(&self) -> bool {
        self.faults.is_some()
    }

    /// Failure of a memory request or of a call, chosen before it is served.
    pub(in crate::actors) fn inject(&self, request: &Request) -> Result<(), Failure> {
        let Some(injector) = &self.faults else {
            return Ok(());
        };
        let (key, rules) = match request {
            Request::MemMove { .. } | Request::MemSet { .. } | Request::MemCmp { .. } => {
                ("memory", &injector.faults.memory)
            }
            Request::Call { .. } | Request::Custom { .. } => ("calls", &injector.faults.calls),
            _ => return Ok(()),
        };
        match injector.failure(rules) {
            Some(errno) => Err(Failure::Injected { key, errno }),
            None => Ok(()),
        }
    }

    /// Failure of a file operation, chosen before its request to the files actor.
    pub(super) fn inject_into_file(&self) -> Result<(), Failure> {
        let chosen = self.faults.as_ref();
        match chosen.and_then(|injector| injector.failure(&injector.faults.files)) {
            Some(errno) => Err(Failure::Injected {
                key: "files",
                errno,
            }),
            None => Ok(()),
        }
    }

    /// Length of a transfer of `len` bytes, possibly shortened.
    pub(super) fn short(&self, len: u64) -> u64 {
        match &self.faults {
            Some(injector) if len > 1 && injector.happens(injector.faults.short) => {
                injector.number(1, (len - 1).min(MAX_TRANSFER))
            }
            _ => len,
        }
    }

    /// Reports a transfer of `len` bytes that reached an injected limit. A transfer that ended
    /// earlier, as at the end of a file, had no fault.
    pub(super) fn report_short(&self, fd: u64, len: u64, limit: u64, done: u64) {
        if limit < len && done == limit {
            let text = format!(
                "fault injected: a transfer of descriptor {fd} ends after {limit} of at most {len} bytes"
            );
            self.report(Severity::Info, &text);
        }
    }

    /// Flips bits of bytes that a request has written.
    pub(in crate::actors) async fn flip(&self, written: Span) -> Result<(), Failure> {
        let Some(injector) = &self.faults else {
            return Ok(());
        };
        let probability = injector.faults.flip;
        if probability == 0 {
            return Ok(());
        }
        let mut flips = 0;
        for offset in 0..written.len {
            if flips == MAX_FLIPS {
                break;
            }
            if injector.happens(probability) {
                flips += 1;
                let address = written.address.wrapping_add(offset);
                self.flip_bit(address, injector.number(0, 7)).await?;
            }
        }
        Ok(())
    }

    async fn flip_bit(&self, address: u64, bit: u64) -> Result<(), Failure> {
        let place = Span { address, len: 1 };
        let read = self.access(Op::Read(place)).await?.into_bytes();
        let flipped: Bytes = read.iter().map(|byte| byte ^ 1 << bit).collect();
        self.access(Op::Write(place, flipped)).await?;
        let text = format!("fault injected: bit {bit} of the byte at {address:#x} is flipped");
        self.report(Severity::Info, &text);
        Ok(())
    }

    /// Delays a response by the configured number of ticks.
    pub(in crate::actors) async fn delay_response(&self) {
        let Some(injector) = &self.faults else {
            return;
        };
        let Some(delay) = &injector.faults.delay else {
            return;
        };
        let ticks = injector.number(*delay.start(), *delay.end());
        if ticks == 0 {
            return;
        }
        let until = self.operation.now() + ticks;
        self.report(
            Severity::Info,
            &format!(
                "fault injected: a response is held back for {ticks} ticks, until tick {until}"
            ),
        );
        self.wait_until(until).await;
    }

    /// Waits for the tick at which an injected delay ends.
    pub(in crate::actors) async fn wait_until(&self, until: u64) {
        let Some(injector) = &self.faults else {
            return;
        };
        self.operation.awaits(AwaitedOperation::Delay { until });
        injector.alarm.until(until).await;
    }
}
