//! Handlers of the requests.

use std::cell::Cell;
use std::fmt::Display;
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::{FileRequest, Index, MAX_STRING, Request, RequestEntry, Response};

use super::Peers;
use super::failure::Failure;
use super::notes::{CallSite, Notes, Once};
use super::session::Session;
use super::status_tracker::StatusTracker;
use crate::mem::{AccessError, CHUNK, Op, Outcome, Span};
use crate::messages::console::Print;
use crate::messages::foreign::{Report, Severity};
use crate::messages::mailbox::Task;
use crate::messages::rpc::{CallError, Progress, Target};
use crate::messages::{ChannelDescriptor, ChannelId, Name};
use crate::printf::{Cut, Draft, StringArg};

/// Outcome of a request.
#[derive(Debug)]
pub(super) enum Served {
    /// Response for firmware.
    Response(Response),
    /// No response.
    Silent,
    /// End of the channel, with its exit code.
    Exit(u32),
}

/// Maximum number of bytes that one request may move, far more than a simulated chip really moves. A bogus length from firmware must not
/// keep the simulator busy.
pub(super) const MAX_MOVE: u64 = 256 << 20;

/// Maximum number of problems reported for one CPRINT. Its format may have a thousand unsatisfied conversions.
const MAX_PROBLEMS: usize = 8;

/// Serves the requests of one channel.
pub(super) struct RequestHandler {
    pub(super) id: ChannelId,
    pub(super) descriptor: ChannelDescriptor,
    pub(super) links: Rc<Peers>,
    pub(super) tracker: Rc<StatusTracker>,
    pub(super) notes: Notes,
    pub(super) session: Session,
    /// Request queue's consumer index to be written, which returns the request's slot to firmware. It is written before the request is
    /// served, in one batch with its first memory access if that comes first.
    pub(super) taken: Cell<Option<Index>>,
}

impl RequestHandler {
    /// Serves `request`, decoded from `entry`.
    pub(super) async fn perform(
        &self,
        entry: &RequestEntry,
        request: &Request,
    ) -> Result<Served, Failure> {
        // The words that a CPRINT needs depend on its format.
        if !matches!(request, Request::CPrint { .. }) {
            self.note_few_words(entry.words, request);
        }
        let value = match *request {
            Request::Exit { code } => return Ok(Served::Exit(code)),
            Request::Print { ptr, len } => {
                self.print(ptr, len).await?;
                return Ok(Served::Response(Response::Empty));
            }
            Request::CPrint {
                format, file, line, ..
            } => {
                // Boxed, like the file operations below, to keep rare large futures out of every request's.
                let site = CallSite { format, file, line };
                Box::pin(self.cprint(site, entry, request)).await?;
                return Ok(Served::Silent);
            }
            Request::MemMove { dest, src, len } => {
                let (to, from) = (self.range(dest, len).await?, self.range(src, len).await?);
                self.access(Op::Copy { to, from }).await?;
                return Ok(Served::Response(Response::Empty));
            }
            Request::MemSet { dest, byte, len } => {
                let range = self.range(dest, len).await?;
                self.access(Op::Fill(range, byte)).await?;
                return Ok(Served::Response(Response::Empty));
            }
            Request::MemCmp { s1, s2, len } => {
                let (one, other) = (self.range(s1, len).await?, self.range(s2, len).await?);
                let outcome = self.access(Op::Compare(one, other)).await?;
                return Ok(Served::Response(Response::signed(outcome.difference())));
            }
            Request::Call { method, ref args } => {
                let name = self.text("method name", method).await?;
                let name = String::from_utf8_lossy(&name);
                self.call(Target::Method(name.into()), args).await?
            }
            Request::Custom { id, ref args, .. } => self.call(Target::Command(id), args).await?,
            Request::File(FileRequest::Close { fd }) => {
                self.close_file(fd).await?;
                return Ok(Served::Silent);
            }
            Request::File(file) => {
                let value = Box::pin(self.file(file)).await?;
                self.warn_of_wide(request.kind(), value);
                value
            }
        };
        Ok(Served::Response(Response::Value(value)))
    }

    async fn print(&self, ptr: u64, len: u64) -> Result<(), Failure> {
        for part in self.parts(ptr, len).await? {
            let text = self.access(Op::Read(part)).await?.into_bytes();
            self.links.console.print(Print {
                channel: self.id,
                text,
            });
        }
        Ok(())
    }

