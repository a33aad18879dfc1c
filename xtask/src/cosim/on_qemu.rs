//! Programs with semihosting: the same file on QEMU, on a core in RTL and on `vhost run` must have
//! the same text, files and exit status. It runs twice on `vhost run`: with code in place of its
//! traps, as in RTL, and with traps that the simulator handles.
//!
//! Programs:
//! - `integration/firmware/same`, and minigzip of zlib in both directions: with picolibc, linked
//!   for the RAM of QEMU's board `virt`, which is VexRiscv's uncached RAM.
//! - `firmware/semihosting`: in Rust, with the crate `semihosting`, in cached RAM of Rocket.
//! - One program on the four harts of Rocket and of QEMU at the same time. The order of its lines
//!   is not compared.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::abi;
use super::build::{Builder, Cache, memories, recreate_dir, run_checked};
use super::case::{Core, is_print};
use super::limit::Limit;
use super::on_run::{Contents, contents, in_this_process};
use super::simulate::{command, files};
use super::simulation::{Model, Simulation};
use crate::programs;
use crate::tool::{PICOLIBC, RISCV_GCC, RISCV64, ROCKET, Tool, VEXRISCV};

/// Name of this case.
pub(super) const NAME: &str = "same-on-qemu";

pub(super) const REQUIRED: [Tool; 5] = [VEXRISCV, ROCKET, RISCV_GCC, PICOLIBC, RISCV64];

/// Folder of the programs.
const PROGRAMS: &str = "integration/firmware/same";

/// Debian package with minigzip, and its program.
const ZLIB: &str = "zlib";
const MINIGZIP: &str = "minigzip";

/// File that minigzip compresses, and its size.
const DATA: &str = "data";
const DATA_LEN: u32 = 4000;

/// Folder of the programs in Rust, and the arguments of all of them.
const IN_RUST: &str = "firmware/semihosting";
const ARGUMENTS: [&str; 3] = ["program", "second", "third"];

/// Core in RTL, and its counterpart in QEMU.
struct Platform {
    design: &'static str,
    core: Core,
    plusargs: [&'static str; 2],
    /// Further keys of the channel.
    keys: &'static str,
    qemu: &'static str,
    cpu: &'static str,
    /// Number of harts; `vhost run` has one.
    harts: u32,
}

const SMALL: Platform = Platform {
    design: "vexriscv",
    core: Core {
        ram: 0x8000_0000,
        ..Core::SMALL
    },
    // Reset address in the core's uncached RAM.
    plusargs: ["+reset=80000000", "+clocks=100000000"],
    keys: "",
    qemu: "qemu-system-riscv32",
    cpu: "rv32",
    harts: 1,
};

const CACHED: Platform = Platform {
    design: "rocket",
    core: Core::ROCKET,
    plusargs: ["+tick=1", "+clocks=100000000"],
    keys: ", flush: rocket",
    qemu: "qemu-system-riscv64",
    cpu: "rv64",
    harts: 1,
};

const HARTS: Platform = Platform {
    design: "rocket-4",
    harts: 4,
    ..CACHED
};

/// Limit of wall time for several harts, which slow each other down.
const SECONDS: u64 = 600;

/// Program for several harts.
const OF_HARTS: &str = "semihosting:semihosting_harts";

/// Channel keys that leave the traps in place.
const TRAPS: &str = ", stub: none";

/// Run of a program.
struct Run<'a> {
    platform: &'a Platform,
    name: &'a str,
    image: &'a str,
    /// Command line. The library's start-up code sets the program's name.
    args: &'a [&'a str],
    /// Files in the folder before the run.
    files: &'a Contents,
}

/// Status, text and files at the end of a run.
#[derive(Debug, PartialEq, Eq)]
struct RunResult {
    status: Option<i32>,
    text: String,
    files: Contents,
}

/// True if QEMU is installed.
pub(super) fn has_qemu() -> bool {
    [SMALL.qemu, CACHED.qemu]
        .iter()
        .all(|qemu| Command::new(qemu).arg("--version").output().is_ok())
}

