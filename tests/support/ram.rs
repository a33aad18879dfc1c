//! Static memory shared by mock firmware and the host.

use mailbox_rs::mock::Memory;
use vhost::Vhost;
use vhost::mem::Buffer;

/// Memory with one buffer at a base address.
#[derive(Clone, Debug)]
pub struct Ram {
    base: u64,
    bytes: Buffer,
}

impl Ram {
    /// Accesses the memory of this name in a space.
    pub fn of(vhost: &Vhost, space: &str, name: &str) -> Self {
        let spaces = vhost.spaces();
        let ram = spaces.get(space).and_then(|space| space.get(name));
        let ram = ram.unwrap();
        Self {
            base: ram.memory.base,
            bytes: ram.buffers[0].clone(),
        }
    }

    fn offset(&self, address: u64) -> usize {
        usize::try_from(address.wrapping_sub(self.base)).unwrap_or(usize::MAX)
    }
}

impl Memory for Ram {
    fn read(&self, address: u64, buf: &mut [u8]) {
        assert!(self.bytes.read(self.offset(address), buf), "{address:#x}");
    }

    fn write(&self, address: u64, data: &[u8]) {
        assert!(self.bytes.write(self.offset(address), data), "{address:#x}");
    }
}