    /// Formats and prints. Arguments are all words of `entry` after the first three, counted or not, so a count that is too small loses
    /// none.
    async fn cprint(
        &self,
        site: CallSite,
        entry: &RequestEntry,
        request: &Request,
    ) -> Result<(), Failure> {
        let CallSite { format, file, line } = site;
        let text = self.text("format", format).await?;
        let (args, counted) = (&entry.args[3..], (entry.words as usize).saturating_sub(3));
        let draft = Draft::new(&text, args, counted, self.descriptor.layout.ptr_width);
        if draft.narrowed_longs() || counted < draft.taken() {
            self.warn_of_uncounted(site, entry, &draft).await;
        } else {
            self.note_few_words(entry.words, request);
        }
        let mut strings = Vec::new();
        for wanted in draft.strings() {
            strings.push(self.printf_string(wanted).await);
        }
        let rendered = draft.finish(strings);
        if !rendered.cut.is_empty() {
            self.warn_of_cut(site, &rendered.cut).await;
        }
        if !rendered.problems.is_empty() {
            // Read only now, since only these reports need the call site.
            let file = self.text("file name", file).await.unwrap_or_default();
            let file = String::from_utf8_lossy(&file);
            let place = format!("CPRINT at {file}:{line}");
            for problem in rendered.problems.iter().take(MAX_PROBLEMS) {
                self.complain(&format!("{place}: {problem}"));
            }
            if let Some(more @ 1..) = rendered.problems.len().checked_sub(MAX_PROBLEMS) {
                self.complain(&format!("{place}: and {more} more conversions"));
            }
        }
        self.links.console.print(Print {
            channel: self.id,
            text: rendered.text.into(),
        });
        Ok(())
    }

    /// Warns of truncated words, once per call site.
    async fn warn_of_cut(&self, site: CallSite, cut: &[Cut]) {
        let cut: Vec<_> = cut.iter().map(ToString::to_string).collect();
        self.warn_of_site(site, self.notes.cut(site), || cut.join(", "))
            .await;
    }

    /// Warns of a `words` that counts fewer arguments than the format takes, once per call site. Firmware may or may not have written the
    /// others.
    async fn warn_of_uncounted(&self, site: CallSite, entry: &RequestEntry, draft: &Draft<'_>) {
        let words = entry.words;
        let counted = (words as usize).saturating_sub(3);
        let text = || {
            if draft.narrowed_longs() {
                return format!(
                    "words = {words} counts one word of 4 bytes for each argument: `ll` and `j`, \
                     which need two (low word first), print only 32 bits"
                );
            }
            let taken = draft.taken();
            let uncounted: Vec<_> = entry.args[3 + counted..3 + taken]
                .iter()
                .map(|word| format!("{word:#x}"))
                .collect();
            format!(
                "words = {words}, but {needed} are needed for the {taken} words of arguments of \
                 its format; printed with uncounted words of the entry: {uncounted}, left over \
                 from an earlier request unless firmware wrote them",
                needed = 3 + taken,
                uncounted = uncounted.join(", "),
            )
        };
        self.warn_of_site(site, self.notes.uncounted(site), text)
            .await;
    }

    /// Warns at the first occurrence at a call site of CPRINT.
    async fn warn_of_site(&self, site: CallSite, time: Once, text: impl FnOnce() -> String) {
        let more = match time {
            Once::Again => return,
            Once::First => "",
            Once::Last => "; later call sites are not reported",
        };
        let file = self.text("file name", site.file).await.unwrap_or_default();
        let file = String::from_utf8_lossy(&file);
        let line = site.line;
        self.report(
            Severity::Warning,
            &format!("CPRINT at {file}:{line}: {}{more}", text()),
        );
    }

    /// Polls a call until it has a result: once now, then once per tick.
    async fn call(&self, target: Target, args: &[u64]) -> Result<u64, Failure> {
        self.tracker.asks(&target);
        self.release_slot().await?;
        let tracker = self.tracker.clone();
        let on_pending = move |by| tracker.pending(by);
        let answer = self.links.rpc.call(self.name(), &target, args, on_pending);
        match answer.await??.progress {
            Progress::Ready(result) => {
                self.warn_of_wide(&target, result);
                Ok(result)
            }
            Progress::Absent => Err(CallError::Absent(target).into()),
            Progress::Failed | Progress::Pending => Err(CallError::Failed(target).into()),
        }
    }

    /// Warns of a result wider than the channel's words, once per method, command or FILE operation. Firmware gets its low half.
    fn warn_of_wide(&self, of: impl Display, value: u64) {
        let width = self.descriptor.layout.ptr_width;
        if width.holds(value) {
            return;
        }
        let of = of.to_string();
        let more = match self.notes.wide_result(of.clone()) {
            Once::Again => return,
            Once::First => "; later ones of it are not reported",
            Once::Last => "; later ones, of others too, are not reported",
        };
        let (bits, low) = (width.bytes() * 8, width.truncate(value));
        self.report(
            Severity::Warning,
            &format!(
                "{of} returned {value:#x}, more than the channel's words of {bits} bits: firmware \
                 gets the low half, {low:#x}; return larger values in parts or through memory{more}"
            ),
        );
    }

