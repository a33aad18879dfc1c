//! Checks the form of doc comments in all Rust files of the project, as `docs/names.md` describes
//! it.

use test_support::project::{each_file, each_rust_file};

/// Words that begin a relative clause. A summary that begins with one describes the item in a
/// roundabout way.
const RELATIVE: [&str; 8] = [
    "what", "how", "whether", "who", "whom", "whose", "where", "which",
];

/// Maximum share of doc comments that may begin with a relative word, in percent.
const MAX_RELATIVE_PERCENT: usize = 2;

/// Maximum number of columns of a line that is a comment.
const COLUMNS: usize = 100;

/// Beginning of comment lines, by the extension of a file's name.
const COMMENT_MARKS: [(&str, &[&str]); 10] = [
    ("rs", &["//"]),
    ("c", &["//", "* "]),
    ("cpp", &["//", "* "]),
    ("h", &["//", "* "]),
    ("sv", &["//"]),
    ("svh", &["//"]),
    ("v", &["//"]),
    ("vhd", &["--"]),
    ("py", &["# "]),
    ("toml", &["# "]),
];

/// Doc comment: consecutive lines of `///` or of `//!`.
struct Comment {
    /// File and line of the first line.
    place: String,
    text: String,
}

/// Marker of a doc comment at the beginning of a line, and the text behind it.
fn doc_line(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let (marker, text) = line.split_at_checked(3)?;
    let is_doc = matches!(marker, "///" | "//!") && !text.starts_with('/');
    is_doc.then_some((marker, text))
}

/// Doc comments of a file with this name.
fn comments_of(name: &str, text: &str) -> Vec<Comment> {
    let mut comments: Vec<Comment> = vec![];
    let mut before = None;
    for (at, line) in text.lines().enumerate() {
        let found = doc_line(line);
        let marker = found.map(|(marker, _)| marker);
        if let Some((_, text)) = found {
            match comments.last_mut().filter(|_| marker == before) {
                Some(comment) => comment.text.push_str(text),
                None => comments.push(Comment {
                    place: format!("{name}:{}", at + 1),
                    text: text.to_owned(),
                }),
            }
        }
        before = marker;
    }
    comments
}

fn all_comments() -> Vec<Comment> {
    let mut comments = vec![];
    each_rust_file(|path, text| {
        comments.extend(comments_of(&path.display().to_string(), text));
    });
    assert!(comments.len() > 3000, "{}", comments.len());
    comments
}

fn begins_with_a_relative_word(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let first = first.trim_end_matches(|c: char| !c.is_alphabetic());
    RELATIVE.iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// True for one word. A code span is more than a word: `%x` is a complete comment of a variant.
fn is_one_word(text: &str) -> bool {
    let mut words = text.split_whitespace();
    matches!((words.next(), words.next()), (Some(word), None) if !word.starts_with('`'))
}

fn places(comments: &[&Comment]) -> String {
    let lines = comments
        .iter()
        .map(|Comment { place, text }| format!("{place}:{text}\n"));
    lines.collect()
}

#[test]
fn few_doc_comments_begin_with_a_relative_word() {
    let comments = all_comments();
    let relative: Vec<_> = comments
        .iter()
        .filter(|comment| begins_with_a_relative_word(&comment.text))
        .collect();
    assert!(
        relative.len() * 100 <= comments.len() * MAX_RELATIVE_PERCENT,
        "{} of {} doc comments begin with a relative word; begin with a noun phrase, or a verb with its object:\n{}",
        relative.len(),
        comments.len(),
        places(&relative)
    );
}

/// Folders of the library and of the programs, without those that are tests as a whole.
const PRODUCTS: [&str; 5] = [
    "src/",
    "cli/src/",
    "mailbox_rs/src/",
    "riscv_iss/src/",
    "xtask/src/",
];

/// True for a file of tests.
fn is_of_tests(place: &str) -> bool {
    place.contains("/tests/") || place.contains("tests.rs:")
}

/// A clause as "what the bus polls" stands for a noun: the words that the bus polls.
#[test]
fn no_doc_comment_has_a_clause_in_place_of_a_noun() {
    let comments = all_comments();
    let has_what = |comment: &&Comment| {
        let words = comment.text.split(|c: char| !c.is_alphanumeric());
        words.map(str::to_lowercase).any(|word| word == "what")
    };
    let headless = comments.iter().filter(|comment| {
        let place = comment.place.as_str();
        PRODUCTS.iter().any(|folder| place.starts_with(folder)) && !is_of_tests(place)
    });
    let headless: Vec<_> = headless.filter(has_what).collect();
    assert!(
        headless.is_empty(),
        "name the thing in place of `what …`:\n{}",
        places(&headless)
    );
}

#[test]
fn no_doc_comment_is_one_word() {
    let comments = all_comments();
    let short: Vec<_> = comments
        .iter()
        .filter(|comment| is_one_word(&comment.text))
        .collect();
    assert!(
        short.is_empty(),
        "doc comments of one word, which repeat a name:\n{}",
        places(&short)
    );
}

/// Comment lines of a text that are too long. Longer ones may be a word without a space, a row of a
/// table, and a listing, which is indented or between lines of backquotes.
fn long_comment_lines<'a>(marks: &[&str], text: &'a str) -> Vec<(usize, &'a str)> {
    let mut in_listing = false;
    let mut is_long = |line: &str| {
        let line_text = line.trim_start();
        let mark = marks.iter().find(|mark| line_text.starts_with(**mark));
        let Some(comment) = mark.and_then(|mark| line_text.strip_prefix(mark)) else {
            in_listing = false;
            return false;
        };
        let comment = comment.trim_start_matches(['/', '!']);
        let text = comment.trim();
        in_listing ^= text.starts_with("```");
        let may_be_long = in_listing || comment.starts_with("    ") || text.starts_with('|');
        line.chars().count() > COLUMNS && !may_be_long && text.contains(' ')
    };
    let lines = (1..).zip(text.lines());
    lines.filter(|(_, line)| is_long(line)).collect()
}

