//! Services of channels.

use bytes::Bytes;
use mailbox_rs::{Errno, NEWEST, VERSION};
use proptest::prelude::*;

use super::*;
use crate::channel::{ChannelServices, Clock, InputSource, OutputTarget, Severity, SeverityRule};

const MEMORIES: &str = "space:\n  s:\n    - ram: {base: 0, size: 65536, backend: log}\n";

fn channels(text: &str) -> Result<Vec<ChannelConfig>, String> {
    let outside = Fake::default().variable("WHO", "world");
    let map = parse_memory_map(MEMORIES, Path::new("mem.yaml"), &outside).unwrap();
    parse_mailboxes(text, Path::new("mb.yaml"), &map, &outside).map_err(|error| error.to_string())
}

/// Services of a channel with these keys.
fn services(keys: &str) -> Result<ChannelServices, String> {
    let mut channels = channels(&format!("c: {{space: s, base: 0, ptr: 32, {keys}}}\n"))?;
    Ok((*channels.remove(0).services).clone())
}

fn refused(keys: &str) -> String {
    services(keys).unwrap_err()
}

#[test]
fn services_have_defaults() {
    let expected = ChannelServices {
        stdin: InputSource::Nothing,
        stdout: OutputTarget::Console,
        stderr: OutputTarget::Console,
        arguments: Bytes::from_static(b"c\0"),
        environment: Bytes::new(),
        clock: Clock::Ticks { picoseconds: 1000 },
        seed: 0,
        severities: vec![],
        faults: None,
        is_old: false,
        adopts: false,
    };
    assert_eq!(services("").unwrap(), expected);
    // A `$` in a channel's name is not a variable.
    let found = channels("$WHO: {space: s, base: 0, ptr: 32}").unwrap();
    assert_eq!(&found[0].services.arguments[..], b"$WHO\0");
}

#[test]
fn firmware_is_adopted_only_if_configured() {
    let adopts = |keys: &str| services(keys).map(|services| services.adopts);
    assert!(!adopts("adopt: false").unwrap());
    for unset in ["$NO_SUCH", "'${NO_SUCH}'"] {
        assert!(!adopts(&format!("adopt: {unset}")).unwrap());
        // Each flag may be an unset variable.
        for key in ["load", "server", "zero_bss"] {
            assert!(
                services(&format!("{key}: {unset}")).is_ok(),
                "{key}: {unset}"
            );
        }
    }
    assert!(adopts("adopt: true").unwrap());
    assert!(adopts("adopt: true, load: false").unwrap());
    let error = adopts("adopt: true, load: true").unwrap_err();
    assert!(
        error.contains("the image would replace the memory"),
        "{error}"
    );
}

#[test]
fn services_are_those_of_the_text() {
    let found = services(
        "stdio: {stdin: testbench, stdout: raw, stderr: log/err}, args: [prog, '${WHO}', ''], \
         env: {A: $WHO, B: ''}, time: {period: 2500ps}, seed: 0x10, \
         errors: {open: {ENOENT: error, any: warning}, call: {ENOSYS: info}, sync: {EIO: fatal}}",
    );
    let found = found.unwrap();
    assert_eq!(found.stdin, InputSource::Testbench);
    assert_eq!(found.stdout, OutputTarget::Raw);
    assert_eq!(found.stderr, OutputTarget::File("log/err".to_owned()));
    assert_eq!(&found.arguments[..], b"prog\0world\0\0");
    assert_eq!(&found.environment[..], b"A=world\0B=\0");
    let clock = Clock::Ticks { picoseconds: 2500 };
    assert_eq!((found.clock, found.seed), (clock, 16));
    let rule = |operation, errno, severity| SeverityRule {
        operation,
        errno,
        severity,
    };
    assert_eq!(
        found.severities,
        [
            rule("call", Some(Errno::ENOSYS), Severity::Info),
            rule("open", Some(Errno::ENOENT), Severity::Error),
            rule("open", None, Severity::Warning),
            rule("sync", Some(Errno::EIO), Severity::Fatal),
        ]
    );
    let streams = services("stdio: {stdin: in, stdout: ./raw, stderr: console}").unwrap();
    assert_eq!(streams.stdin, InputSource::File("in".to_owned()));
    assert_eq!(streams.stdout, OutputTarget::File("./raw".to_owned()));
    assert_eq!(streams.stderr, OutputTarget::Console);
    assert_eq!(
        services("stdio: {stdin: none}").unwrap().stdin,
        InputSource::Nothing
    );
    assert_eq!(services("time: {clock: wall}").unwrap().clock, Clock::Wall);
}

