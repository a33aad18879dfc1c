//! Semihosting with several harts, and in unpacked code: harts of the simulator on memory of a
//! system.

use std::fs;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use riscv_iss::{Cells, Hart, Rv32, Rv64, Stop, Xlen};
use vhost::Vhost;

use super::compiled::missing;
use super::semihosting::compile_for;
use super::{Image, RAM, tree};
use test_support::elf::{Elf, Segment};
use test_support::kept_bytes::KeptBytes;

const SIZE: usize = 0x10_0000;

/// Memory outside of the range of jumps.
const FAR: u64 = 0xa000_0000;

/// Trap, followed by a jump to itself.
const TRAP: [u32; 4] = [0x01f0_1013, 0x0010_0073, 0x4070_5013, 0x0000_006f];

/// Instructions per turn of a hart: few, so that several harts are in the code at the same time.
const TURN: u64 = 7;

const MAX_TURNS: u32 = 400_000;

/// Each hart has its own stack below that of the first one. Hart 0 exits when all have counted.
const PROGRAM: &str = r#"
typedef unsigned long word;
typedef unsigned char byte;

__asm__(".section .text.init, \"ax\"\n.globl _start\n_start:\n  la sp, stack_top\n"
        "  csrr a0, mhartid\n  slli t0, a0, 12\n  sub sp, sp, t0\n  call main\n"
        ".section .bss\n.align 4\n.skip 65536\nstack_top:\n.text\n"
        ".align 4\n.globl semihost\nsemihost:\n.option push\n.option norvc\n"
        "  slli zero, zero, 0x1f\n  ebreak\n  srai zero, zero, 7\n  ret\n.option pop\n");

word semihost(word operation, const volatile void *argument);

static volatile word done[16];
static volatile byte letters[16];

int main(word hart)
{
    letters[hart] = 'a' + hart;
    for (int turn = 0; turn < 50; turn++) {
        volatile word status[1] = {hart % 2 ? (word)-1 : 5};
        semihost(0x03, &letters[hart]);
        if (semihost(0x08, status) != hart % 2)
            semihost(0x04, "another result\n");
    }
    done[hart] = 1;
    if (hart == 0) {
        for (int other = 1; other < HARTS; other++)
            while (!done[other]) {
            }
        volatile word block[2];
        block[0] = 0x20026;
        block[1] = 42;
        semihost(0x20, block);
    }
    for (;;) {
    }
}
"#;

/// End of a run of several harts.
struct Ended {
    text: String,
    reports: Vec<String>,
    code: Option<u32>,
}

/// System with an image.
pub(super) struct Fixture {
    pub(super) vhost: Vhost,
    pub(super) text: KeptBytes,
    reports: Arc<Mutex<Vec<String>>>,
}

impl Fixture {
    /// Creates a system with an image, with further keys of its channel.
    pub(super) fn new(image: &Image, keys: &str) -> Self {
        let text = KeptBytes::default();
        let reports: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&reports);
        let (elf, files) = (image.path("firmware.elf"), image.path("files"));
        fs::create_dir_all(&files).unwrap();
        let vhost = Vhost::builder()
            .memories_text(format!(
                "space:\n  cpu:\n    - ram: {{base: {RAM:#x}, size: {SIZE:#x}, path: ram, width: 8, backend: static}}\n    \
                 - far: {{base: {FAR:#x}, size: 4096, path: far, width: 8, backend: static}}\n"
            ))
            .mailboxes_text(format!(
                "cpu: {{space: cpu, elf: {}, {keys}}}\n",
                elf.display()
            ))
            .files(files)
            .console(text.clone())
            .on_report(move |report| log.lock().unwrap().push(report.text.clone()))
            .start()
            .unwrap();
        Self {
            vhost,
            text,
            reports,
        }
    }

    fn run<X: Xlen>(self, harts: u64) -> Ended {
        let space = self.vhost.spaces().get("cpu").unwrap();
        let ram = space.iter().next().unwrap().buffers[0].cells();
        let mut memory = Cells::new(vec![(RAM, ram)]);
        let mut harts: Vec<_> = (0..harts).map(|id| Hart::<X>::new(id, RAM)).collect();
        let mut turn = 0;
        while self.vhost.tick().unwrap() > 0 && turn < MAX_TURNS {
            let count = harts.len();
            let at = (turn + turn / 100) as usize % count;
            let stop = harts[at].run(&mut memory, TURN + u64::from(turn % 5)).stop;
            assert_eq!(stop, Stop::Steps, "hart {at}");
            turn += 1;
        }
        Ended {
            text: self.text.text(),
            reports: self.reports.lock().unwrap().clone(),
            code: self.vhost.exits()[0].code,
        }
    }
}

