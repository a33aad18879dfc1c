//! Run of one case of `integration/cases.toml`: the simulation, and all comparisons with it.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::build::{Builder, mailboxes, memories};
use super::case::Case;
use super::client::Clients;
use super::limit::Limit;
use super::on_run::Simulated;
use super::recording::Recording;
use super::rerun::Waves;
use super::simulate::{command, files, watch};
use super::simulation::Simulation;
use super::summary::Skipped;
use super::{on_run, on_spike, rerun};
use crate::tool::VENV;

/// Runs a case. Returns the reason of a failure, or `None`. With `golden`, a passing case's
/// recording becomes its golden file.
///
/// # Errors
/// A case that can't be built or run; [`Skipped`] if the source of its program can't be fetched.
pub(super) fn run(
    builder: &mut Builder<'_>,
    name: &str,
    case: &Case,
    golden: bool,
) -> Result<Option<String>> {
    let images = builder.firmware_with(name, &case.firmware, case.core(), case.cache())?;
    let images = images.ok_or(Skipped(
        "the source of its program can't be fetched from here",
    ))?;
    let simulation = configured(builder, name, case)?;
    let mut command = command(builder.root(), &simulation, name, &images, &case.plusargs)?;
    command.envs(&case.environment);
    let folder = builder.root().join(files(name));
    case.put_files(&folder)?;
    let waves = match case.rerun {
        Some(rerun) => Waves::of(builder.root(), name, rerun)?,
        None => None,
    };
    if let Some(waves) = &waves {
        command.arg(format!("+waves={}", waves.file.display()));
    }
    if let Some(modules) = &case.python {
        add_python(builder, &mut command, modules)?;
    }
    let recording = Recording::of(builder.root(), name)?;
    recording.record(&mut command);
    let mut clients = Clients::new(builder.root(), &case.clients, simulation.limit);
    let begin = Instant::now();
    let (status, lines) = watch(command, |line| clients.on_line(line))?;
    let time = begin.elapsed();
    let unmet_by_clients = clients.unmet()?;
    let expected = case.expected(builder.root())?;
    let unmet = case.unmet(expected.as_deref(), status, &lines);
    let unmet = unmet.or(unmet_by_clients);
    if let Some(unmet) = unmet.or_else(|| case.missing_file(&folder)) {
        return Ok(Some(unmet));
    }
    if let [image] = &images[..] {
        let simulated = Simulated {
            name,
            image,
            status,
            lines: &lines,
            files: &folder,
        };
        let difference = difference_elsewhere(builder, case, &simulation, &simulated)?;
        if difference.is_some() {
            return Ok(difference);
        }
    }
    if let Some(why) = &case.not_replayed {
        println!("  not replayed: {why}");
        return Ok(None);
    }
    let mut unmet = unmet_by_recordings(builder, case, &recording, time)?;
    if let (None, Some(waves)) = (&unmet, &waves) {
        unmet = waves.unmet(builder.root(), &lines)?;
    }
    if golden && unmet.is_none() {
        recording.keep(builder.root())?;
    }
    Ok(unmet)
}

/// Builds the simulation, and changes its configurations for the case.
fn configured(builder: &mut Builder<'_>, name: &str, case: &Case) -> Result<Simulation> {
    let mut simulation = builder.simulation(case.model())?;
    if let Some(name) = &case.mailboxes {
        simulation.mailboxes = mailboxes(name);
    }
    if let Some(line) = case.cache_line {
        simulation.mailboxes = builder.mailboxes_with(name, &simulation.mailboxes, line)?;
    }
    if let Some(seconds) = case.seconds {
        simulation.limit = Limit::of_seconds(seconds);
    }
    if let Some(name) = &case.memories {
        simulation.memories = memories(name);
    }
    if let Some(backend) = case.backend
        && let Some(copy) = builder.memories_by(backend, name, &simulation.memories)?
    {
        simulation.memories = copy;
    }
    Ok(simulation)
}

/// Adds the library with methods in Python, and the folder of the modules.
fn add_python(builder: &mut Builder<'_>, command: &mut Command, modules: &str) -> Result<()> {
    command
        // Takes precedence over the library that the simulation was linked with.
        .env("LD_LIBRARY_PATH", builder.python_library()?)
        .env("VIRTUAL_ENV", builder.root().join(VENV))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", format!("integration/python/{modules}"));
    Ok(())
}

/// First difference of the same image on `vhost run` or on Spike, if the case is for them.
fn difference_elsewhere(
    builder: &Builder<'_>,
    case: &Case,
    simulation: &Simulation,
    simulated: &Simulated<'_>,
) -> Result<Option<String>> {
    let mut difference = None;
    if case.as_run {
        difference = on_run::compare(builder, case, simulation, simulated)?;
    }
    if case.as_spike && difference.is_none() {
        difference = on_spike::compare(builder.root(), case.core(), case.harts(), simulated)?;
    }
    Ok(difference)
}

/// Replays the recordings. Returns the reason of a failure. `time`: wall time of the simulation.
fn unmet_by_recordings(
    builder: &Builder<'_>,
    case: &Case,
    recording: &Recording,
    time: Duration,
) -> Result<Option<String>> {
    let unmet = recording.replay(builder, Some(time), &case.findings)?;
    if unmet.is_none() && case.rerun.is_some() {
        return rerun::compare(&builder.command(), &recording.files()?);
    }
    Ok(unmet)
}
