//! Log of a system that is configured by the environment. The log belongs to the process, so each
//! case runs this test binary in a process of its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::process::{Command, Output};

use vhost::{Error, Vhost, mailbox_init};

/// Image whose segments and section `.mailbox` are in [`FIRMWARE_MEMORIES`].
const FIRMWARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/selftest-rv32.elf");

const FIRMWARE_MEMORIES: &str =
    "space: {core: [{ram: {base: 0, size: 0x1000000, path: tb.ram, width: 64, backend: static}}]}";

const MEMORIES: &str =
    "space: {core: [{ram: {base: 0x1000, size: 64, path: tb.ram, width: 64, backend: log}}]}";

/// Variable that is set in the separate process.
const IN_SUBPROCESS: &str = "VHOST_TEST_APART";

/// Runs the test of this name in a separate process, with the environment of a system and this
/// filter, and returns its log. `None` in that process.
fn in_subprocess(test: &str, filter: &str) -> Option<String> {
    in_subprocess_with(test, filter, MEMORIES, "")
}

/// Like [`in_subprocess`], with these configurations.
fn in_subprocess_with(test: &str, filter: &str, memories: &str, mailboxes: &str) -> Option<String> {
    if std::env::var_os(IN_SUBPROCESS).is_some() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let output: Output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(IN_SUBPROCESS, "")
        .env("MEM_CFG_FILE", file("mem.yaml", memories))
        .env("MAILBOX_CFG_FILE", file("mailbox.yaml", mailboxes))
        .env("MAILBOX_FS_ROOT", folder.path())
        .env("VHOST_LOG", filter)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stderr).unwrap())
}

fn start() -> Result<Vhost, Error> {
    mailbox_init(|_| Ok(()), |_| Ok(()), |_| Ok(()))
}

fn reads_and_writes() {
    let vhost = start().unwrap();
    assert_eq!(vhost.read("core", 0x100a, 9).unwrap(), [0; 9][..]);
    vhost.write_u8("core", 0x1000, 1).unwrap();
}

#[test]
fn the_backend_log_prints_each_access() {
    let Some(reported) = in_subprocess("the_backend_log_prints_each_access", "") else {
        return reads_and_writes();
    };
    let read = "read ram: tb.ram words 1..=2, 9 bytes";
    let write = "write ram: tb.ram words 0..=0, 1 bytes";
    assert!(
        reported.contains(read) && reported.contains(write),
        "{reported}"
    );
}

#[test]
fn the_filter_of_the_environment_silences_it() {
    let Some(reported) = in_subprocess("the_filter_of_the_environment_silences_it", "off") else {
        return reads_and_writes();
    };
    assert_eq!(reported, "");
}

#[test]
fn a_filter_that_is_none_is_refused() {
    if in_subprocess("a_filter_that_is_none_is_refused", "vhost=loud").is_none() {
        let error = start().unwrap_err();
        assert!(matches!(error, Error::LogFilter { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("VHOST_LOG: `vhost=loud`"), "{error}");
    }
}

/// Starts a system with an image and two channels, one of them served, and loads the image once
/// more.
fn starts_with_an_image(test: &str, filter: &str) -> Option<String> {
    let mailboxes = format!(
        "core0: {{space: core, elf: {FIRMWARE}, cache_line: 0}}\n\
         core1: {{space: core, elf: {FIRMWARE}, cache_line: 0, server: false}}\n"
    );
    let reported = in_subprocess_with(test, filter, FIRMWARE_MEMORIES, &mailboxes);
    if reported.is_none() {
        let vhost = start().unwrap();
        vhost.load_elf("core", FIRMWARE.as_ref()).unwrap();
    }
    reported
}

#[test]
fn the_start_of_a_system_is_logged_on_request() {
    let test = "the_start_of_a_system_is_logged_on_request";
    if let Some(reported) = starts_with_an_image(test, "vhost::start=info") {
        let load = format!("load elf {FIRMWARE}");
        assert_eq!(reported.matches(&load).count(), 2, "{reported}");
        assert_eq!(
            reported.matches("[core0(server)] started!").count(),
            1,
            "{reported}"
        );
        assert!(!reported.contains("core1(server)"), "{reported}");
    }
}

#[test]
fn the_start_of_a_system_is_not_logged_by_default() {
    let test = "the_start_of_a_system_is_not_logged_by_default";
    if let Some(reported) = starts_with_an_image(test, "") {
        assert!(
            !reported.contains("load elf") && !reported.contains("started!"),
            "{reported}"
        );
    }
}