#[test]
fn periods_are_whole_numbers_with_a_unit() {
    for (text, picoseconds) in [
        ("1ps", 1),
        ("10ns", 10_000),
        ("3 us", 3_000_000),
        ("7ms", 7_000_000_000),
        ("1s", 1_000_000_000_000),
    ] {
        let found = services(&format!("time: {{clock: ticks, period: {text}}}")).unwrap();
        assert_eq!(found.clock, Clock::Ticks { picoseconds }, "{text}");
    }
    for text in [
        "0ns",
        "'10'",
        "ns",
        "1.5ns",
        "2s",
        "-1ns",
        "1 fs",
        "99999999999999999999ps",
        "''",
    ] {
        let printed = refused(&format!("time: {{period: {text}}}"));
        assert!(
            printed.contains("`time.period` is") && printed.contains("10ns"),
            "{printed}"
        );
        assert!(printed.starts_with("mb.yaml:1: channel `c`"), "{printed}");
    }
    let printed = refused("time: {period: 10}");
    assert!(
        printed.contains("`time.period`") && printed.contains("`10`"),
        "{printed}"
    );
    let printed = refused("time: {clock: wall, period: 1ns}");
    assert!(printed.contains("wall time has none"), "{printed}");
    let printed = refused("time: {clock: tick}");
    assert!(printed.contains("did you mean `ticks`?"), "{printed}");
}

#[test]
fn versions_are_those_of_the_host() {
    for (text, version) in [("0.2", VERSION), ("'0.3'", NEWEST)] {
        let found = services(&format!("protocol: {text}")).unwrap();
        assert_eq!(found.is_old, version < NEWEST, "{text}");
    }
    for text in ["0.4", "2", "''", "0.2.1", "[0.2]", "none"] {
        let printed = refused(&format!("protocol: {text}"));
        assert!(printed.contains("`protocol`"), "{printed}");
        assert!(printed.starts_with("mb.yaml:1: channel `c`"), "{printed}");
    }
}

#[test]
fn unknown_names_are_refused_with_the_one_that_is_meant() {
    for (keys, parts) in [
        (
            "errors: {opn: {ENOENT: info}}",
            ["unknown operation `opn`", "did you mean `open`?"],
        ),
        (
            "errors: {open: {ENOET: info}}",
            ["`errors.open`", "did you mean `ENOENT`?"],
        ),
        (
            "errors: {open: {enoent: info}}",
            ["`errors.open`", "did you mean `ENOENT`?"],
        ),
        (
            "errors: {open: {all: info}}",
            ["unknown error `all`", "did you mean `any`?"],
        ),
        (
            "errors: {open: {any: warn}}",
            ["`errors.open.any`", "valid are info, warning"],
        ),
        (
            "errors: {open: {any: eror}}",
            ["unknown severity `eror`", "did you mean `error`?"],
        ),
        (
            "errors: {frobnicate: {any: info}}",
            ["unknown operation", "valid are print, memory"],
        ),
        ("stdio: {stdin: raw}", ["`stdio.stdin` is `raw`", "`./raw`"]),
        (
            "stdio: {stdout: testbench}",
            ["`stdio.stdout` is `testbench`", "for stdin"],
        ),
        (
            "stdio: {stderr: ''}",
            ["`stdio.stderr` is empty", "leave the key out"],
        ),
        (
            "stdio: {stdot: raw}",
            ["`stdio.stdot`", "did you mean `stdout`?"],
        ),
        ("env: {'A=B': x}", ["`A=B` is no name", "`=`"]),
        ("args: [\"a\\0b\"]", ["`args`", "NUL"]),
        ("args: ['$NONE']", ["`args`", "NONE"]),
        ("sdtio: {stdin: none}", ["`sdtio`", "did you mean `stdio`?"]),
        ("errors: [open]", ["`errors`", "map"]),
        ("seed: x", ["`seed`", ""]),
    ] {
        let printed = refused(keys);
        for part in parts {
            assert!(printed.contains(part), "{keys}: {printed}");
        }
        assert!(printed.starts_with("mb.yaml:1: channel `c`"), "{printed}");
    }
}

