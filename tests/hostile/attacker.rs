//! Malicious requests, and other misbehaviour of firmware.

use std::cell::Cell;
use std::rc::Rc;

use fastrand::Rng;
use mailbox_rs::mock::{Firmware, Misbehaviour};
use mailbox_rs::{PtrWidth, REQUEST_ARGS, RequestEntry, VERSION, Version, action, operation};
use vhost::Vhost;

use test_support::host_fixture::{
    BEYOND_MAX_MOVE, EDGE, MAIL, METHODS, NEXT, RAM, REGIONS, Region, TOP, keeps_host_busy,
};
use test_support::ram::Ram;

/// Generator of requests for a channel.
#[derive(Debug)]
pub(crate) struct Attacker {
    pub(crate) rng: Rng,
    pub(crate) width: PtrWidth,
    pub(crate) space: &'static str,
    /// True if requests must not overwrite mailboxes, so that each response can be predicted.
    pub(crate) spares_mail: bool,
    /// The highest descriptor known to be open.
    pub(crate) given: Rc<Cell<u64>>,
    /// True if the service must not end: no exit, no other protocol version.
    pub(crate) immortal: bool,
}

const FORMATS: [&[u8]; 28] = [
    b"%d",
    b"%5.3i|",
    b"%-*.*s|",
    b"%s",
    b"%.4096s",
    b"%4096d",
    b"%4097d",
    b"%lu",
    b"%hhx",
    b"%#llo",
    b"%p",
    b"%n",
    b"%hn",
    b"%%",
    b"%",
    b"%f",
    b"%lg",
    b"%.*e",
    b"%La",
    b"%c",
    b"%lc",
    b"%1$d",
    b"%99999999999999999999d",
    b"%.-3d",
    b"\xff\xfe",
    b"text ",
    b"\r\n",
    b"%-+ #0z",
];

const PATHS: [&[u8]; 28] = [
    b"a",
    b"~/a",
    b"~",
    b"$HOME/a",
    b"${NOT_SET:-a}",
    b"${NOT_SET",
    b"$NOT_SET",
    b"$$a$",
    b"${}",
    b"a.ram",
    b"b.ram",
    b"x.bad",
    b"x.bug",
    b"virtual/endless",
    b"virtual/bug",
    b"virtual/none",
    b"virtual/",
    b"..",
    b"../a",
    b"/etc/passwd",
    b"a/../../b",
    b".",
    b"/",
    b"//",
    b"\xff",
    b"",
    b"d/e/f",
    b"virtual/../../a.ram",
];

impl Attacker {
    /// Request, with its strings written to memory.
    pub(crate) fn entry(&mut self, vhost: &Vhost) -> RequestEntry {
        loop {
            let entry = self.any_entry(vhost);
            let refused = self.spares_mail && writes_over_mail(&entry);
            if !refused && !keeps_host_busy(&entry) {
                return entry;
            }
        }
    }

