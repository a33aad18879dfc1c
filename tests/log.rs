//! What a system from the environment logs. The log is the process's, so each case has a process of its own: this test
//! binary, run again.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::process::{Command, Output};

use vhost::{Error, Vhost, mailbox_init};

const MEMORIES: &str =
    "space: {core: [{ram: {base: 0x1000, size: 64, path: tb.ram, width: 64, backend: log}}]}";

/// Set in the process that plays the case.
const APART: &str = "VHOST_TEST_APART";

/// Runs the test of this name again, in a process of its own, with the environment of a system and this filter. None in
/// that process.
fn apart(test: &str, filter: &str) -> Option<String> {
    if std::env::var_os(APART).is_some() {
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
        .env(APART, "")
        .env("MEM_CFG_FILE", file("mem.yaml", MEMORIES))
        .env("MAILBOX_CFG_FILE", file("mailbox.yaml", ""))
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
fn the_backend_log_tells_of_each_access() {
    let Some(told) = apart("the_backend_log_tells_of_each_access", "") else {
        return reads_and_writes();
    };
    let read = "read ram: tb.ram words 1..=2, 9 bytes";
    let write = "write ram: tb.ram words 0..=0, 1 bytes";
    assert!(told.contains(read) && told.contains(write), "{told}");
}

#[test]
fn the_filter_of_the_environment_silences_it() {
    let Some(told) = apart("the_filter_of_the_environment_silences_it", "off") else {
        return reads_and_writes();
    };
    assert_eq!(told, "");
}

#[test]
fn a_filter_that_is_none_is_refused() {
    if apart("a_filter_that_is_none_is_refused", "vhost=loud").is_none() {
        let error = start().unwrap_err();
        assert!(matches!(error, Error::LogFilter { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("VHOST_LOG: `vhost=loud`"), "{error}");
    }
}
