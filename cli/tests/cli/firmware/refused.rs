//! Rejected images and options, and damaged images.

use std::fs;
use std::path::Path;

use super::{EBREAK, Image, code, selftest, tree};
use crate::{command, end, vhost_on};
use test_support::elf::{Elf, Segment};

#[test]
fn an_image_without_a_channel_is_refused() {
    let mut elf = code(&[EBREAK]);
    elf.mailboxes.clear();
    let error = Image::of(&elf.build()).fails(&[], 125);
    assert!(
        error.contains("has no section .mailbox and no symbol `mailbox`"),
        "{error}"
    );
}

#[test]
fn images_of_other_kinds_are_refused() {
    let with = |change: fn(&mut Elf)| {
        let mut elf = code(&[EBREAK]);
        change(&mut elf);
        Image::of(&elf.build()).fails(&[], 125)
    };
    let error = with(|elf| elf.machine = 62);
    assert!(error.contains("is for another CPU (X86_64)"), "{error}");
    let error = with(|elf| elf.machine = 0xffff);
    assert!(error.contains("is for another CPU"), "{error}");
    let error = with(|elf| elf.entry = 0x1000);
    assert!(
        error.contains("begins at 0x1000, and space `cpu` has no memory there"),
        "{error}"
    );
    let error = with(|elf| elf.entry = u64::MAX);
    assert!(error.contains("begins at 0xffffffffffffffff"), "{error}");
    let error = with(|elf| elf.segments[0].mem_size = u64::MAX);
    assert!(error.contains("firmware.elf"), "{error}");
    let error = with(|elf| elf.segments[0].mem_size = 1 << 50);
    assert!(error.contains("too far apart for one RAM"), "{error}");
    let error = with(|elf| elf.segments.clear());
    assert!(error.contains("firmware.elf"), "{error}");
    let error = with(|elf| elf.segments.push(Segment::at(0x1000, &[1; 16], 16)));
    assert!(error.contains("too far apart"), "{error}");
    for text in ["", "\x7fELF", "text"] {
        let error = Image::of(text.as_bytes()).fails(&[], 125);
        assert!(error.contains("firmware.elf"), "{error}");
    }
    let missing = vhost_on("run", Path::new("no/such.elf")).stderr(125);
    assert!(missing.contains("no/such.elf"), "{missing}");
}

/// The exit status is one of the command or of firmware, for any image.
#[test]
fn damaged_images_end_with_a_status() {
    let good = fs::read(selftest(64)).unwrap();
    let mut state = 7_u64;
    let mut number = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..60 {
        let mut damaged = good.clone();
        match round % 3 {
            // A valid header with random bytes, or a missing end.
            0 => damaged.truncate(number(good.len())),
            kind => {
                let within = if kind == 1 { 64 + 56 * 4 } else { good.len() };
                for _ in 0..=number(4) {
                    damaged[number(within)] = number(256) as u8;
                }
            }
        }
        let image = Image::of(&damaged);
        let ended = image.run(["--max-instructions", "20000", "--mem", "64K"]);
        assert!(ended.status.is_some(), "{round}: {ended:?}");
        let aborted = ended.stderr.contains("panicked") || ended.status == Some(101);
        assert!(!aborted, "{round}: {ended:?}");
    }
}

#[test]
fn a_wrong_option_has_status_2() {
    let image = Image::of(&code(&[EBREAK]).build());
    for options in [
        &["--mem", "much"][..],
        &["--base", "here"],
        &["--per-tick", "0"],
        &["--max-instructions", "0"],
        &["--mem", "1M", "--memory", "mem.yaml"],
        &["--attach", "nothing"],
    ] {
        let error = image.fails(options, 2);
        assert!(error.contains(options[0]), "{error}");
    }
    let error = image.fails(&["--cache-line", "7"], 125);
    assert!(
        error.contains("cache_line") || error.contains("cache line"),
        "{error}"
    );
}

/// A run that can't start replaces the recording of an earlier one.
#[test]
fn a_run_that_can_not_start_has_failed_in_its_recording() {
    let image = Image::of(&code(&[EBREAK]).build());
    let trace = image.path("run.trace");
    let small = fs::read(selftest(32)).unwrap();
    fs::write(image.path("large.elf"), small).unwrap();
    let old = fs::read(tree().join("integration/golden/console-every-10000-clocks.trace")).unwrap();
    let cases = [
        ("", "missing.elf", "missing.elf"),
        ("", "large.elf --mem 64", "give --mem"),
        ("", "firmware.elf --base 0xf0000000", "give --base"),
        ("", "firmware.elf --mailbox no.yaml", "no.yaml"),
        ("", "firmware.elf --memory no.yaml", "no.yaml"),
        ("", "firmware.elf --save-at soon x", "--save-at soon"),
        ("VHOST_TRACE_COMPRESS=gzip", "firmware.elf", "gzip"),
        ("VHOST_ATTACH=nothing", "firmware.elf", "nothing"),
    ];
    for (variable, words, cause) in cases {
        for by_variable in [false, true] {
            fs::write(&trace, &old).unwrap();
            let mut run = command();
            run.arg("run").args(words.split(' '));
            run.current_dir(image.0.path());
            run.envs(variable.split_once('='));
            run.env("VHOST_RUN_ID", "night-7");
            match by_variable {
                true => run.env("VHOST_TRACE", &trace),
                false => run.arg("--record").arg(&trace),
            };
            let printed = end(&mut run).stderr(125);
            assert!(printed.contains(cause), "{printed}");
            let mut report = command();
            report.arg("report").arg(&trace).arg("--junit");
            let results = image.path("results.xml");
            let counts = end(report.arg(&results)).stdout(0);
            assert_eq!(counts, "1 run: 1 failed\n", "{cause}");
            let results = fs::read_to_string(results).unwrap();
            let reason = "message=\"fatal report in tick 0 by vhost run: ";
            assert!(
                results.contains(reason) && results.contains(cause),
                "{results}"
            );
            assert!(
                results.contains("name=\"id\" value=\"night-7\""),
                "{results}"
            );
            let (design, _) = words.split_once(".elf").unwrap();
            let design = format!("name=\"design\" value=\"{design}\"");
            assert!(results.contains(&design), "{results}");
            vhost_on("replay", &trace).stdout(0);
        }
    }
    // A wrong command line does not start a run.
    for words in [&["--no-such"][..], &["--attach", "nothing"]] {
        fs::write(&trace, &old).unwrap();
        let words = [words, &["--record", "run.trace"]].concat();
        let mut run = command();
        run.args(["run", "firmware.elf"]).args(words);
        end(run.current_dir(image.0.path())).stderr(2);
        assert_eq!(fs::read(&trace).unwrap(), old);
    }
}

#[test]
fn arguments_beside_a_configuration_are_refused_with_the_key() {
    let image = Image::of(&code(&[EBREAK]).build());
    image.put("mb.yaml", "cpu: {space: cpu, elf: \"${IMAGE}\"}\n");
    let mailbox = image.path("mb.yaml").display().to_string();
    let error = image.fails(&["--mailbox", &mailbox, "--", "one"], 2);
    assert!(error.contains("by the key `args` of a channel"), "{error}");
}
