//! Services of a channel for all protocols of firmware: accesses to its memory, files, standard
//! streams, arguments, time, reports.
//!
//! A front end decodes words in memory and calls [`ChannelService`].
//!
//! - `front_end`: trait of front ends, and the server of all of them; `channel_task`: task of each
//!   channel.
//! - `opening`: channel to open; `peers`: actors that a front end sends messages to.
//! - `files`: file operations; `posix`: those of protocol 0.3; `stdio`: standard streams.
//! - `session`: protocol version, input and random bytes of a channel.
//! - `status_tracker`: present step and recent requests of a channel, for the status.
//! - `frame_decoder`: decoders of defmt's frames.
//! - `word_poller`: words that a front end polls.
//! - `operation_tracker`: operation that the present request waits for, for the status.
//! - `progress`: state of the channels that ticks read without a message.
//! - `exit_code`: exit codes of words with more bits.
//! - `failure`: errors of requests, and their error numbers; `severity`: severity of reports on
//!   them.
//! - `faults`: injected faults, by the choices of `fault_injector`; `tick_alarm`: wait for a tick.

mod channel_task;
mod exit_code;
mod failure;
mod fault_injector;
mod faults;
mod files;
mod frame_decoder;
mod front_end;
mod opening;
mod operation_tracker;
mod peers;
mod posix;
mod progress;
mod session;
mod severity;
mod status_tracker;
mod stdio;
mod tick_alarm;
mod word_poller;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use mailbox_rs::{Errno, MAX_STRING, PtrWidth};

pub(in crate::actors) use exit_code::exit_code;
pub(crate) use failure::Failure;
use fault_injector::FaultInjector;
pub(crate) use frame_decoder::{FrameDecoder, FrameDecoders};
pub(crate) use front_end::{FrontEnd, LastStep, Server, ServiceEnd, statuses};
pub(crate) use opening::Opening;
pub(in crate::actors) use operation_tracker::OperationTracker;
pub(crate) use peers::Peers;
pub(in crate::actors) use posix::refused;
pub(crate) use progress::ChannelProgress;
pub(in crate::actors) use progress::WordsRead;
pub(in crate::actors) use session::{Random, Session, Stream};
pub(in crate::actors) use severity::severity;
pub(in crate::actors) use status_tracker::StatusTracker;
pub(in crate::actors) use word_poller::{TurnRead, WordPoller};

use crate::bus::{ActorContext, Message};
use crate::mem::{MAX_TRANSFER, Op, OpOutcome, SpaceId, Span};
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::{RestoreError, SaveError, SavedService};
use crate::messages::foreign::{Report, Severity};
use crate::messages::front_end::StdinError;
use crate::messages::{
    ChannelId, ChannelServices, InputSource, NO_SLOT, Name, ServedRequest, console, escaped_text,
    files as file, foreign, rpc,
};

/// Maximum number of bytes that one request may move, far more than a request in practice. It keeps
/// a wrong length from blocking the simulator.
pub(in crate::actors) const MAX_MOVE: u64 = 256 << 20;

/// Services of one channel.
pub(crate) struct ChannelService {
    pub(in crate::actors) id: ChannelId,
    name: Name,
    pub(in crate::actors) space: SpaceId,
    /// Width of the words of firmware's requests.
    pub(in crate::actors) width: PtrWidth,
    /// Services as configured.
    pub(in crate::actors) services: Arc<ChannelServices>,
    pub(in crate::actors) peers: Rc<Peers>,
    pub(in crate::actors) operation: Rc<OperationTracker>,
    pub(in crate::actors) session: Session,
    /// Injected faults; `None` for none.
    faults: Option<FaultInjector>,
    /// Pending write that returns the present request's slot to firmware: address and word. It is
    /// made before the request is served, or in one batch with the first memory access of the
    /// request if the request begins with one.
    pub(in crate::actors) release: Cell<Option<(Span, u32)>>,
}

impl ChannelService {
    /// Services of a channel whose requests have words of `width`.
    pub(in crate::actors) fn new(opening: &Opening<'_>, width: PtrWidth) -> Self {
        let Opening {
            id,
            descriptor,
            context,
            peers,
            ..
        } = opening;
        let services = descriptor.services.clone();
        Self {
            id: *id,
            name: descriptor.name.clone(),
            space: descriptor.space,
            width,
            session: Session::new(Random::new(services.seed, &descriptor.name)),
            faults: FaultInjector::of(opening),
            services,
            peers: peers.clone(),
            operation: Rc::new(OperationTracker::new(context.clone())),
            release: Cell::default(),
        }
    }

    /// Name of the channel.
    pub(in crate::actors) fn name(&self) -> &Name {
        &self.name
    }

    /// Drops the pending calls of the channel, whose task no longer waits for them.
    pub(in crate::actors) fn cancel_calls(&self) {
        let channel = self.name.clone();
        self.peers.rpc.port().post(rpc::Cancel { channel });
    }

    /// State for a checkpoint.
    pub(in crate::actors) fn saved(&self) -> SavedService {
        SavedService {
            faults: self.faults.as_ref().map(FaultInjector::state),
            ..self.session.saved()
        }
    }

    /// Replaces the state by that of a checkpoint. The request in service is dropped.
    pub(in crate::actors) fn restore(&self, saved: &SavedService) {
        self.session.restore(saved);
        if let (Some(injector), Some(state)) = (&self.faults, saved.faults) {
            injector.set_state(state);
        }
        self.release.set(None);
        self.operation.awaits(AwaitedOperation::Host);
    }

    /// Error of a checkpoint in the middle of an operation.
    pub(in crate::actors) fn busy_error(&self) -> SaveError {
        let channel = self.name.to_string();
        SaveError::Busy { channel }
    }

