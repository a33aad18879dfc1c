//! Decoding of instructions of 32 bits, and their text.

use std::collections::HashSet;
use std::process::Command;

use object::{Object, ObjectSection};
use proptest::prelude::*;
use riscv_iss::{Instruction, Op, Rv32, Rv64, Xlen};

use crate::assembler::{Operands, ROWS, Row};
use crate::tools::{self, missing, skipped};

fn operands() -> impl Strategy<Value = Operands> {
    let register = || 0..32_u8;
    let operands = (register(), register(), register(), any::<i32>());
    operands.prop_map(|(rd, rs1, rs2, imm)| Operands { rd, rs1, rs2, imm })
}

/// Checks one instruction for a width.
fn check<X: Xlen>(row: &Row, operands: Operands) {
    let fitted = row.fit(operands, X::BITS);
    let decoded = Instruction::decode::<X>(row.encode(fitted));
    if row.wide && X::BITS == 32 {
        assert_eq!(decoded, None, "{}", row.name);
        return;
    }
    let Operands { rd, rs1, rs2, imm } = fitted;
    let decoded = decoded.unwrap_or_else(|| panic!("{} is illegal", row.name));
    assert_eq!(decoded.op.name(), row.name);
    let found = (decoded.rd, decoded.rs1, decoded.rs2, decoded.imm);
    assert_eq!(found, (rd, rs1, rs2, imm), "{}", row.name);
}

proptest! {
    #[test]
    fn each_instruction_is_decoded_as_it_was_encoded(operands in operands()) {
        for row in ROWS {
            check::<Rv32>(row, operands);
            check::<Rv64>(row, operands);
        }
    }

    /// A legal word is in the table. The ignored bits are those of fences and orderings.
    #[test]
    fn a_legal_word_is_an_encoding_of_its_decoded_form(bits in any::<u32>(), row in 0..ROWS.len()) {
        // Half of the bits of a known instruction, since random words are mostly illegal.
        let likely = bits & 0x01ff_8f80 | ROWS[row].encode(Operands::default());
        for bits in [bits | 3, likely, likely ^ (1 << (bits % 30 + 2))] {
            recode::<Rv32>(bits);
            recode::<Rv64>(bits);
        }
    }
}

fn recode<X: Xlen>(bits: u32) {
    let Some(decoded) = Instruction::decode::<X>(bits) else {
        return;
    };
    let row = crate::assembler::find(decoded.op.name());
    let operands = Operands {
        rd: decoded.rd,
        rs1: decoded.rs1,
        rs2: decoded.rs2,
        imm: decoded.imm,
    };
    let ignored = match decoded.op.name() {
        "fence" | "fence.i" => 0xffff_8f80,
        name if name.contains('.') => 0x0600_0000,
        _ => 0,
    };
    let encoded = row.encode(operands);
    assert_eq!(
        encoded & !ignored,
        bits & !ignored,
        "{decoded} from {bits:#010x}"
    );
}

#[test]
fn the_table_has_each_operation_once() {
    let names: HashSet<&str> = ROWS.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), ROWS.len());
    assert_eq!(names, Op::ALL.iter().map(|op| op.name()).collect());
}

#[test]
fn words_that_no_table_has_are_illegal() {
    let illegal = [
        // All ones, custom and reserved opcodes, floating point.
        u32::MAX,
        0x0000_000b,
        0x0000_0007,
        0x0000_0053,
        0x0000_001f,
        // jalr, branches, loads, stores with a reserved funct3.
        0x0000_1067,
        0x0000_2063,
        0x0000_3063,
        0x0000_7003,
        0x0000_4023,
        // srli with an invalid bit; add and mul with another funct7; an invalid sub, with the
        // funct3 of xor.
        0x2000_5013,
        0x0400_0033,
        0x0600_0033,
        0x4000_4033,
        // lr.w with a second operand, atomics of bytes, an unknown atomic.
        0x1010_202f,
        0x0000_002f,
        0x2800_202f,
        // sret, uret, dret, an ecall with a destination, mret with a source.
        0x1020_0073,
        0x0020_0073,
        0x7b20_0073,
        0x0000_00f3,
        0x3020_8073,
        // fences of reserved funct3, csr with funct3 4.
        0x0000_200f,
        0x0000_4073,
    ];
    for bits in illegal {
        assert_eq!(Instruction::decode::<Rv32>(bits), None, "{bits:#010x}");
        assert_eq!(Instruction::decode::<Rv64>(bits), None, "{bits:#010x}");
    }
    // Shifts by 32 and more are legal on RV64 only.
    for shift in [0x0200_1013, 0x0200_5013, 0x4200_5013] {
        assert_eq!(Instruction::decode::<Rv32>(shift), None, "{shift:#010x}");
        assert!(
            Instruction::decode::<Rv64>(shift).is_some(),
            "{shift:#010x}"
        );
    }
}

/// Pseudo-random numbers, the same in each run.
fn numbers() -> impl Iterator<Item = u32> {
    std::iter::successors(Some(0x2545_f491_4f6c_dd1d_u64), |state| {
        Some(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1))
    })
    .map(|state| (state >> 33) as u32)
}

#[test]
fn the_text_of_an_instruction_is_valid_for_an_assembler() {
    if let Some(what) = missing() {
        skipped(&what);
        return;
    }
    assembled::<Rv32>();
    assembled::<Rv64>();
}

/// Compares encodings with those that the assembler produces from our text.
fn assembled<X: Xlen>() {
    let mut numbers = numbers();
    let mut words = vec![];
    for row in ROWS.iter().filter(|row| !row.wide || X::BITS == 64) {
        for _ in 0..20 {
            let mut register = || (numbers.next().unwrap() % 32) as u8;
            let [rd, rs1, rs2] = [register(), register(), register()];
            let imm = numbers.next().unwrap().cast_signed();
            let operands = Operands { rd, rs1, rs2, imm };
            words.push(row.encode(row.fit(operands, X::BITS)));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, object) = (folder.path().join("all.s"), folder.path().join("all.o"));
    let lines = words.iter().map(|bits| {
        let decoded = Instruction::decode::<X>(*bits).unwrap();
        format!("{decoded}\n")
    });
    std::fs::write(&source, lines.collect::<String>()).unwrap();
    let output = Command::new(tools::clang())
        .arg(format!("--target=riscv{}", X::BITS))
        .arg(format!("-march=rv{}ima", X::BITS))
        .args(["-mno-relax", "-c"])
        .args([&source, std::path::Path::new("-o"), &object])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let bytes = std::fs::read(&object).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let code = file
        .section_by_name(".text")
        .unwrap()
        .data()
        .unwrap()
        .to_vec();
    let found: Vec<u32> = code
        .chunks(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(found.len(), words.len());
    for (found, bits) in found.iter().zip(&words) {
        let decoded = Instruction::decode::<X>(*bits).unwrap();
        assert_eq!(found, bits, "{decoded}: {found:#010x} and {bits:#010x}");
    }
}
