//! Services, recordings and attachments.

use std::fs;

use super::selftest;
use crate::{command, end, vhost_on};

#[test]
fn the_selftest_is_served_on_both_widths() {
    for width in [32, 64] {
        let files = tempfile::tempdir().unwrap();
        let mut command = command();
        let command = command.arg("run").arg(selftest(width));
        let ended = end(command.arg("--files").arg(files.path()));
        // After text, memory and files it calls a method, which is missing here.
        let last = ended.stdout.lines().last().unwrap().to_owned();
        let number = last.strip_prefix("[cpu] check ").unwrap_or(&last);
        let (number, rest) = number.split_once(' ').unwrap();
        assert!(rest.contains("mb_call(&mailbox, \"add\""), "{last}");
        assert_eq!(ended.status, Some(number.parse().unwrap()), "{ended:?}");
        assert!(ended.stdout.starts_with("[cpu] hello from firmware\n"));
        assert!(
            ended.stderr.contains("method `add` can't be called"),
            "{}",
            ended.stderr
        );
        let notes = fs::read_to_string(files.path().join("notes.txt")).unwrap();
        assert_eq!(notes, "first line\nsecond line\n");
    }
}

#[test]
fn without_a_directory_firmware_has_no_files() {
    let ended = vhost_on("run", &selftest(32));
    let last = ended.stdout.lines().last().unwrap();
    assert!(
        last.contains("failed, line") && last.ends_with("fd >= 10"),
        "{last}"
    );
    assert!(
        ended.stderr.contains("`notes.txt`: the system has no root"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_run_is_recorded_and_replays() {
    let folder = tempfile::tempdir().unwrap();
    let (by_option, by_variable) = (folder.path().join("a.trace"), folder.path().join("b.trace"));
    let mut with_option = command();
    with_option
        .arg("run")
        .arg(selftest(64))
        .arg("--files")
        .arg(folder.path());
    let ended = end(with_option.arg("--record").arg(&by_option));
    let mut with_variable = command();
    with_variable
        .arg("run")
        .arg(selftest(64))
        .env("VHOST_TRACE", &by_variable);
    let again = end(with_variable.env("MAILBOX_FS_ROOT", folder.path()));
    assert_eq!((ended.status, &ended.stdout), (again.status, &again.stdout));
    for trace in [by_option, by_variable] {
        let replayed = vhost_on("replay --print", &trace).stdout(0);
        assert!(replayed.starts_with(&ended.stdout), "{replayed}");
    }
}

#[test]
fn checkers_and_statistics_are_attached() {
    let folder = tempfile::tempdir().unwrap();
    let statistics = folder.path().join("requests.json");
    let mut with_option = command();
    with_option.arg("run").arg(selftest(32)).arg("--attach");
    let list = format!("check,statistics={}", statistics.display());
    let ended = end(with_option.arg(list).arg("--status"));
    assert!(fs::read_to_string(&statistics).unwrap().contains("CPRINT"));
    assert!(
        ended.stderr.contains("cpu: exited with code"),
        "{}",
        ended.stderr
    );
    let mut with_variable = command();
    with_variable
        .arg("run")
        .arg(selftest(32))
        .env("VHOST_ATTACH", "nothing");
    let error = end(&mut with_variable).stderr(125);
    assert!(
        error.contains("VHOST_ATTACH") && error.contains("`nothing`"),
        "{error}"
    );
}
