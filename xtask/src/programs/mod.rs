//! `cargo xtask programs`: C programs as firmware of `vhost run`, compared with the same programs
//! on this machine.
//!
//! - [`table`]: the programs, from `firmware/programs/programs.toml`.
//! - [`build`]: fetches sources, and compiles them for firmware and for this machine.
//! - [`compare`]: runs both, and compares output, exit status and files.
//! - [`faults`]: output that can't be written, a stack that overflows, invalid options.

mod build;
mod compare;
mod faults;
mod rust;
mod table;

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::library;
use crate::tool::{PICOLIBC, RISCV_GCC, RISCV32, RISCV64, Tool};
use table::Program;

/// Tools of the step.
pub(crate) const REQUIRED: [Tool; 4] = [RISCV_GCC, PICOLIBC, RISCV32, RISCV64];

/// Path of the table, relative to the project's root.
pub(crate) const TABLE: &str = "firmware/programs/programs.toml";

/// Folder of sources, images and files, relative to the project's root.
const WORK: &str = "target/programs";

/// Instruction sets, with pointers of 8 and of 4 bytes.
const ARCHITECTURES: [&str; 2] = ["rv64imac", "rv32imac"];

/// Instruction set and C library of firmware.
#[derive(Clone, Copy)]
struct Port {
    architecture: &'static str,
    library: Library,
}

#[derive(Clone, Copy)]
enum Library {
    Picolibc,
    Newlib,
}

/// Effort of a run.
struct Effort {
    /// Optimisation option of the compilers.
    optimisation: &'static str,
    /// Divisor of the lengths of random files.
    divisor: usize,
}

/// Effort of a run without `--full`.
const LITTLE: Effort = Effort {
    optimisation: "-O0",
    divisor: 4,
};

/// Effort of a user: the options in the documentation.
const USUAL: Effort = Effort {
    optimisation: "-O2",
    divisor: 1,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run all programs, optimised and with newlib, too; not the quick ones alone
    #[arg(long)]
    full: bool,
    /// Names of programs; without any, those of the quick or the full run
    names: Vec<String>,
}

/// Folders of a run.
struct Folders {
    root: PathBuf,
    work: PathBuf,
    effort: Effort,
    /// Lock held while a source is fetched: the package manager's client allows one at a time.
    fetching: Mutex<()>,
}

/// Runs the selected programs. Returns true if all behave the same on both.
pub(crate) fn run(root: &Path, args: &Args) -> Result<bool> {
    let programs = programs(root)?;
    let selected = select(&programs, args)?;
    let folders = Folders {
        root: root.to_path_buf(),
        work: root.join(WORK),
        effort: if args.full { USUAL } else { LITTLE },
        fetching: Mutex::default(),
    };
    library::build_shipped(root)?;
    let libraries = if args.full {
        libraries(&folders)?
    } else {
        vec![]
    };
    let mut jobs: VecDeque<Job<'_>> = by_source(selected).into_iter().map(Job::Programs).collect();
    if args.names.is_empty() {
        jobs.extend([Job::Faults, Job::FilesInRust]);
    }
    let jobs = Mutex::new(jobs);
    let next = || lock(&jobs).pop_front();
    let work = || -> Result<usize> {
        let mut failures = 0;
        while let Some(job) = next() {
            failures += job.run(&folders, &libraries)?;
        }
        Ok(failures)
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let failures = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_fold(0, |failures, worker| {
            let further = worker.join().map_err(|_| anyhow!("a worker panicked"))?;
            anyhow::Ok(failures + further?)
        })
    })?;
    Ok(failures == 0)
}

/// Part of a run whose folders no other part uses.
enum Job<'a> {
    /// Programs of one source.
    Programs(Vec<&'a Program>),
    Faults,
    FilesInRust,
}

impl Job<'_> {
    /// Prints problems, and returns their number.
    fn run(self, folders: &Folders, newlib: &[&'static str]) -> Result<usize> {
        let print = |name: &str, problems: Vec<String>| {
            for problem in &problems {
                println!("{name}: {problem}");
            }
            problems.len()
        };
        Ok(match self {
            Self::Programs(programs) => {
                let mut failures = 0;
                for program in programs {
                    failures += print(&program.name, check(folders, program, newlib)?);
                }
                failures
            }
            Self::Faults => print("faults", faults::check(folders, newlib)?),
            Self::FilesInRust => print("files in Rust", rust::check(folders)?),
        })
    }
}

