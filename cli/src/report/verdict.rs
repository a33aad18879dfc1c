//! Verdict of a run, its reasons, and the signature that groups failures.

use serde::Serialize;

use super::run::{Cause, Failure, RecordingEnd, ReportRow, Run};
use crate::incomplete::TRUNCATED;
use crate::run::LIMIT_REACHED;

/// Verdict of a run, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// All firmware that can exit has exited with code 0, or, without such firmware, the system has
    /// ended; no error was reported.
    Passed,
    /// Nothing has failed, and the end of the run is missing.
    Unfinished,
    /// An error was reported, or a channel exited with a code other than 0.
    Failed,
    /// The file has no readable run.
    Unreadable,
}

impl Verdict {
    pub(crate) const ALL: [Self; 4] = [
        Self::Passed,
        Self::Unfinished,
        Self::Failed,
        Self::Unreadable,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unfinished => "unfinished",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Verdict with its reasons.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Sentences without a full stop, the most important one first.
    pub(crate) reasons: Vec<String>,
    /// Common text of failures with one cause; `None` for a run that passed.
    pub(crate) signature: Option<String>,
    /// True if reports of severity error don't fail a run.
    pub(crate) allows_errors: bool,
}

/// Maximum number of channels in a reason.
const MAX_CHANNELS: usize = 8;

impl Judgement {
    /// Judges a run. With `allows_errors`, reports of severity error don't fail it, except that on
    /// findings of attached checkers.
    pub(crate) fn of(run: &Run, allows_errors: bool) -> Self {
        let failure = run.failure(allows_errors);
        // Errors of firmware may be intended; findings of a checker are not.
        let found = run.found.as_ref().filter(|_| allows_errors);
        let [_, _, errors, _] = run.severities;
        let errors = errors - u64::from(found.is_some());
        let counted = match errors {
            0 => None,
            1 => Some("1 error was reported".to_owned()),
            more => Some(format!("{more} errors were reported")),
        };
        let errors_fail = !allows_errors && errors > 0;
        let mut reasons = failed(run, failure, found, counted.clone().filter(|_| errors_fail));
        let has_failed = !reasons.is_empty();
        let unfinished = unfinished(run);
        let verdict = match (has_failed, unfinished.is_empty()) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::Passed,
            (false, false) => Verdict::Unfinished,
        };
        let signature = match verdict {
            Verdict::Passed | Verdict::Unreadable => None,
            Verdict::Unfinished => unfinished.first().map(|first| signature(first)),
            Verdict::Failed => failure.map(signature_of),
        };
        reasons.extend(unfinished);
        reasons.extend(
            counted
                .filter(|_| !errors_fail)
                .map(|text| text + ", which is allowed"),
        );
        if verdict == Verdict::Passed {
            let exited = run.channels.iter().filter(|channel| channel.exit.is_some());
            reasons.insert(
                0,
                match exited.count() {
                    0 => "the system has ended, and no error was reported".to_owned(),
                    1 => "1 channel exited with code 0".to_owned(),
                    more => format!("{more} channels exited with code 0"),
                },
            );
        }
        Self {
            verdict,
            reasons,
            signature,
            allows_errors,
        }
    }

    /// Judgement of a file that can't be read.
    pub(crate) fn unreadable(cause: &str) -> Self {
        Self {
            verdict: Verdict::Unreadable,
            reasons: vec![cause.to_owned()],
            signature: Some(signature(cause)),
            allows_errors: false,
        }
    }
}

/// Reasons of a failed run, beginning with its first failure. `found`: findings of checkers, if
/// they are not among the errors; `errors`: number of errors that fail the run.
fn failed(
    run: &Run,
    failure: Option<&Failure>,
    found: Option<&ReportRow>,
    errors: Option<String>,
) -> Vec<String> {
    let mut exits: Vec<_> = run
        .channels
        .iter()
        .filter_map(|channel| {
            let (code, tick) = channel.exit.filter(|(code, _)| *code != 0)?;
            let text = format!("{} exited with code {code} in tick {tick}", channel.name);
            Some((channel.name.to_string(), text))
        })
        .collect();
    exits.sort_by_key(|(name, _)| failure.is_none_or(|first| first.id != *name));
    let exits = limited(exits.into_iter().map(|(_, text)| text).collect());
    let fatal = run.first_fatal.as_ref().map(|fatal| {
        let (tick, id, text) = (fatal.tick, &fatal.id, &fatal.text);
        let first = text.lines().next().unwrap_or_default();
        format!("fatal report in tick {tick} by {id}: {first}")
    });
    let first = failure.map(|failure| match failure.cause {
        Cause::Findings if found.is_none() => Cause::Error,
        cause => cause,
    });
    let found = found.map(|found| {
        let (tick, id, text) = (found.tick, &found.id, &found.text);
        let first = text.lines().next().unwrap_or_default();
        format!("error in tick {tick} by {id}: {first}")
    });
    let errors = errors.map(|counted| match failure {
        Some(Failure {
            cause: Cause::Error | Cause::Findings,
            tick,
            id,
            text,
            ..
        }) => {
            let line = text.lines().next().unwrap_or_default();
            format!("{counted}, the first in tick {tick} by {id}: {line}")
        }
        _ => counted,
    });
    let mut groups = [
        (Cause::Exit, exits),
        (Cause::Fatal, fatal.into_iter().collect()),
        (Cause::Findings, found.into_iter().collect()),
        (Cause::Error, errors.into_iter().collect()),
    ];
    groups.sort_by_key(|(cause, _)| first != Some(*cause));
    groups.into_iter().flat_map(|(_, texts)| texts).collect()
}