/// Runs all programs. Returns the differences, or `None`.
pub(super) fn run(builder: &mut Builder<'_>) -> Result<Option<String>> {
    let mut simulations = vec![];
    for platform in [&SMALL, &CACHED, &HARTS] {
        let mut simulation = builder.simulation(Model::of(platform.design))?;
        simulation.memories = memories("rocket-large");
        if platform.harts > 1 {
            simulation.limit = Limit::of_seconds(SECONDS);
        }
        simulations.push((platform.design, simulation));
    }
    let root = builder.root();
    let folder = format!("target/cosim/firmware/{NAME}");
    fs::create_dir_all(root.join(&folder)).with_context(|| format!("cannot make {folder}"))?;
    let mut sources: Vec<String> = vec![];
    for entry in fs::read_dir(root.join(PROGRAMS)).context("cannot read the programs")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        sources.extend(name.strip_suffix(".c").map(str::to_owned));
    }
    sources.sort();
    let mut differences = vec![];
    let (mut count, mut is_lost) = (0, false);
    let mut compare = |run: &Run<'_>| -> Result<Contents> {
        count += 1;
        let of_run = |(design, _): &&(&str, Simulation)| *design == run.platform.design;
        let simulation = simulations.iter().find(of_run);
        let (_, simulation) = simulation.context("there is no such simulation")?;
        let there = on_qemu(root, run)?;
        let here = on_rtl(builder, simulation, run)?;
        let shown = show(&here);
        let mut others = vec![("RTL", here)];
        if run.platform.harts == 1 {
            let keys = run.platform.keys;
            let on_run = on_vhost_run(builder, simulation, run, keys)?;
            others.push(("vhost run", on_run));
            let by_traps = on_vhost_run(builder, simulation, run, TRAPS)?;
            others.push(("vhost run with traps", by_traps));
        }
        for (place, left) in &others {
            if *left != there {
                differences.push(format!(
                    "{}: QEMU leaves {}, {place} {}",
                    run.name,
                    show(&there),
                    show(left)
                ));
            }
        }
        println!("  {:12} {shown}", run.name);
        Ok(there.files)
    };
    for name in &sources {
        let image = format!("{folder}/{name}.elf");
        let mut gcc = abi::picolibc(SMALL.core);
        gcc.args([&format!("{PROGRAMS}/{name}.c"), "-o", &image, "-lm"])
            .args(abi::machine(SMALL.core))
            .current_dir(root);
        run_checked(&mut gcc, name)?;
        compare(&Run {
            platform: &SMALL,
            name,
            image: &image,
            args: &[name],
            files: &Contents::new(),
        })?;
    }
    if let Some(image) = minigzip(root, &folder)? {
        let data: Vec<u8> = (0..DATA_LEN)
            .map(|at| (at * at / 7 % 61 + at / 500) as u8)
            .collect();
        let files = Contents::from([(DATA.to_owned(), data)]);
        let compressed = compare(&Run {
            platform: &SMALL,
            name: "minigzip",
            image: &image,
            args: &[DATA],
            files: &files,
        })?;
        let back = compare(&Run {
            platform: &SMALL,
            name: "minigzip -d",
            image: &image,
            args: &["-d", "data.gz"],
            files: &compressed,
        })?;
        is_lost = back != files;
    } else {
        println!("skipped: {NAME}: the source of zlib can't be fetched from here");
    }
    for (name, image) in &in_rust(root)? {
        compare(&Run {
            platform: &CACHED,
            name,
            image,
            args: &ARGUMENTS,
            files: &Contents::new(),
        })?;
    }
    let image = format!("{folder}/harts.elf");
    abi::build(root, OF_HARTS, &image, HARTS.core, Cache::default())?;
    compare(&Run {
        platform: &HARTS,
        name: "harts",
        image: &image,
        args: &ARGUMENTS,
        files: &Contents::new(),
    })?;
    if is_lost {
        differences.push("minigzip does not bring its input back".to_owned());
    }
    println!("  {count} runs");
    Ok((!differences.is_empty()).then(|| differences.join("\n")))
}

/// Compiles minigzip. `None` if its source can't be fetched.
fn minigzip(root: &Path, folder: &str) -> Result<Option<String>> {
    let Some(source) = programs::source(root, MINIGZIP)? else {
        return Ok(None);
    };
    let image = format!("{folder}/{MINIGZIP}.elf");
    let mut gcc = abi::picolibc(SMALL.core);
    let mut sources = vec![source.join("test/minigzip.c")];
    for entry in fs::read_dir(&source).with_context(|| format!("cannot read {ZLIB}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    sources.sort();
    gcc.args(&sources)
        .arg("-I")
        .arg(&source)
        .args(["-w", "-DHAVE_UNISTD_H", "-o", &image])
        .args(abi::machine(SMALL.core))
        .current_dir(root);
    run_checked(&mut gcc, ZLIB)?;
    Ok(Some(image))
}

/// Compiles the programs in Rust. Returns their names and images.
fn in_rust(root: &Path) -> Result<Vec<(String, String)>> {
    let to = "target/semihosting";
    let target = RISCV64.name();
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--bins"])
        .args(["--target", target, "--target-dir", to])
        .args(["--manifest-path", &format!("{IN_RUST}/Cargo.toml")])
        .current_dir(root);
    run_checked(&mut cargo, IN_RUST)?;
    let sources = fs::read_dir(root.join(IN_RUST).join("src/bin"));
    let mut programs = vec![];
    for entry in sources.context("cannot read the programs in Rust")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".rs") {
            programs.push((name.to_owned(), format!("{to}/{target}/release/{name}")));
        }
    }
    programs.sort();
    Ok(programs)
}

