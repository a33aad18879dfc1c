//! Instructions of RISC-V in place of traps: a stub for each trap, and a common stub.

use mailbox_rs::PtrWidth;

use crate::config::{MAX_FLUSH_INSTRUCTIONS, MAX_HARTS};
use crate::mem::STUB_SIZE;
use crate::messages::Flush;
use crate::messages::semihosting::{
    STUB_ARGUMENTS, STUB_ARGUMENTS_LEN, STUB_HARTS, STUB_LOCK, STUB_OTHER,
};

const _: () = assert!(MAX_HARTS == STUB_HARTS, "a hart has words of its own");

/// Range of a jump.
const REACH: i64 = 1 << 20;

/// Length of the stub of one trap, in bytes.
pub(super) const TRAP_STUB: u64 = 24;

/// Maximum length of the common stub, in bytes.
pub(super) const COMMON_STUB: u64 = 0x140;

/// Offset of the code.
pub(super) const CODE: u64 = 0x100;

/// Offset of the stubs of the traps.
pub(super) const TRAP_STUBS: u64 = CODE + COMMON_STUB;

/// Maximum number of replaced traps.
pub(in crate::system) const MAX_TRAPS: u64 = (STUB_SIZE - TRAP_STUBS) / TRAP_STUB;

const ZERO: u32 = 0;
const SP: u32 = 2;
const T0: u32 = 5;
const T1: u32 = 6;
const T2: u32 = 7;
const T3: u32 = 28;
const A0: u32 = 10;
const A1: u32 = 11;

/// Number of the control register with the hart's number.
const MHARTID: u32 = 0xf14;

/// Mutual exclusion of harts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exclusion {
    /// Lock by an atomic instruction. All harts share the words of the first one.
    Lock,
    /// Separate words of each hart, by its number, which only machine mode can read.
    HartId,
    /// No exclusion, for one hart. A second one is reported.
    Alone,
}

impl Exclusion {
    /// Exclusion for a number of harts of an instruction set, such as
    /// `rv32i2p1_m2p0_a2p1_zicsr2p0`. For one hart, its number is not read: a small CPU may not
    /// have the register, even if a library of the image was compiled for Zicsr.
    pub(super) fn of(architecture: Option<&str>, harts: u64) -> Self {
        let has = |name: &str| architecture.is_some_and(|it| has_extension(it, name));
        if has("a") || has("zaamo") {
            Self::Lock
        } else if harts > 1 {
            Self::HartId
        } else {
            Self::Alone
        }
    }
}

/// True if an instruction set has an extension.
fn has_extension(architecture: &str, name: &str) -> bool {
    let mut parts = architecture
        .strip_prefix("rv32")
        .or_else(|| architecture.strip_prefix("rv64"))
        .unwrap_or_default()
        .split('_');
    // Each letter of the first part is an extension, with its version.
    let first = parts.next().unwrap_or_default();
    let letters = without_versions(first);
    let is_general = letters.contains('g') && name == "a";
    is_general
        || (name.len() == 1 && letters.contains(name))
        || parts.any(|part| without_versions(part) == name)
}

/// Text without versions, such as `2p1`.
fn without_versions(text: &str) -> String {
    let mut result = String::new();
    let mut was_digit = false;
    for letter in text.chars() {
        let is_digit = letter.is_ascii_digit();
        if !(is_digit || was_digit && letter == 'p') {
            result.push(letter);
        }
        was_digit = is_digit;
    }
    result
}

/// Distance of a jump; `None` if it is out of range.
pub(super) fn distance(from: u64, to: u64) -> Option<i64> {
    let distance = to.wrapping_sub(from).cast_signed();
    (-REACH..REACH).contains(&distance).then_some(distance)
}

/// Jump over a distance within its range.
pub(super) fn jump(distance: i64) -> u32 {
    jal(ZERO, distance)
}

/// Stub of one trap, which goes on behind the trap. `to_common` is the distance of the common stub
/// from the third instruction, `back` that of the end of the trap from the last one.
pub(super) fn trap_stub(width: PtrWidth, to_common: i64, back: i64) -> Vec<u8> {
    let size = log_of(width);
    let code = [
        addi(SP, SP, -32),
        store(size, T1, SP, 0),
        jal(T1, to_common),
        load(size, T1, SP, 0),
        addi(SP, SP, 32),
        jump(back),
    ];
    bytes(&code)
}

