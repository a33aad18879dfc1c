//! The console: text of all channels, put out line by line as `[channel] text`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use actix::{Actor, Context, Handler};

use crate::bus::{Desk, Port};
use crate::guest::quietly;
use crate::messages::ChannelId;
use crate::messages::console::{Finish, Inbox, Print};
use crate::messages::foreign::{self, Line};

/// The longest line, in bytes of text. A longer one is put out in pieces, so that text without an
/// end of line takes no more memory than this.
pub(crate) const LINE_MAX: usize = 64 * 1024;

/// Collects the text of each channel and puts out the lines that become complete.
///
/// A line ends with `\n` or `\r\n`. What is no UTF-8 is put out as U+FFFD. Text that the sink does
/// not take is lost, of which the log tells once.
pub(crate) struct Console {
    desk: Desk,
    names: Vec<String>,
    begun: BTreeMap<ChannelId, Vec<u8>>,
    output: Output,
}

impl Console {
    /// A console for the channels of these names, by [`ChannelId`], that writes to `sink`, or gives lines to the testbench
    /// by `foreign` once it is told to.
    pub(crate) fn new(
        desk: Desk,
        names: Vec<String>,
        sink: Box<dyn Write>,
        foreign: &Port<foreign::Inbox>,
    ) -> Self {
        let testbench = foreign.sent_by(desk.party());
        Self {
            desk,
            names,
            begun: BTreeMap::new(),
            output: Output {
                sink,
                testbench,
                redirected: false,
                lines: Vec::new(),
                failed: false,
            },
        }
    }

    fn print(&mut self, print: &Print) {
        let prefix = Prefix::new(&self.names, print.channel);
        let begun = self.begun.entry(print.channel).or_default();
        for piece in print.text.split_inclusive(|&byte| byte == b'\n') {
            let (mut text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            while begun.len() + text.len() > LINE_MAX {
                let (head, tail) = text.split_at(LINE_MAX - begun.len());
                begun.extend_from_slice(head);
                let cut = whole_characters(begun);
                self.output.line(&prefix, &begun[..cut]);
                begun.drain(..cut);
                text = tail;
            }
            begun.extend_from_slice(text);
            if ends {
                self.output.line(&prefix, without_return(begun));
                begun.clear();
            }
        }
        self.output.flush();
    }

    fn finish(&mut self, finish: &Finish) {
        for (&channel, begun) in &mut self.begun {
            if finish.channel.is_none_or(|of| of == channel) && !begun.is_empty() {
                let prefix = Prefix::new(&self.names, channel);
                self.output.line(&prefix, without_return(begun));
                begun.clear();
            }
        }
        self.output.flush();
    }
}

impl Actor for Console {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Console {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        let desk = self.desk.clone();
        desk.open(mail, |mail| match mail {
            Inbox::Print(mail) => {
                self.print(&mail.message);
                mail.reply.send(());
            }
            Inbox::Redirect(mail) => {
                self.output.redirected = true;
                mail.reply.send(());
            }
            Inbox::Finish(mail) => {
                self.finish(&mail.message);
                mail.reply.send(());
            }
        });
    }
}

/// What a channel's lines begin with.
struct Prefix<'a>(Cow<'a, str>);

impl<'a> Prefix<'a> {
    fn new(names: &'a [String], channel: ChannelId) -> Self {
        let at = usize::try_from(channel.0).ok();
        let name = at.and_then(|at| names.get(at));
        Self(name.map_or_else(|| format!("channel {}", channel.0).into(), Cow::from))
    }
}

impl std::fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] ", self.0)
    }
}

/// The sink, and the lines on their way to it.
struct Output {
    sink: Box<dyn Write>,
    testbench: Port<foreign::Inbox>,
    /// Lines go to the testbench.
    redirected: bool,
    lines: Vec<u8>,
    failed: bool,
}

impl Output {
    fn line(&mut self, prefix: &Prefix<'_>, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        if self.redirected {
            self.testbench.post(Line {
                channel: prefix.0.to_string(),
                text: text.into_owned(),
            });
            return;
        }
        // Nothing can fail where a vector is written to.
        let _ = writeln!(self.lines, "{prefix}{text}");
        if self.lines.len() >= LINE_MAX {
            self.write();
        }
    }

    /// Writes the lines of a message, if it completed any.
    fn flush(&mut self) {
        if !self.lines.is_empty() {
            self.write();
        }
    }

    /// Writes lines, and flushes them.
    fn write(&mut self) {
        let Self { sink, lines, .. } = self;
        let written = quietly(|| sink.write_all(lines).and_then(|()| sink.flush()));
        self.lines.clear();
        self.heed(written);
    }

    fn heed(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && !std::mem::replace(&mut self.failed, true)
        {
            tracing::warn!(%error, "the console's text can't be put out, some of it is lost");
        }
    }
}

/// How much of `text` can be cut off without a character being cut in two.
fn whole_characters(text: &[u8]) -> usize {
    let broken = text
        .utf8_chunks()
        .last()
        .map_or(0, |chunk| chunk.invalid().len());
    text.len() - broken
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
