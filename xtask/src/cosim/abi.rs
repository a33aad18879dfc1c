//! Firmware with another protocol than the mailbox: bare-metal programs with HTIF and RTT, and
//! programs of picolibc with its semihosting.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{Cache, run_checked};
use super::case::Core;
use crate::tool::{RISCV32, RISCV64};

/// Prefix of the firmware name of a bare-metal program with `firmware/abi/htif.h`.
pub(super) const HTIF: &str = "htif:";

/// Same as [`HTIF`], with the words of HTIF, and the control block and buffers of RTT, in uncached
/// memory of Rocket.
const UNCACHED: &str = "uncached:";

/// Prefix of the firmware name of a bare-metal program with `firmware/abi/semihosting.h`, for
/// several harts.
pub(super) const SEMIHOSTING: &str = "semihosting:";

/// Prefix of the firmware name of a Rust program of `firmware/rtt`. Its variables are in uncached
/// memory.
const IN_RUST: &str = "rust-rtt:";

/// Address of the uncached memory, as in `integration/designs/rocket-uncached.mem.yaml`.
const UNCACHED_RAM: usize = 0x600f_0000;

/// Prefix of the firmware name of a program of picolibc with semihosting.
pub(super) const PICOLIBC: &str = "picolibc:";

/// Folder of the headers and of the linker script.
pub(super) const FOLDER: &str = "firmware/abi";

/// Size of the RAM for code of a program of picolibc. The RAM for data has a mebibyte.
const CODE: usize = 0x4_0000;
const DATA: usize = 0xc_0000;

/// Compiles firmware of these kinds. Returns false if the name is of another kind.
pub(super) fn build(
    root: &Path,
    name: &str,
    image: &str,
    cores: Core,
    cache: Cache<'_>,
) -> Result<bool> {
    let of_htif = name.strip_prefix(HTIF);
    let (program, mut compiler) = if let Some(program) = of_htif.or(name.strip_prefix(SEMIHOSTING))
    {
        (program, bare(cores, cache, "htif.ld"))
    } else if let Some(program) = name.strip_prefix(UNCACHED) {
        let mut clang = bare(cores, cache, "uncached.ld");
        clang
            .arg("-DRTT_PLACE=__attribute__((section(\".uncached\")))")
            .arg(format!("-Wl,--defsym=UNCACHED={UNCACHED_RAM:#x}"));
        (program, clang)
    } else if let Some(program) = name.strip_prefix(IN_RUST) {
        in_rust(root, program, image, cores)?;
        return Ok(true);
    } else if let Some(program) = name.strip_prefix(PICOLIBC) {
        let mut gcc = picolibc(cores);
        gcc.arg("-Werror");
        (program, gcc)
    } else {
        return Ok(false);
    };
    let source = format!("integration/firmware/{program}.c");
    compiler
        .args([&source, "-o", image])
        .args(machine(cores))
        .current_dir(root);
    run_checked(&mut compiler, &source)?;
    Ok(true)
}

/// Instruction set and calling convention.
pub(super) fn machine(cores: Core) -> [String; 3] {
    let abi = match cores.width {
        "rv32" => "ilp32",
        _ => "lp64",
    };
    [
        format!("-march={}", cores.architecture),
        format!("-mabi={abi}"),
        "-mcmodel=medany".to_owned(),
    ]
}

/// Clang for a width of cores.
pub(super) fn clang(cores: Core) -> Command {
    let clang = env::var_os("CLANG").unwrap_or_else(|| "clang".into());
    let mut clang = Command::new(clang);
    clang
        .arg(format!("--target=riscv{}", &cores.width["rv".len()..]))
        .args(["-ffreestanding", "-nostdlib", "-static", "-fuse-ld=lld"]);
    clang
}

fn bare(cores: Core, cache: Cache<'_>, script: &str) -> Command {
    let mut clang = clang(cores);
    clang
        .args(["-Os", "-fno-builtin", "-Wall", "-Wextra", "-Werror"])
        .args(["-I", FOLDER, "-T", &format!("{FOLDER}/{script}")])
        .arg(format!("-Wl,--defsym=RAM_BASE={:#x}", cores.ram))
        .args(cache.options());
    clang
}

/// Compiles a program of `firmware/rtt`, with its code in cached RAM: in uncached RAM each
/// instruction takes a bus transfer.
fn in_rust(root: &Path, program: &str, image: &str, cores: Core) -> Result<()> {
    let to = "target/rtt-uncached";
    let target = match cores.width {
        "rv64" => RISCV64,
        _ => RISCV32,
    };
    let place = [("RAM_BASE", cores.ram), ("UNCACHED", UNCACHED_RAM)];
    let place = place.map(|(name, value)| format!("-Clink-arg=--defsym={name}={value:#x}"));
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--bin", program])
        .args(["--target", target.name(), "--target-dir", to])
        .args(["--manifest-path", "firmware/rtt/Cargo.toml"])
        .env("RUSTFLAGS", place.join(" "))
        .env("DEFMT_LOG", "trace")
        .current_dir(root);
    run_checked(&mut cargo, program)?;
    let built = format!("{to}/{}/release/{program}", target.name());
    fs::copy(root.join(&built), root.join(image))
        .with_context(|| format!("cannot copy {built}"))?;
    Ok(())
}

/// Compiler for a program of picolibc. The start-up code gets its arguments from the host, and sets
/// a trap vector if the core has one.
pub(super) fn picolibc(cores: Core) -> Command {
    let mut gcc = Command::new("riscv64-unknown-elf-gcc");
    // PicoRV32, whose RAM is at 0, has no trap vector.
    let start = if cores.ram == 0 { "hosted" } else { "semihost" };
    let symbols = [
        ("__flash", cores.ram),
        ("__flash_size", CODE),
        ("__ram", cores.ram + CODE),
        ("__ram_size", DATA),
    ];
    gcc.args(["--specs=picolibc.specs", "--oslib=semihost"])
        .args([format!("--crt0={start}"), "-Os".to_owned()])
        .args(["-Wall", "-Wextra"])
        .args(symbols.map(|(name, value)| format!("-Wl,--defsym={name}={value:#x}")));
    gcc
}
