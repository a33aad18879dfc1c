//! Compiled programs, with and without compressed instructions, at several optimisation levels.

use std::path::Path;
use std::process::Command;

use riscv_iss::{Cause, Hart, Rv32, Rv64, Stop, Xlen};

use crate::elf::Program;
use crate::tools::{clang, missing, skipped};

/// Sum that `selfcheck.c` computes.
fn expected() -> u64 {
    let mut seed = 1_u32;
    let mut numbers: Vec<u32> = (0..512)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        })
        .collect();
    numbers.sort_unstable();
    let pairs = numbers.iter().zip(numbers.iter().rev());
    let products = pairs.map(|(a, b)| u64::from(*a).wrapping_mul((b | 1).into()));
    let sum = products.fold(0, u64::wrapping_add);
    (1..200).fold(sum, |sum, i| {
        let shifted = (sum.cast_signed() >> (i % 63)).cast_unsigned();
        let added = (sum / i)
            .wrapping_add(sum % (i * 7919))
            .wrapping_add(shifted);
        sum ^ added
    })
}

/// Number of the failed check, and number of executed instructions.
fn run<X: Xlen>(image: &Path) -> (u64, u64) {
    let program = Program::read(image);
    let mut ram = program.load(0x2_0000);
    let mut hart = Hart::<X>::new(0, program.entry);
    let run = hart.run(&mut ram, 50_000_000);
    match run.stop {
        Stop::Unhandled(trap) if trap.cause == Cause::EnvironmentCall => {
            (hart.register(10), run.steps)
        }
        stop => panic!("{}: {stop:?} at {:#x}", image.display(), hart.pc()),
    }
}

#[test]
fn compiled_programs_compute_their_results() {
    if let Some(what) = missing() {
        skipped(&what);
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iss");
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("program");
    let expected = format!("-DEXPECTED={:#x}ull", expected());
    for (bits, abi) in [(32, "ilp32"), (64, "lp64")] {
        for extensions in ["ima", "imac"] {
            for level in ["-O0", "-Os", "-O2"] {
                let output = Command::new(clang())
                    .arg(format!("--target=riscv{bits}"))
                    .arg(format!("-march=rv{bits}{extensions}"))
                    .arg(format!("-mabi={abi}"))
                    .args([
                        "-mcmodel=medany",
                        "-ffreestanding",
                        "-fno-builtin",
                        "-static",
                    ])
                    .args(["-nostdlib", "-mno-relax", "-fuse-ld=lld"])
                    .args([level, &expected, "-T"])
                    .args([here.join("programs.ld"), here.join("selfcheck.c")])
                    .arg("-o")
                    .arg(&image)
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{said}");
                let (failed, steps) = if bits == 32 {
                    run::<Rv32>(&image)
                } else {
                    run::<Rv64>(&image)
                };
                assert_eq!(failed, 0, "rv{bits}{extensions} {level}");
                assert!(steps > 100_000, "{steps}");
            }
        }
    }
}