/// Runs the program on harts. `known`: number of harts in the configuration.
fn run(architecture: &str, harts: u64, known: u64) -> Option<Ended> {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return None;
    }
    let image = Image(tempfile::tempdir().unwrap());
    let option = format!("-DHARTS={harts}");
    compile_for(&image, architecture, PROGRAM, &[&option]);
    let fixture = Fixture::new(&image, &format!("harts: {known}, stdio: {{stdout: raw}}"));
    Some(match architecture.starts_with("rv32") {
        true => fixture.run::<Rv32>(harts),
        false => fixture.run::<Rv64>(harts),
    })
}

#[test]
fn several_harts_ask_at_the_same_time() {
    for (architecture, harts) in [
        ("rv32ima", 2),
        ("rv64ima", 3),
        ("rv64ima", 12),
        ("rv32im", 2),
        ("rv64im", 8),
    ] {
        let Some(ended) = run(architecture, harts, harts.min(8)) else {
            continue;
        };
        let Ended {
            text,
            reports,
            code,
        } = ended;
        assert_eq!(code, Some(42), "{architecture}: {reports:?}");
        for letter in ('a'..).take(harts as usize) {
            let count = text.matches(letter).count();
            assert_eq!(count, 50, "{architecture}: {letter} of {text}");
        }
        assert_eq!(text.len(), 50 * harts as usize, "{architecture}: {text}");
    }
}

/// The program that also runs on four harts in RTL and on QEMU.
#[test]
fn harts_keep_registers_lines_and_files_apart() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let integration = tree().join("integration");
    let program = fs::read_to_string(integration.join("firmware/semihosting_harts.c")).unwrap();
    let expected = fs::read_to_string(integration.join("expected/semihosting_harts.txt")).unwrap();
    let expected: Vec<&str> = expected
        .lines()
        .map(|line| line.strip_prefix("[cpu0] ").unwrap())
        .collect();
    let include = format!("-I{}", tree().join("firmware/abi").display());
    for architecture in ["rv32ima", "rv64imac"] {
        let image = Image(tempfile::tempdir().unwrap());
        compile_for(&image, architecture, &program, &[&include]);
        let fixture = Fixture::new(&image, "args: [program, two], stdio: {stdout: raw}");
        let ended = match architecture.starts_with("rv32") {
            true => fixture.run::<Rv32>(4),
            false => fixture.run::<Rv64>(4),
        };
        assert_eq!(
            ended.code,
            Some(42),
            "{architecture}: {}{:?}",
            ended.text,
            ended.reports
        );
        let mut lines: Vec<&str> = ended.text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, expected, "{architecture}");
        for hart in 0..4 {
            let file = image.path("files").join(format!("hart-{hart}.txt"));
            let lines = fs::read_to_string(&file).unwrap();
            let of_hart = format!("hart {hart}, line ");
            assert_eq!(lines.lines().count(), 2, "{architecture}: {lines}");
            for (number, line) in lines.lines().enumerate() {
                let begin = format!("{of_hart}{number:02}: ");
                let len = 5 + (hart * 7 + number * 11) % 80;
                assert!(line.starts_with(&begin), "{architecture}: {line}");
                assert_eq!(line.len(), begin.len() + len, "{architecture}: {line}");
            }
        }
        let left = fs::read_dir(image.path("files")).unwrap().count();
        assert_eq!(left, 4, "{architecture}");
    }
}

#[test]
fn a_hart_without_words_is_reported() {
    let Some(ended) = run("rv64im", 9, 8) else {
        return;
    };
    assert_eq!(ended.code, None);
    let printed =
        "hart 8 has asked for an operation; the code in place of traps has words for harts 0 to 7";
    let count = ended
        .reports
        .iter()
        .filter(|it| it.contains(printed))
        .count();
    assert_eq!(count, 1, "{:?}", ended.reports);
}

#[test]
fn a_second_hart_is_reported_where_the_code_is_for_one() {
    let Some(ended) = run("rv64im", 2, 1) else {
        return;
    };
    let printed = "an operation was asked for while another one waited: by a second hart";
    let count = ended
        .reports
        .iter()
        .filter(|it| it.contains(printed))
        .count();
    assert_eq!(count, 1, "{:?}", ended.reports);
}

