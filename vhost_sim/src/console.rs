//! Model of the text that a channel prints, line by line.

use std::collections::VecDeque;

/// Prefix of lines of standard error.
const ERROR: &str = "stderr: ";

/// Text of one channel.
#[derive(Debug, Clone, Default)]
pub struct Console {
    expected: VecDeque<String>,
    begun: Vec<u8>,
    begun_error: Vec<u8>,
    actual: VecDeque<String>,
    /// True while the model does not know the text.
    unknown: bool,
}

impl Console {
    /// Adds text that was printed.
    pub fn print(&mut self, text: &[u8]) {
        add_text(text, "", &mut self.begun, &mut self.expected);
    }

    /// Adds text of standard error.
    pub fn print_error(&mut self, text: &[u8]) {
        add_text(text, ERROR, &mut self.begun_error, &mut self.expected);
    }

    /// True if a line is incomplete.
    pub fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Ends a session, which prints the incomplete lines.
    pub fn finish(&mut self) {
        for (line, prefix) in [(&mut self.begun, ""), (&mut self.begun_error, ERROR)] {
            if !line.is_empty() {
                self.expected.push_back(take_line(line, prefix));
            }
        }
    }

    /// Drops the expected text, which is unknown from here.
    pub fn ignore(&mut self) {
        self.unknown = true;
    }

    /// Expects text again, from the start of a line.
    pub fn expect_again(&mut self) {
        if std::mem::take(&mut self.unknown) {
            self.expected.clear();
            self.begun.clear();
            self.begun_error.clear();
            self.actual.clear();
        }
    }

    /// Adds a line of the output.
    pub fn add_output(&mut self, line: &str) {
        self.actual.push_back(line.to_owned());
    }

    /// Compares output with the expected text.
    ///
    /// # Errors
    /// Fails on the first line that differs.
    pub fn check(&mut self) -> Result<(), String> {
        if self.unknown {
            self.actual.clear();
            self.expected.clear();
            return Ok(());
        }
        loop {
            match (self.actual.pop_front(), self.expected.pop_front()) {
                (None, None) => return Ok(()),
                (actual, expected) if actual == expected => {}
                (actual, expected) => {
                    return Err(format!(
                        "line {}, expected {}",
                        shown(actual),
                        shown(expected)
                    ));
                }
            }
        }
    }
}

/// Adds text to an incomplete line, and the lines that it completes to the expected ones.
fn add_text(text: &[u8], prefix: &str, begun: &mut Vec<u8>, expected: &mut VecDeque<String>) {
    for piece in text.split_inclusive(|byte| *byte == b'\n') {
        begun.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
        if piece.ends_with(b"\n") {
            expected.push_back(take_line(begun, prefix));
        }
    }
}

/// Takes a line, with the prefix of its stream.
fn take_line(line: &mut Vec<u8>, prefix: &str) -> String {
    let line = std::mem::take(line);
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    format!("{prefix}{}", String::from_utf8_lossy(line))
}

/// Formats a line or its start.
fn shown(line: Option<String>) -> String {
    line.map_or_else(
        || "nothing".to_owned(),
        |line| {
            let start: String = line.chars().take(80).collect();
            format!("{start:?} of {} bytes", line.len())
        },
    )
}
