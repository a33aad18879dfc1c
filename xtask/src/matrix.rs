//! `cargo xtask matrix`: writes the table of simulators in `docs/simulators.md` from the results of
//! the cases that have run here.
//!
//! `integration/matrix.toml` has the rows and their cases. A row stays unchanged if it has no
//! cases, or if one of them has not run here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cosim::{Results, results};

const PAGE: &str = "docs/simulators.md";
const ROWS: &str = "integration/matrix.toml";

/// Lines around the table.
const BEGIN: &str = "<!-- cargo xtask matrix -->";
const END: &str = "<!-- end -->";

const HEAD: [&str; 2] = [
    "| simulator | version | library by | memories | methods in | recorded and replayed | cases |",
    "| --- | --- | --- | --- | --- | --- | --- |",
];

/// Version of a simulator without cases.
const NOT_RUN: &str = "not run";

/// Row of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    simulator: String,
    /// Text behind the version: another program, with that program's version.
    with: Option<String>,
    #[serde(default)]
    library: String,
    #[serde(default)]
    memories: String,
    #[serde(default)]
    methods: String,
    #[serde(default)]
    cases: Vec<String>,
}

#[derive(Deserialize)]
struct Rows {
    row: Vec<Row>,
}

/// Writes the table.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let page = root.join(PAGE);
    let text = fs::read_to_string(&page).with_context(|| format!("cannot read {PAGE}"))?;
    let new = with_table(&text, &read(root)?, &results(root)?)?;
    fs::write(&page, new).with_context(|| format!("cannot write {PAGE}"))?;
    Ok(true)
}

fn read(root: &Path) -> Result<Vec<Row>> {
    let text =
        fs::read_to_string(root.join(ROWS)).with_context(|| format!("cannot read {ROWS}"))?;
    let rows: Rows = toml::from_str(&text).with_context(|| format!("{ROWS} is wrong"))?;
    Ok(rows.row)
}

/// Page with a new table.
fn with_table(page: &str, rows: &[Row], results: &Results) -> Result<String> {
    let (Some((before, rest)), Some((_, after))) = (page.split_once(BEGIN), page.split_once(END))
    else {
        bail!("{PAGE} has no lines `{BEGIN}` and `{END}`");
    };
    let old = rest.lines().take_while(|line| *line != END);
    let old: Vec<&str> = old.collect();
    let mut table = String::new();
    for line in HEAD {
        table += &format!("{line}\n");
    }
    for row in rows {
        let begin = format!("| {} |", row.simulator);
        let kept = old.iter().find(|line| line.starts_with(&begin));
        let line = match (row.line(results), kept) {
            // The line may have been printed by `vhost selftest` on another machine.
            (Ok(_), Some(kept)) if row.cases.is_empty() => (*kept).to_owned(),
            (Ok(line), _) => line,
            (Err(case), kept) => {
                println!("{}: {case} has not run here", row.simulator);
                let Some(kept) = kept else { continue };
                (*kept).to_owned()
            }
        };
        table += &format!("{line}\n");
    }
    Ok(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

impl Row {
    /// Line of the table by the results; fails with the first case without a result.
    fn line(&self, results: &Results) -> Result<String, &str> {
        let (mut versions, mut cases, mut is_good) = (BTreeSet::new(), vec![], true);
        for case in &self.cases {
            let result = results.get(case).ok_or(&**case)?;
            match result.passed {
                true => cases.push(format!("`{case}`")),
                false => cases.push(format!("`{case}` fails")),
            }
            is_good &= result.passed;
            versions.extend(result.version.as_deref());
        }
        let mut version: Vec<&str> = versions.into_iter().collect();
        version.extend(self.with.as_deref());
        let (version, replayed) = match (self.cases.is_empty(), is_good) {
            (true, _) => (NOT_RUN.to_owned(), ""),
            (false, true) => (version.join(", "), "yes"),
            (false, false) => (version.join(", "), "no"),
        };
        let cells = [
            &self.simulator,
            &version,
            &self.library,
            &self.memories,
            &self.methods,
            replayed,
            &cases.join(", "),
        ];
        let cells = cells.map(|cell| match cell {
            "" => " ".to_owned(),
            cell => format!(" {cell} "),
        });
        Ok(format!("|{}|", cells.join("|")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosim::CaseResult;

    fn row(simulator: &str, cases: &[&str]) -> Row {
        Row {
            simulator: simulator.to_owned(),
            with: None,
            library: "DPI".to_owned(),
            memories: String::new(),
            methods: String::new(),
            cases: cases.iter().map(|case| (*case).to_owned()).collect(),
        }
    }

    #[test]
    fn rows_are_written_from_results_and_others_stay() {
        let result = |passed, version: &str| CaseResult {
            passed,
            version: Some(version.to_owned()),
        };
        let results = Results::from([
            ("a".to_owned(), result(true, "2")),
            ("b".to_owned(), result(true, "1")),
            ("c".to_owned(), result(false, "1")),
        ]);
        let page = format!(
            "before\n{BEGIN}\n\n| x |\n| Kept | 7 | kept |\n| Sent | 3 | sent |\n| Gone | 1 |\n\n{END}\nafter\n"
        );
        let rows = [
            row("Two", &["a", "b"]),
            row("Fails", &["b", "c"]),
            row("Kept", &["a", "missing"]),
            row("New", &["missing"]),
            row("None", &[]),
            row("Sent", &[]),
        ];
        let new = with_table(&page, &rows, &results).expect("it has a table");
        let head = HEAD.join("\n");
        assert_eq!(
            new,
            format!(
                "before\n{BEGIN}\n\n{head}\n\
                 | Two | 1, 2 | DPI | | | yes | `a`, `b` |\n\
                 | Fails | 1 | DPI | | | no | `b`, `c` fails |\n\
                 | Kept | 7 | kept |\n\
                 | None | not run | DPI | | | | |\n\
                 | Sent | 3 | sent |\n\
                 \n{END}\nafter\n"
            )
        );
    }

    /// The page has exactly the rows of the list, each with its cases.
    #[test]
    fn the_page_has_the_rows_of_the_list() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a root");
        let rows = read(root).expect("they are read");
        let page = fs::read_to_string(root.join(PAGE)).expect("a page");
        let (_, rest) = page.split_once(BEGIN).expect("a table");
        let (table, _) = rest.split_once(END).expect("its end");
        let lines: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(lines[..2], HEAD);
        assert_eq!(lines.len() - 2, rows.len(), "{table}");
        for (line, row) in lines[2..].iter().zip(&rows) {
            assert!(
                line.starts_with(&format!("| {} |", row.simulator)),
                "{line}"
            );
            let cases: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
            let of_page = cases.iter().filter(|case| !case.starts_with('-'));
            let of_page: Vec<&str> = of_page.copied().collect();
            assert_eq!(of_page, row.cases, "{line}");
        }
    }
}