fn trap() -> Vec<u8> {
    TRAP.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn traps_that_firmware_has_unpacked_are_replaced_or_reported() {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    let image = Image(tempfile::tempdir().unwrap());
    compile_for(&image, "rv64ima", PROGRAM, &["-DHARTS=1"]);
    let fixture = Fixture::new(&image, "stdio: {stdout: raw}");
    let vhost = &fixture.vhost;
    let (code, letter, stack) = (RAM + 0x4_0002, RAM + 0x5_0000, RAM + 0x6_0000);
    vhost.write("cpu", letter, b"x".to_vec()).unwrap();
    assert_eq!(vhost.replace_traps("cpu", code, 16).unwrap(), 0);
    for place in [code, FAR + 0x10] {
        vhost.write("cpu", place, trap()).unwrap();
    }
    assert_eq!(vhost.replace_traps("cpu", code - 2, 0x1000).unwrap(), 1);
    assert_eq!(vhost.replace_traps("cpu", FAR, 0x1000).unwrap(), 0);
    assert_eq!(vhost.replace_traps("cpu", FAR, 0x10 + 11).unwrap(), 0);
    assert!(vhost.replace_traps("cpu", FAR, u64::MAX).is_err());
    assert!(vhost.replace_traps("other", FAR, 16).is_err());
    let mut hart = Hart::<Rv64>::new(0, code);
    let registers = (1..32).map(|number| (number, 0x1111 * u64::from(number)));
    let registers: Vec<(u8, u64)> = registers.collect();
    for (number, value) in &registers {
        hart.set_register(*number, *value);
    }
    for (number, value) in [(2, stack), (10, 3), (11, letter)] {
        hart.set_register(number, value);
    }
    let space = vhost.spaces().get("cpu").unwrap();
    let ram = space.iter().next().unwrap().buffers[0].cells();
    let mut memory = Cells::new(vec![(RAM, ram)]);
    for _ in 0..100 {
        assert_eq!(hart.run(&mut memory, TURN).stop, Stop::Steps);
        vhost.tick().unwrap();
    }
    assert_eq!(fixture.text.text(), "x");
    assert_eq!(hart.pc(), code + 12);
    for (number, value) in registers {
        let expected = match number {
            2 => stack,
            10 => 0,
            11 => letter,
            _ => value,
        };
        assert_eq!(hart.register(number), expected, "x{number}");
    }
    let reports = fixture.reports.lock().unwrap();
    let printed = format!(
        "the trap at {:#x} stays as it is: it is more than 1 MiB from the code at",
        FAR + 0x10
    );
    assert!(
        reports.iter().any(|it| it.contains(&printed)),
        "{reports:?}"
    );
}

/// Reports of a system with this image, at its start.
fn reports_of(elf: &Elf, memories: &str, mailboxes: &str) -> Vec<String> {
    let image = Image::of(&elf.build());
    let reports: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&reports);
    let vhost = Vhost::builder()
        .memories_text(memories)
        .mailboxes_text(mailboxes)
        .variable("IMAGE", image.path("firmware.elf").to_str().unwrap())
        .on_report(move |report| log.lock().unwrap().push(report.text.clone()))
        .start()
        .unwrap();
    drop(vhost);
    let reports = reports.lock().unwrap();
    reports.clone()
}

#[test]
fn traps_that_stay_are_reported_with_their_addresses() {
    let code = trap();
    let memories = format!(
        "space:\n  cpu:\n    - ram: {{base: {RAM:#x}, size: {SIZE:#x}, path: ram, width: 8, backend: static}}\n    \
         - rom: {{base: {FAR:#x}, size: 4096, backend: log}}\n    \
         - near: {{base: 0x80100000, size: 4096, backend: log}}\n"
    );
    let at = |address: u64, bytes: &[u8]| Segment::at(address, bytes, bytes.len() as u64);
    let elf = |segments| Elf {
        entry: RAM,
        ..Elf::of(segments)
    };
    let mailboxes = "cpu: {space: cpu, elf: \"${IMAGE}\", ptr: 64, stub: 0x80080000}\n";
    let image = elf(vec![
        at(RAM, &code),
        at(FAR, &code),
        at(0x8010_0020, &code),
        at(RAM + 0x100, &code[..8]),
    ]);
    let reports = reports_of(&image, &memories, mailboxes);
    for printed in [
        "the trap at 0xa0000000 of ",
        "stays as it is: it is more than 1 MiB from the code at 0x80080000",
        "the trap at 0x80100020 of ",
        "stays as it is: memory at 0x80100020 keeps its content, as a ROM does",
        "the trap at 0x80000100 of ",
        "goes on behind the end of its segment and stays as it is",
        "1 trap of ",
    ] {
        assert!(
            reports.iter().any(|it| it.contains(printed)),
            "{printed}: {reports:?}"
        );
    }
    // More traps than the code has space for.
    let image = elf(vec![at(RAM, &code[..12].repeat(170))]);
    let reports = reports_of(&image, &memories, mailboxes);
    let full = reports
        .iter()
        .filter(|it| it.contains("the code has room for 162 traps"));
    assert_eq!(full.count(), 8, "{reports:?}");
}
