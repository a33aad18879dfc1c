//! A check as a test case of JUnit results.

use std::path::Path;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::diagnostics::{Diagnostic, Severity};
use crate::junit::{attribute, text_of};

/// Text of the results: errors fail the test case, and other diagnostics are its output.
pub(super) fn text(
    mem: &Path,
    mailbox: Option<&Path>,
    diagnostics: &[Diagnostic],
) -> Result<String, SerializeError> {
    let texts = |errors: bool| {
        let found = diagnostics.iter();
        let of = found.filter(|diagnostic| (diagnostic.severity == Severity::Error) == errors);
        of.map(|diagnostic| diagnostic.text.as_str())
            .collect::<Vec<_>>()
    };
    let (errors, others) = (texts(true), texts(false));
    let status = match errors.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(attribute(first));
            status.set_type("error");
            status.set_description(errors.join("\n"));
            status
        }
    };
    let files = [Some(mem), mailbox].into_iter().flatten();
    let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
    let mut case = TestCase::new(attribute(&files.join(", ")), status);
    case.set_classname("vhost.check");
    if !others.is_empty() {
        case.set_system_out(others.join("\n"));
    }
    let mut suite = TestSuite::new("vhost check");
    suite.add_test_case(case);
    let mut report = Report::new("vhost");
    report.add_test_suite(suite);
    text_of(&report)
}
