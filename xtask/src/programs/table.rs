//! Table of programs.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Deserialize;

/// Program to compile and to run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) name: String,
    /// Debian source package.
    pub(super) package: Option<String>,
    /// Rust crate, `NAME@VERSION`.
    #[serde(rename = "crate")]
    pub(super) krate: Option<String>,
    /// Shell commands in the folder of the source, before the first compilation.
    #[serde(default)]
    pub(super) prepare: String,
    /// Patterns of files; one that begins with `!` excludes files.
    pub(super) sources: Vec<String>,
    /// Files beside the table.
    #[serde(default)]
    pub(super) extra: Vec<String>,
    #[serde(default)]
    pub(super) include: Vec<String>,
    #[serde(default)]
    pub(super) options: Vec<String>,
    #[serde(default = "default_ram")]
    pub(super) mem: String,
    #[serde(default)]
    pub(super) quick: bool,
    #[serde(default)]
    pub(super) newlib: bool,
    /// Highest protocol version of the host.
    pub(super) protocol: Option<String>,
    pub(super) run: Vec<Run>,
    /// Content of files, by name.
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    /// Files of the source, by their names in the folder of the run.
    #[serde(default)]
    pub(super) copy: BTreeMap<String, String>,
    /// Lengths of files of random bytes, by name.
    #[serde(default)]
    pub(super) random: BTreeMap<String, usize>,
}

/// One run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    #[serde(default)]
    pub(super) args: Vec<String>,
    #[serde(default)]
    pub(super) stdin: String,
    /// Expected standard output of a program that does not run on this machine.
    pub(super) stdout: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    program: Vec<Program>,
}

fn default_ram() -> String {
    "16M".into()
}

/// Parses the table.
///
/// # Errors
/// An invalid table, or two programs of one name.
pub(super) fn parse(text: &str) -> Result<Vec<Program>> {
    let programs = toml::from_str::<Table>(text)?.program;
    for (index, program) in programs.iter().enumerate() {
        if programs[..index].iter().any(|it| it.name == program.name) {
            bail!("there are two programs `{}`", program.name);
        }
        if program.package.is_some() && program.krate.is_some() {
            bail!("`{}` has a package and a crate", program.name);
        }
    }
    Ok(programs)
}

/// True if the pattern matches the path. `*` stands for any characters except `/`.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(left) = path.strip_prefix(start) else {
        return false;
    };
    let name = left.split('/').next().unwrap_or_default();
    let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    ends.into_iter().any(|end| matches(rest, &left[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let programs = parse(include_str!("../../../firmware/programs/programs.toml"));
        let programs = programs.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(programs.iter().any(|program| program.quick));
        assert!(programs.iter().all(|program| !program.run.is_empty()));
    }

    #[test]
    fn two_programs_of_one_name_are_refused() {
        let one = "[[program]]\nname = \"a\"\nsources = []\nrun = []\n";
        assert_eq!(parse(one).map(|programs| programs.len()).ok(), Some(1));
        assert!(parse(&format!("{one}{one}")).is_err());
        assert!(parse(&format!("{one}package = \"p\"\ncrate = \"c@1\"\n")).is_err());
        assert!(parse(&format!("{one}unknown = 1\n")).is_err());
    }

    #[test]
    fn a_star_stands_for_a_part_of_a_name() {
        for (pattern, path) in [
            ("*.c", "a.c"),
            ("s/*.c", "s/a.c"),
            ("a.c", "a.c"),
            ("*", "é"),
            ("a*b*c", "abbc"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.c", "s/a.c"),
            ("*.c", "a.h"),
            ("a.c", "b.c"),
            ("s/*.c", "s/t/a.c"),
            ("*", "a/b"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}