/// Reasons why the end of a run is missing.
fn unfinished(run: &Run) -> Vec<String> {
    let mut reasons = Vec::new();
    match &run.end {
        RecordingEnd::Damaged(problem) => {
            reasons.push(format!("the recording is damaged: {problem}"))
        }
        RecordingEnd::Truncated => reasons.push(TRUNCATED.to_owned()),
        RecordingEnd::Whole | RecordingEnd::Open => {}
    }
    // Without an exit, the end of the system is that of the run.
    if run.end == RecordingEnd::Open && !run.has_exited() {
        reasons.push("the recording ends without the end of the system".to_owned());
    }
    let open = run.waiting().map(|channel| {
        let state = channel.state.lines().next().unwrap_or_default();
        format!("{} has not exited: {state}", channel.name)
    });
    reasons.extend(limited(open.collect()));
    reasons
}

/// First few of these texts, and the number of the others.
fn limited(mut texts: Vec<String>) -> Vec<String> {
    let more = texts.len().saturating_sub(MAX_CHANNELS);
    if more > 0 {
        texts.truncate(MAX_CHANNELS);
        texts.push(format!("and so {more} channels more"));
    }
    texts
}

/// Maximum number of characters of a signature.
const MAX_SIGNATURE_LEN: usize = 160;

/// Signature of a failure. Exit codes distinguish causes. The place at which a limit ended a run is
/// omitted, since it depends on the limit.
fn signature_of(failure: &Failure) -> String {
    match failure.cause {
        Cause::Exit => failure.text.clone(),
        Cause::Fatal if failure.text.starts_with(LIMIT_REACHED) => format!("{LIMIT_REACHED} #"),
        Cause::Fatal | Cause::Error | Cause::Findings => signature(&failure.text),
    }
}

/// First line of a text, with numbers replaced: failures that differ only in addresses, ticks or
/// counts have one signature.
pub(crate) fn signature(text: &str) -> String {
    let mut replaced = String::new();
    let mut chars = text.lines().next().unwrap_or_default().chars().peekable();
    let mut in_word = false;
    let mut count = 0;
    while let Some(c) = chars.next() {
        count += 1;
        if count > MAX_SIGNATURE_LEN {
            replaced.push('…');
            break;
        }
        // A number begins outside of a word: `cpu0` and `e1000` are names.
        if c.is_ascii_digit() && !in_word {
            while chars.next_if(char::is_ascii_alphanumeric).is_some() {}
            replaced.push('#');
        } else {
            in_word = c.is_alphanumeric() || c == '_';
            replaced.push(c);
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_in_the_signature_and_the_place_of_a_limit_is_not() {
        let of = |cause, text: &str| {
            signature_of(&Failure {
                cause,
                tick: 0,
                id: String::new(),
                text: text.to_owned(),
                before: Vec::new(),
            })
        };
        assert_eq!(of(Cause::Exit, "exited with code 3"), "exited with code 3");
        let places = ["0x80000010 (main+0x10), `c.j -4`", "0x8000000c, `nop`"];
        for (place, limit) in places.into_iter().zip([1000, 1001]) {
            let text = format!("{LIMIT_REACHED} {limit}: it is at {place}; after 1 instructions");
            assert_eq!(of(Cause::Fatal, &text), format!("{LIMIT_REACHED} #"));
        }
        let spins = "firmware hangs: it is at 0x80000010 (main+0x10), `j 0`";
        let expected = "firmware hangs: it is at # (main+#), `j #`";
        assert_eq!(of(Cause::Fatal, spins), expected);
    }

    #[test]
    fn signatures_have_no_numbers() {
        let signatures = [
            (
                "slot 3, MEMSET dest 0xffffffc0 len 16",
                "slot #, MEMSET dest # len #",
            ),
            ("cpu0 exited with code 7\nmore", "cpu0 exited with code #"),
            ("[0xa, 0x4]", "[#, #]"),
            ("", ""),
        ];
        for (text, expected) in signatures {
            assert_eq!(signature(text), expected);
        }
        assert_eq!(
            signature(&"ä".repeat(1000)).chars().count(),
            MAX_SIGNATURE_LEN + 1
        );
    }
}
