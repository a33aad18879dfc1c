//! Pages of `docs` as data: fenced blocks, and names in tables.

use std::collections::BTreeSet;

/// Path of a file of the project.
pub(crate) fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Text of a file of the project.
pub(crate) fn page(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// Contents of the fenced blocks of a language, in order.
pub(crate) fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let blocks = page.split(&*begin).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Content of the block after the line that begins with a file's name in backquotes.
pub(crate) fn block_of<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n`{name}`")).unwrap();
    let (_, rest) = rest.split_once("\n```").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once("```").unwrap().0
}

/// Rows of a section's tables, as cells, without headers and rules.
pub(crate) fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, section) = page
        .split_once(&format!("\n### {heading}\n"))
        .ok_or(heading)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let section = section.split("\n### ").next().unwrap();
    let mut rows: Vec<Vec<&str>> = vec![];
    for line in section.lines() {
        match line
            .strip_prefix("| ")
            .and_then(|line| line.strip_suffix(" |"))
        {
            // The row before a rule is the header.
            Some(line) if line.starts_with("---") => drop(rows.pop()),
            Some(line) => rows.push(line.split(" | ").collect()),
            None => {}
        }
    }
    assert!(!rows.is_empty(), "no table in {heading}");
    rows
}

/// Names in backquotes, with `{a,b}` expanded.
pub(crate) fn names(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .flat_map(expand)
        .collect()
}

/// Names in one column of a section's tables.
pub(crate) fn column(page: &str, heading: &str, column: usize) -> BTreeSet<String> {
    let rows = rows(page, heading);
    rows.iter().flat_map(|row| names(row[column])).collect()
}

fn expand(name: &str) -> Vec<String> {
    let Some((head, rest)) = name.split_once('{') else {
        return vec![name.to_owned()];
    };
    let (choices, tail) = rest.split_once('}').unwrap();
    let tails = expand(tail);
    let each = choices.split(',');
    each.flat_map(|choice| {
        tails
            .iter()
            .map(move |tail| format!("{head}{choice}{tail}"))
    })
    .collect()
}

#[test]
fn names_in_braces_are_written_out() {
    assert_eq!(
        names("`a_{x,y}_{1,2}b` and `c`"),
        ["a_x_1b", "a_x_2b", "a_y_1b", "a_y_2b", "c"]
    );
    let text = "\n### T\n\n| name | what |\n| --- | --- |\n| `a` | b |\n\n### U\n";
    assert_eq!(rows(text, "T"), [["`a`", "b"]]);
}
