//! `vhost check`: checks both configurations and the images before a simulator is started.
//!
//! - `plan`: placement of images and mailboxes in a run.
//! - `diagnostics`: errors, warnings and notes about it.
//! - `memory_map`: drawing of the memory map.
//! - `junit`: the check as a test case.

mod diagnostics;
mod junit;
mod memory_map;
mod plan;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mailbox_rs::{CacheLine, PtrWidth};
use vhost::config::{
    self, ConfigDiagnostic, ConfigEnvironment, ConfigError, ConfigProblem, Defaults, Process,
};
use vhost::mem::{Backend, Image, ImageError};

use crate::ExitOutcome;
use crate::files::Files;
use crate::output::{ERROR, OK, WholeStderr, out};
use crate::output_file::write_file;
use diagnostics::{Diagnostic, Severity, diagnostics};
use plan::Plan;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The memory configuration
    #[arg(long, value_name = "FILE", env = "MEM_CFG_FILE")]
    mem: PathBuf,
    /// The mailbox configuration; without it the memories are checked
    #[arg(long, value_name = "FILE", env = "MAILBOX_CFG_FILE")]
    mailbox: Option<PathBuf>,
    /// Value of ${VAR} in both, instead of the environment's; may be repeated
    #[arg(short = 'D', value_name = "VAR=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// JUnit results to write: the check as a test case
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Backend of memories that name none, as the library was built (mem_…)
    #[arg(long, value_name = "NAME", value_parser = backend)]
    default_backend: Option<Backend>,
    /// Pointer width of channels that have none, as the library was built (ptr32, ptr64)
    #[arg(long, value_name = "BITS", value_parser = ptr_width)]
    default_ptr: Option<PtrWidth>,
    /// Cache line of channels that have none, as the library was built (cache_line_…)
    #[arg(long, value_name = "BYTES", value_parser = cache_line)]
    default_cache_line: Option<CacheLine>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is to be VAR=VALUE".to_owned()),
    }
}

fn backend(text: &str) -> Result<Backend, String> {
    let found = Backend::ALL.iter().find(|backend| backend.name() == text);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = Backend::ALL.iter().map(|backend| backend.name()).collect();
        format!("it is one of {}", names.join(", "))
    })
}

fn ptr_width(text: &str) -> Result<PtrWidth, String> {
    let bits = text.parse().ok();
    bits.and_then(PtrWidth::from_bits)
        .ok_or_else(|| "it is 32 or 64".to_owned())
}

fn cache_line(text: &str) -> Result<CacheLine, String> {
    let bytes = text.parse().ok();
    bytes
        .and_then(CacheLine::from_bytes)
        .ok_or_else(|| "it is 0, 32, 64, 128 or 256".to_owned())
}

/// Configuration environment of the command: files and variables of this process, overridden by
/// options of the command line.
struct CliEnv {
    variables: HashMap<String, String>,
    defaults: Defaults,
    diagnostics: RefCell<Vec<ConfigDiagnostic>>,
    /// Files named by the configurations.
    named: RefCell<Vec<PathBuf>>,
}

impl ConfigEnvironment for CliEnv {
    fn variable(&self, name: &str) -> Option<String> {
        let given = self.variables.get(name).cloned();
        given.or_else(|| Process.variable(name))
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        self.named.borrow_mut().push(file.to_owned());
        Process.image(file)
    }

    fn is_file(&self, file: &Path) -> bool {
        self.named.borrow_mut().push(file.to_owned());
        Process.is_file(file)
    }

    fn real_name(&self, file: &Path) -> PathBuf {
        Process.real_name(file)
    }

