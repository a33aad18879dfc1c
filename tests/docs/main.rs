//! Compares the pages of `docs` with the code.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod conformance;
mod host;
mod migrating;
mod names;
mod page;
mod places;
mod verilog;

use std::collections::HashSet;
use std::path::Path;

use mailbox_rs::{CacheLine, Layout, PtrWidth, RequestEntry, ResponseEntry};
use page::{blocks, file, page};
use vhost::config::{ConfigEnvironment, parse_mailboxes, parse_memory_map};
use vhost::mem::{Image, ImageError};
use vhost::messages::Clock;

/// Configuration environment in which every variable is set and every file is the quickstart's
/// firmware.
struct Anywhere;

impl ConfigEnvironment for Anywhere {
    fn variable(&self, name: &str) -> Option<String> {
        Some(format!("{name}.file"))
    }

    fn image(&self, _: &Path) -> Result<Image, ImageError> {
        Image::open(file("firmware/selftest-rv32.elf").as_ref())
    }

    fn is_file(&self, _: &Path) -> bool {
        true
    }
}

/// YAML blocks of a page.
fn yaml(page: &str) -> Vec<&str> {
    blocks(page, "yaml")
}

#[test]
fn the_excerpts_of_the_host_crate_page_are_in_the_example() {
    let text = page("docs/host-crate.md");
    let code = page("examples/host_crate/src/lib.rs");
    let excerpts = blocks(&text, "rust,ignore");
    assert_eq!(excerpts.len(), 3);
    for excerpt in excerpts {
        assert!(code.contains(excerpt), "not in the example:\n{excerpt}");
    }
    let memories = page("examples/host_crate/mem.yaml");
    assert!(yaml(&text).iter().all(|block| memories.contains(block)));
}

#[test]
fn the_examples_of_the_configuration_page_are_taken() {
    let text = page("docs/configuration.md");
    let [memories, mailboxes, services] = yaml(&text)[..] else {
        panic!("the page has three examples")
    };
    let map = parse_memory_map(memories, Path::new("memories"), &Anywhere).unwrap();
    let names: Vec<_> = map
        .memories
        .iter()
        .map(|memory| memory.name.as_str())
        .collect();
    assert_eq!(names, ["ilm", "ram", "boot", "other_ram", "sram"]);
    // The page's image does not exist here: only the channel without an image can be parsed.
    let channel = &mailboxes[mailboxes.find("core1:").unwrap()..];
    let channels = parse_mailboxes(channel, Path::new("mailboxes"), &map, &Anywhere).unwrap();
    assert_eq!(channels[0].mailbox().unwrap().address, 0x9000_0100);

    let services = services.replace("elf: ${FIRMWARE}", "server: no");
    let channels = parse_mailboxes(&services, Path::new("mailboxes"), &map, &Anywhere).unwrap();
    let services = &channels[0].services;
    assert_eq!(
        services.arguments.escape_ascii().to_string(),
        "lua\\x00main.lua\\x00SCENARIO.file\\x00"
    );
    let clock = Clock::Ticks {
        picoseconds: 10_000,
    };
    assert_eq!((services.clock, services.severities.len()), (clock, 2));
}

#[test]
fn the_examples_of_the_readme_are_taken() {
    let text = page("README.md");
    let [memories, mailboxes] = yaml(&text)[..] else {
        panic!("the page has two examples")
    };
    let map = parse_memory_map(memories, Path::new("memories"), &Anywhere).unwrap();
    // The quickstart's firmware has no cache line; features may choose another default.
    let mailboxes = mailboxes.replace("}     #", ", cache_line: 0} #");
    let channels = parse_mailboxes(&mailboxes, Path::new("mailboxes"), &map, &Anywhere).unwrap();
    assert_eq!(channels[0].name, "core0");
}

