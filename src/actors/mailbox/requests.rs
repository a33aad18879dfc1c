//! Handlers of the requests.

use std::fmt::Display;
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::{FileRequest, MAX_STRING, Request, RequestEntry, Response};

use super::warnings_given::{CallSite, Occurrence, WarningsGiven};
use crate::actors::service::{ChannelService, Failure};
use crate::mem::{AccessError, Op, OpOutcome, Span};
use crate::messages::checkpoint::SavedWait;
use crate::messages::console::Print;
use crate::messages::escaped_name;
use crate::messages::foreign::Severity;
use crate::messages::rpc::{CallError, Progress, Schedule, Target};
use crate::printf::{PartialText, StringArg, TruncatedWord};

/// Outcome of a request.
#[derive(Debug)]
pub(super) enum RequestOutcome {
    /// Response for firmware.
    Response(Response),
    /// No response.
    Silent,
    /// End of the channel, with its exit code.
    Exit(u32),
}

/// Maximum number of problems reported for one CPRINT. Its format may have a thousand unsatisfied
/// conversions.
const MAX_PROBLEMS: usize = 8;

/// Serves the requests of one channel.
pub(super) struct RequestHandler {
    pub(super) service: Rc<ChannelService>,
    pub(super) warnings_given: WarningsGiven,
}

impl RequestHandler {
    /// Serves `request`, decoded from `entry`.
    pub(super) async fn execute(
        &self,
        entry: &RequestEntry,
        request: &Request,
    ) -> Result<RequestOutcome, Failure> {
        // The words that a CPRINT needs depend on its format.
        if !matches!(request, Request::CPrint { .. }) {
            self.note_few_words(entry.words, request);
        }
        if self.service.has_faults() {
            self.service.inject(request)?;
        }
        let value = match *request {
            Request::Exit { code } => return Ok(RequestOutcome::Exit(code)),
            Request::Print { ptr, len } => {
                self.print(ptr, len).await?;
                return Ok(RequestOutcome::Response(Response::Empty));
            }
            Request::CPrint {
                format, file, line, ..
            } => {
                // Boxed, like the file operations below, so that rare large futures do not enlarge
                // the future of every request.
                let site = CallSite { format, file, line };
                Box::pin(self.cprint(site, entry, request)).await?;
                return Ok(RequestOutcome::Silent);
            }
            Request::MemMove { dest, src, len } => {
                let (to, from) = (
                    self.service.range(dest, len).await?,
                    self.service.range(src, len).await?,
                );
                self.service.access(Op::Copy { to, from }).await?;
                if self.service.has_faults() {
                    Box::pin(self.service.flip(to)).await?;
                }
                return Ok(RequestOutcome::Response(Response::Empty));
            }
            Request::MemSet { dest, byte, len } => {
                let range = self.service.range(dest, len).await?;
                self.service.access(Op::Fill(range, byte)).await?;
                if self.service.has_faults() {
                    Box::pin(self.service.flip(range)).await?;
                }
                return Ok(RequestOutcome::Response(Response::Empty));
            }
            Request::MemCmp { s1, s2, len } => {
                let (one, other) = (
                    self.service.range(s1, len).await?,
                    self.service.range(s2, len).await?,
                );
                let outcome = self.service.access(Op::Compare(one, other)).await?;
                return Ok(RequestOutcome::Response(Response::signed(
                    outcome.difference(),
                )));
            }
            Request::Call { method, ref args } => {
                let name = self.service.text("method name", method).await?;
                let name = String::from_utf8_lossy(&name);
                let target = Target::Method(name.into());
                self.call(target, args, Schedule::Now).await?
            }
            Request::Custom { id, ref args, .. } => {
                let target = Target::Command(id);
                self.call(target, args, Schedule::Now).await?
            }
            Request::File(FileRequest::Close { fd }) => {
                self.service.close_file(fd).await?;
                return Ok(RequestOutcome::Silent);
            }
            Request::File(file) => {
                let value = Box::pin(self.service.file(file)).await?;
                self.warn_of_wide(request.kind(), value);
                value
            }
        };
        Ok(RequestOutcome::Response(Response::Value(value)))
    }

    /// Continues a request of a checkpoint from the point at which it waited.
    pub(super) async fn resume(
        &self,
        request: &Request,
        waits: SavedWait,
    ) -> Result<RequestOutcome, Failure> {
        let value = match (request, waits) {
            (
                Request::Call { args, .. } | Request::Custom { args, .. },
                SavedWait::Call(target),
            ) => self.call(target, args, Schedule::NextTick).await?,
            (Request::File(file), SavedWait::Input) => {
                let value = Box::pin(self.service.file(*file)).await?;
                self.warn_of_wide(request.kind(), value);
                value
            }
            // Refused by the restore.
            _ => return Ok(RequestOutcome::Silent),
        };
        Ok(RequestOutcome::Response(Response::Value(value)))
    }

    async fn print(&self, ptr: u64, len: u64) -> Result<(), Failure> {
        for transfer in self.service.transfers(ptr, len).await? {
            let text = self.service.access(Op::Read(transfer)).await?.into_bytes();
            self.service.peers.console.print(Print {
                channel: self.service.id,
                text,
            });
        }
        Ok(())
    }

