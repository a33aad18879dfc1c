//! Checks names of functions, and so of tests, in all Rust files of the project, as `docs/names.md`
//! describes it.

use test_support::project::each_rust_file;

/// Words that stand for a noun, and those of speech, for which there are exact verbs: a test
/// `an_unknown_key_is_reported_with_a_similar_known_one`, not `an_unknown_key_is_told_which`.
const REFUSED: [&str; 14] = [
    "what", "whatever", "whether", "who", "whoever", "whom", "whose", "how", "which", "nobody",
    "told", "tells", "say", "says",
];

/// Names of the functions of a text, with their lines.
fn functions(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter_map(|(at, line)| {
        let code = line.split("//").next()?;
        let (before, rest) = code.split_once("fn ")?;
        let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let name = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()?;
        (is_word && !name.is_empty()).then_some((at, name))
    })
}

fn refused_word(name: &str) -> Option<&str> {
    name.split('_').find(|word| REFUSED.contains(word))
}

#[test]
fn functions_are_named_by_nouns_and_exact_verbs() {
    let (mut count, mut found) = (0, String::new());
    each_rust_file(|path, text| {
        for (at, name) in functions(text) {
            count += 1;
            if let Some(word) = refused_word(name) {
                found += &format!("{}:{at}: `{name}` has `{word}`\n", path.display());
            }
        }
    });
    assert!(count > 8000, "{count}");
    assert!(found.is_empty(), "name the thing, or the effect:\n{found}");
}

#[test]
fn names_are_found_with_their_words() {
    let text = "// fn who()\n    pub fn keys_that_are_told() {}\nlet whole_fn = fn_of();\nfn soldered<T>() {}\n";
    let names: Vec<_> = functions(text).collect();
    assert_eq!(names, [(2, "keys_that_are_told"), (4, "soldered")]);
    let words: Vec<_> = names.iter().map(|(_, name)| refused_word(name)).collect();
    assert_eq!(words, [Some("told"), None]);
}