    /// Error of a checkpoint of a channel that has failed.
    pub(in crate::actors) fn failed_error(&self) -> SaveError {
        let channel = self.name.to_string();
        SaveError::Failed { channel }
    }

    /// Error of a restore in the middle of an operation.
    fn busy_to_restore_error(&self) -> RestoreError {
        let channel = self.name.to_string();
        RestoreError::Busy { channel }
    }

    /// Error of a restore of another protocol's state.
    pub(in crate::actors) fn other_protocol_error(&self) -> RestoreError {
        let channel = self.name.to_string();
        RestoreError::OtherProtocol { channel }
    }

    /// Error of a restore of state that the channel can't have.
    pub(in crate::actors) fn impossible_state_error(&self, what: &str) -> RestoreError {
        RestoreError::Impossible {
            channel: self.name.to_string(),
            what: what.to_owned(),
        }
    }

    /// Adds bytes of the testbench to the standard input.
    pub(in crate::actors) fn write_input(&self, data: &[u8]) -> Result<u64, StdinError> {
        self.require_testbench_input()?;
        self.session.input.write(data)
    }

    /// Ends the standard input.
    pub(in crate::actors) fn end_input(&self) -> Result<(), StdinError> {
        self.require_testbench_input()?;
        self.session.input.end();
        Ok(())
    }

    /// Records that text of the channel could not be written. The next request that concerns the
    /// stream gets the error.
    pub(in crate::actors) fn output_failed(&self, is_error: bool, errno: Errno) {
        self.session.output_failed(is_error, errno);
    }

    fn require_testbench_input(&self) -> Result<(), StdinError> {
        match self.services.stdin {
            InputSource::Testbench => Ok(()),
            InputSource::Nothing | InputSource::File(_) => Err(StdinError::NotTestbench),
        }
    }

    /// Prints the incomplete line at the end of a session, before any later report.
    pub(in crate::actors) async fn finish_text(&self) {
        let finish = console::Finish {
            channel: Some(self.id),
        };
        // The console reports its own failures.
        let _ = self.peers.console.port().ask(finish).await;
    }

    /// Closes all files opened by a channel.
    pub(in crate::actors) fn close_files(&self, channel: ChannelId) {
        self.peers.files.post(file::CloseAll { channel });
    }

    /// Closes all files of all channels if no channel is served any more. Until then a channel may
    /// use the files of another one.
    pub(in crate::actors) fn close_files_after_the_last(&self, progress: &ChannelProgress) {
        if progress.served() == 0 {
            progress.channels().for_each(|id| self.close_files(id));
        }
    }

    /// Splits a range into transfers of bounded size. Fails unless the whole range is mapped.
    pub(in crate::actors) async fn transfers(
        &self,
        address: u64,
        len: u64,
    ) -> Result<impl Iterator<Item = Span>, Failure> {
        let whole = self.range(address, len).await?;
        if len > MAX_TRANSFER {
            self.locate(whole).await?;
        }
        Ok((0..len.div_ceil(MAX_TRANSFER).max(1)).map(move |transfer| {
            let done = transfer * MAX_TRANSFER;
            Span {
                address: address.wrapping_add(done),
                len: MAX_TRANSFER.min(len - done),
            }
        }))
    }

    /// Checks a range that one request moves. A range that is too long and not mapped fails with
    /// the error of the memory map.
    pub(in crate::actors) async fn range(&self, address: u64, len: u64) -> Result<Span, Failure> {
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
    pub(in crate::actors) async fn locate(&self, span: Span) -> Result<(), Failure> {
        self.peers.memory.locate(self.space, span).await??;
        Ok(())
    }

    /// Reads a NUL-terminated string of firmware.
    pub(in crate::actors) async fn text(
        &self,
        what: &'static str,
        address: u64,
    ) -> Result<Bytes, Failure> {
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
    pub(in crate::actors) async fn access(&self, op: Op<Span>) -> Result<OpOutcome, Failure> {
        self.operation.awaits(AwaitedOperation::Memory);
        let release = self.release.take();
        let outcome = self.peers.memory.access(self.space, release, op).await;
        if !matches!(outcome, Ok(Ok(_))) {
            // The write of the word may have failed as well.
            self.release.set(release);
        }
        Ok(outcome??)
    }

    /// Returns the request's slot to firmware, if that is not done yet.
    pub(in crate::actors) async fn release_slot(&self) -> Result<(), Failure> {
        let Some((at, word)) = self.release.take() else {
            return Ok(());
        };
        let outcome = self.access(Op::Word(at, word.into())).await;
        if outcome.is_err() {
            self.release.set(Some((at, word)));
        }
        outcome.map(drop)
    }

    /// Reports a served request to the taps, and to the testbench if it observes requests.
    pub(in crate::actors) fn emit_served<E: ServedRequest + Message>(
        &self,
        context: &ActorContext,
        served: impl Fn() -> E,
    ) {
        if self.peers.served.get() {
            self.tell_testbench(&served(), context.now());
        }
        context.emit(served);
    }

    fn tell_testbench(&self, served: &dyn ServedRequest, now: u64) {
        self.peers.foreign.post(foreign::Served {
            channel: self.name.clone(),
            slot: served.slot().unwrap_or(NO_SLOT),
            entry: Box::new(served.entry()),
            ticks: now.saturating_sub(served.since()),
            result: served.result(self.width),
        });
    }

    /// Reports an error to the user. Service goes on.
    pub(in crate::actors) fn report_error(&self, text: &str) {
        self.report(Severity::Error, text);
    }

    /// Sends a report in the name of the channel.
    pub(in crate::actors) fn report(&self, severity: Severity, text: &str) {
        self.peers.foreign.post(Report {
            severity,
            id: self.name.to_string(),
            text: escaped_text(text).into_owned(),
        });
    }
}