    /// Formats and prints. The arguments are all words of `entry` after the first three, counted or
    /// not, so that a `words` that is too small loses no argument.
    async fn cprint(
        &self,
        site: CallSite,
        entry: &RequestEntry,
        request: &Request,
    ) -> Result<(), Failure> {
        let CallSite { format, file, line } = site;
        let text = self.service.text("format", format).await?;
        let (args, counted) = (&entry.args[3..], (entry.words as usize).saturating_sub(3));
        let draft = PartialText::new(&text, args, counted, self.service.width);
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
        if !rendered.truncated.is_empty() {
            self.warn_of_truncated(site, &rendered.truncated).await;
        }
        if !rendered.problems.is_empty() {
            // Read only here, because only these reports need the call site.
            let file = self
                .service
                .text("file name", file)
                .await
                .unwrap_or_default();
            let file = escaped_name(&file);
            let place = format!("CPRINT at {file}:{line}");
            for problem in rendered.problems.iter().take(MAX_PROBLEMS) {
                self.service.report_error(&format!("{place}: {problem}"));
            }
            if let Some(more @ 1..) = rendered.problems.len().checked_sub(MAX_PROBLEMS) {
                self.service
                    .report_error(&format!("{place}: and {more} more conversions"));
            }
        }
        self.service.peers.console.print(Print {
            channel: self.service.id,
            text: rendered.text.into(),
        });
        Ok(())
    }

    /// Warns of truncated words, once per call site.
    async fn warn_of_truncated(&self, site: CallSite, words: &[TruncatedWord]) {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        self.warn_of_site(site, self.warnings_given.truncated_words(site), || {
            words.join(", ")
        })
        .await;
    }

    /// Warns of a `words` that counts fewer arguments than the format takes, once per call site.
    /// Firmware may or may not have written the others.
    async fn warn_of_uncounted(
        &self,
        site: CallSite,
        entry: &RequestEntry,
        draft: &PartialText<'_>,
    ) {
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
        self.warn_of_site(site, self.warnings_given.uncounted(site), text)
            .await;
    }

    /// Warns at the first occurrence at a call site of CPRINT.
    async fn warn_of_site(
        &self,
        site: CallSite,
        occurrence: Occurrence,
        text: impl FnOnce() -> String,
    ) {
        let more = match occurrence {
            Occurrence::Repeated => return,
            Occurrence::First => "",
            Occurrence::FillsSet => "; later call sites are not reported",
        };
        let file = self
            .service
            .text("file name", site.file)
            .await
            .unwrap_or_default();
        let file = escaped_name(&file);
        let line = site.line;
        self.service.report(
            Severity::Warning,
            &format!("CPRINT at {file}:{line}: {}{more}", text()),
        );
    }

    /// Polls a call until it has a result: first by its schedule, then once per tick.
    async fn call(&self, target: Target, args: &[u64], first: Schedule) -> Result<u64, Failure> {
        self.service.release_slot().await?;
        // After the access, which is an operation of its own.
        self.service.operation.begin_call(&target);
        let tracker = self.service.operation.clone();
        let on_pending = move |by| tracker.count_poll(by);
        let answer =
            self.service
                .peers
                .rpc
                .call(self.service.name(), &target, args, first, on_pending);
        match answer.await??.progress {
            Progress::Ready(result) => {
                self.warn_of_wide(&target, result);
                Ok(result)
            }
            Progress::Absent => Err(CallError::Absent(target).into()),
            Progress::Failed | Progress::Pending => Err(CallError::Failed(target).into()),
        }
    }

    /// Warns of a result wider than the channel's words, once per method, command or FILE
    /// operation. Firmware gets the lower half.
    fn warn_of_wide(&self, of: impl Display, value: u64) {
        let width = self.service.width;
        if width.holds(value) {
            return;
        }
        let of = of.to_string();
        let more = match self.warnings_given.wide_result(of.clone()) {
            Occurrence::Repeated => return,
            Occurrence::First => "; later ones of it are not reported",
            Occurrence::FillsSet => "; later ones, of others too, are not reported",
        };
        let (bits, low) = (width.bytes() * 8, width.truncate(value));
        self.service.report(
            Severity::Warning,
            &format!(
                "{of} returned {value:#x}, more than the channel's words of {bits} bits: firmware \
                 gets the low half, {low:#x}; return larger values in parts or through memory{more}"
            ),
        );
    }

    /// Reads a string argument of a format. A string with a precision needs no NUL.
    async fn printf_string(&self, wanted: StringArg) -> Option<Bytes> {
        let address = wanted.pointer;
        let precision = wanted.precision.map(|precision| precision as u64);
        let span = Span {
            address,
            len: precision.unwrap_or(MAX_STRING),
        };
        let outcome = match self.service.access(Op::Text(span)).await {
            Err(Failure::Access(AccessError::Unterminated { len })) if Some(len) == precision => {
                self.service.access(Op::Read(span)).await
            }
            outcome => outcome,
        };
        outcome.ok().map(OpOutcome::into_bytes)
    }

    /// Reports an entry whose `words` is smaller than its request needs, once per kind of request.
    fn note_few_words(&self, words: u32, request: &Request) {
        let (kind, needed) = (request.kind(), request.needed_words());
        if words < needed && self.warnings_given.few_words(kind) {
            let text = format!(
                "{kind} with words = {words}, but {needed} are needed; served with the words of \
                 the entry; later ones are not reported; firmware should write words = {needed}"
            );
            self.service.report(Severity::Info, &text);
        }
    }
}