/// Common stub: posts `a0` and `a1`, waits for the host, takes the result and returns to `t1`. All
/// other registers keep their values. `words` is the distance of the words from its third
/// instruction, or from the one behind it with `flush`.
///
/// `flush` writes back and drops the data cache: words of firmware come into memory before the
/// flag, and words of the host are not hidden by old lines.
pub(super) fn common_stub(
    width: PtrWidth,
    exclusion: Exclusion,
    words: i64,
    flush: Option<&Flush>,
) -> Vec<u8> {
    let stub = CommonStub {
        size: log_of(width),
        words,
        flush: flush.map_or_else(Vec::new, |flush| instructions(flush, width)),
    };
    let code = match exclusion {
        Exclusion::Lock => stub.with_lock(),
        Exclusion::HartId => stub.by_hart(),
        Exclusion::Alone => stub.alone(),
    };
    bytes(&[&stub.begin()[..], &code, &stub.end()].concat())
}

/// Offset of the word for `a0`.
const FIRST: i32 = STUB_ARGUMENTS as i32;

/// Offset of the word for `a1`.
const SECOND: i32 = FIRST + 8;

/// Offset of the flag of a hart without words of its own.
const OTHER: i32 = STUB_OTHER as i32;

/// Generator of the common stub.
struct CommonStub {
    /// Size of a register in loads and stores.
    size: u32,
    /// Distance of the words.
    words: i64,
    /// Instructions that write back and drop the data cache.
    flush: Vec<u32>,
}

impl CommonStub {
    /// Saves the registers that the stub uses.
    fn begin(&self) -> Vec<u32> {
        let mut begin = vec![store(self.size, T0, SP, 8), store(self.size, T2, SP, 16)];
        if !self.flush.is_empty() {
            begin.push(store(self.size, T3, SP, 24));
        }
        begin
    }

    /// Restores the registers, and returns to `t1`.
    fn end(&self) -> Vec<u32> {
        let mut end = vec![
            load(self.size, T0, SP, 8),
            load(self.size, T2, SP, 16),
            // `jr t1`
            T1 << 15 | 0x67,
        ];
        if !self.flush.is_empty() {
            end.insert(0, load(self.size, T3, SP, 24));
        }
        end
    }

    /// Posts the arguments, waits for the host and takes the result. `words` is the offset of the
    /// words from `t0`.
    fn ask(&self, words: i32) -> Vec<u32> {
        let Self { size, flush, .. } = self;
        let post = [
            store(*size, A0, T0, FIRST + words),
            store(*size, A1, T0, SECOND + words),
            FENCE,
        ];
        let flag = [addi(T2, ZERO, 1), store(2, T2, T0, words)];
        // To the instructions before the load.
        let back = -4 - 4 * flush.len() as i32;
        let wait = [
            load(2, T2, T0, words),
            branch(NOT_EQUAL, T2, ZERO, back),
            FENCE,
        ];
        let take = [load(*size, A0, T0, FIRST + words)];
        [&post[..], flush, &flag, flush, &wait, flush, &take].concat()
    }

    /// Exclusion by an atomic instruction.
    fn with_lock(&self) -> Vec<u32> {
        let lock = STUB_LOCK as i32;
        let take = [
            // Only loads while another hart has the lock: stores would slow the accesses of its
            // owner.
            load(2, T2, T0, 0),
            branch(NOT_EQUAL, T2, ZERO, -4),
            addi(T2, ZERO, 1),
            // `amoswap.w.aq t2, t2, (t0)`
            0x0c00_0000 | T2 << 20 | T0 << 15 | 2 << 12 | T2 << 7 | 0x2f,
            branch(NOT_EQUAL, T2, ZERO, -16),
        ];
        // `amoswap.w.rl zero, zero, (t0)`
        let give = [0x0a00_0000 | T0 << 15 | 2 << 12 | 0x2f];
        let at = address(T0, self.words + i64::from(lock));
        [&at[..], &take, &self.ask(-lock), &give].concat()
    }