    /// Splits a range into parts of bounded size. Fails unless the whole range is mapped.
    pub(super) async fn parts(
        &self,
        address: u64,
        len: u64,
    ) -> Result<impl Iterator<Item = Span>, Failure> {
        let whole = self.range(address, len).await?;
        if len > CHUNK {
            self.locate(whole).await?;
        }
        Ok((0..len.div_ceil(CHUNK).max(1)).map(move |part| {
            let done = part * CHUNK;
            Span {
                address: address.wrapping_add(done),
                len: CHUNK.min(len - done),
            }
        }))
    }

    /// Checks a range that one request moves. A range that is too long and not mapped fails with the error of the map.
    async fn range(&self, address: u64, len: u64) -> Result<Span, Failure> {
        let span = Span { address, len };
        if len > MAX_MOVE {
            self.locate(span).await?;
            return Err(Failure::TooLong {
                len,
                limit: MAX_MOVE,
            });
        }
        Ok(span)
    }

    /// Fails unless the whole range is mapped.
    pub(super) async fn locate(&self, span: Span) -> Result<(), Failure> {
        let space = self.descriptor.space;
        self.links.memory.locate(space, span).await??;
        Ok(())
    }

    /// Reads a string argument of a format. With a precision, it needs no terminating NUL.
    async fn printf_string(&self, wanted: StringArg) -> Option<Bytes> {
        let address = wanted.pointer;
        let precision = wanted.precision.map(|precision| precision as u64);
        let span = Span {
            address,
            len: precision.unwrap_or(MAX_STRING),
        };
        let outcome = match self.access(Op::Text(span)).await {
            Err(Failure::Access(AccessError::Unterminated { len })) if Some(len) == precision => {
                self.access(Op::Read(span)).await
            }
            outcome => outcome,
        };
        outcome.ok().map(Outcome::into_bytes)
    }

    /// Reads a NUL-terminated string of firmware.
    pub(super) async fn text(&self, what: &'static str, address: u64) -> Result<Bytes, Failure> {
        match self
            .access(Op::Text(Span {
                address,
                len: MAX_STRING,
            }))
            .await
        {
            Ok(outcome) => Ok(outcome.into_bytes()),
            Err(Failure::Access(cause)) => Err(Failure::Text {
                what,
                address,
                cause,
            }),
            Err(failure) => Err(failure),
        }
    }

    /// Performs one access in the channel's space.
    pub(super) async fn access(&self, op: Op<Span>) -> Result<Outcome, Failure> {
        self.tracker.awaits(Task::Memory);
        let taken = self.taken.take();
        let word = taken.map(|index| (self.taken_at(), index.0));
        let (space, memory) = (self.descriptor.space, &self.links.memory);
        let outcome = memory.access(space, word, op).await;
        if !matches!(outcome, Ok(Ok(_))) {
            // The write of the consumer index may have failed too.
            self.taken.set(taken);
        }
        Ok(outcome??)
    }

    /// Returns the request's slot to firmware, unless that is done already.
    pub(super) async fn release_slot(&self) -> Result<(), Failure> {
        let Some(index) = self.taken.take() else {
            return Ok(());
        };
        let write = Op::Word(self.taken_at(), index.0.into());
        let outcome = self.access(write).await;
        if outcome.is_err() {
            self.taken.set(Some(index));
        }
        outcome.map(drop)
    }

    /// Address of the request queue's consumer index.
    fn taken_at(&self) -> Span {
        let ChannelDescriptor {
            address, layout, ..
        } = &self.descriptor;
        Span {
            address: address.wrapping_add(layout.request.idx_c),
            len: 4,
        }
    }

    /// Notes an entry's `words` smaller than its request needs, once per kind of request.
    fn note_few_words(&self, words: u32, request: &Request) {
        let (kind, needed) = (request.kind(), request.needed_words());
        if words < needed && self.notes.few_words(kind) {
            let text = format!(
                "{kind} with words = {words}, but {needed} are needed; served with the words of \
                 the entry; later ones are not reported; firmware should write words = {needed}"
            );
            self.report(Severity::Info, &text);
        }
    }

    /// Reports an error to the user. RequestHandler goes on.
    pub(super) fn complain(&self, text: &str) {
        self.report(Severity::Error, text);
    }

    pub(super) fn report(&self, severity: Severity, text: &str) {
        let id = self.name().to_string();
        self.links.foreign.post(Report {
            severity,
            id,
            text: text.to_owned(),
        });
    }

    /// Name of the channel.
    pub(super) fn name(&self) -> &Name {
        &self.descriptor.name
    }
}