#[test]
fn the_sizes_of_the_protocol_page_are_those_of_the_code() {
    let text = page("docs/protocol.md");
    let row = |name: &str| -> [u64; 2] {
        let mut rows = text.lines().filter_map(|line| {
            let cells = line.strip_prefix(&format!("| {name} | "))?.split('|');
            let numbers = cells.filter_map(|cell| cell.trim().parse().ok());
            numbers.collect::<Vec<u64>>().try_into().ok()
        });
        rows.next().unwrap()
    };
    let widths = [PtrWidth::P4, PtrWidth::P8];
    assert_eq!(
        row("request"),
        widths.map(|width| RequestEntry::size(width) as u64)
    );
    assert_eq!(
        row("response"),
        widths.map(|width| ResponseEntry::size(width) as u64)
    );
    let queue = |width| Layout::new(width, CacheLine::None).request.size;
    assert_eq!(row("request queue"), widths.map(queue));
}

/// Anchor of a heading, as GitHub generates it.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_lead_to_files_and_headings() {
    let docs = std::fs::read_dir(file("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let root = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| file(name).into());
    let mut checked = 0;
    for page in docs.chain(root) {
        let text = std::fs::read_to_string(&page).unwrap();
        let prose = text.split("\n```").step_by(2);
        for target in prose.flat_map(|part| part.split("](").skip(1)) {
            let target = target.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let linked = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            assert!(linked.exists(), "{}: no {target}", page.display());
            if !fragment.is_empty() {
                let linked = std::fs::read_to_string(&linked).unwrap();
                let found = linked
                    .lines()
                    .filter_map(|line| line.strip_prefix('#'))
                    .any(|heading| anchor(heading.trim_start_matches('#').trim()) == fragment);
                assert!(found, "{}: no heading {target}", page.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

/// Columns of prose. Tables, code and links that can't be broken may be longer.
const COLUMNS: usize = 100;

#[test]
fn prose_is_wrapped_at_100_columns() {
    let docs = std::fs::read_dir(file("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "integration/README.md",
    ];
    let others = others.map(|name| file(name).into());
    let mut long = vec![];
    for page in docs.chain(others) {
        let text = std::fs::read_to_string(&page).unwrap();
        let mut in_code = false;
        for (at, line) in text.lines().enumerate() {
            let text = line.trim_start();
            in_code ^= text.starts_with("```");
            let is_prose = !in_code && !text.starts_with(['|', '#']);
            let can_break = text.trim_start_matches("- ").contains(' ');
            if is_prose && can_break && line.chars().count() > COLUMNS {
                long.push(format!("{}:{}: {line}", page.display(), at + 1));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_page_on_performance_has_the_counts_that_are_kept() {
    let text = page("docs/performance.md");
    let (_, section) = text.split_once("\n## Instructions\n").unwrap();
    let counts = page("benches/instructions/counts.txt");
    for line in counts
        .lines()
        .filter(|line| !line.starts_with("idle tick, recorded"))
    {
        let (name, count) = line.rsplit_once(": ").unwrap();
        let count = match count.len() {
            0..=3 => count.to_owned(),
            len => format!("{},{}", &count[..len - 3], &count[len - 3..]),
        };
        let shown = |end| section.contains(&format!(" | {count}{end}"));
        assert!(shown(" |") || shown(" ("), "{name}: {count}");
    }
}

/// Collects names of tests in the Rust files of a folder.
fn tests(folder: &Path, names: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let heads = text.split("#[test]\n").skip(1);
            // Further attributes may come before the function.
            let heads = heads.filter_map(|rest| Some(rest.split_once("fn ")?.1));
            names.extend(heads.map(|head| head.split(['(', '<']).next().unwrap().to_owned()));
        }
    }
}

/// Names of the workspace's tests.
fn all_tests() -> HashSet<String> {
    let mut known = HashSet::new();
    for folder in ["src", "tests", "mailbox_rs", "vhost_sim", "cli"] {
        tests(file(folder).as_ref(), &mut known);
    }
    known
}

#[test]
fn every_guarantee_of_the_page_on_reliability_names_its_tests() {
    let known = all_tests();
    let text = page("docs/reliability.md");
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let heads = ["| guarantee", "| what", "| ---"];
    let rows = rows.filter(|row| !heads.iter().any(|head| row.starts_with(head)));
    let mut guarantees = 0;
    for row in rows {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in cell.split(", ") {
            let name = name.trim_matches('`');
            assert!(known.contains(name), "{name} of {row}");
        }
        guarantees += 1;
    }
    assert!(guarantees > 20);
}
