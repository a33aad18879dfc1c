//! Arm's trap `bkpt 0xab` in Thumb code: a core that executes the instructions of one program calls
//! the host at each trap, like a testbench.

use std::sync::{Arc, Mutex};

use vhost::Vhost;

use super::Image;
use test_support::elf::{Elf, Segment};
use test_support::kept_bytes::KeptBytes;

const RAM: u64 = 0x2000_0000;

/// ELF machine number of Arm.
const ARM: u16 = 40;

/// Writes a text, opens a file, writes to it, and exits. The last instruction of a call returns to
/// the link register.
const PROGRAM: [u16; 26] = [
    0x2004, // movs r0, #4: WRITE0
    0x4913, // ldr r1, [pc, #76]: the text
    0xbeab, // bkpt 0xab
    0x2001, // movs r0, #1: OPEN
    0x4912, // ldr r1, [pc, #72]: its parameters
    0xbeab, // bkpt 0xab
    0x4a12, // ldr r2, [pc, #72]: parameters of a WRITE
    0x6010, // str r0, [r2]: the handle
    0x2005, // movs r0, #5: WRITE
    0x1c11, // adds r1, r2, #0
    0xbeab, // bkpt 0xab
    0x2800, // cmp r0, #0: all bytes were written
    0xd001, // beq to the exit
    0x2003, // movs r0, #3
    0xe7fe, // b to itself
    0x2020, // movs r0, #32: EXIT_EXTENDED
    0x490e, // ldr r1, [pc, #56]: reason and status
    0xbeab, // bkpt 0xab
    0xe7fe, // b to itself
    0xbf00, // nop
    0xbf00, 0xbf00, 0xbf00, 0xbf00, 0xbf00, 0xbf00,
];

/// Offsets of the data.
const LITERALS: u64 = 0x50;
const TEXT: u64 = 0x100;
const OPEN: u64 = 0x140;
const NAME: u64 = 0x160;
const WRITE: u64 = 0x180;
const CONTENT: u64 = 0x1a0;
const EXIT: u64 = 0x1c0;

fn image() -> Vec<u8> {
    let mut bytes = vec![0; 0x200];
    let mut put = |at: u64, data: &[u8]| bytes[at as usize..][..data.len()].copy_from_slice(data);
    put(0, PROGRAM.map(u16::to_le_bytes).as_flattened());
    let words = |words: &[u64]| -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| (*word as u32).to_le_bytes())
            .collect()
    };
    put(
        LITERALS,
        &words(&[RAM + TEXT, RAM + OPEN, RAM + WRITE, RAM + EXIT]),
    );
    put(TEXT, b"from Thumb\n\0");
    put(OPEN, &words(&[RAM + NAME, 4, 8]));
    put(NAME, b"file.txt\0");
    put(WRITE, &words(&[0, RAM + CONTENT, 7]));
    put(CONTENT, b"content");
    put(EXIT, &words(&[0x20026, 42]));
    let len = bytes.len() as u64;
    let elf = Elf {
        entry: RAM + 1,
        machine: ARM,
        ..Elf::of(vec![Segment::at(RAM, &bytes, len)])
    };
    elf.build()
}

/// Registers of a core, with only one flag.
struct Core<'a> {
    vhost: &'a Vhost,
    r: [u32; 8],
    pc: u64,
    is_equal: bool,
    bkpts: u32,
}

impl Core<'_> {
    /// Executes an instruction. `bkpt 0xab` calls the host.
    fn step(&mut self) {
        let read = |address| self.vhost.read_u32("cpu", address).unwrap();
        let word = read(self.pc & !3);
        let code = if self.pc & 2 == 0 { word } else { word >> 16 } & 0xffff;
        let (low, imm8) = ((code & 7) as usize, code & 0xff);
        let to = (code >> 8 & 7) as usize;
        let mut next = self.pc + 2;
        match code >> 8 {
            0x20..=0x27 => self.r[to] = imm8,
            0x28..=0x2f => self.is_equal = self.r[to] == imm8,
            0x48..=0x4f => {
                let base = (self.pc + 4) & !3;
                self.r[to] = read(base + 4 * u64::from(imm8));
            }
            // adds with an immediate of 0
            0x1c => self.r[low] = self.r[(code >> 3 & 7) as usize],
            0x60 => {
                let address = self.r[(code >> 3 & 7) as usize];
                let value = self.r[low];
                self.vhost.write_u32("cpu", address.into(), value).unwrap();
            }
            0xd0 if self.is_equal => next = self.pc + 4 + 2 * u64::from(imm8),
            0xd0 | 0xbf => {}
            0xe7 => next = self.pc,
            0xbe if imm8 == 0xab => {
                self.bkpts += 1;
                let (operation, argument) = (self.r[0].into(), self.r[1].into());
                let asked = self.vhost.semihost("cpu", 0, operation, argument);
                self.r[0] = asked.unwrap().unwrap() as u32;
            }
            _ => panic!("{code:#x} at {:#x}", self.pc),
        }
        self.pc = next;
    }
}

#[test]
fn thumb_code_is_served_at_its_breakpoints() {
    let image_file = Image::of(&image());
    let files = image_file.path("files");
    std::fs::create_dir(&files).unwrap();
    let text = KeptBytes::default();
    let reports: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = reports.clone();
    let vhost = Vhost::builder()
        .memories_text(format!(
            "space:\n  cpu:\n    - ram: {{base: {RAM:#x}, size: 0x1000, path: ram, width: 8, backend: static}}\n"
        ))
        .mailboxes_text(format!(
            "cpu: {{space: cpu, elf: {}, ptr: 32, stdio: {{stdout: raw}}}}\n",
            image_file.path("firmware.elf").display()
        ))
        .files(&files)
        .console(text.clone())
        .on_report(move |report| log.lock().unwrap().push(report.text.clone()))
        .start()
        .unwrap();
    let mut core = Core {
        vhost: &vhost,
        r: [0; 8],
        pc: RAM,
        is_equal: false,
        bkpts: 0,
    };
    for _ in 0..100 {
        if vhost.tick().unwrap() == 0 {
            break;
        }
        core.step();
    }
    let reports = reports.lock().unwrap();
    let printed = "4 traps of semihosting: firmware is served by semihosting";
    assert!(reports.iter().any(|it| it.contains(printed)), "{reports:?}");
    assert_eq!(vhost.exits()[0].code, Some(42), "{reports:?}");
    assert_eq!(core.bkpts, 4);
    assert_eq!(text.text(), "from Thumb\n");
    assert_eq!(std::fs::read(files.join("file.txt")).unwrap(), b"content");
}
