//! Model of the text that a channel prints, line by line.

use std::collections::VecDeque;

/// Text of one channel.
#[derive(Debug, Clone, Default)]
pub struct Console {
    wanted: VecDeque<String>,
    begun: Vec<u8>,
    begun_error: Vec<u8>,
    there: VecDeque<String>,
    /// True while the model does not know the text.
    unknown: bool,
}

impl Console {
    /// Adds text that was printed.
    pub fn print(&mut self, text: &[u8]) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(line) => {
                    self.begun.extend_from_slice(line);
                    self.end_line();
                }
                None => self.begun.extend_from_slice(piece),
            }
        }
    }

    /// Adds text of standard error.
    pub fn print_error(&mut self, text: &[u8]) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(line) => {
                    self.begun_error.extend_from_slice(line);
                    self.end_error_line();
                }
                None => self.begun_error.extend_from_slice(piece),
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.begun);
        self.wanted.push_back(without_return(&line));
    }

    fn end_error_line(&mut self) {
        let line = std::mem::take(&mut self.begun_error);
        self.wanted
            .push_back(format!("stderr: {}", without_return(&line)));
    }

    /// True if a line is incomplete.
    pub fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Ends a session, which prints the incomplete line.
    pub fn finish(&mut self) {
        if self.has_begun() {
            self.end_line();
        }
        if !self.begun_error.is_empty() {
            self.end_error_line();
        }
    }

    /// Drops the expected text, which is unknown from here.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// Expects text again, from the start of a line.
    pub fn restart(&mut self) {
        if std::mem::take(&mut self.unknown) {
            self.wanted.clear();
            self.begun.clear();
            self.begun_error.clear();
            self.there.clear();
        }
    }

    /// Adds a line of the output.
    pub fn put_out(&mut self, line: &str) {
        self.there.push_back(line.to_owned());
    }

    /// Compares output with the expected text.
    ///
    /// # Errors
    /// Fails on the first line that differs.
    pub fn check(&mut self) -> Result<(), String> {
        if self.unknown {
            self.there.clear();
            self.wanted.clear();
            return Ok(());
        }
        loop {
            match (self.there.pop_front(), self.wanted.pop_front()) {
                (None, None) => return Ok(()),
                (there, wanted) if there == wanted => {}
                (there, wanted) => {
                    return Err(format!("line {}, expected {}", shown(there), shown(wanted)));
                }
            }
        }
    }
}

fn without_return(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
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
