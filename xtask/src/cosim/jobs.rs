//! Cases in several processes, each of which runs a group of cases after the other.
//!
//! A simulation and its replay use one processor each, so several at a time take less time.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{env, thread};

use anyhow::{Context, Result, anyhow};

/// Runs groups of cases, `jobs` at a time, and prints the output of each when it has ended. Returns
/// true if all have passed.
pub(super) fn run(groups: Vec<Vec<String>>, jobs: usize, fast_build: bool) -> Result<bool> {
    let groups = Mutex::new(VecDeque::from(groups));
    let next = || lock(&groups).pop_front();
    let printing = Mutex::new(());
    let work = || -> Result<bool> {
        let mut passed = true;
        while let Some(group) = next() {
            let (group_passed, text) = run_group(&group, fast_build)?;
            passed &= group_passed;
            let _alone = lock(&printing);
            println!("{text}");
        }
        Ok(passed)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_fold(true, |passed, worker| {
            let done = worker.join().map_err(|_| anyhow!("a worker panicked"))?;
            Ok(passed & done?)
        })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs cases in a process of this program. Returns true if they have passed, and the output.
fn run_group(cases: &[String], fast_build: bool) -> Result<(bool, String)> {
    let program = env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.args(["cosim", "--no-install"]).args(cases);
    command.args(fast_build.then_some("--fast-build"));
    command.stdin(Stdio::null());
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone().context("cannot share a pipe")?);
    command.stderr(writer);
    let mut child = command.spawn().context("cannot start a process")?;
    drop(command); // closes the parent's ends of the pipe, or reading would never end
    let output = std::io::read_to_string(reader).context("cannot read the output of a process")?;
    let status = child.wait().context("cannot wait for a process")?;
    Ok((status.success(), output))
}
