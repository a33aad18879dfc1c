//! The RTT server with its peers, and its firmware.

use std::collections::BTreeMap;
use std::rc::Rc;

use mailbox_rs::PtrWidth;

use crate::actors::rtt::RttChannel;
use crate::messages::rtt::Rtt;
use crate::messages::{ChannelServices, Interface, OutputTarget, RttPlace, UpTarget};
pub(super) use crate::testing::{BASE, SIZE};
use crate::testing::{FrontEndFixture, Ram, SPACE};

pub(super) const BLOCK: u64 = BASE + 0x1000;
pub(super) const NAMES: u64 = BASE + 0x3000;
pub(super) const DATA: u64 = BASE + 0x4000;

pub(super) type Fixture = FrontEndFixture<Rtt>;

/// Place of a control block at a known address.
pub(super) fn place(ptr_width: PtrWidth) -> RttPlace {
    RttPlace {
        block: Some(BLOCK),
        search: vec![],
        ptr_width,
        up: BTreeMap::new(),
        modes: BTreeMap::new(),
    }
}

impl Fixture {
    /// Fixture whose standard output is unchanged.
    pub(super) fn new(ptr_width: PtrWidth) -> Self {
        Self::with(place(ptr_width), ChannelServices::default())
    }

    /// Fixture with targets of its up channels.
    pub(super) fn with_targets(targets: &[(&str, UpTarget)]) -> Self {
        let mut place = place(PtrWidth::P4);
        let targets = targets.iter();
        place.up = targets
            .map(|(name, target)| ((*name).to_owned(), target.clone()))
            .collect();
        Self::with(place, ChannelServices::default())
    }

    pub(super) fn with(place: RttPlace, services: ChannelServices) -> Self {
        let services = ChannelServices {
            stdout: OutputTarget::Raw,
            ..services
        };
        let block = place.block;
        let located = move |map: &crate::mem::MemoryMap| {
            let block = block.map(|at| map.resolve(SPACE, at, 24).unwrap());
            block.unwrap_or_default()
        };
        Self::start_front_end::<RttChannel>((), Interface::Rtt(place), located, services)
    }
}

/// Firmware's side of RTT.
pub(super) struct Firmware {
    pub(super) ram: Rc<Ram>,
    pub(super) ptr_width: PtrWidth,
    pub(super) block: u64,
    pub(super) up: u32,
}

/// Buffer that firmware sets up.
pub(super) struct Buffer<'a> {
    pub(super) name: &'a str,
    pub(super) size: u32,
}

impl Firmware {
    pub(super) fn new(fixture: &Fixture, ptr_width: PtrWidth) -> Self {
        Self {
            ram: fixture.state.ram.clone(),
            ptr_width,
            block: BLOCK,
            up: 0,
        }
    }

    /// Sets up the control block. The mark comes last, as in real firmware.
    pub(super) fn set_up(&mut self, up: &[Buffer<'_>], down: &[Buffer<'_>]) {
        self.up = up.len() as u32;
        let (mut name_at, mut data_at) = (NAMES, DATA);
        for (position, buffer) in up.iter().chain(down).enumerate() {
            self.ram.put(name_at, buffer.name.as_bytes());
            self.ram.put(name_at + buffer.name.len() as u64, &[0]);
            let width = self.ptr_width.bytes() as usize;
            let mut bytes = name_at.to_le_bytes()[..width].to_vec();
            bytes.extend(&data_at.to_le_bytes()[..width]);
            for word in [buffer.size, 0, 0, 0] {
                bytes.extend(word.to_le_bytes());
            }
            self.ram.put(self.descriptor(position as u32), &bytes);
            name_at += 0x40;
            data_at += u64::from(buffer.size);
        }
        let numbers = [up.len() as u32, down.len() as u32].map(u32::to_le_bytes);
        self.ram.put(self.block + 16, numbers.as_flattened());
        self.ram.put(self.block, b"SEGGER RTT\0\0\0\0\0\0");
    }

    fn descriptor(&self, position: u32) -> u64 {
        let size = if self.ptr_width == PtrWidth::P4 {
            24
        } else {
            32
        };
        self.block + 24 + u64::from(position) * size
    }

    /// Address of size, write offset and read offset of a buffer.
    pub(super) fn words(&self, position: u32) -> u64 {
        self.descriptor(position) + 2 * self.ptr_width.bytes()
    }

    pub(super) fn word(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.ram.get(address, 4).try_into().unwrap())
    }

    fn data(&self, position: u32) -> u64 {
        let width = self.ptr_width.bytes();
        let mut bytes = [0; 8];
        let read = self.ram.get(self.descriptor(position) + width, width);
        bytes[..width as usize].copy_from_slice(&read);
        u64::from_le_bytes(bytes)
    }

    /// Writes the bytes that fit to an up buffer. Returns their number.
    pub(super) fn write(&self, number: u32, bytes: &[u8]) -> usize {
        let words = self.words(number);
        let (size, mut at, read) = (self.word(words), self.word(words + 4), self.word(words + 8));
        let mut written = 0;
        for byte in bytes {
            let next = if at + 1 == size { 0 } else { at + 1 };
            if next == read {
                break;
            }
            self.ram.put(self.data(number) + u64::from(at), &[*byte]);
            at = next;
            written += 1;
        }
        self.ram.put(words + 4, &at.to_le_bytes());
        written
    }

    /// Takes at most `most` bytes out of a down buffer.
    pub(super) fn read(&self, number: u32, most: usize) -> Vec<u8> {
        let words = self.words(self.up + number);
        let (size, write, mut at) = (self.word(words), self.word(words + 4), self.word(words + 8));
        let mut bytes = Vec::new();
        while at != write && bytes.len() < most {
            let data = self.data(self.up + number);
            bytes.extend(self.ram.get(data + u64::from(at), 1));
            at = if at + 1 == size { 0 } else { at + 1 };
        }
        self.ram.put(words + 8, &at.to_le_bytes());
        bytes
    }
}
