//! Runs of a program, and their comparison.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::table::{Program, Run};
use super::{Folders, empty};
use crate::library::SHIPPED;

/// Instructions after which a program counts as hanging.
const MAX_INSTRUCTIONS: &str = "20000000000";

/// Results of the runs of a program.
pub(super) struct Results {
    runs: Vec<Ended>,
    files: BTreeMap<String, Vec<u8>>,
}

/// End of one run.
struct Ended {
    args: Vec<String>,
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs a program on this machine.
pub(super) fn on_machine(
    folders: &Folders,
    program: &Program,
    source: &Path,
    binary: &Path,
) -> Result<Results> {
    let folder = folders.work.join("machine").join(&program.name);
    let mut results = results(folders, program, source, &folder, |_| Command::new(binary))?;
    for (ended, run) in results.runs.iter_mut().zip(&program.run) {
        if let Some(text) = &run.stdout {
            ended.stdout = text.clone().into_bytes();
        }
    }
    Ok(results)
}

/// Runs a program as firmware.
pub(super) fn on_firmware(
    folders: &Folders,
    program: &Program,
    source: &Path,
    image: &Path,
) -> Result<Results> {
    let folder = folders.work.join("firmware").join(&program.name);
    results(folders, program, source, &folder, |files| {
        let mut vhost = Command::new(folders.root.join(SHIPPED).join("vhost"));
        vhost.arg("run").arg(image).arg("--files").arg(files);
        vhost.args(["--stdin", "-", "--mem", &program.mem]);
        if let Some(version) = &program.protocol {
            vhost.args(["--protocol", version]);
        }
        vhost.args(["--max-instructions", MAX_INSTRUCTIONS, "--"]);
        vhost
    })
}

fn results(
    folders: &Folders,
    program: &Program,
    source: &Path,
    folder: &Path,
    command: impl Fn(&Path) -> Command,
) -> Result<Results> {
    prepare(program, source, folder, folders.effort.divisor)?;
    let input = folder.with_extension("stdin");
    let runs = program.run.iter().map(|run| {
        fs::write(&input, &run.stdin)?;
        one(run, command(folder), folder, &input)
            .with_context(|| format!("{} can't be run", program.name))
    });
    Ok(Results {
        runs: runs.collect::<Result<_>>()?,
        files: files(folder)?,
    })
}

/// Creates the folder of the runs with the program's files.
fn prepare(program: &Program, source: &Path, folder: &Path, divisor: usize) -> Result<()> {
    empty(folder)?;
    for (name, text) in &program.files {
        fs::write(folder.join(name), text)?;
    }
    for (name, from) in &program.copy {
        fs::copy(source.join(from), folder.join(name))
            .with_context(|| format!("{} has no file `{from}`", program.name))?;
    }
    for (name, length) in &program.random {
        fs::write(folder.join(name), random(length / divisor))?;
    }
    Ok(())
}

/// Bytes that compress a little, the same in every run.
fn random(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x7f
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn one(run: &Run, mut command: Command, folder: &Path, input: &Path) -> Result<Ended> {
    let output = command
        .args(&run.args)
        .current_dir(folder)
        .env_remove("TERM")
        .stdin(Stdio::from(File::open(input)?))
        .output()?;
    Ok(Ended {
        args: run.args.clone(),
        // Status as in a shell if a signal ended the process.
        status: (output.status.code()).or_else(|| Some(128 + output.status.signal()?)),
        stdout: output.stdout,
        stderr: output.stderr,
    })
}

/// Files of a folder by their paths; the path of a folder ends with `/`.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<(PathBuf, String)> = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, before)) = waiting.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{before}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                found.insert(format!("{name}/"), vec![]);
                waiting.push((entry.path(), format!("{name}/")));
            } else {
                found.insert(name, fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

/// Differences between the runs on this machine and those of firmware, one text each.
pub(super) fn differences(expected: &Results, got: &Results) -> Vec<String> {
    let mut texts = vec![];
    for (expected, got) in expected.runs.iter().zip(&got.runs) {
        let args = &got.args;
        if expected.status != got.status {
            texts.push(format!(
                "with {args:?} the exit status is {:?}, not {:?}; standard error ends with:\n{}",
                got.status,
                expected.status,
                end(&got.stderr)
            ));
        }
        if expected.stdout != got.stdout {
            let line = first_difference(&expected.stdout, &got.stdout);
            texts.push(format!("with {args:?} standard output differs, {line}"));
        }
    }
    for (name, bytes) in &expected.files {
        match got.files.get(name) {
            None => texts.push(format!("the file `{name}` is missing")),
            Some(other) if other != bytes => texts.push(format!(
                "the file `{name}` differs, {} bytes and not {}",
                other.len(),
                bytes.len()
            )),
            Some(_) => {}
        }
    }
    let more = got
        .files
        .keys()
        .filter(|name| !expected.files.contains_key(*name));
    texts.extend(more.map(|name| format!("there is a file `{name}`")));
    texts
}

fn end(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

fn first_difference(expected: &[u8], got: &[u8]) -> String {
    let mut expected = expected.split(|byte| *byte == b'\n');
    let mut got = got.split(|byte| *byte == b'\n');
    for line in 1.. {
        match (expected.next(), got.next()) {
            (None, None) => break,
            (expected, got) if expected == got => {}
            (expected, got) => {
                let text = |line: Option<&[u8]>| {
                    line.map_or("the end".into(), |line| {
                        format!("`{}`", String::from_utf8_lossy(line))
                    })
                };
                return format!("line {line} is {}, not {}", text(got), text(expected));
            }
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(status: i32, stdout: &str, files: &[(&str, &str)]) -> Results {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()));
        Results {
            runs: vec![Ended {
                args: vec!["a".into()],
                status: Some(status),
                stdout: stdout.into(),
                stderr: b"why\n".to_vec(),
            }],
            files: files.collect(),
        }
    }

    #[test]
    fn each_difference_is_named() {
        let expected = results(0, "one\ntwo\n", &[("f", "x"), ("g", "y")]);
        assert!(
            differences(
                &expected,
                &results(0, "one\ntwo\n", &[("f", "x"), ("g", "y")])
            )
            .is_empty()
        );
        let texts = differences(
            &expected,
            &results(1, "one\n2\n", &[("f", "longer"), ("h", "")]),
        );
        let texts = texts.join("\n");
        for part in [
            "exit status is Some(1), not Some(0)",
            "why",
            "line 2 is `2`, not `two`",
            "`f` differs, 6 bytes and not 1",
            "`g` is missing",
            "a file `h`",
        ] {
            assert!(texts.contains(part), "{part}: {texts}");
        }
    }
}
