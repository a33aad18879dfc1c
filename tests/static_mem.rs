//! Memories of backend `static`: initial contents, sharing between spaces, and export after a run.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};

use proptest::prelude::*;
use tempfile::TempDir;
use vhost::bus::Observation;
use vhost::mem::{
    StaticMemDescriptor, StaticMemFiles, StaticMemFormat, StaticMemRange, StaticMemSink,
    clear_static_mems, flush_static_mems,
};
use vhost::messages::foreign::Report;
use vhost::{Error, MailboxInitPaths, Severity, Vhost, mailbox_init_with_paths};

/// User program as in the documentation.
#[rustfmt::skip]
#[allow(clippy::print_stdout, reason = "it is a program that prints")]
mod user {
use vhost::mem::{flush_static_mems, StaticMemDescriptor, StaticMemSink};

struct Sink;

impl StaticMemSink for Sink {
    fn write_static_mem(
        &mut self,
        descriptor: &StaticMemDescriptor,
        data: &[u8],
        _valid_ranges: &[vhost::mem::StaticMemRange],
    ) -> Result<(), String> {
        println!("{}: width={} depth={} bytes={}", descriptor.path, descriptor.width, descriptor.depth, data.len());
        Ok(())
    }
}

pub(crate) fn export_static_mems() -> Result<(), String> {
    let mut sink = Sink;
    flush_static_mems(&mut sink)
}
}

/// Folder with the files of a system.
struct Fixture(TempDir);

impl Fixture {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Starts a system with these spaces.
    fn start(&self, memories: &str) -> Result<Vhost, Error> {
        let memories = self.file("mem.yaml", memories);
        let root = self.0.path().to_str().unwrap();
        Vhost::builder()
            .memories(memories)
            .variable("ROOT", root)
            .start()
    }
}

/// Two instances shared by three memories, and two that are banks.
const MEMORIES: &str = "
shared:
  ram: &ram {base: 0x1000, size: 64, path: tb.ram, width: 32, backend: static}
space:
  core0:
    - ram
    - banks: {base: 0x2000, size: 48, path: tb.b, width: 48, bank_width: 24, bank_depth: 4, banks: [[x, y], [z, x]], backend: static}
    - other: {base: 0x9000, size: 8, backend: log}
  core1:
    - ram
    - again: {<<: *ram, base: 0x8000}
";

/// Sink that keeps exported memories.
#[derive(Default)]
struct Kept(Vec<Handed>);

/// Instance, its bytes, and offset and length of written parts.
type Handed = (StaticMemDescriptor, Vec<u8>, Vec<(usize, usize)>);

impl StaticMemSink for Kept {
    fn write_static_mem(
        &mut self,
        descriptor: &StaticMemDescriptor,
        data: &[u8],
        valid_ranges: &[StaticMemRange],
    ) -> Result<(), String> {
        let ranges = valid_ranges.iter().map(|range| (range.offset, range.len));
        let kept = (descriptor.clone(), data.to_vec(), ranges.collect());
        self.0.push(kept);
        Ok(())
    }
}

impl Kept {
    fn flushed() -> Self {
        let mut kept = Self::default();
        flush_static_mems(&mut kept).unwrap();
        kept
    }

    fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|(of, ..)| of.path.as_str()).collect()
    }

    fn of(&self, path: &str) -> (&[u8], &[(usize, usize)]) {
        let (_, data, ranges) = self.0.iter().find(|(of, ..)| of.path == path).unwrap();
        (data, ranges)
    }
}

#[test]
fn every_instance_is_handed_out_in_its_order() {
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    vhost.write_u32("core0", 0x1008, 0x0403_0201).unwrap();
    vhost.write("core1", 0x800c, vec![5]).unwrap();
    // Words of 3 bytes alternate: bytes 2 to 7 are the last of x, all of y, and two of x again.
    vhost
        .write("core0", 0x2002, vec![1_u8, 2, 3, 4, 5, 6])
        .unwrap();

    let kept = Kept::flushed();
    assert_eq!(kept.paths(), ["tb.ram", "tb.b.x", "tb.b.y", "tb.b.z"]);
    let described: Vec<_> = kept
        .0
        .iter()
        .map(|(of, data, _)| (of.width, of.depth, data.len()))
        .collect();
    assert_eq!(described, [(4, 16, 64), (3, 4, 12), (3, 4, 12), (3, 4, 12)]);
    let (ram, written) = kept.of("tb.ram");
    assert_eq!(
        (&ram[8..14], written),
        (&[1, 2, 3, 4, 5, 0][..], &[(8, 5)][..])
    );
    let (x, written) = kept.of("tb.b.x");
    assert_eq!((&x[..6], written), (&[0, 0, 1, 5, 6, 0][..], &[(2, 3)][..]));
    let (y, written) = kept.of("tb.b.y");
    assert_eq!((&y[..4], written), (&[2, 3, 4, 0][..], &[(0, 3)][..]));
    assert_eq!(kept.of("tb.b.z"), (&[0; 12][..], &[][..]));
    user::export_static_mems().unwrap();
}