    fn report(&self, diagnostic: ConfigDiagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn defaults(&self) -> Defaults {
        self.defaults
    }
}

impl Args {
    fn env(&self) -> CliEnv {
        let by_features = Defaults::of_features();
        CliEnv {
            variables: self.variables.iter().cloned().collect(),
            defaults: Defaults {
                backend: self.default_backend.unwrap_or(by_features.backend),
                ptr_width: self.default_ptr.or(by_features.ptr_width),
                cache_line: self.default_cache_line.unwrap_or(by_features.cache_line),
            },
            diagnostics: RefCell::default(),
            named: RefCell::default(),
        }
    }
}

/// Path of a configuration file.
///
/// A path from the environment variable is expanded like paths within the files. The shell has
/// expanded others.
fn file(name: &Path, variable: &'static str, env: &CliEnv) -> Result<PathBuf> {
    let value = std::env::var_os(variable).filter(|value| value == name.as_os_str());
    Ok(match value {
        Some(value) => config::expand_path(&value, variable, env)?,
        None => name.to_owned(),
    })
}

pub(crate) fn run(args: &Args) -> Result<ExitOutcome> {
    let env = args.env();
    let mem = file(&args.mem, "MEM_CFG_FILE", &env)?;
    let mailbox = args.mailbox.as_ref();
    let mailbox = mailbox.map(|name| file(name, "MAILBOX_CFG_FILE", &env));
    let mailbox = mailbox.transpose()?;
    let mut files = Files::default();
    files.input("the memory configuration", &mem);
    if let Some(mailbox) = &mailbox {
        files.input("the mailbox configuration", mailbox);
    }
    if let Some(junit) = &args.junit {
        files.output("the JUnit results", junit);
    }
    files.are_distinct()?;
    let mut found = Vec::new();
    let outcome = check(&mem, mailbox.as_deref(), &env, &mut found)?;
    if let Some(file) = &args.junit {
        for named in env.named.borrow().iter() {
            files.input("a file of the configuration", named);
        }
        files.are_distinct()?;
        let text = junit::text(&args.mem, args.mailbox.as_deref(), &found)?;
        write_file(file, |to| to.write_all(text.as_bytes()))?;
    }
    Ok(outcome)
}

/// Checks the configurations, and adds diagnostics to `found`.
fn check(
    mem: &Path,
    mailbox: Option<&Path>,
    env: &CliEnv,
    found: &mut Vec<Diagnostic>,
) -> Result<ExitOutcome> {
    let map = config::read_text(mem).and_then(|text| config::parse_memory_map(&text, mem, env));
    let map = match map {
        Ok(map) => map,
        Err(error) => return refused(error, found),
    };
    let channels = mailbox.map_or(Ok(Vec::new()), |file| {
        let text = config::read_text(file)?;
        config::parse_mailboxes(&text, file, &map, env)
    });
    let (channels, refusal) = match channels {
        Ok(channels) => (channels, None),
        // The memory map helps to find the error.
        Err(error) => (Vec::new(), Some(error)),
    };
    let plan = Plan::of(&map, &channels);
    let mut out = out();
    for space in &map.spaces {
        memory_map::draw(&mut out, &plan, space)?;
    }
    if let Some(error) = refusal {
        out.flush()?;
        return refused(error, found);
    }
    let diagnostics = diagnostics(&plan, mailbox.is_some(), &env.diagnostics.borrow());
    for diagnostic in &diagnostics {
        writeln!(out, "{diagnostic}")?;
    }
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|it| it.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let outcome = if errors > 0 {
        write!(out, "{ERROR}failed:{ERROR:#} ")?;
        ExitOutcome::Failed
    } else {
        write!(out, "{OK}good:{OK:#} ")?;
        ExitOutcome::Passed
    };
    let served = channels.iter().filter(|it| it.interface.is_some()).count();
    writeln!(
        out,
        "{}, {}, {}, {}; {}, {}",
        counted(map.spaces.len(), "space", "spaces"),
        counted(map.memories.len(), "memory", "memories"),
        counted(served, "channel served", "channels served"),
        counted(plan.loads.len(), "image loaded", "images loaded"),
        counted(errors, "error", "errors"),
        counted(warnings, "warning", "warnings"),
    )?;
    out.flush()?;
    found.extend(diagnostics);
    Ok(outcome)
}

fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Outcome for a rejected configuration. A file that can't be read is an error of the command, not
/// a failed check.
fn refused(error: ConfigError, found: &mut Vec<Diagnostic>) -> Result<ExitOutcome> {
    if matches!(*error.problem, ConfigProblem::Read(_)) {
        return Err(error.into());
    }
    writeln!(WholeStderr::default(), "{ERROR}error:{ERROR:#} {error}")?;
    found.push(Diagnostic {
        severity: Severity::Error,
        text: error.to_string(),
    });
    Ok(ExitOutcome::Failed)
}