#[test]
fn comment_lines_are_not_longer_than_text_of_the_documentation() {
    let mut places = String::new();
    each_file(|path, text| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let marks = COMMENT_MARKS.iter().find(|(of, _)| Some(*of) == extension);
        let Some((_, marks)) = marks else { return };
        for (at, line) in long_comment_lines(marks, text) {
            places += &format!("{}:{at}:{line}\n", path.display());
        }
    });
    assert!(
        places.is_empty(),
        "comments are wrapped at {COLUMNS} columns:\n{places}"
    );
}

/// Verilator takes a comment that begins with its name for a directive.
#[test]
fn no_comment_of_systemverilog_is_a_directive_of_verilator() {
    let mut places = String::new();
    each_file(|path, text| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("sv" | "svh" | "v")) {
            return;
        }
        for (at, line) in (1..).zip(text.lines()) {
            let comment = line.trim_start().strip_prefix("//").unwrap_or_default();
            if comment
                .trim_start()
                .to_lowercase()
                .starts_with("verilator ")
            {
                places += &format!("{}:{at}:{line}\n", path.display());
            }
        }
    });
    assert!(places.is_empty(), "begin with another word:\n{places}");
}

#[test]
fn long_comment_lines_are_found() {
    let word = "w".repeat(COLUMNS);
    let short = format!("//! {word}\n//     a {word}\n// | a {word}\nlet a = {word} // a\n");
    let listing = format!("/// ```\n/// a {word}\n/// ```\n");
    let text = format!("    // a {word}\n{short}{listing}/// a {word}\n");
    let found = long_comment_lines(&["//"], &text);
    let numbers: Vec<usize> = found.into_iter().map(|(at, _)| at).collect();
    assert_eq!(numbers, [1, 9]);
}

#[test]
fn comments_are_found_as_they_are_written() {
    let text = "//! Module.\n\n/// What it\n/// does.\nfn a() {}\n// Whether\n//// Who\n    /// `%x`\n    x,\n";
    let comments = comments_of("a.rs", text);
    let found: Vec<_> = comments
        .iter()
        .map(|comment| (comment.place.as_str(), comment.text.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("a.rs:1", " Module."),
            ("a.rs:3", " What it does."),
            ("a.rs:8", " `%x`"),
        ]
    );
    let relative = comments
        .iter()
        .map(|comment| begins_with_a_relative_word(&comment.text));
    assert!(relative.eq([false, true, false]));
    let short = comments.iter().map(|comment| is_one_word(&comment.text));
    assert!(short.eq([true, false, false]));
}
