//! The HTIF server with its peers, and its firmware.

use bytes::Bytes;

use crate::actors::htif::HtifChannel;
use crate::messages::htif::{Command, Htif};
use crate::messages::{ChannelServices, HtifPlace, Interface};
pub(super) use crate::testing::{BASE, SIZE};
use crate::testing::{FrontEndFixture, SPACE};

pub(super) const TOHOST: u64 = BASE + 0x1000;
pub(super) const FROMHOST: u64 = BASE + 0x1040;
/// Words of a system call.
pub(super) const CALL: u64 = BASE + 0x2000;
/// Path of a system call.
pub(super) const PATH: u64 = BASE + 0x3000;
pub(super) const BUFFER: u64 = BASE + 0x4000;

pub(super) type Fixture = FrontEndFixture<Htif>;

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(ChannelServices::default(), 0, |_| {})
    }

    /// Fixture with services, whose firmware leaves at most `settle` ticks between two stores.
    pub(super) fn with(
        services: ChannelServices,
        settle: u64,
        change: impl FnOnce(&mut HtifPlace),
    ) -> Self {
        let mut place = HtifPlace {
            tohost: TOHOST,
            fromhost: FROMHOST,
            settle,
            signature: None,
        };
        change(&mut place);
        let words = |map: &crate::mem::MemoryMap| {
            let located = |address| map.resolve(SPACE, address, 8).unwrap();
            let words = [TOHOST, FROMHOST].map(located);
            words.into_iter().flatten().collect()
        };
        Self::start_front_end::<HtifChannel>((), Interface::Htif(place), words, services)
    }

    pub(super) fn word(&self, address: u64) -> u64 {
        let bytes = self.state.ram.get(address, 8);
        u64::from_le_bytes(bytes.try_into().unwrap())
    }

    pub(super) fn put_word(&self, address: u64, word: u64) {
        self.state.ram.put(address, &word.to_le_bytes());
    }

    /// Stores half of a word.
    pub(super) fn put_half(&self, address: u64, word: u32) {
        self.state.ram.put(address, &word.to_le_bytes());
    }

    /// Writes a command, and runs a tick.
    pub(super) fn command(&self, word: u64) {
        self.put_word(TOHOST, word);
        self.tick();
        assert_eq!(self.bus.take_panics(), []);
    }

    /// Takes the response, if there is one.
    pub(super) fn response(&self) -> Option<Command> {
        let word = self.word(FROMHOST);
        self.put_word(FROMHOST, 0);
        (word != 0).then_some(Command(word))
    }

    /// Makes a system call. Returns its result.
    pub(super) fn call(&self, number: u64, args: &[u64]) -> i64 {
        let mut words = [0; 8];
        words[0] = number;
        words[1..=args.len()].copy_from_slice(args);
        for (address, word) in (CALL..).step_by(8).zip(words) {
            self.put_word(address, word);
        }
        self.command(CALL);
        for _ in 0..10 {
            if let Some(response) = self.response() {
                assert_eq!(response, Command(1));
                return self.word(CALL).cast_signed();
            }
            self.tick();
        }
        panic!("no response: {}", self.status());
    }

    /// Writes a path with its NUL. Returns its address and length.
    pub(super) fn path(&self, path: &str) -> (u64, u64) {
        self.state.ram.put(PATH, path.as_bytes());
        self.state.ram.put(PATH + path.len() as u64, &[0]);
        (PATH, path.len() as u64 + 1)
    }

    /// Opens a file from the working directory.
    pub(super) fn open(&self, path: &str, flags: u64) -> i64 {
        let (path, len) = self.path(path);
        self.call(56, &[CWD, path, len, flags, 0o644])
    }

    /// Bytes of firmware's memory.
    pub(super) fn bytes(&self, address: u64, len: u64) -> Bytes {
        self.state.ram.get(address, len).into()
    }
}

/// `AT_FDCWD`, as 64 bits.
pub(super) const CWD: u64 = (-100_i64).cast_unsigned();
