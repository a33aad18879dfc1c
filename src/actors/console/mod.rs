//! The console: printed text of all channels, one line at a time as `[channel] text`.

mod client;
#[cfg(test)]
mod tests;
mod text;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::{Actor, Context, Handler};

use crate::bus::{ActorContext, Port};
use crate::messages::ChannelId;
use crate::messages::console::{ENDPOINT, Finish, Inbox, Print, PrintError, PrintMarked, PutRaw};
use crate::messages::foreign::{self, ConsoleLine};

pub(crate) use client::{ConsoleClient, ElidedPrints};
use text::Source;
pub(crate) use text::Text;

/// Collects the text of each channel and prints completed lines.
///
/// A line ends with `\n` or `\r\n`. Invalid UTF-8 is printed as U+FFFD. Text that can't be written is lost, and the log says so once.
pub(crate) struct Console {
    context: ActorContext,
    lines: Rc<Lines>,
}

/// Lines of all channels, and their target, shared by the console and its clients.
pub(crate) struct Lines {
    text: Arc<Mutex<Text>>,
    testbench: Port<foreign::Inbox>,
    /// True if lines go to the testbench.
    redirected: Cell<bool>,
}

impl Console {
    /// Creates the console of these lines.
    pub(crate) fn new(context: ActorContext, lines: Rc<Lines>) -> Self {
        Self { context, lines }
    }
}

impl Lines {
    /// Lines that are printed to `text`, or sent to the testbench over `foreign` after a `Redirect`.
    pub(crate) fn new(text: Arc<Mutex<Text>>, foreign: &Port<foreign::Inbox>) -> Rc<Self> {
        Rc::new(Self {
            text,
            testbench: foreign.with_sender(ENDPOINT),
            redirected: Cell::new(false),
        })
    }

    fn print(&self, channel: ChannelId, source: Source, text: &[u8]) {
        self.put(|all, put| all.add(channel, source, text, put));
    }

    fn finish(&self, finish: &Finish) {
        self.put(|text, put| text.finish(finish.channel, put));
    }

    /// Prints the lines completed by `act`.
    fn put(&self, act: impl FnOnce(&mut Text, &mut dyn FnMut(&str, &str) -> bool)) {
        let mut text = lock(&self.text);
        let redirected = self.redirected.get();
        act(&mut text, &mut |channel, line| {
            if redirected {
                self.testbench.post(ConsoleLine {
                    channel: channel.into(),
                    text: line.to_owned(),
                });
            }
            redirected
        });
        text.flush();
    }
}

/// Prints unfinished lines.
impl Drop for Console {
    fn drop(&mut self) {
        lock(&self.lines.text).end();
    }
}

impl Actor for Console {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Console {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        let context = self.context.clone();
        context.handle(mail, |mail| match mail {
            Inbox::Print(mail) => {
                let Print { channel, text } = &mail.message;
                self.lines.print(*channel, Source::Output, text);
                mail.reply.send(());
            }
            Inbox::PrintError(mail) => {
                let PrintError { channel, text } = &mail.message;
                self.lines.print(*channel, Source::Error, text);
                mail.reply.send(());
            }
            Inbox::PrintMarked(mail) => {
                let PrintMarked {
                    channel,
                    source,
                    mark,
                    text,
                } = &mail.message;
                lock(&self.lines.text).set_mark(*channel, *source, mark);
                self.lines.print(*channel, Source::Marked(*source), text);
                mail.reply.send(());
            }
            Inbox::PutRaw(mail) => {
                let PutRaw { is_error, data, .. } = &mail.message;
                lock(&self.lines.text).raw(*is_error, data);
                mail.reply.send(());
            }
            Inbox::Redirect(mail) => {
                self.lines.redirected.set(true);
                mail.reply.send(());
            }
            Inbox::Finish(mail) => {
                self.lines.finish(&mail.message);
                mail.reply.send(());
            }
        });
    }
}

fn lock(text: &Mutex<Text>) -> MutexGuard<'_, Text> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}
