//! Compressed instructions, all of them, against the table of the manual.
//!
//! A row has the fields of a halfword from the left, as in the manual, and the expansion. A
//! register with `'` has three bits, others five. `!` precedes register numbers that encode other
//! instructions. `nz` in the name of an immediate reserves 0.

use riscv_iss::{Instruction, Rv32, Rv64, Xlen};

use crate::assembler::{fixed, i, r, s};

/// Fields of a halfword.
#[derive(Debug, Clone, Copy, Default)]
struct Fields {
    rd: u8,
    rs1: u8,
    rs2: u8,
    imm: i32,
}

type Expansion = fn(Fields) -> u32;

const BOTH: &[u32] = &[32, 64];
const RV32: &[u32] = &[32];
const RV64: &[u32] = &[64];

/// All instructions except floating point.
#[rustfmt::skip]
const ROWS: &[(&[u32], &str, Expansion)] = &[
    (BOTH, "000 nzuimm[5:4|9:6|2|3] rd' 00", |f| i("addi", f.rd, 2, f.imm)),
    (BOTH, "010 uimm[5:3] rs1' uimm[2|6] rd' 00", |f| i("lw", f.rd, f.rs1, f.imm)),
    (RV64, "011 uimm[5:3] rs1' uimm[7:6] rd' 00", |f| i("ld", f.rd, f.rs1, f.imm)),
    (BOTH, "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", |f| s("sw", f.rs1, f.rs2, f.imm)),
    (RV64, "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", |f| s("sd", f.rs1, f.rs2, f.imm)),

    (BOTH, "000 imm[5] rd imm[4:0] 01", |f| i("addi", f.rd, f.rd, f.imm)),
    (RV32, "001 imm[11|4|9:8|10|6|7|3:1|5] 01", |f| i("jal", 1, 0, f.imm)),
    (RV64, "001 imm[5] rd!0 imm[4:0] 01", |f| i("addiw", f.rd, f.rd, f.imm)),
    (BOTH, "010 imm[5] rd imm[4:0] 01", |f| i("addi", f.rd, 0, f.imm)),
    (BOTH, "011 nzimm[9] 00010 nzimm[4|6|8:7|5] 01", |f| i("addi", 2, 2, f.imm)),
    (BOTH, "011 nzimm[17] rd!2 nzimm[16:12] 01", |f| i("lui", f.rd, 0, f.imm)),
    (RV32, "100 0 00 rd' uimm[4:0] 01", |f| i("srli", f.rd, f.rd, f.imm)),
    (RV32, "100 0 01 rd' uimm[4:0] 01", |f| i("srai", f.rd, f.rd, f.imm)),
    (RV64, "100 uimm[5] 00 rd' uimm[4:0] 01", |f| i("srli", f.rd, f.rd, f.imm)),
    (RV64, "100 uimm[5] 01 rd' uimm[4:0] 01", |f| i("srai", f.rd, f.rd, f.imm)),
    (BOTH, "100 imm[5] 10 rd' imm[4:0] 01", |f| i("andi", f.rd, f.rd, f.imm)),
    (BOTH, "100 0 11 rd' 00 rs2' 01", |f| r("sub", f.rd, f.rd, f.rs2)),
    (BOTH, "100 0 11 rd' 01 rs2' 01", |f| r("xor", f.rd, f.rd, f.rs2)),
    (BOTH, "100 0 11 rd' 10 rs2' 01", |f| r("or", f.rd, f.rd, f.rs2)),
    (BOTH, "100 0 11 rd' 11 rs2' 01", |f| r("and", f.rd, f.rd, f.rs2)),
    (RV64, "100 1 11 rd' 00 rs2' 01", |f| r("subw", f.rd, f.rd, f.rs2)),
    (RV64, "100 1 11 rd' 01 rs2' 01", |f| r("addw", f.rd, f.rd, f.rs2)),
    (BOTH, "101 imm[11|4|9:8|10|6|7|3:1|5] 01", |f| i("jal", 0, 0, f.imm)),
    (BOTH, "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", |f| s("beq", f.rs1, 0, f.imm)),
    (BOTH, "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", |f| s("bne", f.rs1, 0, f.imm)),

    (RV32, "000 0 rd uimm[4:0] 10", |f| i("slli", f.rd, f.rd, f.imm)),
    (RV64, "000 uimm[5] rd uimm[4:0] 10", |f| i("slli", f.rd, f.rd, f.imm)),
    (BOTH, "010 uimm[5] rd!0 uimm[4:2|7:6] 10", |f| i("lw", f.rd, 2, f.imm)),
    (RV64, "011 uimm[5] rd!0 uimm[4:3|8:6] 10", |f| i("ld", f.rd, 2, f.imm)),
    (BOTH, "100 0 rs1!0 00000 10", |f| i("jalr", 0, f.rs1, 0)),
    (BOTH, "100 0 rd rs2!0 10", |f| r("add", f.rd, 0, f.rs2)),
    (BOTH, "100 1 00000 00000 10", |_| fixed("ebreak")),
    (BOTH, "100 1 rs1!0 00000 10", |f| i("jalr", 1, f.rs1, 0)),
    (BOTH, "100 1 rd rs2!0 10", |f| r("add", f.rd, f.rd, f.rs2)),
    (BOTH, "110 uimm[5:2|7:6] rs2 10", |f| s("sw", 2, f.rs2, f.imm)),
    (RV64, "111 uimm[5:3|8:6] rs2 10", |f| s("sd", 2, f.rs2, f.imm)),
];

