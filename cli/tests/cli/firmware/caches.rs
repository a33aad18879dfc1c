//! Semihosting on a hart with a write-back data cache, which the host can't access.

use std::fs;
use std::io::Write as _;

use riscv_iss::{AccessFault, Bus, Cells, Hart, Rv32, Rv64, Stop, Xlen};

use super::compiled::missing;
use super::harts::Fixture;
use super::semihosting::{PROGRAM, compile_for};
use super::{Image, RAM};

/// Size of a line in bytes.
const LINE: u64 = 64;

/// Number of instructions between two ticks.
const TURN: u64 = 20;

const MAX_TURNS: u32 = 100_000;

/// Line of a cache.
struct Line {
    address: u64,
    bytes: [u8; LINE as usize],
    is_dirty: bool,
}

/// Memory behind a direct-mapped write-back data cache. Instructions come from memory.
struct Cached<'a> {
    memory: Cells<'a>,
    lines: Vec<Option<Line>>,
}

impl<'a> Cached<'a> {
    fn new(memory: Cells<'a>, size: u64) -> Self {
        let lines = (0..size / LINE).map(|_| None).collect();
        Self { memory, lines }
    }

    /// Line of an address, which evicts another one.
    fn line(&mut self, address: u64) -> Result<&mut Line, AccessFault> {
        let first = address / LINE * LINE;
        let count = self.lines.len();
        let place = &mut self.lines[(address / LINE) as usize % count];
        if place.as_ref().is_none_or(|line| line.address != first) {
            let bytes = self.memory.load(first)?;
            let fresh = Line {
                address: first,
                bytes,
                is_dirty: false,
            };
            if let Some(old) = place.replace(fresh).filter(|old| old.is_dirty) {
                self.memory.store(old.address, old.bytes)?;
            }
        }
        Ok(place.as_mut().unwrap())
    }
}

impl Bus for Cached<'_> {
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        let at = (address % LINE) as usize;
        let line = self.line(address)?;
        Ok(line.bytes[at..at + N].try_into().unwrap())
    }

    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), AccessFault> {
        let at = (address % LINE) as usize;
        let line = self.line(address)?;
        line.bytes[at..at + N].copy_from_slice(&bytes);
        line.is_dirty = true;
        Ok(())
    }

    fn fetch<const N: usize>(&mut self, address: u64) -> Result<[u8; N], AccessFault> {
        self.memory.fetch(address)
    }
}

/// Runs an image. Returns exit code, text and status at the end.
fn run<X: Xlen>(image: &Image, size: u64, keys: &str) -> (Option<u32>, String, String) {
    let fixture = Fixture::new(image, keys);
    let space = fixture.vhost.spaces().get("cpu").unwrap();
    let ram = space.iter().next().unwrap().buffers[0].cells();
    let mut memory = Cached::new(Cells::new(vec![(RAM, ram)]), size);
    let mut hart = Hart::<X>::new(0, RAM);
    let mut turn = 0;
    while fixture.vhost.tick().unwrap() > 0 && turn < MAX_TURNS {
        // Turns of several lengths, so that the host responds at any instruction of the code.
        let stop = hart.run(&mut memory, TURN + u64::from(turn % 7)).stop;
        assert_eq!(stop, Stop::Steps);
        turn += 1;
    }
    let text = fixture.text.text();
    let status = fixture.vhost.status().unwrap();
    (fixture.vhost.exits()[0].code, text, status)
}

/// Standard streams.
const STREAMS: &str = "stdio: {stdin: in.txt, stdout: raw}";

/// Instructions for a cache of 8 KiB: loads of 16 KiB around the code.
const OF_8_KIB: &str =
    "flush: [0x0000_0397, 0x00e3_d393, 0x00e3_9393, 0x0003_ae03, 0x0403_8393, SHIFT, 0xfe0e_1ae3]";

#[test]
fn instructions_of_the_configuration_write_back_and_drop_the_cache() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    // `slli t3, t2, 50`, and by 18 for registers of 32 bits.
    let of_64 = OF_8_KIB.replace("SHIFT", "0x0323_9e13");
    let of_32 = OF_8_KIB.replace("SHIFT", "0x0123_9e13");
    for (architecture, size, keys) in [
        ("rv64imac", 0x1000, "flush: rocket"),
        ("rv64im", 0x1000, "flush: rocket"),
        ("rv32imac", 0x1000, "flush: rocket"),
        ("rv32im", 0x800, "flush: rocket"),
        ("rv64imac", 0x2000, &of_64),
        ("rv32imac", 0x2000, &of_32),
    ] {
        let image = Image(tempfile::tempdir().unwrap());
        compile_for(&image, architecture, PROGRAM, &[]);
        let files = image.path("files");
        fs::create_dir_all(&files).unwrap();
        fs::write(files.join("in.txt"), "input\n").unwrap();
        let keys = &format!("{keys}, {STREAMS}");
        let (code, text, status) = match architecture.starts_with("rv32") {
            true => run::<Rv32>(&image, size, keys),
            false => run::<Rv64>(&image, size, keys),
        };
        assert_eq!(code, Some(42), "{architecture}, {keys}: {text}{status}");
        assert_eq!(
            text, "begins\nby a handle\ninput\n",
            "{architecture}, {keys}"
        );
        let content = fs::read(files.join("file.txt")).unwrap();
        assert_eq!(content, b"content", "{architecture}, {keys}");
    }
}

#[test]
fn a_cache_without_instructions_is_suspected_in_the_status() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    compile_for(&image, "rv64imac", PROGRAM, &[]);
    let (code, text, status) = run::<Rv64>(&image, 0x1000, STREAMS);
    assert_eq!((code, &*text), (None, ""));
    let printed = "waits for firmware's next operation of semihosting since tick 0; stale or dirty cache line?";
    assert!(status.contains(printed), "{status}");
}
