//! Scenarios that once failed, and the coverage of the generator.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;

use vhost_sim::coverage::{Coverage, GOALS};
use vhost_sim::generator::generate;
use vhost_sim::run::{run, run_twice};
use vhost_sim::scenario::Scenario;

#[test]
fn scenarios_that_failed_once_pass() {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for entry in fs::read_dir(scenarios).unwrap() {
        let file = entry.unwrap().path();
        let scenario: Scenario = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let passed = run_twice(&scenario, folder.path());
        passed.unwrap_or_else(|failed| panic!("{}: {failed}", file.display()));
        count += 1;
    }
    assert!(count > 1, "{count} scenarios");
}

#[test]
fn a_seed_is_a_scenario_and_a_scenario_a_run() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..20 {
        let scenario = generate(seed);
        assert_eq!(scenario, generate(seed));
        let text = serde_json::to_string(&scenario).unwrap();
        assert_eq!(scenario, serde_json::from_str(&text).unwrap());
        let runs = [run, run, run_twice].map(|run| {
            run(&scenario, folder.path()).unwrap_or_else(|failed| panic!("seed {seed}: {failed}"))
        });
        for other in &runs[1..] {
            assert_eq!(runs[0].hash, other.hash, "seed {seed}");
        }
    }
}

/// Takes half a minute without optimisation, so it runs in release builds.
#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "2,000 seeds take too long without optimisation"
)]
fn two_thousand_seeds_reach_every_goal() {
    let folder = tempfile::tempdir().unwrap();
    let mut coverage = Coverage::default();
    for seed in 0..2000 {
        let passed = run(&generate(seed), folder.path());
        coverage.add(
            &passed
                .unwrap_or_else(|failed| panic!("seed {seed}: {failed}"))
                .coverage,
        );
    }
    assert_eq!(
        coverage.missing(),
        Vec::<&str>::new(),
        "of {} goals",
        GOALS.len()
    );
}
