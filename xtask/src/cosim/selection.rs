//! Options of `cargo xtask cosim`, and the cases that they select.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::benches::BENCHES;
use super::case::Cases;
use super::riscv_tests::Suite;
use super::{cocotb, command_selftest, doc_pages, on_qemu, riscv_tests};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Cases of integration/cases.toml, or pages of docs/; if none is named, those that stand for a
    /// kind. With --bench: plain, runs, uvm, load; if none is named, all
    pub(super) cases: Vec<String>,
    /// Run all cases
    #[arg(long, conflicts_with_all = ["cases", "bench", "golden"])]
    pub(super) full: bool,
    /// List the cases, and run nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Measure the host's overhead in a simulation, instead of running cases
    #[arg(long)]
    pub(super) bench: bool,
    /// Record the golden files of integration/golden again; runs only their cases
    #[arg(long, conflicts_with_all = ["cases", "bench"])]
    pub(super) golden: bool,
    /// Install nothing
    #[arg(long)]
    pub(super) no_install: bool,
    /// Run as many cases at a time. With more than one, output is printed when a group of cases is
    /// over
    #[arg(long, default_value_t = 1, conflicts_with_all = ["bench", "golden"])]
    pub(super) jobs: usize,
    /// Build the library with other features without optimisation
    #[arg(long)]
    pub(super) fast_build: bool,
}

/// Cases of the full run that are neither in cases.toml nor in a list of cases.
const SPECIAL: [&str; 2] = [on_qemu::NAME, command_selftest::NAME];

impl Args {
    /// Prints the names of the selected cases.
    pub(super) fn print_names(&self, cases: &Cases) {
        let cases = cases
            .iter()
            .filter(|(name, case)| self.selects(name, case.full));
        let pages = doc_pages::PAGES
            .iter()
            .filter(|page| self.selects(page.name, page.full));
        let cocotb = cocotb::CASES.iter();
        let cocotb = cocotb.filter(|case| self.selects(case.name, case.full));
        let names = cases.map(|(name, _)| name.as_str());
        let special = SPECIAL.into_iter().filter(|name| self.selects(name, true));
        let names = names.chain(special);
        names
            .chain(cocotb.map(|case| case.name))
            .chain(self.suites().map(|suite| suite.name))
            .chain(pages.map(|page| page.name))
            .for_each(|name| println!("{name}"));
    }

    /// Rejects unknown names of cases or benches.
    pub(super) fn check(&self, cases: &Cases) -> Result<()> {
        let is_known = |name: &str| match self.bench {
            true => BENCHES.iter().any(|bench| bench.name == name),
            false => {
                let is_page = doc_pages::PAGES.iter().any(|page| page.name == name);
                let is_suite = riscv_tests::SUITES.iter().any(|suite| suite.name == name);
                let is_special = SPECIAL.contains(&name) || cocotb::is_case(name);
                is_special || is_page || is_suite || cases.contains_key(name)
            }
        };
        match self.cases.iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(unknown) if self.bench => bail!(
                "there is no bench {unknown}; there are {}",
                BENCHES.map(|bench| bench.name).join(", ")
            ),
            Some(unknown) => {
                bail!("there is no case {unknown}; see cargo xtask cosim --full --list")
            }
        }
    }

    /// Selected suites of riscv-tests, all of which are part of the full run only.
    pub(super) fn suites(&self) -> impl Iterator<Item = Suite> {
        let suites = riscv_tests::SUITES.into_iter();
        suites.filter(|suite| self.selects(suite.name, true))
    }

    /// True if the case or bench of this name is selected. `full`: it is part of the full run only.
    pub(super) fn selects(&self, name: &str, full: bool) -> bool {
        match self.cases.as_slice() {
            [] => self.full || !full,
            named => named.iter().any(|case| case == name),
        }
    }
}

/// Maximum number of cases of a group.
const GROUP: usize = 8;

/// Cases that one process runs after the other.
pub(super) type Group = Vec<String>;

/// The selected cases in groups with the same simulation: those that may run beside others, and
/// those that may not. Threads of a simulation wait for each other actively: beside another process
/// they take many times as long.
pub(super) fn groups(args: &Args, cases: &Cases) -> (Vec<Group>, Vec<Group>) {
    let mut beside_by_model: BTreeMap<String, Group> = BTreeMap::new();
    let mut alone_by_model = beside_by_model.clone();
    for (name, case) in cases
        .iter()
        .filter(|(name, case)| args.selects(name, case.full))
    {
        let by_model = match case.threading {
            Some(_) => &mut alone_by_model,
            None => &mut beside_by_model,
        };
        let group = by_model.entry(case.model().name()).or_default();
        group.push(name.clone());
    }
    let pages = doc_pages::PAGES.iter();
    let pages = pages.filter(|page| args.selects(page.name, page.full));
    let mut groups: Vec<Group> = pages.map(|page| vec![page.name.to_owned()]).collect();
    let cocotb = cocotb::CASES.iter();
    let cocotb = cocotb.filter(|case| args.selects(case.name, case.full));
    // One group, since a recording is compared with that of the previous case.
    groups.push(cocotb.map(|case| case.name.to_owned()).collect());
    groups.retain(|group: &Group| !group.is_empty());
    let special = SPECIAL.into_iter().filter(|name| args.selects(name, true));
    groups.extend(special.map(|name| vec![name.to_owned()]));
    groups.extend(args.suites().map(|suite| vec![suite.name.to_owned()]));
    groups.extend(parts_of(&beside_by_model));
    (groups, parts_of(&alone_by_model).collect())
}

/// Groups of at most [`GROUP`] cases.
fn parts_of(by_model: &BTreeMap<String, Group>) -> impl Iterator<Item = Group> {
    let parts = by_model.values().flat_map(|group| group.chunks(GROUP));
    parts.map(<[String]>::to_vec)
}