/// Takes bits of a halfword from the left.
struct Bits {
    half: u16,
    left: u32,
}

impl Bits {
    fn take(&mut self, count: u32) -> u32 {
        self.left = self.left.checked_sub(count).unwrap();
        (u32::from(self.half) >> self.left) & ((1 << count) - 1)
    }
}

/// Fields of a halfword if it matches the pattern; the inner `None` is for a reserved one.
fn matched(pattern: &str, half: u16) -> Option<Option<Fields>> {
    let mut bits = Bits { half, left: 16 };
    let mut fields = Fields::default();
    // Value, and number of its highest bit.
    let (mut imm, mut highest) = (0_u32, 0);
    let (mut is_signed, mut nonzero) = (false, false);
    for token in pattern.split(' ') {
        if token.starts_with(['0', '1']) {
            let count = u32::try_from(token.len()).unwrap();
            if bits.take(count) != u32::from_str_radix(token, 2).unwrap() {
                return None;
            }
        } else if let Some((name, places)) = token.split_once('[') {
            is_signed = !name.contains('u');
            nonzero = name.starts_with("nz");
            for part in places.trim_end_matches(']').split('|') {
                let (high, low) = part.split_once(':').unwrap_or((part, part));
                let [high, low]: [u32; 2] = [high, low].map(|bit| bit.parse().unwrap());
                imm |= bits.take(high - low + 1) << low;
                highest = highest.max(high);
            }
        } else {
            let (name, others) = token.split_once('!').unwrap_or((token, ""));
            let near = name.ends_with('\'');
            let register = bits.take(if near { 3 } else { 5 }) as u8 + if near { 8 } else { 0 };
            if others.split(',').any(|other| other.parse() == Ok(register)) {
                return None;
            }
            match name.trim_end_matches('\'') {
                "rd" => fields.rd = register,
                "rs1" => fields.rs1 = register,
                "rs2" => fields.rs2 = register,
                other => panic!("no field {other}"),
            }
        }
    }
    assert_eq!(bits.left, 0, "{pattern}");
    if nonzero && imm == 0 {
        return Some(None);
    }
    fields.imm = imm.cast_signed();
    if is_signed && imm >> highest == 1 {
        fields.imm -= 1 << (highest + 1);
    }
    Some(Some(fields))
}

/// Expansion of a halfword, by the table.
fn expansion(xlen: u32, half: u16) -> Option<u32> {
    let rows = ROWS.iter().filter(|(xlens, ..)| xlens.contains(&xlen));
    let mut found = rows.filter_map(|(_, pattern, expand)| Some((matched(pattern, half)?, expand)));
    let (fields, expand) = found.next()?;
    assert!(found.next().is_none(), "{half:#06x} has two rows");
    fields.map(expand)
}

fn check_all<X: Xlen>() -> usize {
    let halfwords = (0..=u16::MAX).filter(|half| half & 3 != 3);
    let legal = halfwords.filter(|half| {
        let expected = expansion(X::BITS, *half).map(|bits| {
            let decoded = Instruction::decode::<X>(bits);
            decoded.unwrap_or_else(|| panic!("{half:#06x}: {bits:#010x} is illegal"))
        });
        // The following halfword in memory is not part of the instruction.
        for above in [0, 0xffff_0000, 0x1234_0000] {
            let decoded = Instruction::decode::<X>(above | u32::from(*half));
            assert_eq!(decoded, expected, "{half:#06x}");
        }
        expected.is_some()
    });
    legal.count()
}

#[test]
fn all_halfwords_decode_by_the_manual() {
    // Most are legal: a table without matches would agree with a decoder that rejects everything.
    assert!(check_all::<Rv32>() > 27_000);
    assert!(check_all::<Rv64>() > 37_000);
}
