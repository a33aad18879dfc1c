//! The official instruction tests (riscv-tests), if their sources are available.
//!
//! `RISCV_TESTS` names a checkout of riscv-tests with its submodule `env`. The tests are assembled
//! with clang and lld. Each writes 1 to the symbol `tohost` if it passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use riscv_iss::{Hart, Rv32, Rv64, Xlen};

use crate::elf::Program;
use crate::tools::{self, missing, skipped};

/// Number of instructions after which a test counts as hanging.
const MAX_STEPS: u64 = 1_000_000;

/// Tests of features that the simulator does not have.
const LEFT_OUT: &[&str] = &[
    // Misaligned accesses trap, which these tests do not expect.
    "ma_data", // Protection of physical memory has no entries.
    "pmpaddr",
];

#[test]
fn rv32_passes_the_official_tests() {
    run_all::<Rv32>(&["rv32ui", "rv32um", "rv32ua", "rv32uc", "rv32mi"]);
}

#[test]
fn rv64_passes_the_official_tests() {
    run_all::<Rv64>(&["rv64ui", "rv64um", "rv64ua", "rv64uc", "rv64mi"]);
}

fn run_all<X: Xlen>(groups: &[&str]) {
    let Some(tests) = std::env::var_os("RISCV_TESTS").map(PathBuf::from) else {
        skipped("RISCV_TESTS, the folder of riscv-tests, is not set");
        return;
    };
    if let Some(what) = missing() {
        skipped(&what);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut failed = vec![];
    let mut passed = 0;
    for group in groups {
        let mut sources: Vec<PathBuf> = std::fs::read_dir(tests.join("isa").join(group))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "S"))
            .collect();
        sources.sort();
        for source in sources {
            let name = source.file_stem().unwrap().to_str().unwrap();
            if LEFT_OUT.contains(&name) {
                continue;
            }
            let image = folder.path().join(name);
            if let Err(said) = assemble::<X>(&tests, &source, &image) {
                let line = said.lines().find(|line| line.contains("error:"));
                skipped(&format!("{group}/{name}: {}", line.unwrap_or(&said)));
                continue;
            }
            match result::<X>(&Program::read(&image)) {
                Ok(()) => passed += 1,
                Err(why) => failed.push(format!("{group}/{name}: {why}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(passed > 60, "{passed}");
}

/// Assembles and links one test as the Makefile of riscv-tests does.
fn assemble<X: Xlen>(tests: &Path, source: &Path, image: &Path) -> Result<(), String> {
    let (machine, abi) = match X::BITS {
        32 => ("rv32g", "ilp32"),
        _ => ("rv64g", "lp64"),
    };
    let output = Command::new(tools::clang())
        .arg(format!("--target=riscv{}", X::BITS))
        .args([&format!("-march={machine}"), &format!("-mabi={abi}")])
        .args(["-mcmodel=medany", "-static", "-nostdlib"])
        .args(["-mno-relax", "-fuse-ld=lld"])
        .arg("-I")
        .arg(environment(tests, source, image))
        .arg("-I")
        .arg(tests.join("isa/macros/scalar"))
        .arg("-T")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iss/programs.ld"))
        .arg(source)
        .arg("-o")
        .arg(image)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(())
    } else {
        Err(said.into_owned())
    }
}

/// Creates a folder with the environment's header beside the image. If the test defines a handler,
/// the header does not declare it weak: clang rejects both in one file.
fn environment(tests: &Path, source: &Path, image: &Path) -> PathBuf {
    let folder = image.with_extension("env");
    let inner = folder.join("p");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::copy(tests.join("env/encoding.h"), folder.join("encoding.h")).unwrap();
    let text = with_included(source);
    let mut header = std::fs::read_to_string(tests.join("env/p/riscv_test.h")).unwrap();
    let renamed = text.contains("#define stvec_handler mtvec_handler");
    let defines = |handler: &str| text.contains(&format!("{handler}:"));
    if renamed || defines("mtvec_handler") {
        header = header.replace(".weak mtvec_handler;", "");
    }
    if !renamed && defines("stvec_handler") {
        header = header.replace(".weak stvec_handler;", "");
    }
    std::fs::write(inner.join("riscv_test.h"), header).unwrap();
    inner
}

/// Text of a test, with that of included tests of other groups.
fn with_included(source: &Path) -> String {
    let mut text = std::fs::read_to_string(source).unwrap();
    let included: Vec<PathBuf> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#include \"../")?.strip_suffix('"'))
        .map(|name| source.with_file_name("..").join(name))
        .collect();
    for source in included {
        text += &with_included(&source);
    }
    text
}

/// Runs one test.
fn result<X: Xlen>(program: &Program) -> Result<(), String> {
    let tohost = program.symbol("tohost");
    let mut ram = program.load(0x10_0000);
    let mut hart = Hart::<X>::new(0, program.entry);
    let mut steps = 0;
    while steps < MAX_STEPS {
        let run = hart.run(&mut ram, 1000);
        steps += run.steps;
        let at = usize::try_from(tohost - program.base).unwrap();
        let word = u32::from_le_bytes(ram.bytes()[at..at + 4].try_into().unwrap());
        match word {
            0 => {}
            1 => return Ok(()),
            other => return Err(format!("check {} failed", other >> 1)),
        }
        if run.steps < 1000 {
            return Err(format!("{:?} at {:#x}", run.stop, hart.pc()));
        }
    }
    Err(format!("hangs at {:#x}", hart.pc()))
}