/// Groups programs by their sources, in the order of the table.
fn by_source(programs: Vec<&Program>) -> Vec<Vec<&Program>> {
    let mut groups: Vec<Vec<&Program>> = vec![];
    for program in programs {
        let same = |group: &&mut Vec<&Program>| {
            let of = |program: &Program| (program.package.clone(), program.krate.clone());
            of(program) != (None, None) && of(group[0]) == of(program)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(program),
            None => groups.push(vec![program]),
        }
    }
    groups
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Architectures for which newlib is available. Others are reported as skipped.
fn libraries(folders: &Folders) -> Result<Vec<&'static str>> {
    let mut found = vec![];
    for architecture in ARCHITECTURES {
        if build::newlib(folders, architecture)? {
            found.push(architecture);
        } else {
            println!("skipped: newlib for {architecture}: it could not be fetched and compiled");
        }
    }
    Ok(found)
}

/// Compiles a program of the table as firmware, with further options of `flags.sh`. Returns false
/// if its source can't be fetched.
pub(crate) fn image(
    root: &Path,
    name: &str,
    architecture: &str,
    place: &[String],
    to: &Path,
) -> Result<bool> {
    let programs = programs(root)?;
    let program = programs.iter().find(|program| program.name == name);
    let program = program.with_context(|| format!("{TABLE} has no program `{name}`"))?;
    let folders = folders(root);
    let Some(source) = build::source(&folders, program)? else {
        return Ok(false);
    };
    let mut flags = vec!["--arch".to_owned(), architecture.to_owned()];
    flags.extend_from_slice(place);
    build::with_flags(&folders, program, &source, &flags, to)?;
    Ok(true)
}

/// Folder with the source of a program of the table. `None` if it can't be fetched.
pub(crate) fn source(root: &Path, name: &str) -> Result<Option<PathBuf>> {
    let programs = programs(root)?;
    let program = programs.iter().find(|program| program.name == name);
    let program = program.with_context(|| format!("{TABLE} has no program `{name}`"))?;
    build::source(&folders(root), program)
}

fn folders(root: &Path) -> Folders {
    Folders {
        root: root.to_path_buf(),
        work: root.join(WORK),
        effort: USUAL,
        fetching: Mutex::default(),
    }
}

/// Programs of the table.
fn programs(root: &Path) -> Result<Vec<Program>> {
    let file = root.join(TABLE);
    let text = fs::read_to_string(&file);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    table::parse(&text).with_context(|| format!("{TABLE} is wrong"))
}

fn select<'a>(programs: &'a [Program], args: &Args) -> Result<Vec<&'a Program>> {
    if let Some(name) = args
        .names
        .iter()
        .find(|name| programs.iter().all(|program| program.name != **name))
    {
        bail!("{TABLE} has no program `{name}`");
    }
    let is_selected = |program: &&Program| match args.names.as_slice() {
        [] => args.full || program.quick,
        names => names.contains(&program.name),
    };
    Ok(programs.iter().filter(is_selected).collect())
}

/// Differences of a program, by port. A program without sources is skipped.
fn check(folders: &Folders, program: &Program, newlib: &[&'static str]) -> Result<Vec<String>> {
    let Some(source) = build::source(folders, program)? else {
        println!("skipped: {}: its source could not be fetched", program.name);
        return Ok(vec![]);
    };
    let with = |library| {
        move |architecture| Port {
            architecture,
            library,
        }
    };
    let picolibc = ARCHITECTURES.into_iter().map(with(Library::Picolibc));
    let newlib = newlib.iter().copied().filter(|_| program.newlib);
    let mut problems = vec![];
    let machine = build::for_machine(folders, program, &source)?;
    let expected = compare::on_machine(folders, program, &source, &machine)?;
    for port in picolibc.chain(newlib.map(with(Library::Newlib))) {
        let image = build::for_firmware(folders, program, &source, port)?;
        let got = compare::on_firmware(folders, program, &source, &image)?;
        let found = compare::differences(&expected, &got);
        println!(
            "{} on {port}: {}",
            program.name,
            if found.is_empty() {
                "same"
            } else {
                "different"
            }
        );
        problems.extend(found.into_iter().map(|text| format!("{port}: {text}")));
    }
    Ok(problems)
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.architecture)?;
        match self.library {
            Library::Picolibc => Ok(()),
            Library::Newlib => f.write_str(" with newlib"),
        }
    }
}

/// Creates an empty folder.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
