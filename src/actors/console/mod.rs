//! The console: printed text of all channels, one line at a time as `[channel] text`.

mod client;
#[cfg(test)]
mod tests;
mod text;

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Context, Handler};
use mailbox_rs::Errno;
use parking_lot::{Mutex, MutexGuard};

use crate::bus::{ActorContext, Port};
use crate::messages::ChannelId;
use crate::messages::console::{Finish, Inbox, Print, PrintError, PrintMarked, PutRaw};
use crate::messages::events::TextRefused;
use crate::messages::foreign::{self, ConsoleLine, Report, Severity};
use crate::messages::front_end::OutputFailed;

pub(crate) use client::{ConsoleClient, ElidedPrints};
pub(crate) use text::Text;
use text::{Source, failure_text};

/// Collects the text of each channel and prints completed lines.
///
/// A line ends with `\n` or `\r\n`. Invalid UTF-8 is printed as U+FFFD. Text that can't be written
/// is lost. The first loss is reported; each loss is passed to the front end of its channel.
pub(crate) struct Console {
    context: ActorContext,
    lines: Rc<Lines>,
}

/// Lines of all channels, and their target, shared by the console and its clients.
pub(crate) struct Lines {
    context: ActorContext,
    text: Arc<Mutex<Text>>,
    testbench: Port<foreign::Inbox>,
    /// Set once channels are served.
    front_ends: OnceCell<Box<TellFrontEnd>>,
    /// True if lines go to the testbench.
    redirected: Cell<bool>,
}

/// Notifies the front end of a channel that text was lost, so that firmware gets an error.
pub(crate) type TellFrontEnd = dyn Fn(OutputFailed);

impl Console {
    /// Creates the console of these lines.
    pub(crate) fn new(context: ActorContext, lines: Rc<Lines>) -> Self {
        Self { context, lines }
    }
}

impl Lines {
    /// Creates lines that are printed to `text`, or sent to the testbench over `foreign` after a
    /// `Redirect`. `context` is the console's.
    pub(crate) fn new(
        context: ActorContext,
        text: Arc<Mutex<Text>>,
        foreign: &Port<foreign::Inbox>,
    ) -> Rc<Self> {
        Rc::new(Self {
            testbench: foreign.with_sender(context.endpoint()),
            context,
            text,
            front_ends: OnceCell::new(),
            redirected: Cell::new(false),
        })
    }

    /// Sets the function that notifies front ends of lost text.
    pub(crate) fn set_front_ends(&self, tell: Box<TellFrontEnd>) {
        // Set once, when the channels are taken.
        let _ = self.front_ends.set(tell);
    }

    /// Error of the first failed write of text.
    pub(crate) fn first_failure(&self) -> Option<Errno> {
        self.text.lock().first_failure()
    }

    fn print(&self, channel: ChannelId, source: Source, text: &[u8]) {
        self.put(Some(channel), |all, put| {
            all.add(channel, source, text, put);
        });
    }

    fn finish(&self, finish: &Finish) {
        self.put(finish.channel, |text, put| text.finish(finish.channel, put));
    }

    fn put_raw(&self, raw: &PutRaw) {
        let mut text = self.text.lock();
        text.raw(raw.is_error, &raw.data);
        self.tell(Some(raw.channel), text);
    }

    /// Prints the lines of a channel that `act` completes.
    fn put(
        &self,
        channel: Option<ChannelId>,
        act: impl FnOnce(&mut Text, &mut dyn FnMut(&str, &str) -> bool),
    ) {
        let mut text = self.text.lock();
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
        self.tell(channel, text);
    }

    /// Notifies the front ends of the writes that failed while text of a channel was printed.
    fn tell(&self, channel: Option<ChannelId>, mut text: MutexGuard<'_, Text>) {
        if !text.has_failures() {
            return;
        }
        let failures = text.take_failures();
        drop(text);
        for (is_error, errno, is_first) in failures {
            self.context.emit(|| TextRefused { is_error, errno });
            if is_first {
                self.testbench.post(Report {
                    severity: Severity::Error,
                    id: self.context.endpoint().to_string(),
                    text: failure_text(is_error, errno),
                });
            }
            if let Some(channel) = channel {
                self.tell_front_end(channel, is_error, errno);
            }
        }
    }

    fn tell_front_end(&self, channel: ChannelId, is_error: bool, errno: Errno) {
        if let Some(tell) = self.front_ends.get() {
            tell(OutputFailed {
                channel,
                is_error,
                errno,
            });
        }
    }
}

/// Prints the incomplete lines.
impl Drop for Console {
    fn drop(&mut self) {
        self.lines.text.lock().end();
    }
}

impl Actor for Console {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Console {
    type Result = ();

    fn handle(&mut self, message: Inbox, _: &mut Self::Context) {
        let context = self.context.clone();
        context.handle(message, |message| match message {
            Inbox::Print(envelope) => {
                let Print { channel, text } = &envelope.message;
                self.lines.print(*channel, Source::Output, text);
                envelope.reply.send(());
            }
            Inbox::PrintError(envelope) => {
                let PrintError { channel, text } = &envelope.message;
                self.lines.print(*channel, Source::Error, text);
                envelope.reply.send(());
            }
            Inbox::PrintMarked(envelope) => {
                let PrintMarked {
                    channel,
                    source,
                    mark,
                    text,
                } = &envelope.message;
                self.lines.text.lock().set_mark(*channel, *source, mark);
                self.lines.print(*channel, Source::Marked(*source), text);
                envelope.reply.send(());
            }
            Inbox::PutRaw(envelope) => {
                self.lines.put_raw(&envelope.message);
                envelope.reply.send(());
            }
            Inbox::Redirect(envelope) => {
                self.lines.redirected.set(true);
                envelope.reply.send(());
            }
            Inbox::Save(envelope) => {
                let saved = self.lines.text.lock().saved();
                envelope.reply.send(saved);
            }
            Inbox::Restore(envelope) => {
                self.lines.text.lock().restore(envelope.message.text);
                envelope.reply.send(());
            }
            Inbox::Finish(envelope) => {
                self.lines.finish(&envelope.message);
                envelope.reply.send(());
            }
        });
    }
}