#[test]
fn memory_of_a_system_outlives_it() {
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    vhost.write_u8("core0", 0x1000, 7).unwrap();
    vhost.shutdown();
    assert_eq!(Kept::flushed().of("tb.ram").0[0], 7);
    // The next system starts with clean buffers, without the previous contents.
    let next = "space: {s: [{rom: {base: 0, size: 8, path: tb.rom, width: 8, backend: static}}, \
                {ram: {base: 0x1000, size: 64, path: tb.ram, width: 32, backend: static}}]}";
    let memories = fixture.file("next.yaml", next);
    let vhost = mailbox_init_with_paths(MailboxInitPaths {
        mem_cfg_file: memories,
        mailbox_cfg_file: fixture.file("mailbox.yaml", "{}"),
    });
    let vhost = vhost.unwrap();
    let kept = Kept::flushed();
    assert_eq!(kept.paths(), ["tb.rom", "tb.ram"]);
    assert_eq!(kept.of("tb.ram"), (&[0; 64][..], &[][..]));
    assert_eq!(vhost.read_u8("s", 0x1000).unwrap(), 0);
}

#[test]
fn a_system_that_can_not_start_takes_nothing_away() {
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    vhost.write_u8("core0", 0x1000, 7).unwrap();
    let error = fixture.start(MEMORIES).unwrap_err();
    assert!(matches!(error, Error::AlreadyRunning), "{error}");
    assert!(fixture.start("space: 3").is_err());
    assert_eq!(Kept::flushed().of("tb.ram").0[0], 7);
}

#[test]
fn cleared_memory_is_no_longer_returned() {
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    vhost.write_u8("core0", 0x1000, 7).unwrap();
    clear_static_mems();
    assert!(Kept::flushed().paths().is_empty());
    // A running system keeps its memories.
    assert_eq!(vhost.read_u8("core1", 0x8000).unwrap(), 7);
    drop(vhost);
    let _vhost = fixture.start(MEMORIES).unwrap();
    assert_eq!(Kept::flushed().paths().len(), 4);
}

#[test]
fn the_first_error_of_a_sink_ends_the_flush() {
    struct Fails(Vec<String>);
    impl StaticMemSink for Fails {
        fn write_static_mem(
            &mut self,
            descriptor: &StaticMemDescriptor,
            _: &[u8],
            _: &[StaticMemRange],
        ) -> Result<(), String> {
            self.0.push(descriptor.path.clone());
            match self.0.len() {
                2 => Err("no more, please".to_owned()),
                _ => Ok(()),
            }
        }
    }
    let fixture = Fixture::new();
    let _vhost = fixture.start(MEMORIES).unwrap();
    let mut sink = Fails(Vec::new());
    assert_eq!(
        flush_static_mems(&mut sink),
        Err("no more, please".to_owned())
    );
    assert_eq!(sink.0, ["tb.ram", "tb.b.x"]);
}