#[test]
fn the_line_of_a_wrong_name_is_reported() {
    let printed = channels(
        "c:\n  space: s\n  base: 0\n  ptr: 32\n  errors:\n    open:\n      ENOENT: info\n      EXIST: error\n",
    );
    let printed = printed.unwrap_err();
    assert!(printed.starts_with("mb.yaml:8: "), "{printed}");
}

#[test]
fn arguments_and_environment_are_bounded() {
    let long = "x".repeat(1 << 20);
    let printed = refused(&format!("args: [{long}]"));
    assert!(
        printed.contains("`args` has 1048577 bytes"),
        "{}",
        &printed[..200]
    );
    let printed = refused(&format!("env: {{A: {long}}}"));
    assert!(
        printed.contains("`env` has 1048579 bytes"),
        "{}",
        &printed[..200]
    );
    let fits = &long[1..];
    assert!(services(&format!("args: [{fits}]")).is_ok());
}

proptest! {
    #[test]
    fn no_text_does_harm(key in "(stdio|args|env|time|seed|errors)", value in ".{0,40}") {
        // Any result is allowed, but no panic.
        let _ = services(&format!("{key}: {value}"));
        let _ = services(&format!("{key}: {{{value}: {value}}}"));
    }
}

#[test]
fn faults_are_those_of_the_text() {
    let found = services(
        "faults: {seed: 7, files: {eio: 1%, ENOSPC: 0.25, short: 50%}, memory: {EFAULT: 1, flip: 1e-6}, \
         calls: {EBUSY: 0}, delay: 0..1000}",
    );
    let faults = found.unwrap().faults.unwrap();
    let files: Vec<_> = faults.files.iter().map(|(errno, _)| *errno).collect();
    assert_eq!(files, [Errno::ENOSPC, Errno::EIO]);
    assert_eq!(faults.files[0].1, 1 << 61);
    assert_eq!(faults.short, 1 << 62);
    assert_eq!(faults.memory[0].1, 1 << 63);
    assert!((9_223_000_000_000..9_224_000_000_000).contains(&faults.flip));
    assert_eq!(faults.calls[0].1, 0);
    assert_eq!((faults.seed, faults.delay), (7, Some(0..=1000)));
    for nothing in ["faults: {}", "faults: {seed: 7}", "faults: {files: {}}"] {
        assert_eq!(services(nothing).unwrap().faults, None, "{nothing}");
    }
    assert_eq!(
        services("faults: {delay: 5}")
            .unwrap()
            .faults
            .unwrap()
            .delay,
        Some(5..=5)
    );
}

#[test]
fn faults_that_make_no_sense_are_refused_by_their_keys() {
    for (faults, expected) in [
        (
            "files: {EOI: 1%}",
            "`faults.files`: unknown fault `EOI`; did you mean `EIO`?",
        ),
        (
            "calls: {short: 1%}",
            "`faults.calls`: unknown fault `short`",
        ),
        ("memory: {flop: 1%}", "did you mean `flip`?"),
        (
            "files: {EIO: 120%}",
            "`faults.files.EIO` is `120%`; give a probability from 0 to 1",
        ),
        ("files: {EIO: often}", "`faults.files.EIO` is `often`"),
        (
            "files: {EIO: 60%, EPERM: 60%}",
            "`faults.files`: the probabilities of its error numbers",
        ),
        ("files: {EIO: [1]}", "`EIO` is to be a probability"),
        (
            "delay: 9..3",
            "`faults.delay` is `9..3`; give the least and the largest number of ticks",
        ),
        ("delay: {}", "it is to be a range of ticks"),
        ("fils: {EIO: 1%}", "fils"),
        ("files: 3", "files"),
    ] {
        let error = refused(&format!("faults: {{{faults}}}"));
        assert!(error.contains(expected), "{faults}: {error}");
        assert!(error.contains("mb.yaml:1"), "{faults}: {error}");
    }
}