    fn any_entry(&mut self, vhost: &Vhost) -> RequestEntry {
        let mut args: [u64; REQUEST_ARGS] = std::array::from_fn(|_| self.word());
        let (action, mut words) = match self.rng.u32(..1000) {
            0 if !self.immortal => (action::EXIT, 1),
            ..120 => {
                args[..2].copy_from_slice(&[self.length(), self.pointer()]);
                (action::PRINT, 2)
            }
            120..260 => {
                args[0] = self.put(vhost, |rng| match rng.u8(..32) {
                    // The maximum number of conversions in a string, all without an argument.
                    0 => b"%n".repeat(2047),
                    _ => jumble(rng, &FORMATS, 40),
                });
                if self.rng.bool() {
                    args[1] = self.put(vhost, |_| b"main.c".to_vec());
                }
                (action::CPRINT, self.rng.u32(3..=20))
            }
            260..380 => {
                args[..3].copy_from_slice(&[self.pointer(), self.pointer(), self.length()]);
                (action::MEMMOVE, 3)
            }
            380..480 => {
                args[..3].copy_from_slice(&[self.pointer(), self.word(), self.length()]);
                (action::MEMSET, 3)
            }
            480..580 => {
                args[..3].copy_from_slice(&[self.pointer(), self.pointer(), self.length()]);
                (action::MEMCMP, 3)
            }
            580..700 => {
                args[0] = self.put(vhost, |rng| match rng.u32(..8) {
                    0 => b"nobody".to_vec(),
                    1 => b"echo\xff".to_vec(),
                    _ => rng.choice(METHODS).unwrap_or_default().as_bytes().to_vec(),
                });
                (action::CALL, self.rng.u32(1..=20))
            }
            700..900 => {
                args[0] = match self.rng.bool() {
                    true => self.rng.u64(..5),
                    false => self.rng.u64(..operation::LAST + 2),
                };
                args[1] = match args[0] {
                    operation::OPEN
                    | operation::POSIX_OPEN
                    | operation::STAT
                    | operation::ACCESS..=operation::RMDIR => self.path(vhost),
                    operation::ARGV..=operation::RANDOM => self.pointer(),
                    _ => self.descriptor(),
                };
                match args[0] {
                    operation::POSIX_OPEN => {
                        args[2] = self.rng.u64(..1 << 17);
                        args[3] = self.rng.u64(..0o1000);
                    }
                    operation::LSEEK => {
                        args[2] = self.rng.u64(..4);
                        args[5] = self.pointer();
                    }
                    operation::FSTAT | operation::STAT => args[2] = self.pointer(),
                    operation::RENAME => args[2] = self.path(vhost),
                    operation::READDIR => {
                        args[2..4].copy_from_slice(&[self.pointer(), self.length()]);
                    }
                    operation::ARGV | operation::ENV | operation::RANDOM => {
                        args[2] = self.length();
                    }
                    operation::OPEN if self.rng.u8(..8) > 0 => args[2] = self.rng.u64(..16),
                    operation::READ | operation::WRITE => {
                        args[2..4].copy_from_slice(&[self.pointer(), self.length()]);
                    }
                    operation::SEEK => args[2] = self.length(),
                    _ => {}
                }
                (action::FILE, 6)
            }
            900..970 => {
                if self.rng.u8(..4) > 0 {
                    args[0] = self.rng.u64(..METHODS.len() as u64 + 1);
                }
                (action::OTHER, self.rng.u32(1..=20))
            }
            _ => (self.rng.u32(2..), self.rng.u32(..21)),
        };
        if self.rng.u8(..16) == 0 {
            words = if self.rng.bool() {
                self.rng.u32(..25)
            } else {
                self.rng.u32(..)
            };
        }
        let args = args.map(|arg| self.width.truncate(arg));
        RequestEntry {
            action,
            words,
            args,
        }
    }

    /// Path in memory.
    fn path(&mut self, vhost: &Vhost) -> u64 {
        self.put(vhost, |rng| {
            if rng.bool() {
                rng.choice(PATHS).unwrap_or_default().to_vec()
            } else {
                jumble(rng, &PATHS, 4)
            }
        })
    }

    /// Arbitrary argument.
    fn word(&mut self) -> u64 {
        match self.rng.u8(..4) {
            0 => self.rng.u64(..),
            1 => self.rng.u64(..20),
            2 => self.length(),
            _ => self.pointer(),
        }
    }

    /// Address inside of the map, at its edges, or anywhere.
    fn pointer(&mut self) -> u64 {
        let region = self.rng.choice(REGIONS).unwrap_or(RAM);
        match self.rng.u8(..16) {
            0 => self.rng.u64(..),
            1 => u64::MAX - self.rng.u64(..4),
            2 => 0,
            3 => region.base.wrapping_add(self.rng.u64(..9)).wrapping_sub(4),
            4 | 5 => region.end().wrapping_sub(self.rng.u64(..40)),
            _ => self.within(region),
        }
    }

    fn within(&mut self, region: Region) -> u64 {
        region.base + self.rng.u64(..region.size)
    }

    fn length(&mut self) -> u64 {
        match self.rng.u8(..20) {
            0 => 0,
            1 => self.rng.u64(..),
            2 => u64::MAX - self.rng.u64(..4),
            3 => 1 << self.rng.u32(..64),
            4 => BEYOND_MAX_MOVE - 1 + self.rng.u64(..3),
            5 => (1 << 16) - 1 + self.rng.u64(..3),
            6 => self.rng.u64(..NEXT.size + RAM.size),
            7..10 => self.rng.u64(..0x2000),
            _ => self.rng.u64(..80),
        }
    }

