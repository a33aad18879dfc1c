//! Models of recorded runs, and the size of the page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::bounded::Gap;
use super::columns::{Detail, packed, request_text};
use super::run::{Bounds, RequestResult, RequestRow, Run, Step};
use super::verdict::Judgement;
use crate::waves::Segments;

const BOUNDS: Bounds = Bounds {
    requests: 100_000,
    reports: 1000,
    lines: 1000,
};

fn golden(name: &str) -> Run {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../integration/golden");
    let file: PathBuf = folder.join(name).with_extension("trace");
    Run {
        file: format!("{name}.trace"),
        ..Run::read(&file, BOUNDS).unwrap()
    }
}

/// Model as text, without the requests after the first few.
fn text(run: &Run) -> String {
    let mut text = String::new();
    let judgement = Judgement::of(run, false);
    writeln!(text, "{}: {:?}", run.file, judgement.verdict).unwrap();
    writeln!(text, "reasons {:?}", judgement.reasons).unwrap();
    writeln!(text, "signature {:?}", judgement.signature).unwrap();
    let (entries, ticks, end) = (run.entries, run.ticks, &run.end);
    writeln!(text, "{entries} entries, {ticks} ticks, {end:?}").unwrap();
    writeln!(text, "loaded {:x?}", run.identity.loaded).unwrap();
    for channel in &run.channels {
        let (requests, failed) = (channel.requests, channel.failed);
        let (name, protocol, state) = (&channel.name, channel.protocol, &channel.state);
        writeln!(
            text,
            "{name}: {protocol}, {requests} requests, {failed} failed, {state}"
        )
        .unwrap();
    }
    for row in run.requests.iter().take(6) {
        let (taken, answered) = (row.taken, row.answered);
        writeln!(
            text,
            "  {taken}..{answered} {}: {}",
            row.kind,
            request_text(row)
        )
        .unwrap();
    }
    for row in run.reports.iter() {
        writeln!(
            text,
            "  {} {:?} {}: {}",
            row.tick, row.severity, row.id, row.text
        )
        .unwrap();
    }
    for line in run.console.lines().iter() {
        writeln!(text, "  {} | {}", line.tick, line.text).unwrap();
    }
    if let Some(failure) = run.failure(false) {
        writeln!(
            text,
            "first error: {} {}: {}",
            failure.tick, failure.id, failure.text
        )
        .unwrap();
        for step in &failure.before {
            match step {
                Step::Request(row) => writeln!(text, "  {}", request_text(row)),
                Step::Report(row) => writeln!(text, "  {}", row.text),
            }
            .unwrap();
        }
    }
    text
}

#[test]
fn models_of_recorded_simulations() {
    let names = ["selftest", "console-every-10000-clocks", "uvm-cluster"];
    insta::assert_snapshot!(names.map(|name| text(&golden(name))).join("\n"));
}

#[test]
fn errors_that_are_allowed_do_not_fail_a_run() {
    let run = golden("selftest");
    let judgement = Judgement::of(&run, true);
    assert_eq!(judgement.verdict.name(), "passed");
    assert!(
        judgement
            .reasons
            .iter()
            .any(|reason| reason.ends_with("which is allowed"))
    );
}

#[test]
fn counts_are_those_of_all_requests_where_some_are_left_out() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../integration/golden/selftest.trace");
    let bounds = Bounds {
        requests: 10,
        ..BOUNDS
    };
    let (few, all) = (Run::read(&file, bounds).unwrap(), golden("selftest"));
    assert_eq!(few.counts(), all.counts());
    assert_eq!(few.table, all.table);
    let rows: Vec<_> = all.requests.iter().collect();
    let between = rows[5..rows.len() - 5].iter();
    let failed = between.filter(|row| row.result.mark() > 0).take(3);
    let kept = failed.clone().count();
    assert!(kept > 0);
    let expected = rows[..5]
        .iter()
        .chain(failed)
        .chain(&rows[rows.len() - 5..]);
    assert!(few.requests.iter().eq(expected.copied()));
    let gap = Gap {
        first: 5,
        kept,
        left_out: (rows.len() - 10 - kept) as u64,
    };
    assert_eq!(few.requests.gap(), gap);
}

#[test]
fn a_hundred_thousand_requests_take_less_than_a_megabyte() {
    let mut run = golden("uvm-cluster");
    let mut random = fastrand::Rng::with_seed(22);
    let mut tick = 0;
    for _ in 0..100_000 {
        tick += random.u64(0..200);
        let address = 0x8000_0000_u64 + random.u64(0..4096) * 16;
        let (kind, text, result) = match random.u8(..4) {
            0 => (
                "PRINT",
                format!("PRINT ptr {address:#x} len {}", random.u64(1..80)),
                RequestResult::Done,
            ),
            1 => (
                "MEMMOVE",
                format!(
                    "MEMMOVE dest {address:#x} src {:#x} len 64",
                    address ^ 0x1000
                ),
                RequestResult::Value(address),
            ),
            _ => (
                "CALL",
                format!("CALL method 0x2064c args [{:#x}]", random.u64(..1000)),
                RequestResult::Value(random.u64(..1000)),
            ),
        };
        run.requests.push(RequestRow {
            channel: random.usize(..3),
            segment: Segments::new().present(),
            kind,
            text,
            taken: tick - random.u64(0..=tick.min(50)),
            answered: tick,
            result,
        });
    }
    run.ticks = tick;
    let judgement = Judgement::of(&run, false);
    let size = Detail::of(&run, &judgement).packed().unwrap().len();
    // Without style and script.
    assert!(size < 900_000, "{size} bytes");
    if let Some(file) = std::env::var_os("VHOST_REPORT_SAMPLE") {
        let row = super::row_of(&run, Judgement::of(&run, false));
        let data = super::page::Data {
            index: packed(&[row], &[]).unwrap(),
            runs: vec![Detail::of(&run, &judgement).packed().unwrap()],
        };
        super::page::write(&data, std::fs::File::create(file).unwrap()).unwrap();
    }
}