#[test]
fn a_sink_may_use_the_system_and_start_another() {
    struct Busy {
        vhost: Option<Vhost>,
        fixture: Fixture,
        seen: Vec<(String, u8)>,
    }
    impl StaticMemSink for Busy {
        fn write_static_mem(
            &mut self,
            descriptor: &StaticMemDescriptor,
            data: &[u8],
            _: &[StaticMemRange],
        ) -> Result<(), String> {
            self.seen.push((descriptor.path.clone(), data[0]));
            if self.seen.len() == 1 {
                let vhost = self.vhost.take().unwrap();
                // In x, which is exported next.
                vhost.write_u8("core0", 0x2000, 3).unwrap();
                assert_eq!(Kept::flushed().of("tb.b.x").0[0], 3);
                drop(vhost);
                clear_static_mems();
                self.vhost = Some(self.fixture.start(MEMORIES).unwrap());
            }
            Ok(())
        }
    }
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    let mut busy = Busy {
        vhost: Some(vhost),
        fixture,
        seen: Vec::new(),
    };
    flush_static_mems(&mut busy).unwrap();
    // The flush continues with the list at its beginning.
    let seen: Vec<_> = busy
        .seen
        .iter()
        .map(|(path, first)| (path.as_str(), *first))
        .collect();
    assert_eq!(
        seen,
        [("tb.ram", 0), ("tb.b.x", 3), ("tb.b.y", 0), ("tb.b.z", 0)]
    );
    assert_eq!(Kept::flushed().of("tb.b.x").0[0], 0);
}

#[test]
fn threads_have_their_own() {
    let fixture = Fixture::new();
    let _vhost = fixture.start(MEMORIES).unwrap();
    let elsewhere = std::thread::spawn(|| Kept::flushed().0.len());
    assert_eq!(elsewhere.join().unwrap(), 0);
}

/// Flushes when its thread ends.
struct AtTheEnd(Option<mpsc::Sender<Result<usize, String>>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        let mut kept = Kept::default();
        let flushed = flush_static_mems(&mut kept).map(|()| kept.0.len());
        self.0.take().unwrap().send(flushed).unwrap();
    }
}

