//! Cost of recordings and of attachments, in a run of the quickstart.
//!
//! All variants run in turn, and the fastest run of each counts, so that other load on the machine
//! affects all alike.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that can't start says why; its output is for reading"
)]

#[path = "../../examples/quickstart/main.rs"]
#[allow(
    dead_code,
    reason = "a program of its own, of which the bench uses what it needs"
)]
mod quickstart;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use quickstart::{SELFTEST, builder, run, start};
use vhost::Builder;
use vhost::attach::{Logger, ProtocolChecker, Statistics};

/// Runs of each variant.
const ROUNDS: u32 = 300;

/// Attachments of a run.
struct Variant {
    name: &'static str,
    attach: fn(Builder, &Path) -> Builder,
    fastest: Duration,
}

const fn variant(name: &'static str, attach: fn(Builder, &Path) -> Builder) -> Variant {
    Variant {
        name,
        attach,
        fastest: Duration::MAX,
    }
}

fn main() {
    let mut variants = vec![
        variant("nothing attached", |builder, _| builder),
        variant("recorded", |builder, folder| {
            builder.record(folder.join("run.trace"))
        }),
        variant("recorded nowhere", |builder, _| builder.record("/dev/null")),
        variant("protocol checker", |builder, _| {
            builder.attach(ProtocolChecker::new())
        }),
        variant("log", |builder, folder| {
            builder.attach(Logger::file(folder.join("run.log")))
        }),
        variant("statistics", |builder, _| builder.attach(Statistics::new())),
    ];
    if std::env::args().any(|argument| argument == "bare") {
        variants.truncate(1);
    }
    for _ in 0..ROUNDS {
        for variant in &mut variants {
            // A new folder: truncating an existing file costs more than all writes of a run.
            let folder = tempfile::tempdir().expect("a folder for files");
            let took = time(folder.path(), variant.attach);
            variant.fastest = variant.fastest.min(took);
        }
    }
    let bare = variants[0].fastest;
    println!("the quickstart's run, from start to shutdown");
    for Variant { name, fastest, .. } in variants {
        let (ns, ratio) = (
            fastest.as_nanos(),
            fastest.as_secs_f64() / bare.as_secs_f64(),
        );
        println!("{name:<20} {ns:>9} ns  {ratio:.3}");
    }
}

/// Time from start to shutdown.
fn time(folder: &Path, attach: fn(Builder, &Path) -> Builder) -> Duration {
    let since = Instant::now();
    let builder = builder(SELFTEST, folder, io::sink()).on_report(|_| ());
    let vhost = start(attach(builder, folder)).expect("a system");
    run(&vhost).expect("a run");
    vhost.shutdown();
    since.elapsed()
}