    /// Words of each hart.
    fn by_hart(&self) -> Vec<u32> {
        let harts = STUB_HARTS as i32;
        let own = [
            hart_id(T2),
            addi(T2, T2, -harts),
            branch(LESS, T2, ZERO, 16),
            // A hart without words writes its number, and waits forever.
            addi(T2, T2, harts + 1),
            store(2, T2, T0, OTHER),
            jump(0),
            addi(T2, T2, harts),
            shift(T2, T2, STUB_ARGUMENTS_LEN.ilog2()),
            add(T2, T0, T2),
            store(self.size, A0, T2, FIRST),
            store(self.size, A1, T2, SECOND),
            hart_id(T2),
            shift(T2, T2, 2),
            add(T0, T0, T2),
            FENCE,
            addi(T2, ZERO, 1),
            store(2, T2, T0, 0),
            load(2, T2, T0, 0),
            branch(NOT_EQUAL, T2, ZERO, -4),
            FENCE,
            // From the flag, 4 bytes a hart, to the arguments, 16 bytes a hart.
            hart_id(T2),
            shift(T2, T2, 2),
            add(T0, T0, T2),
            add(T0, T0, T2),
            add(T0, T0, T2),
            load(self.size, A0, T0, FIRST),
        ];
        [&address(T0, self.words)[..], &own].concat()
    }

    /// A mark in place of a lock: two harts may still pass it at the same time.
    fn alone(&self) -> Vec<u32> {
        let mark = STUB_LOCK as i32;
        let take = [
            load(2, T2, T0, mark),
            branch(EQUAL, T2, ZERO, 20),
            addi(T2, ZERO, 1),
            store(2, T2, T0, OTHER),
            load(2, T2, T0, mark),
            branch(NOT_EQUAL, T2, ZERO, -4),
            addi(T2, ZERO, 1),
            store(2, T2, T0, mark),
        ];
        let give = [store(2, ZERO, T0, mark)];
        let at = address(T0, self.words);
        [&at[..], &take, &self.ask(0), &give].concat()
    }
}

/// Instructions that write back and drop the data cache.
fn instructions(flush: &Flush, width: PtrWidth) -> Vec<u32> {
    match flush {
        // The fence waits until pending stores have left the CPU.
        Flush::VexRiscv => vec![FENCE, 0x500f],
        // Loads of 8 KiB around the code, from a multiple of this size: two lines for each set of
        // the cache.
        Flush::Rocket => {
            let bits = 13;
            let line = 64;
            vec![
                FENCE,
                // `auipc t2, 0`
                T2 << 7 | 0x17,
                // `srli t2, t2, 13`
                bits << 20 | T2 << 15 | 5 << 12 | T2 << 7 | 0x13,
                shift(T2, T2, bits),
                load(2, T3, T2, 0),
                addi(T2, T2, line),
                // 0 behind the last line.
                shift(T3, T2, 8 * width.bytes() as u32 - bits),
                branch(NOT_EQUAL, T3, ZERO, -12),
                FENCE,
            ]
        }
        Flush::Code(code) => code.iter().copied().take(MAX_FLUSH_INSTRUCTIONS).collect(),
    }
}

/// Address relative to the first of these two instructions.
fn address(to: u32, distance: i64) -> [u32; 2] {
    let distance = distance as i32;
    // The lower twelve bits are signed.
    let high = distance.wrapping_add(0x800) as u32 & 0xffff_f000;
    let low = distance.wrapping_sub(high.cast_signed());
    [high | to << 7 | 0x17, addi(to, to, low)]
}

