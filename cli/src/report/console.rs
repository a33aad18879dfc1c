//! Lines that firmware printed, each with its channel and tick.

use std::collections::HashMap;

use super::bounded::Bounded;

/// Maximum number of bytes of a line. A longer one continues in the next line.
const MAX_LINE_LEN: usize = 2000;

/// Maximum number of sources with an unfinished line.
const MAX_SOURCES: usize = 1024;

/// Line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Position of the channel in the run's list.
    pub(crate) channel: usize,
    /// Tick of the line's first byte.
    pub(crate) tick: u64,
    /// Segment of the line's last byte.
    pub(crate) segment: u64,
    /// Source within the channel: empty for standard output.
    pub(crate) source: String,
    pub(crate) text: String,
}

/// Text of all channels, as lines.
#[derive(Debug)]
pub(crate) struct Console {
    lines: Bounded<Line>,
    /// Lines that are not taken yet; `None` if they are not passed on.
    new: Option<Vec<Line>>,
    /// Present segment.
    segment: u64,
    /// Unfinished line of each channel and source, with its first tick.
    open: HashMap<(usize, String), (u64, Vec<u8>)>,
}

impl Console {
    pub(super) fn new(most: usize) -> Self {
        Self {
            lines: Bounded::new(most, |_| false),
            new: None,
            segment: 1,
            open: HashMap::new(),
        }
    }

    /// Sets the present segment.
    pub(super) fn enter(&mut self, segment: u64) {
        self.segment = segment;
    }

    /// Adds printed bytes.
    pub(super) fn print(&mut self, channel: usize, source: &str, tick: u64, bytes: &[u8]) {
        if self.open.len() >= MAX_SOURCES {
            self.finish(None);
        }
        let key = (channel, source.to_owned());
        let (mut first, mut line) = self.open.remove(&key).unwrap_or((tick, Vec::new()));
        let mut rest = bytes;
        while let Some(next) = rest.first() {
            if line.len() >= MAX_LINE_LEN && *next != b'\n' {
                let end = whole_characters(&line);
                self.push(channel, source, first, &line[..end]);
                line.drain(..end);
                first = tick;
            }
            let room = (MAX_LINE_LEN - line.len()).min(rest.len());
            let end = rest[..room].iter().position(|byte| *byte == b'\n');
            let (now, later) = rest.split_at(end.unwrap_or(room));
            line.extend(now);
            rest = later;
            if let Some(behind) = rest.strip_prefix(b"\n") {
                rest = behind;
                self.push(channel, source, first, without_return(&line));
                (first, line) = (tick, Vec::new());
            }
        }
        if !line.is_empty() {
            self.open.insert(key, (first, line));
        }
    }

    /// Ends the unfinished lines of a channel, or of all channels.
    pub(super) fn finish(&mut self, channel: Option<usize>) {
        let is_of = |of: usize| channel.is_none_or(|channel| channel == of);
        let mut ended: Vec<_> = self.open.extract_if(|(of, _), _| is_of(*of)).collect();
        ended.sort_by(|one, other| (one.1.0, &one.0).cmp(&(other.1.0, &other.0)));
        for ((channel, source), (tick, line)) in ended {
            self.push(channel, &source, tick, without_return(&line));
        }
    }

    fn push(&mut self, channel: usize, source: &str, tick: u64, line: &[u8]) {
        let line = Line {
            channel,
            tick,
            segment: self.segment,
            source: source.to_owned(),
            text: String::from_utf8_lossy(line).into_owned(),
        };
        if let Some(new) = &mut self.new {
            new.push(line.clone());
        }
        self.lines.push(line);
    }

    /// Enables [`take_new`](Self::take_new) for all lines, in addition to the kept ones.
    #[cfg(feature = "parquet")]
    pub(crate) fn pass_new(&mut self) {
        self.new = Some(Vec::new());
    }

    /// Lines that have ended since the last call.
    #[cfg(feature = "parquet")]
    pub(crate) fn take_new(&mut self) -> Vec<Line> {
        self.new.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn lines(&self) -> &Bounded<Line> {
        &self.lines
    }
}

/// Length of a text without an incomplete character at its end.
fn whole_characters(text: &[u8]) -> usize {
    let last = text.utf8_chunks().last();
    text.len() - last.map_or(0, |chunk| chunk.invalid().len())
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(console: &Console) -> Vec<(usize, u64, &str)> {
        let lines = console.lines().iter();
        lines
            .map(|line| (line.channel, line.tick, line.text.as_str()))
            .collect()
    }

    #[test]
    fn pieces_of_two_channels_become_lines() {
        let mut console = Console::new(10);
        console.print(0, "", 1, b"a ");
        console.print(1, "", 2, b"x\r\n\ny");
        console.print(0, "", 3, b"b\nc");
        console.print(0, "stderr", 4, b"e\xff");
        console.finish(None);
        let expected = [
            (1, 2, "x"),
            (1, 2, ""),
            (0, 1, "a b"),
            (1, 2, "y"),
            (0, 3, "c"),
            (0, 4, "e\u{fffd}"),
        ];
        assert_eq!(texts(&console), expected);
    }

    #[test]
    fn a_line_without_an_end_is_cut_in_pieces() {
        let mut console = Console::new(10);
        console.print(0, "", 1, &[b'a'; 3 * MAX_LINE_LEN + 1]);
        console.finish(Some(0));
        let lens: Vec<_> = texts(&console)
            .iter()
            .map(|(_, _, text)| text.len())
            .collect();
        assert_eq!(lens, [MAX_LINE_LEN, MAX_LINE_LEN, MAX_LINE_LEN, 1]);
    }

    #[test]
    fn pieces_of_a_line_are_its_text_with_anything_at_the_cut() {
        for end in ["é", "€", "😀", "\r", "\r\r\r\r", "a\u{301}"] {
            for before in MAX_LINE_LEN - 5..=MAX_LINE_LEN {
                for step in [1, 7, usize::MAX] {
                    let line = "a".repeat(before) + &end.repeat(MAX_LINE_LEN) + "b";
                    let mut console = Console::new(100);
                    let bytes = format!("{line}\r\nnext\n").into_bytes();
                    for piece in bytes.chunks(step) {
                        console.print(0, "", 1, piece);
                    }
                    let mut texts: Vec<_> =
                        texts(&console).iter().map(|(.., text)| *text).collect();
                    assert_eq!(texts.pop(), Some("next"));
                    assert!(texts.iter().all(|text| text.len() <= MAX_LINE_LEN));
                    assert!(texts.concat() == line, "{end:?} at {before} by {step}");
                }
            }
        }
    }

    #[test]
    fn a_cut_changes_no_bytes_that_are_no_text() {
        for end in [
            &b"\xff"[..],
            b"\xe2\x82",
            b"\xe2\x82\xff\xc3",
            b"\x80\x80\x80\x80",
        ] {
            for before in MAX_LINE_LEN - 5..=MAX_LINE_LEN {
                let line = [&vec![b'a'; before][..], end, b"b"].concat();
                let mut console = Console::new(100);
                console.print(0, "", 1, &line);
                console.finish(None);
                let texts: String = texts(&console).iter().map(|(.., text)| *text).collect();
                assert_eq!(texts, String::from_utf8_lossy(&line));
            }
        }
    }

    #[test]
    fn a_line_of_the_greatest_length_is_one() {
        let mut console = Console::new(10);
        console.print(0, "", 1, &[b'a'; MAX_LINE_LEN]);
        console.print(0, "", 2, b"\n");
        assert_eq!(texts(&console).len(), 1);
    }
}
