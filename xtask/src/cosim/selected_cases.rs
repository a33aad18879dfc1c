//! Run of all selected cases, one after the other.

use std::env;

use super::build::Builder;
use super::case::Cases;
use super::selection::Args;
use super::summary::Summary;
use super::{
    REQUIRED, case_run, cocotb, command_selftest, doc_pages, on_qemu, results, riscv_tests,
};
use crate::tool::{IVERILOG, Missing, OTHER_VERILATORS, Tool, Toolbox, download_wheels};

/// Selected cases, with the state of their run.
pub(super) struct SelectedCases<'a> {
    args: &'a Args,
    tools: Toolbox,
    builder: Builder<'a>,
    summary: Summary<'a>,
}

impl<'a> SelectedCases<'a> {
    pub(super) fn new(args: &'a Args, tools: Toolbox, builder: Builder<'a>) -> Self {
        let summary = Summary::new(builder.root());
        Self {
            args,
            tools,
            builder,
            summary,
        }
    }

    /// Runs the cases; returns true if all passed.
    pub(super) fn run(mut self, cases: &Cases) -> bool {
        self.run_designs(cases);
        if !self.args.golden {
            self.run_cocotb();
            // The remaining cases do not belong to one simulator.
            self.summary.version = None;
            self.run_riscv_tests();
            self.run_on_qemu();
            self.run_command_selftest();
            self.run_doc_pages();
        }
        self.summary.close()
    }

    /// True if all tools are there. Otherwise the case `name` is printed as skipped.
    fn has_tools(&mut self, name: &str, tools: &[Tool]) -> bool {
        let missing = self.tools.first_missing(tools);
        if let Some(Missing(reason)) = &missing {
            println!("skipped: {name}: {reason}");
        }
        missing.is_none()
    }

    /// Runs cases of `integration/cases.toml`.
    fn run_designs(&mut self, cases: &Cases) {
        let args = self.args;
        for (name, case) in cases {
            let is_selected = match args.golden {
                true => case.golden,
                false => args.selects(name, case.full),
            };
            if !is_selected {
                continue;
            }
            println!("\n{name}: {case}");
            if self.has_tools(name, &case.tools()) {
                self.summary.version = results::version(case);
                let builder = &mut self.builder;
                let run = || case_run::run(builder, name, case, args.golden);
                self.summary.run(name, run);
            }
        }
    }

    fn run_cocotb(&mut self) {
        let args = self.args;
        let cases = cocotb::CASES.iter();
        for case in cases.filter(|case| args.selects(case.name, case.full)) {
            println!("\n{}: integration/cocotb", case.name);
            if self.has_tools(case.name, case.required) {
                self.summary.version = case.version();
                let builder = &mut self.builder;
                self.summary.run(case.name, || cocotb::run(builder, case));
            }
        }
    }

    fn run_riscv_tests(&mut self) {
        let args = self.args;
        for suite in args.suites() {
            let name = suite.name;
            println!("\n{name}: riscv-tests");
            if env::var_os(riscv_tests::VARIABLE).is_none() {
                println!("skipped: {name}: {} is not set", riscv_tests::VARIABLE);
            } else if self.has_tools(name, &suite.required) {
                let builder = &mut self.builder;
                self.summary.run(name, || riscv_tests::run(builder, &suite));
            }
        }
    }

    fn run_on_qemu(&mut self) {
        let name = on_qemu::NAME;
        if !self.args.selects(name, true) {
            return;
        }
        println!("\n{name}: programs with semihosting");
        if !on_qemu::has_qemu() {
            println!("skipped: {name}: not found: qemu-system-riscv32");
        } else if self.has_tools(name, &on_qemu::REQUIRED) {
            let builder = &mut self.builder;
            self.summary.run(name, || on_qemu::run(builder));
        }
    }

    fn run_command_selftest(&mut self) {
        let name = command_selftest::NAME;
        if !self.args.selects(name, true) {
            return;
        }
        println!("\n{name}: vhost selftest in Verilator and Icarus Verilog");
        let others = OTHER_VERILATORS.into_iter();
        let others: Vec<Tool> = others
            .filter(|tool| self.has_tools(name, &[*tool]))
            .collect();
        let versions: Vec<&str> = others.into_iter().filter_map(Tool::version).collect();
        let has_icarus = self.has_tools(name, &[IVERILOG]);
        let builder = &self.builder;
        self.summary.run(name, || {
            command_selftest::run(builder, &versions, has_icarus)
        });
    }

    fn run_doc_pages(&mut self) {
        let args = self.args;
        let pages = doc_pages::PAGES.iter();
        for doc_page in pages.filter(|page| args.selects(page.name, page.full)) {
            let page = doc_page.name;
            let file = format!("docs/{page}.md");
            println!("\n{page}: {file}");
            if !self.has_tools(&file, doc_page.required) {
                continue;
            }
            if download_wheels(&REQUIRED) {
                let builder = &self.builder;
                self.summary.run(page, || doc_pages::run(builder, page));
            } else {
                println!("skipped: {file}: its Python packages can't be fetched from here");
            }
        }
    }
}