fn bytes(code: &[u32]) -> Vec<u8> {
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Size of a register in loads and stores.
fn log_of(width: PtrWidth) -> u32 {
    match width {
        PtrWidth::P4 => 2,
        PtrWidth::P8 => 3,
    }
}

/// `fence rw, rw`
const FENCE: u32 = 0x0330_000f;

/// Conditions of a branch.
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const LESS: u32 = 4;

fn addi(to: u32, from: u32, value: i32) -> u32 {
    value.cast_unsigned() << 20 | from << 15 | to << 7 | 0x13
}

fn add(to: u32, a: u32, b: u32) -> u32 {
    b << 20 | a << 15 | to << 7 | 0x33
}

/// `slli to, from, bits`
fn shift(to: u32, from: u32, bits: u32) -> u32 {
    bits << 20 | from << 15 | 1 << 12 | to << 7 | 0x13
}

/// `csrr to, mhartid`
fn hart_id(to: u32) -> u32 {
    MHARTID << 20 | 2 << 12 | to << 7 | 0x73
}

fn load(size: u32, to: u32, base: u32, offset: i32) -> u32 {
    offset.cast_unsigned() << 20 | base << 15 | size << 12 | to << 7 | 0x03
}

fn store(size: u32, from: u32, base: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    (offset >> 5) << 25 | from << 20 | base << 15 | size << 12 | (offset & 31) << 7 | 0x23
}

fn branch(condition: u32, a: u32, b: u32, distance: i32) -> u32 {
    let bits = distance.cast_unsigned();
    (bits >> 12 & 1) << 31
        | (bits >> 5 & 0x3f) << 25
        | b << 20
        | a << 15
        | condition << 12
        | (bits >> 1 & 0xf) << 8
        | (bits >> 11 & 1) << 7
        | 0x63
}

/// Jump over a distance within its range. The address behind the jump is written to a register.
fn jal(link: u32, distance: i64) -> u32 {
    let bits = distance as u32;
    (bits >> 20 & 1) << 31
        | (bits >> 1 & 0x3ff) << 21
        | (bits >> 11 & 1) << 20
        | (bits >> 12 & 0xff) << 12
        | link << 7
        | 0x6f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_their_encodings() {
        assert_eq!(addi(SP, SP, -16), 0xff01_0113);
        assert_eq!(add(T0, T0, T2), 0x0072_82b3);
        assert_eq!(shift(T2, T2, 4), 0x0043_9393);
        assert_eq!(hart_id(T2), 0xf140_23f3);
        assert_eq!(store(3, T0, SP, 0), 0x0051_3023);
        assert_eq!(store(2, A1, T0, 16), 0x00b2_a823);
        assert_eq!(store(2, T2, T0, -40), 0xfc72_ac23);
        assert_eq!(load(2, A0, T0, 8), 0x0082_a503);
        assert_eq!(load(3, T0, SP, 0), 0x0001_3283);
        assert_eq!(load(2, T2, T0, -40), 0xfd82_a383);
        assert_eq!(branch(NOT_EQUAL, T2, ZERO, -4), 0xfe03_9ee3);
        assert_eq!(branch(LESS, T2, ZERO, 16), 0x0003_c863);
        assert_eq!(jump(0), 0x0000_006f);
        assert_eq!(jump(-4), 0xffdf_f06f);
        assert_eq!(jump(0x800), 0x0010_006f);
        assert_eq!(jump(0xf_fffe), 0x7fff_f06f);
        assert_eq!(jal(T1, 8), 0x0080_036f);
    }

    #[test]
    fn code_has_the_size_that_its_places_count_with() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            assert_eq!(trap_stub(width, -32, 8).len() as u64, TRAP_STUB);
            for exclusion in [Exclusion::Lock, Exclusion::HartId, Exclusion::Alone] {
                let longest = Flush::Code(vec![FENCE; MAX_FLUSH_INSTRUCTIONS]);
                for flush in [None, Some(&longest), Some(&Flush::Rocket)] {
                    let len = common_stub(width, exclusion, -0x100, flush).len() as u64;
                    assert!(len <= COMMON_STUB, "{exclusion:?}, {flush:?}: {len}");
                }
            }
        }
    }

    #[test]
    fn jumps_reach_a_mebibyte() {
        assert_eq!(distance(0x10_0000, 0), Some(-REACH));
        assert_eq!(distance(0, 0x10_0000), None);
        assert_eq!(distance(0x8000_0000, 0x8000_0010), Some(16));
    }

    #[test]
    fn an_instruction_set_has_its_extensions() {
        for (architecture, expected) in [
            ("rv32i2p1_m2p0_a2p1_c2p0", Exclusion::Lock),
            ("rv64imac", Exclusion::Lock),
            ("rv64g", Exclusion::Lock),
            ("rv32i2p1_zaamo1p0", Exclusion::Lock),
            ("rv32i2p1m2p0c2p0_zicsr2p0", Exclusion::Alone),
            ("rv32i2p1_m2p0_zba1p0", Exclusion::Alone),
            ("", Exclusion::Alone),
        ] {
            let found = Exclusion::of(Some(architecture), 1);
            assert_eq!(found, expected, "{architecture}");
        }
        assert_eq!(Exclusion::of(None, 1), Exclusion::Alone);
        assert_eq!(Exclusion::of(Some("rv32im_zicsr"), 2), Exclusion::HartId);
        assert_eq!(Exclusion::of(Some("rv32ima_zicsr"), 2), Exclusion::Lock);
    }
}