/// Empties a folder, and writes the files of a run to it. Returns the folder.
fn prepare(root: &Path, name: &str, run: &Run<'_>) -> Result<String> {
    let folder = format!("target/cosim/files/{name}");
    recreate_dir(&root.join(&folder))?;
    put(&root.join(&folder), run)?;
    Ok(folder)
}

fn put(folder: &Path, run: &Run<'_>) -> Result<()> {
    for (name, bytes) in run.files {
        fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

fn on_qemu(root: &Path, run: &Run<'_>) -> Result<RunResult> {
    let folder = root.join(prepare(root, &format!("{NAME}-qemu"), run)?);
    let args: String = run.args.iter().map(|arg| format!(",arg={arg}")).collect();
    let output = Command::new("timeout")
        .args(["60", run.platform.qemu, "-M", "virt"])
        .args(["-cpu", run.platform.cpu, "-m", "16M"])
        .args(["-smp", &run.platform.harts.to_string()])
        .args(["-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-bios", "none", "-semihosting-config"])
        .arg(format!("enable=on,target=native{args}"))
        .arg("-kernel")
        .arg(root.join(run.image))
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .context("cannot start QEMU")?;
    // The console of QEMU is its standard error.
    let text = [output.stdout, output.stderr].concat();
    Ok(RunResult {
        status: output.status.code(),
        text: in_order(run, ended(String::from_utf8_lossy(&text).into_owned())),
        files: contents(&folder)?,
    })
}

/// Text of a run. The lines of several harts are sorted: each is written as a whole, in any order.
fn in_order(run: &Run<'_>, text: String) -> String {
    if run.platform.harts == 1 {
        return text;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Text with an end of line, which the host adds if firmware has not written it.
fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Mailbox configuration of a run with further keys, written beside the image.
fn configuration(root: &Path, run: &Run<'_>, keys: &str) -> Result<String> {
    let name = run.image.rsplit('/').next().unwrap_or(run.image);
    let file = format!("target/cosim/firmware/{NAME}/{name}.mailbox.yaml");
    let args = run.args.join(", ");
    let text = format!("cpu0: {{space: cpu0, elf: \"${{FIRMWARE0}}\", args: [{args}]{keys}}}\n");
    fs::write(root.join(&file), text).with_context(|| format!("cannot write {file}"))?;
    Ok(file)
}

fn on_rtl(builder: &Builder<'_>, simulation: &Simulation, run: &Run<'_>) -> Result<RunResult> {
    let root = builder.root();
    let mut simulation = simulation.clone();
    simulation.mailboxes = configuration(root, run, run.platform.keys)?;
    let images = [run.image.to_owned()];
    let mut command = command(
        root,
        &simulation,
        NAME,
        &images,
        &run.platform.plusargs.map(str::to_owned),
    )?;
    let folder = root.join(files(NAME));
    put(&folder, run)?;
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("and no end") {
        bail!("{}: no end in the simulation:\n{text}", run.name);
    }
    Ok(RunResult {
        status: output.status.code(),
        text: in_order(
            run,
            without_prefix(text.lines().filter(|line| is_print(line))),
        ),
        files: contents(&folder)?,
    })
}

fn on_vhost_run(
    builder: &Builder<'_>,
    simulation: &Simulation,
    run: &Run<'_>,
    keys: &str,
) -> Result<RunResult> {
    let root = builder.root();
    let folder = prepare(root, &format!("{NAME}-run"), run)?;
    let memories = format!("target/cosim/firmware/{NAME}/run.mem.yaml");
    let text = fs::read_to_string(root.join(&simulation.memories))
        .with_context(|| format!("cannot read {}", simulation.memories))?;
    fs::write(root.join(&memories), in_this_process(&text)).context("cannot write the memories")?;
    let output = Command::new(builder.command())
        .args(["run", run.image, "--files", &folder])
        .args(["--memory", &memories, "--mailbox"])
        .arg(configuration(root, run, keys)?)
        .env("FIRMWARE0", run.image)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .context("cannot start vhost run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(RunResult {
        status: output.status.code(),
        text: without_prefix(text.lines()),
        files: contents(&root.join(folder))?,
    })
}

/// Text of firmware without the names of its channel and stream, standard error last. The host adds
/// a missing end of line.
fn without_prefix<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let (mut out, mut err) = (String::new(), String::new());
    for line in lines {
        let text = line.strip_prefix("[cpu0] ").unwrap_or(line);
        let (to, text) = match text.strip_prefix("stderr: ") {
            Some(text) => (&mut err, text),
            None => (&mut out, text),
        };
        *to += text;
        to.push('\n');
    }
    out + &err
}

fn show(left: &RunResult) -> String {
    let RunResult {
        status,
        text,
        files,
    } = left;
    let status = status.map_or("a signal".to_owned(), |status| status.to_string());
    let sizes: usize = files.values().map(Vec::len).sum();
    format!(
        "status {status}, {} bytes of text, {} files with {sizes} bytes",
        text.trim_end_matches('\n').len(),
        files.len()
    )
}
