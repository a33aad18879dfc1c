//! Findings of the protocol checker in a run, and their effect on its result.

use std::fs;

use super::Image;
use super::htif::{compile, for_each_kind};

/// A command of a device that does not exist, then the exit.
const ASTRAY: &str = "int main(void) { send(7ull << 56 | 1); return CODE; }";

#[test]
fn errors_of_the_checker_fail_a_run() {
    for_each_kind(|image, width, options| {
        let run = |code: &str, list: &str| {
            compile(image, width, options, &ASTRAY.replace("CODE", code));
            let trace = image.path("run.trace");
            image.run([
                "--attach".as_ref(),
                list.as_ref(),
                "--record".as_ref(),
                trace.as_os_str(),
            ])
        };
        // Firmware's own failure takes precedence.
        run("5", "check").stderr(5);
        let printed = run("0", "check=warning").stderr(0);
        assert!(
            printed.contains("vhost: warning: protocol: tick "),
            "{printed}"
        );
        assert_eq!(verdict(image), "passed");
        let printed = run("0", "check").stderr(123);
        let lines: Vec<&str> = printed.lines().collect();
        let first = lines.iter().find_map(|it| it.split_once("protocol: tick "));
        let (_, first) = first.expect("a finding");
        let last = lines.last().expect("a summary");
        let expected = format!(
            "vhost: error: attach: attached checkers have found 1 error: protocol: tick {first}"
        );
        assert_eq!(*last, expected);
        assert_eq!(verdict(image), "failed");
        // The replay has the findings of its own checker.
        let trace = image.path("run.trace");
        crate::vhost(["replay".as_ref(), trace.as_os_str()]).stdout(0);
        let error = crate::vhost([
            "replay".as_ref(),
            "--attach".as_ref(),
            "check".as_ref(),
            trace.as_os_str(),
        ])
        .stderr(1);
        assert_eq!(error.matches("which does not exist").count(), 1, "{error}");
    });
}

/// Verdict of the recorded run, which must be the same in the JUnit results and on the page.
/// Allowed errors are those of the host, not of the checker.
fn verdict(image: &Image) -> &'static str {
    let [page, junit] = ["run.html", "run.xml"].map(|name| image.path(name));
    let trace = image.path("run.trace");
    let verdicts = [None, Some("--allow-errors")].map(|allowed| {
        let words = ["report".as_ref(), trace.as_os_str(), "-o".as_ref()];
        let rest = [page.as_os_str(), "--junit".as_ref(), junit.as_os_str()];
        let words = words.into_iter().chain(rest);
        crate::vhost(words.chain(allowed.map(std::ffi::OsStr::new))).stdout(0);
        let results = fs::read_to_string(&junit).unwrap();
        match results.contains("<failure") {
            true => {
                let is_counted = results.contains("1 error was reported");
                assert_eq!(is_counted, allowed.is_none(), "{results}");
                assert!(results.contains("attached checkers have found 1 error"));
                "failed"
            }
            false => "passed",
        }
    });
    assert_eq!(verdicts[0], verdicts[1]);
    verdicts[0]
}