    /// Recently opened descriptor of any channel. Never a future one, which may belong to a
    /// conforming channel.
    fn descriptor(&mut self) -> u64 {
        match self.rng.u8(..8) {
            0 => self.rng.u64(1 << 32..),
            1 => self.rng.u64(..10),
            _ => self.given.get().saturating_sub(self.rng.u64(..8)),
        }
    }

    /// Writes text to memory, usually with its NUL, and returns its address; sometimes returns
    /// another address.
    fn put(&mut self, vhost: &Vhost, text: impl FnOnce(&mut Rng) -> Vec<u8>) -> u64 {
        if self.rng.u8(..8) == 0 {
            return self.pointer();
        }
        let mut text = text(&mut self.rng);
        let region = self.rng.choice([RAM, NEXT, EDGE, TOP]).unwrap_or(RAM);
        let address = if self.rng.u8(..6) == 0 {
            // Up to the last byte; the next one may be unmapped.
            region.end().wrapping_sub(text.len() as u64)
        } else {
            text.push(0);
            self.within(region)
        };
        // Fails if it does not fit.
        let _ = vhost.write(self.space, address, text);
        address
    }

    /// Violates the rules of the channel itself.
    pub(crate) fn misbehave(&mut self, firmware: &mut Firmware<Ram>) {
        let rng = &mut self.rng;
        let near = |rng: &mut Rng, word: u32| word.wrapping_add(rng.u32(..20)).wrapping_sub(10);
        let layout = *firmware.layout();
        let how = match rng.u32(..1000) {
            0 if !self.immortal => Misbehaviour::Version(Version {
                major: rng.u16(..),
                minor: rng.u16(..),
            }),
            ..100 => Misbehaviour::Reset,
            100..150 => Misbehaviour::HalfReset,
            150..200 => {
                let any = rng.u32(..);
                Misbehaviour::State(rng.choice([0, 1, 2, any]).unwrap_or(any))
            }
            200..350 => Misbehaviour::JumpAhead(if rng.bool() {
                rng.u32(..20)
            } else {
                rng.u32(..)
            }),
            350..450 => Misbehaviour::SkipResponses(if rng.bool() {
                rng.u32(..20)
            } else {
                rng.u32(..)
            }),
            450..550 => {
                Misbehaviour::OverwriteConsumer(near(rng, firmware.load(layout.request.idx_p)))
            }
            550..650 => {
                Misbehaviour::OverwriteProducer(near(rng, firmware.load(layout.response.idx_p)))
            }
            650..750 => Misbehaviour::Words(rng.u32(..)),
            750..800 => Misbehaviour::Deaf,
            800..850 => return self.scribble(firmware),
            _ => return firmware.behave(),
        };
        firmware.misbehave(how);
    }

    /// Overwrites random words of the channel.
    fn scribble(&mut self, firmware: &Firmware<Ram>) {
        let layout = *firmware.layout();
        let words = layout.channel_size / 4;
        for _ in 0..self.rng.u64(1..=words) {
            let value = match self.rng.u8(..4) {
                0 => self.rng.u32(..),
                1 => self.rng.u32(..10),
                _ => 0,
            };
            let offset = self.rng.u64(..words) * 4;
            // Another version would end the service; that is tested elsewhere.
            firmware.store(
                offset,
                if offset == layout.version {
                    VERSION.into()
                } else {
                    value
                },
            );
        }
    }
}

/// Random pieces, concatenated.
fn jumble(rng: &mut Rng, pieces: &[&[u8]], most: usize) -> Vec<u8> {
    (0..rng.usize(..most))
        .flat_map(|_| rng.choice(pieces).copied().unwrap_or_default().to_vec())
        .collect()
}

/// True if the host would write into a mailbox. A range that starts outside of a mailbox and
/// extends into it fails.
fn writes_over_mail(entry: &RequestEntry) -> bool {
    let RequestEntry { action, args, .. } = entry;
    match (*action, args[0]) {
        (action::MEMMOVE | action::MEMSET, dest) => MAIL.contains(dest),
        (
            action::FILE,
            operation::READ | operation::FSTAT | operation::STAT | operation::READDIR,
        ) => MAIL.contains(args[2]),
        (action::FILE, operation::LSEEK) => MAIL.contains(args[5]),
        (action::FILE, operation::ARGV..=operation::RANDOM) => MAIL.contains(args[1]),
        _ => false,
    }
}
