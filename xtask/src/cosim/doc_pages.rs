//! Executes a page of `docs/` in an empty directory.
//!
//! A fenced block is the content of a file if the line before begins with the file's name in
//! backquotes and ends with a colon. Blocks of `sh` are the commands, and blocks of `text` their
//! expected output. Blocks of `console` are for tools that are not available here, and are ignored.
//! pip takes packages from the project's wheels.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::iter;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::build::{Builder, recreate_dir};
use super::simulate::watch;
use crate::library::SHIPPED;
use crate::programs;
use crate::tool::{GHDL, IVERILOG, Tool, UVM, UVM_NEWEST, WHEELS, python_packages, uvm};

/// Page to execute, run like a case.
pub(super) struct DocPage {
    /// Name of the file in `docs/`, without its extension.
    pub(super) name: &'static str,
    /// Tools needed beside those of all cases.
    pub(super) required: &'static [Tool],
    /// True if the page is part of the full run only.
    pub(super) full: bool,
}

/// All pages. The page with UVM is part of the full run only: the design `cluster` compiles UVM,
/// too.
pub(super) const PAGES: [DocPage; 4] = [
    DocPage {
        name: "c-programs",
        required: &programs::REQUIRED,
        full: false,
    },
    DocPage {
        name: "first-simulation",
        required: &[],
        full: false,
    },
    DocPage {
        name: "simulators",
        required: &[IVERILOG, GHDL],
        full: false,
    },
    DocPage {
        name: "systemverilog",
        required: &[UVM],
        full: true,
    },
];

/// Executes the page with the `vhost` command of this build. Returns the reason of a failure, or
/// `None`.
pub(super) fn run(builder: &Builder<'_>, name: &str) -> Result<Option<String>> {
    let root = builder.root();
    let file = root.join(format!("docs/{name}.md"));
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let page = Page::parse(&text)?;

    let folder = root.join("target/cosim").join(name);
    recreate_dir(&folder)?;
    for (name, content) in &page.files {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    let mut shell = Command::new("sh");
    if let Some(home) = uvm(UVM_NEWEST).as_deref().and_then(Path::parent) {
        shell.env("UVM_HOME", root.join(home));
    }
    shell
        .args(["-euc", &page.commands])
        .env("VHOST", root)
        .env(
            "PICORV32",
            root.join(python_packages()?)
                .join("pythondata_cpu_picorv32/verilog"),
        )
        .env("PATH", first_of_path(&root.join(SHIPPED))?)
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", root.join(WHEELS))
        .env_remove("LD_LIBRARY_PATH")
        .current_dir(&folder);
    builder.use_ccache(&mut shell);
    let (status, lines) = watch(shell, |_| ())?;
    if status != Some(0) {
        return Ok(Some("its commands fail".into()));
    }
    let missing = page.output.iter().find(|line| !lines.contains(line));
    Ok(missing.map(|line| format!("its commands don't print `{line}`")))
}

/// Command search path with a folder in front.
fn first_of_path(folder: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(folder.to_path_buf()).chain(env::split_paths(&path));
    env::join_paths(folders).context("the folder of the project has a `:` in its name")
}

#[derive(Debug, Default, PartialEq)]
struct Page {
    files: Vec<(String, String)>,
    commands: String,
    output: Vec<String>,
}

impl Page {
    fn parse(text: &str) -> Result<Self> {
        let mut page = Self::default();
        let mut name = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(language) = line.strip_prefix("```") else {
                if !line.is_empty() {
                    name = name_of_file(line);
                }
                continue;
            };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let content = block.join("\n") + "\n";
            match (language, name.take()) {
                ("sh", None) => page.commands += &content,
                ("console", None) => {}
                ("text", None) => page.output.extend(block.into_iter().map(String::from)),
                (_, Some(name)) => page.files.push((name, content)),
                (language, None) => bail!("a block of {language} is in no file"),
            }
        }
        Ok(page)
    }
}

/// File name in a line such as "`mem.yaml` describes the memories:".
fn name_of_file(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix('`')?.split_once('`')?;
    rest.ends_with(':').then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::super::{case, cocotb};
    use super::*;

    #[test]
    fn a_page_is_files_commands_and_output() {
        let text = "# T\n\n`a.c`:\n\n```c\nint a;\n```\n\n```sh\ncc a.c\n```\n`b` is not it\n\n```text\nb\n```\n";
        let page = Page {
            files: vec![("a.c".into(), "int a;\n".into())],
            commands: "cc a.c\n".into(),
            output: vec!["b".into()],
        };
        assert_eq!(Page::parse(text).ok(), Some(page));
        assert!(Page::parse("```c\nint a;\n```\n").is_err());
    }

    /// Tables on the page of simulators with a last column `case` or `cases` name existing cases.
    #[test]
    fn the_matrix_of_simulators_names_cases() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a root");
        let page = fs::read_to_string(root.join("docs/simulators.md")).expect("a page");
        let cases = case::read(root).expect("they are read");
        let last = |row| str::trim_end_matches(row, " |").rsplit(" | ").next();
        let mut names = vec![];
        let mut names_cases = false;
        for line in page.lines() {
            match line.starts_with('|').then(|| last(line)).flatten() {
                Some("case" | "cases") => names_cases = true,
                Some(cell) if names_cases => names.extend(cell.split('`').skip(1).step_by(2)),
                Some(_) => {}
                None => names_cases = false,
            }
        }
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            let is_case = cases.contains_key(name) || cocotb::is_case(name);
            assert!(is_case, "docs/simulators.md: there is no case {name}");
        }
    }
}
