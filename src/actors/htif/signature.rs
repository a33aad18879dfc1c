//! Signature of a test: memory that is written to a file at the exit, for comparison with a
//! reference.

use std::fmt::Write as _;

use bytes::Bytes;
use mailbox_rs::PosixFlags;

use super::channel::Channel;
use crate::actors::service::Failure;
use crate::mem::Op;
use crate::messages::Signature;
use crate::messages::files::{Close, PosixOpen, WriteSome};

/// Permission bits of the file.
const MODE: u32 = 0o666;

impl Channel {
    /// Writes the signature, and reports a failure.
    pub(super) async fn write_signature(&self, signature: &Signature) {
        if let Err(failure) = self.signature(signature).await {
            let Signature {
                file, begin, end, ..
            } = signature;
            let text = format!(
                "the signature from {begin:#x} to {end:#x} can't be written to `{file}`: {}",
                failure.with_cause()
            );
            self.service.report_error(&text);
        }
    }

    async fn signature(&self, signature: &Signature) -> Result<(), Failure> {
        let Signature {
            file,
            begin,
            end,
            granularity,
        } = signature;
        let mut memory = Vec::new();
        let len = end.saturating_sub(*begin);
        if len > 0 {
            for transfer in self.service.transfers(*begin, len).await? {
                let bytes = self.service.access(Op::Read(transfer)).await?.into_bytes();
                memory.extend(bytes);
            }
        }
        let granularity = usize::try_from(*granularity).unwrap_or(usize::MAX);
        let mut data = Bytes::from(lines(&memory, granularity));
        let given = Bytes::copy_from_slice(file.as_bytes());
        let path = self.service.expanded(&given).await?;
        let channel = self.service.id;
        let open = PosixOpen {
            channel,
            path: path.clone(),
            flags: PosixFlags::WRITE_ONLY | PosixFlags::CREATE | PosixFlags::TRUNCATE,
            mode: MODE,
        };
        let opened = self.service.on_file(open).await;
        let fd = opened.map_err(|failure| failure.on_path(&given, &path))?;
        while !data.is_empty() {
            let ask = WriteSome {
                channel,
                fd,
                data: data.clone(),
            };
            let written: u64 = self.service.on_file(ask).await?;
            let written = usize::try_from(written).unwrap_or(data.len());
            if written == 0 {
                break;
            }
            data = data.slice(written.min(data.len())..);
        }
        self.service.on_file(Close { channel, fd }).await
    }
}

/// Formats lines of `granularity` bytes in hexadecimal, the most significant byte first. The last
/// line is padded with zeros.
fn lines(memory: &[u8], granularity: usize) -> String {
    let mut text = String::with_capacity(2 * memory.len() + memory.len() / granularity + 1);
    for line in memory.chunks(granularity) {
        for _ in line.len()..granularity {
            text.push_str("00");
        }
        for byte in line.iter().rev() {
            // Writing to a `String` does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_of_little_endian_memory() {
        let memory = [0x78, 0x56, 0x34, 0x12, 0xef, 0xbe];
        assert_eq!(lines(&memory, 4), "12345678\n0000beef\n");
        assert_eq!(lines(&memory, 8), "0000beef12345678\n");
        assert_eq!(lines(&memory, 1).lines().count(), 6);
        assert_eq!(lines(&[], 16), "");
    }
}
