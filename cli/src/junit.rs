//! Texts of JUnit results in XML attributes.

use quick_junit::{Report, SerializeError};

/// White space that XML readers convert to a space in attributes, with a replacement character that
/// occurs in no text, and its escape.
const ESCAPES: [(char, char, &str); 3] = [
    ('\t', '\u{fdd0}', "&#9;"),
    ('\n', '\u{fdd1}', "&#10;"),
    ('\r', '\u{fdd2}', "&#13;"),
];

/// Text for an attribute of results that [`text_of`] writes.
pub(crate) fn attribute(text: &str) -> String {
    let mark = |c| {
        let mut escapes = ESCAPES.iter();
        escapes
            .find(|(of, ..)| *of == c)
            .map_or(c, |(_, to, _)| *to)
    };
    text.chars().map(mark).collect()
}

/// Text of results.
pub(crate) fn text_of(report: &Report) -> Result<String, SerializeError> {
    let mut text = report.to_string()?;
    for (_, mark, escape) in ESCAPES {
        if text.contains(mark) {
            text = text.replace(mark, escape);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use quick_junit::{TestCase, TestCaseStatus, TestSuite};

    use super::*;

    #[test]
    fn white_space_of_attributes_is_escaped() {
        let mut suite = TestSuite::new("suite");
        let name = attribute("a\tb\nc\rd <e>");
        suite.add_test_case(TestCase::new(name, TestCaseStatus::success()));
        let mut report = Report::new("report");
        report.add_test_suite(suite);
        let text = text_of(&report).unwrap();
        assert!(
            text.contains("name=\"a&#9;b&#10;c&#13;d &lt;e&gt;\""),
            "{text}"
        );
    }
}
