//! Sources of programs, and their compilation for firmware and for this machine.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::table::{Program, matches};
use super::{Folders, Library, Port, TABLE};

/// Script that compiles newlib.
const BUILD_NEWLIB: &str = "xtask/build-newlib.sh";

/// Script that prints the options of the compiler.
const FLAGS: &str = "firmware/libc/flags.sh";

/// Section of an image in which the client states its protocol, pointers and cache line.
const NOTE: &[u8] = b".note.vhost";

/// Returns the folder with a program's source; `None` if it can't be fetched.
pub(super) fn source(folders: &Folders, program: &Program) -> Result<Option<PathBuf>> {
    let (script, what) = match (&program.package, &program.krate) {
        (Some(package), _) => ("xtask/fetch-source.sh", package),
        (None, Some(krate)) => ("xtask/fetch-crate.sh", krate),
        (None, None) => return Ok(Some(own(folders))),
    };
    let to = folders.work.join("source");
    let name = what.split('@').next().unwrap_or_default();
    let fetching = super::lock(&folders.fetching);
    if !to.join(name).is_dir() {
        let mut fetch = Command::new(folders.root.join(script));
        fetch.arg(what).arg(&to).current_dir(&folders.root);
        let output = fetch
            .output()
            .with_context(|| format!("cannot start {script}"))?;
        if !output.status.success() {
            println!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
            return Ok(None);
        }
    }
    drop(fetching);
    let source = to.join(name);
    prepare(program, &source)?;
    Ok(Some(source))
}

/// Runs the program's preparation, which replaces the configuration of its package.
fn prepare(program: &Program, source: &Path) -> Result<()> {
    if program.prepare.is_empty() {
        return Ok(());
    }
    let mut shell = Command::new("sh");
    shell.args(["-euc", &program.prepare]).current_dir(source);
    let output = shell.output().context("cannot start sh")?;
    if !output.status.success() {
        bail!(
            "{} can't be prepared: {}",
            program.name,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(())
}

/// Folder of the programs of this project.
fn own(folders: &Folders) -> PathBuf {
    let table = folders.root.join(TABLE);
    table.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Compiles a program for this machine.
pub(super) fn for_machine(folders: &Folders, program: &Program, source: &Path) -> Result<PathBuf> {
    let to = folders.work.join("bin").join(&program.name);
    compile(folders, program, source, Command::new("cc"), &to)?;
    Ok(to)
}

/// Fetches and compiles newlib for an instruction set, unless it exists. Returns false if it is not
/// available.
pub(super) fn newlib(folders: &Folders, architecture: &str) -> Result<bool> {
    let mut script = Command::new(folders.root.join(BUILD_NEWLIB));
    script.arg(architecture).arg(&folders.work);
    let output = script
        .output()
        .with_context(|| format!("cannot start {BUILD_NEWLIB}"))?;
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output.status.success())
}

/// Compiles a program as firmware.
pub(super) fn for_firmware(
    folders: &Folders,
    program: &Program,
    source: &Path,
    port: Port,
) -> Result<PathBuf> {
    let architecture = port.architecture;
    let mut flags = vec!["--arch", architecture, "--mem", &program.mem];
    let newlib = folders.work.join("newlib").join(architecture);
    let newlib = newlib.display().to_string();
    let library = match port.library {
        Library::Picolibc => "picolibc",
        Library::Newlib => {
            flags.extend(["--newlib", &newlib]);
            "newlib"
        }
    };
    let to = folders.work.join("bin");
    let to = to.join(format!("{}-{architecture}-{library}.elf", program.name));
    with_flags(folders, program, source, &flags, &to)?;
    Ok(to)
}

/// Command that prints the options of the compiler, with the port in its usual folder.
pub(super) fn flags_script(root: &Path) -> Command {
    let mut script = Command::new(root.join(FLAGS));
    script.arg("--out").arg(root.join("target/libc"));
    script
}

/// Compiles a program as firmware, with these options of `flags.sh`.
pub(super) fn with_flags(
    folders: &Folders,
    program: &Program,
    source: &Path,
    flags: &[impl AsRef<OsStr>],
    to: &Path,
) -> Result<()> {
    fs::create_dir_all(folders.work.join("bin"))?;
    let response = to.with_extension("options");
    let mut script = flags_script(&folders.root);
    script.args(flags).arg("--response").arg(&response);
    let output = script.output();
    let output = output.with_context(|| format!("cannot start {FLAGS}"))?;
    if !output.status.success() {
        bail!(
            "{FLAGS} fails: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    let mut options = OsString::from("@");
    options.push(&response);
    let mut compiler = Command::new("riscv64-unknown-elf-gcc");
    compiler.arg(options);
    compile(folders, program, source, compiler, to)?;
    let image = fs::read(to).with_context(|| format!("cannot read {}", to.display()))?;
    if !image.windows(NOTE.len()).any(|name| name == NOTE) {
        bail!(
            "{} has no section .note.vhost: the linker discards it",
            program.name
        );
    }
    Ok(())
}

fn compile(
    folders: &Folders,
    program: &Program,
    source: &Path,
    mut compiler: Command,
    to: &Path,
) -> Result<()> {
    fs::create_dir_all(folders.work.join("bin"))?;
    // Warnings of foreign programs are not ours to fix.
    compiler.args([folders.effort.optimisation, "-w"]);
    compiler.args(&program.options);
    compiler.args(program.include.iter().map(|folder| {
        let mut option = OsString::from("-I");
        option.push(source.join(folder));
        option
    }));
    compiler.args(sources(program, source)?);
    compiler.args(program.extra.iter().map(|file| own(folders).join(file)));
    let output = compiler.arg("-lm").arg("-o").arg(to).output();
    let output = output.with_context(|| format!("cannot compile {}", program.name))?;
    if !output.status.success() {
        bail!(
            "{} does not compile with {}:\n{}",
            program.name,
            compiler.get_program().to_string_lossy(),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(())
}

/// Source files, sorted by name.
fn sources(program: &Program, source: &Path) -> Result<Vec<PathBuf>> {
    let (left_out, taken): (Vec<&String>, Vec<&String>) =
        program.sources.iter().partition(|it| it.starts_with('!'));
    let mut files = vec![];
    for pattern in taken {
        let folder = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
        let before = files.len();
        let entries = fs::read_dir(source.join(folder));
        let entries =
            entries.with_context(|| format!("{} has no folder `{folder}`", program.name))?;
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let is_left_out = left_out.iter().any(|pattern| matches(&pattern[1..], &path));
            if matches(pattern, &path) && !is_left_out {
                files.push(source.join(path));
            }
        }
        if files.len() == before {
            bail!("{} has no file `{pattern}`", program.name);
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}
