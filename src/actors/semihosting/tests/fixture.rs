//! The semihosting server with its peers, and its firmware.

use mailbox_rs::PtrWidth;

use crate::actors::semihosting::SemihostingChannel;
use crate::mem::{MemoryMap, Segments};
use crate::messages::front_end::Operate;
use crate::messages::semihosting::{STUB_LOCK, STUB_LOCK_LEN, STUB_WORDS, Semihosting};
use crate::messages::{ChannelId, ChannelServices, Interface, SemihostingPlace};
pub(super) use crate::testing::{BASE, SIZE};
use crate::testing::{FrontEndFixture, SPACE};

/// Parameter block.
pub(super) const BLOCK: u64 = BASE + 0x1000;
pub(super) const NAME: u64 = BASE + 0x2000;
pub(super) const DATA: u64 = BASE + 0x4000;
/// Words of the code that replaces traps.
const STUB: u64 = BASE + 0x5000;

/// Fixture with the width of firmware's registers.
pub(super) type Fixture = FrontEndFixture<Semihosting, PtrWidth>;

impl Fixture {
    pub(super) fn new(width: PtrWidth) -> Self {
        Self::with(width, ChannelServices::default())
    }

    /// Fixture with services.
    pub(super) fn with(width: PtrWidth, services: ChannelServices) -> Self {
        Self::at(width, None, services)
    }

    /// Fixture with the words of code that replaces traps.
    pub(super) fn with_stub(width: PtrWidth) -> Self {
        Self::at(width, Some(STUB), ChannelServices::default())
    }

    fn at(width: PtrWidth, stub: Option<u64>, services: ChannelServices) -> Self {
        let interface = Interface::Semihosting(SemihostingPlace {
            ptr_width: width,
            stub,
            harts: 1,
            flush: None,
        });
        let place = |map: &MemoryMap| match stub {
            None => Segments::default(),
            Some(stub) => {
                let parts = [(stub, STUB_WORDS), (stub + STUB_LOCK, STUB_LOCK_LEN)];
                let parts = parts.map(|(at, len)| map.resolve(SPACE, at, len).unwrap());
                parts.into_iter().flatten().collect()
            }
        };
        Self::start_front_end::<SemihostingChannel>(width, interface, place, services)
    }

    /// Requests an operation with an argument.
    pub(super) fn operate(&self, operation: u64, argument: u64) -> Option<u64> {
        let operate = Operate {
            channel: ChannelId(0),
            hart: 0,
            operation,
            argument,
        };
        let result = self.ask(operate).unwrap();
        assert_eq!(self.bus.take_panics(), []);
        result
    }

    /// Requests an operation with a parameter block. Returns its result as a signed number of
    /// firmware's width.
    pub(super) fn call(&self, operation: u64, words: &[u64]) -> i64 {
        let result = self.try_call(operation, words);
        result.expect("it waits for no input")
    }

    /// As [`call`](Self::call); `None` while the operation waits for input.
    pub(super) fn try_call(&self, operation: u64, words: &[u64]) -> Option<i64> {
        let width = self.state.own.bytes() as usize;
        let block = words
            .iter()
            .flat_map(|word| word.to_le_bytes()[..width].to_vec());
        let block: Vec<u8> = block.collect();
        self.state.ram.put(BLOCK, &block);
        let result = self.operate(operation, BLOCK)?;
        Some(match self.state.own {
            PtrWidth::P4 => i64::from((result as u32).cast_signed()),
            PtrWidth::P8 => result.cast_signed(),
        })
    }

    /// Opens a file.
    pub(super) fn open(&self, name: &str, mode: u64) -> i64 {
        self.state.ram.put(NAME, name.as_bytes());
        self.call(0x01, &[NAME, mode, name.len() as u64])
    }

    /// Writes bytes to a handle. Returns the number of bytes that were not written.
    pub(super) fn write(&self, handle: i64, bytes: &[u8]) -> i64 {
        self.state.ram.put(DATA, bytes);
        self.call(0x05, &[handle.cast_unsigned(), DATA, bytes.len() as u64])
    }

    /// Reads at most `len` bytes from a handle.
    pub(super) fn read(&self, handle: i64, len: u64) -> Vec<u8> {
        let rest = self.call(0x06, &[handle.cast_unsigned(), DATA, len]);
        self.state.ram.get(DATA, len - rest.cast_unsigned())
    }
}