thread_local! {
    static BEFORE: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    static AFTER: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

/// Thread-locals are dropped one after the other. One created before the memories can still access
/// them; one created after them gets an error.
#[test]
fn a_thread_that_ends_has_no_memories_any_more() {
    let (sender, results) = mpsc::channel();
    let ends = move || {
        BEFORE.set(Some(AtTheEnd(Some(sender.clone()))));
        let fixture = Fixture::new();
        drop(fixture.start(MEMORIES).unwrap());
        AFTER.set(Some(AtTheEnd(Some(sender))));
    };
    std::thread::spawn(ends).join().unwrap();
    let mut results: Vec<_> = results.iter().collect();
    results.sort_by_key(Result::is_err);
    let gone = "the static memories no longer exist: their thread is ending; flush them before";
    assert_eq!(results, [Ok(4), Err(gone.to_owned())]);
}

#[test]
fn a_chip_model_writes_too() {
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    let ram = {
        let spaces = vhost.spaces();
        let memory = spaces.get("core1").unwrap().get("again").unwrap();
        memory.buffers[0].clone()
    };
    assert!(ram.write(20, &[0, 9]));
    vhost.write_u8("core0", 0x1016, 1).unwrap();
    assert_eq!(Kept::flushed().of("tb.ram").1, [(20, 3)]);
}

#[test]
fn a_row_is_the_array_that_its_path_names() {
    let fixture = Fixture::new();
    let rows = "rows: {base: 0, size: 32, path: tb.ram, width: 32, array_dims: {rows: 2, cols: 4}, backend: static}";
    let second = "second: {base: 0x100, size: 16, path: 'tb.ram[1]', width: 32, backend: static}";
    let vhost = fixture
        .start(&format!("space: {{s: [{{{rows}}}, {{{second}}}]}}"))
        .unwrap();
    vhost.write_u32("s", 0x14, 7).unwrap();
    assert_eq!(vhost.read_u32("s", 0x104).unwrap(), 7);
    let kept = Kept::flushed();
    let paths: Vec<_> = kept
        .0
        .iter()
        .map(|(array, ..)| (array.path.as_str(), array.depth))
        .collect();
    assert_eq!(paths, [("tb.ram[0]", 4), ("tb.ram[1]", 4)]);
    drop(vhost);
    let many = "many: {base: 0, size: 1M, path: tb.ram, width: 8, array_dims: {rows: 1M, cols: 1}, backend: static}";
    let error = fixture
        .start(&format!("space: {{s: [{{{many}}}]}}"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`array_dims`: 1048576 rows of arrays are more than the 262144"),
        "{error}"
    );
}

#[test]
fn first_content_is_written_through_the_backend() {
    let fixture = Fixture::new();
    fixture.file("boot.hex", "// x and z\n@1 1x_zz\n@3 abcd\n");
    let memories = "
space:
  core:
    - none: {base: 0x1000, size: 8, path: tb.none, width: 16, backend: static}
    - zero: {base: 0x2000, size: 8, path: tb.zero, width: 16, backend: static, init: {method: all_zero}}
    - random: {base: 0x3000, size: 8, path: tb.random, width: 16, backend: static, init: {method: random, seed: 7}}
    - drawn: {base: 0x4000, size: 64, path: tb.drawn, width: 16, backend: static, init: {method: random}}
    - hex: {base: 0x5000, size: 8, path: tb.hex, width: 16, backend: static, init: {method: hex, file: \"${ROOT}/boot.hex\"}}
";
    let reports = Arc::new(Mutex::new(Vec::new()));
    let keep = reports.clone();
    let memories = fixture.file("mem.yaml", memories);
    let start = || {
        let keep = keep.clone();
        let vhost = Vhost::builder()
            .memories(&memories)
            .variable("ROOT", fixture.0.path().to_str().unwrap())
            .attach(move |seen: &Observation<'_>| {
                keep.lock()
                    .unwrap()
                    .extend(seen.content.downcast_ref::<Report>().cloned());
            })
            .start();
        drop(vhost.unwrap());
        Kept::flushed()
    };
    let kept = start();
    assert_eq!(kept.of("tb.none"), (&[0; 8][..], &[][..]));
    assert_eq!(kept.of("tb.zero"), (&[0; 8][..], &[(0, 8)][..]));
    assert_eq!(kept.of("tb.random").1, [(0, 8)]);
    let hex = (
        &[0, 0, 0, 0x10, 0, 0, 0xcd, 0xab][..],
        &[(2, 2), (6, 2)][..],
    );
    assert_eq!(kept.of("tb.hex"), hex);

    let mut reports = std::mem::take(&mut *reports.lock().unwrap());
    let mut next = || {
        let report = reports.remove(0);
        (report.severity, report.id, report.text)
    };
    let (severity, id, text) = next();
    assert_eq!((severity, id.as_str()), (Severity::Info, "random"));
    assert_eq!(text, "random content from seed 7");
    let (severity, id, text) = next();
    assert_eq!((severity, id.as_str()), (Severity::Info, "drawn"));
    let seed = text.strip_prefix("random content from seed ").unwrap();
    let (severity, id, text) = next();
    assert_eq!((severity, id.as_str()), (Severity::Warning, "hex"));
    assert!(
        text.ends_with("boot.hex: 3 digits are x or z, and read as 0"),
        "{text}"
    );

    // The logged seed reproduces the bytes.
    let text = std::fs::read_to_string(&memories).unwrap();
    let text = text.replace(
        "{method: random}",
        &format!("{{method: random, seed: {seed}}}"),
    );
    std::fs::write(&memories, text).unwrap();
    let again = start();
    for path in ["tb.random", "tb.drawn"] {
        assert_eq!(again.of(path), kept.of(path), "{path}");
    }
    assert_ne!(kept.of("tb.drawn").0, [0; 64]);
}

#[test]
fn an_access_goes_on_in_the_adjacent_memory() {
    let fixture = Fixture::new();
    let memories = "
space:
  core:
    - low: {base: 0x1000, size: 6, path: tb.low, width: 24, backend: static}
    - high: {base: 0x1006, size: 10, path: tb.high, width: 16, backend: static}
";
    let vhost = fixture.start(memories).unwrap();
    vhost.write("core", 0x1004, vec![1, 2, 3, 4]).unwrap();
    assert_eq!(vhost.read_u32("core", 0x1004).unwrap(), 0x0403_0201);
    let kept = Kept::flushed();
    assert_eq!(kept.of("tb.low").1, [(4, 2)]);
    assert_eq!(kept.of("tb.high").1, [(0, 2)]);
    let error = vhost.write("core", 0x100f, vec![1, 2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "space `core`, 0x100f: space `core` has no memory at 0x1010, needed for the 2 bytes at 0x100f"
    );
    // The write is done completely, or not at all.
    assert_eq!(vhost.read_u8("core", 0x100f).unwrap(), 0);
}

/// Exported files of a format, by name.
fn files(dir: &Path, format: StaticMemFormat) -> Vec<(String, Vec<u8>)> {
    let mut files = StaticMemFiles::new(dir, format);
    flush_static_mems(&mut files).unwrap();
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    let read = files
        .files()
        .map(|(_, file)| (name(file), std::fs::read(file).unwrap()));
    read.collect()
}

#[test]
fn memories_go_into_files_and_come_back() {
    let fixture = Fixture::new();
    let vhost = fixture.start(MEMORIES).unwrap();
    vhost.write("core0", 0x1006, "hello").unwrap();
    vhost.write("core0", 0x2000, vec![0x5a; 7]).unwrap();
    drop(vhost);

    let dir = fixture.0.path().join("out");
    let binary = files(&dir, StaticMemFormat::Binary);
    let names: Vec<_> = binary.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["tb.b.x.bin", "tb.b.y.bin", "tb.b.z.bin", "tb.ram.bin"]
    );
    assert_eq!(&binary[3].1[4..12], b"\0\0hello\0");
    let words = "// tb.ram: 16 words of 4 bytes\n@00000001\n65680000\n006F6C6C\n";
    let hex = files(&dir, StaticMemFormat::Readmemh);
    assert_eq!(hex[3], ("tb.ram.hex".to_owned(), words.into()));
    let verilog = files(&dir, StaticMemFormat::Verilog);
    assert_eq!(verilog[3].1, b"@00000006\n68 65 6C 6C 6F\n");

    // In the format of `init`: words of 3 bytes, and bytes.
    for (name, width) in [("tb.b.x.hex", 24), ("tb.b.x.mem", 8)] {
        let init = format!("init: {{method: hex, file: \"${{ROOT}}/out/{name}\"}}");
        let ram = format!(
            "ram: {{base: 0, size: 12, path: tb.x, width: {width}, backend: static, {init}}}"
        );
        let _vhost = fixture
            .start(&format!("space: {{s: [{{{ram}}}]}}"))
            .unwrap();
        assert_eq!(Kept::flushed().of("tb.x").0, binary[0].1, "{name}");
    }
}

/// Compares our files with those of binutils.
#[test]
fn verilog_files_are_those_of_objcopy() {
    let fixture = Fixture::new();
    let memories =
        "space: {s: [{ram: {base: 0, size: 100, path: ram, width: 32, backend: static}}]}";
    let vhost = fixture.start(memories).unwrap();
    let content: Vec<u8> = (0..100_u8).map(|byte| byte.wrapping_mul(7)).collect();
    vhost.write("s", 0, content.clone()).unwrap();
    let raw = fixture.0.path().join("content");
    std::fs::write(&raw, &content).unwrap();
    let theirs = fixture.0.path().join("theirs");
    let objcopy = Command::new("objcopy")
        .args(["-I", "binary", "-O", "verilog"])
        .args([&raw, &theirs])
        .status();
    if !objcopy.is_ok_and(|status| status.success()) {
        println!("skipped: objcopy with the format `verilog`");
        return;
    }
    let tokens = |text: &[u8]| -> Vec<String> {
        let text = std::str::from_utf8(text).unwrap();
        text.split_ascii_whitespace().map(str::to_owned).collect()
    };
    let ours = files(fixture.0.path(), StaticMemFormat::Verilog)
        .remove(0)
        .1;
    assert_eq!(tokens(&ours), tokens(&std::fs::read(theirs).unwrap()));
}

/// Memory in terms of the configuration, with widths in bytes. One bank of one column is a direct
/// memory.
#[derive(Debug, Clone, Copy)]
struct Shape {
    banked: bool,
    bank_width: usize,
    columns: usize,
    /// Dimensions of the array of each bank, or of the direct memory.
    dims: (usize, usize),
    bank_rows: usize,
}

impl Shape {
    fn width(&self) -> usize {
        self.bank_width * self.columns
    }

    fn depth(&self) -> usize {
        self.dims.0 * self.dims.1
    }

    fn size(&self) -> usize {
        self.width() * self.depth() * self.bank_rows
    }

    /// Instance and offset of a byte, by the documentation in `docs/configuration.md`.
    fn place(&self, offset: usize) -> (usize, usize) {
        let column = offset / self.bank_width % self.columns;
        let (_, cols) = self.dims;
        // Number of the byte's row, in the arrays of all rows of banks.
        let row = offset / (self.width() * cols);
        let word = offset / self.width() % cols;
        (
            row * self.columns + column,
            word * self.bank_width + offset % self.bank_width,
        )
    }

    fn path(&self, instance: usize) -> String {
        let (rows, _) = self.dims;
        let (row, column) = (instance / self.columns, instance % self.columns);
        let bank = row / rows * self.columns + column;
        let array = match self.banked {
            true => format!("tb.ram.b{bank}"),
            false => "tb.ram".to_owned(),
        };
        match rows {
            1 => array,
            _ => format!("{array}[{}]", row % rows),
        }
    }

    /// Memory configuration with this memory, followed by another one.
    fn memories(&self, base: u64) -> String {
        let (size, width, (rows, cols)) = (self.size(), self.width() * 8, self.dims);
        let banks: Vec<String> = (0..self.bank_rows)
            .map(|row| {
                let names =
                    (0..self.columns).map(|column| format!("b{}", row * self.columns + column));
                format!("[{}]", names.collect::<Vec<_>>().join(", "))
            })
            .collect();
        let banks = match self.banked {
            true => format!(
                ", bank_width: {}, bank_depth: {}, banks: [{}]",
                self.bank_width * 8,
                self.depth(),
                banks.join(", ")
            ),
            false => String::new(),
        };
        let ram = format!(
            "{{base: {base}, size: {size}, path: tb.ram, width: {width}, array_dims: {{rows: {rows}, cols: {cols}}}{banks}, backend: static}}"
        );
        let behind = format!(
            "{{base: {}, size: 300, path: tb.behind, width: 8, backend: static}}",
            base + size as u64
        );
        format!("space: {{s: [{{ram: {ram}}}, {{behind: {behind}}}]}}")
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let banked = (1..9usize, 1..5usize, (1..4usize, 1..6usize), 1..4usize);
    let banked = banked.prop_map(|(bank_width, columns, dims, bank_rows)| Shape {
        banked: true,
        bank_width,
        columns,
        dims,
        bank_rows,
    });
    let direct = (1..40usize, (1..4usize, 1..30usize)).prop_map(|(bank_width, dims)| Shape {
        banked: false,
        bank_width,
        columns: 1,
        dims,
        bank_rows: 1,
    });
    prop_oneof![banked, direct]
}

proptest! {
    /// For any geometry, each byte is at the documented instance and offset, and so are its marks
    /// of written parts. An access beyond the end continues in the next memory.
    #[test]
    fn every_byte_is_at_its_configured_place(
        shape in shape(),
        writes in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..300)), 1..12),
    ) {
        const BASE: u64 = 0x1000;
        let fixture = Fixture::new();
        let vhost = fixture.start(&shape.memories(BASE)).unwrap();
        let mut model = vec![None; shape.size() + 300];
        for (at, data) in writes {
            let at = at.index(shape.size());
            let address = BASE + at as u64;
            for (byte, value) in model[at..at + data.len()].iter_mut().zip(&data) {
                *byte = Some(*value);
            }
            vhost.write("s", address, data.clone()).unwrap();
            prop_assert_eq!(&vhost.read("s", address, data.len() as u64).unwrap()[..], &data[..]);
        }
        let bytes: Vec<u8> = model.iter().map(|byte| byte.unwrap_or(0)).collect();
        prop_assert_eq!(&vhost.read("s", BASE, bytes.len() as u64).unwrap()[..], &bytes[..]);

        let (ram, behind) = model.split_at(shape.size());
        let (rows, cols) = shape.dims;
        let instances = shape.columns * shape.bank_rows * rows;
        let mut wanted = vec![vec![None; shape.bank_width * cols]; instances];
        for (offset, byte) in ram.iter().enumerate() {
            let (instance, place) = shape.place(offset);
            wanted[instance][place] = *byte;
        }
        let mut wanted: Vec<_> = wanted.into_iter().enumerate().map(|(nth, bytes)| (shape.path(nth), bytes)).collect();
        wanted.push(("tb.behind".to_owned(), behind.to_vec()));
        let kept = Kept::flushed();
        prop_assert_eq!(kept.0.len(), wanted.len());
        for ((descriptor, data, ranges), (path, bytes)) in kept.0.iter().zip(wanted) {
            prop_assert_eq!(&descriptor.path, &path);
            let values: Vec<u8> = bytes.iter().map(|byte| byte.unwrap_or(0)).collect();
            prop_assert_eq!(data, &values);
            let mut written = vec![false; bytes.len()];
            for (offset, len) in ranges {
                written[*offset..offset + len].fill(true);
            }
            let was: Vec<bool> = bytes.iter().map(Option::is_some).collect();
            prop_assert_eq!(written, was);
        }
    }
}
