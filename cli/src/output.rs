//! Terminal output: colours, progress, and untrusted text.

use std::fmt::{self, Debug, Display, Write as _};
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use anstream::adapter::strip_bytes;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Style of names of memories, channels, files.
pub(crate) const NAME: Style = Style::new().bold();
/// Style of secondary text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Style of errors.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Style of warnings.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Style of success.
pub(crate) const OK: Style = AnsiColor::Green.on_default().bold();

/// Buffered standard output. Colours are written to a terminal only.
pub(crate) type Out = BufWriter<StandardOutput>;

pub(crate) fn out() -> Out {
    BufWriter::new(StandardOutput(AutoStream::auto(io::stdout().lock())))
}

/// Standard output, with its name in errors.
pub(crate) struct StandardOutput(AutoStream<StdoutLock<'static>>);

impl Write for StandardOutput {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(named)
    }
}

/// Buffered standard error, written at once when it is dropped: lines of concurrent processes stay
/// whole. Colours are written to a terminal only.
#[derive(Default)]
pub(crate) struct WholeStderr(Vec<u8>);

impl Write for WholeStderr {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for WholeStderr {
    fn drop(&mut self) {
        let plain = match AutoStream::choice(&io::stderr()) {
            ColorChoice::Never => strip_bytes(&self.0).into_vec(),
            _ => std::mem::take(&mut self.0),
        };
        // If standard error is closed, there is no other output.
        let _ = io::stderr().write_all(&plain);
    }
}

/// Adds the name of standard output to an error, and keeps its kind.
fn named(error: io::Error) -> io::Error {
    match error.kind() {
        // The caller repeats the write.
        io::ErrorKind::Interrupted => error,
        kind => io::Error::new(kind, format!("can't write to standard output: {error}")),
    }
}

/// True if the reader closed the output before its end, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Progress bar on standard error. Hidden unless that is a terminal, and if our output goes to the
/// same terminal.
pub(crate) fn progress(len: Option<u64>, among_output: bool) -> ProgressBar {
    if among_output && io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let target = ProgressDrawTarget::stderr_with_hz(5);
    let bar = ProgressBar::with_draw_target(len, target);
    let template = match len {
        Some(_) => "{wide_bar} {percent:>3} %, {eta} left",
        None => "{spinner} {elapsed}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Untrusted text, with control characters escaped.
pub(crate) struct Sanitized<'a>(pub(crate) &'a str);

impl Display for Sanitized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Debug text of a value, cut off after `max_chars` characters. Formatting stops there.
pub(crate) fn debug_text(value: &(impl Debug + ?Sized), max_chars: usize) -> String {
    truncated(format_args!("{value:?}"), max_chars)
}

/// Text, cut off after `max_chars` characters. Formatting stops there.
pub(crate) fn truncated(text: fmt::Arguments<'_>, max_chars: usize) -> String {
    struct Limited {
        text: String,
        left: usize,
    }
    impl fmt::Write for Limited {
        fn write_str(&mut self, more: &str) -> fmt::Result {
            match more.char_indices().nth(self.left) {
                None => {
                    self.left -= more.chars().count();
                    self.text.push_str(more);
                    Ok(())
                }
                Some((end, _)) => {
                    self.text.push_str(&more[..end]);
                    self.text.push('…');
                    Err(fmt::Error)
                }
            }
        }
    }
    let mut limited = Limited {
        text: String::new(),
        left: max_chars,
    };
    // The only error is that the text was cut off.
    let _ = limited.write_fmt(text);
    limited.text
}

/// Size in bytes, displayed in binary units.
pub(crate) struct Size(pub(crate) u64);

impl Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let unit = match bytes.checked_ilog2().unwrap_or_default() / 10 {
            0 => return write!(f, "{bytes} {}", if bytes == 1 { "byte" } else { "bytes" }),
            1 => "KiB",
            2 => "MiB",
            3 => "GiB",
            4 => "TiB",
            5 => "PiB",
            _ => "EiB",
        };
        let shift = bytes.ilog2() / 10 * 10;
        let whole = bytes >> shift;
        // At most 60 bits, so multiplication by ten can't overflow.
        let tenths = ((bytes - (whole << shift)) * 10) >> shift;
        if tenths == 0 {
            write!(f, "{whole} {unit}")
        } else {
            write!(f, "{whole}.{tenths} {unit}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_the_largest_unit_that_fits() {
        let sizes = [0, 1, 1023, 1024, 1536, 64 << 10, u64::MAX];
        let printed = sizes.map(|size| Size(size).to_string());
        let expected = [
            "0 bytes",
            "1 byte",
            "1023 bytes",
            "1 KiB",
            "1.5 KiB",
            "64 KiB",
            "15.9 EiB",
        ];
        assert_eq!(printed, expected);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(debug_text("äöü", 9), "\"äöü\"");
        assert_eq!(debug_text("äöü", 3), "\"äö…");
        assert_eq!(debug_text(&vec![0_u8; 1000], 4), "[0, …");
    }

    #[test]
    fn text_from_outside_keeps_its_letters_only() {
        assert_eq!(Sanitized("a\x1b[2Jä\n").to_string(), "a\\u{1b}[2Jä\\n");
    }
}
