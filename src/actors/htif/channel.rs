//! One channel: commands in order, responses as firmware takes them, and the exit.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use mailbox_rs::{Errno, NEWEST, PtrWidth};

use super::open_files::OpenFiles;
use super::poller::{HostPlace, HostPoller};
use super::status_tracker::HtifTracker;
use crate::actors::service::{
    ChannelService, Failure, FrontEnd, LastStep, Opening, ServiceEnd, StatusTracker, WordPoller,
    WordsRead, exit_code,
};
use crate::bus::ActorContext;
use crate::mem::{Op, Segments, SpaceId, Span, subrange};
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::{
    RestoreError, SaveError, SavedCommand, SavedFrontEnd, SavedHtif,
};
use crate::messages::foreign::Severity;
use crate::messages::htif::{
    Command, CommandServed, Device, Htif, HtifStatus, HtifStep, SystemCall, WORD,
};
use crate::messages::memory::AccessSegments;
use crate::messages::{HtifPlace, Interface, StatusWords};

/// Maximum number of responses that wait for firmware. While there are as many, no further command
/// is taken.
const MAX_RESPONSES: usize = 64;

/// Maximum number of console reads that wait for characters.
const MAX_READS: usize = 64;

/// Length of a name by which a device identifies itself.
const IDENTITY: usize = 64;

/// Outcome of a command.
enum CommandOutcome {
    /// Response for firmware: its payload.
    Response(u64),
    /// No response, or a later one.
    Silent,
    /// End of the channel, with its exit code.
    Exit(u32),
}

/// News for the channel's task.
enum News {
    /// A command is in `tohost`.
    Command(Command),
    /// `fromhost` is free for a response.
    Free,
    /// A character may be available for a console read.
    Input,
}

/// State of one channel.
pub(crate) struct Channel {
    pub(super) service: ChannelService,
    pub(super) place: HtifPlace,
    context: ActorContext,
    poller: HostPoller,
    tracker: HtifTracker,
    pub(super) files: OpenFiles,
    /// Responses that wait for firmware.
    responses: RefCell<VecDeque<Command>>,
    /// Console reads that wait for a character, each with the tick in which it was taken.
    reads: RefCell<VecDeque<(Command, u64)>>,
    /// True once the standard input has no more characters.
    input_is_over: Cell<bool>,
    /// True after the report on the first ignored command.
    has_ignored: Cell<bool>,
    /// Payload of a response that is held back.
    delayed_response: Cell<u64>,
    /// State to continue from, set by a restore.
    restored: Cell<Option<Restored>>,
}

/// Command in service to continue with; `None` between two commands.
struct Restored(Option<SavedCommand>);

impl FrontEnd for Channel {
    type Protocol = Htif;

    fn serves(interface: &Interface) -> bool {
        matches!(interface, Interface::Htif(_))
    }

    fn open(opening: Opening<'_>) -> Option<Self> {
        let Interface::Htif(place) = &opening.descriptor.interface else {
            return None;
        };
        // Results and arguments have 64 bits on every CPU.
        let service = ChannelService::new(&opening, PtrWidth::P8);
        let Opening {
            id,
            descriptor,
            bus,
            context,
            peers,
            progress,
        } = opening;
        let tohost = place.tohost;
        let first = HtifStep::Command { tohost };
        let response = subrange(&descriptor.place, WORD, WORD);
        progress.found(
            id,
            response_read(place.fromhost, descriptor.space, response),
        );
        let tracker = StatusTracker::new(id, first, progress, service.operation.clone());
        let words = HostPlace {
            tohost: subrange(&descriptor.place, 0, WORD),
            fromhost: subrange(&descriptor.place, WORD, WORD),
        };
        let poller = HostPoller {
            words: WordPoller::new(bus, id, context.clone(), peers.store.clone()),
            place: words,
        };
        Some(Self {
            service,
            place: place.clone(),
            context,
            poller,
            tracker: HtifTracker::new(tracker),
            files: OpenFiles::default(),
            responses: RefCell::default(),
            reads: RefCell::default(),
            input_is_over: Cell::new(false),
            has_ignored: Cell::new(false),
            delayed_response: Cell::new(0),
            restored: Cell::new(None),
        })
    }

    fn service(&self) -> &ChannelService {
        &self.service
    }

    fn status(&self) -> HtifStatus {
        self.tracker.status(self.service.name())
    }

    /// Serves commands until the exit, and writes the signature.
    async fn serve(&self) -> Result<ServiceEnd, Failure> {
        let code = self.serve_commands().await?;
        if let Some(signature) = &self.place.signature {
            self.write_signature(signature).await;
        }
        Ok(ServiceEnd::Exit(code))
    }

    fn save(&self) -> Result<SavedFrontEnd, SaveError> {
        let command = match self.tracker.step() {
            HtifStep::Failed => return Err(self.service.failed_error()),
            HtifStep::Serve {
                command, awaits, ..
            } => {
                let delayed = match awaits {
                    AwaitedOperation::Input => None,
                    AwaitedOperation::Delay { until } => Some((self.delayed_response.get(), until)),
                    _ => return Err(self.service.busy_error()),
                };
                Some(SavedCommand {
                    command: command.0,
                    since: self.tracker.since(),
                    delayed,
                })
            }
            _ => None,
        };
        let (files, directory) = self.files.saved();
        let reads = self.reads.borrow();
        let reads = reads.iter();
        Ok(SavedFrontEnd::Htif(SavedHtif {
            responses: self.responses.borrow().iter().map(|it| it.0).collect(),
            reads: reads.map(|(it, since)| (it.0, *since)).collect(),
            input_is_over: self.input_is_over.get(),
            has_ignored: self.has_ignored.get(),
            files,
            directory,
            command,
        }))
    }

    fn restore(&self, saved: &SavedFrontEnd) -> Result<(), RestoreError> {
        let SavedFrontEnd::Htif(saved) = saved else {
            return Err(self.service.other_protocol_error());
        };
        if saved.responses.len() > MAX_RESPONSES || saved.reads.len() > MAX_READS {
            let what = "more responses or console reads than can wait";
            return Err(self.service.impossible_state_error(what));
        }
        let responses = saved.responses.iter().copied().map(Command);
        self.responses.replace(responses.collect());
        let reads = saved.reads.iter();
        let reads = reads.map(|(word, since)| (Command(*word), *since));
        self.reads.replace(reads.collect());
        self.tracker.reads.set(saved.reads.len());
        self.input_is_over.set(saved.input_is_over);
        self.has_ignored.set(saved.has_ignored);
        self.files.restore(&saved.files, &saved.directory);
        self.tracker.forget();
        self.restored.set(Some(Restored(saved.command)));
        Ok(())
    }

    fn enter_end(&self, last: LastStep) {
        self.tracker.transition(match last {
            LastStep::Exited { code } => HtifStep::Exited { code },
            LastStep::Failed => HtifStep::Failed,
        });
    }

    fn stop(&self) {
        self.poller.words.end();
    }
}

impl Channel {
    /// Serves commands until the exit. Returns its code.
    async fn serve_commands(&self) -> Result<u32, Failure> {
        match self.restored.take() {
            None => self.service.session.begin(NEWEST),
            Some(Restored(command)) => {
                if let Some(code) = Box::pin(self.resume(command)).await? {
                    return Ok(code);
                }
                self.tracker.transition(self.idle_step());
            }
        }
        self.watch();
        loop {
            match self.news().await? {
                News::Command(command) => {
                    let since = self.context.now();
                    self.tracker.transition(HtifTracker::serve(command));
                    let tohost = self.word(self.place.tohost);
                    self.service.access(Op::Fill(tohost, 0)).await?;
                    let served = Box::pin(self.serve(command, since)).await;
                    if let Some(code) = self.finish(command, since, served).await {
                        return Ok(code);
                    }
                    self.watch();
                }
                News::Free => {
                    let response = self.responses.borrow_mut().pop_front();
                    if let Some(Command(word)) = response {
                        let place = self.word(self.place.fromhost);
                        let data = Bytes::copy_from_slice(&word.to_le_bytes());
                        self.service.access(Op::Write(place, data)).await?;
                    }
                    self.watch();
                }
                News::Input => self.respond_to_read().await,
            }
            self.tracker.transition(self.idle_step());
        }
    }

    /// Answers a command. Returns the exit code if it was the exit.
    async fn finish(&self, command: Command, since: u64, served: CommandOutcome) -> Option<u32> {
        match served {
            CommandOutcome::Exit(code) => {
                self.emit(command, since, None);
                return Some(code);
            }
            CommandOutcome::Response(payload) => {
                self.delayed_response.set(payload);
                self.service.delay_response().await;
                self.respond(command, payload);
            }
            CommandOutcome::Silent => {}
        }
        None
    }

    /// Serves the command of a checkpoint from the point at which it waited. Returns the exit code
    /// if it was the exit.
    async fn resume(&self, command: Option<SavedCommand>) -> Result<Option<u32>, Failure> {
        let Some(SavedCommand {
            command,
            since,
            delayed,
        }) = command
        else {
            return Ok(None);
        };
        let command = Command(command);
        self.tracker.resume(HtifTracker::serve(command), since);
        if let Some((payload, until)) = delayed {
            self.delayed_response.set(payload);
            self.service.wait_until(until).await;
            self.respond(command, payload);
            return Ok(None);
        }
        let served = self.serve(command, since).await;
        Ok(self.finish(command, since, served).await)
    }

    fn word(&self, address: u64) -> Span {
        Span { address, len: WORD }
    }

    /// Selects the words to poll from now on.
    fn watch(&self) {
        self.poller.watch(!self.responses.borrow().is_empty());
    }

    /// Pending step while no command is served.
    fn idle_step(&self) -> HtifStep {
        let HtifPlace {
            tohost, fromhost, ..
        } = self.place;
        if !self.responses.borrow().is_empty() {
            return HtifStep::Taken { fromhost };
        }
        match self.reads.borrow().is_empty() {
            true => HtifStep::Command { tohost },
            false => HtifStep::Input {
                tohost,
                is_over: self.input_is_over.get(),
            },
        }
    }

    /// Waits for the next news.
    async fn news(&self) -> Result<News, Failure> {
        poll_fn(|context| {
            let words = match self.poller.words() {
                Ok(words) => words,
                Err(failure) => return Poll::Ready(Err(failure)),
            };
            let waiting = self.responses.borrow().len();
            if waiting > 0 && words.fromhost == Some(0) {
                return Poll::Ready(Ok(News::Free));
            }
            let mut due = None;
            if words.tohost != 0 && waiting < MAX_RESPONSES {
                let command = Command(words.tohost);
                let until = self.poller.words.since().saturating_add(self.place.settle);
                if command.is_whole() || until <= self.context.now() {
                    return Poll::Ready(Ok(News::Command(command)));
                }
                due = Some(until);
                self.tracker.wait(HtifStep::Settle { command, until });
            }
            let reads = !self.reads.borrow().is_empty() && !self.input_is_over.get();
            if reads && waiting < MAX_RESPONSES && self.service.is_byte_ready(context) {
                return Poll::Ready(Ok(News::Input));
            }
            self.poller.words.wake_later(context, due);
            Poll::Pending
        })
        .await
    }

    /// Serves one command, valid or not.
    async fn serve(&self, command: Command, since: u64) -> CommandOutcome {
        match (command.device(), command.number()) {
            (_, Command::IDENTIFY) => {
                let identified = self.identify(command).await;
                let identified = identified.map(|()| 0);
                let result = self.result(command, None, identified);
                self.emit(command, since, Some(result));
                CommandOutcome::Response(1)
            }
            (Device::SystemCalls, 0) if command.payload() & 1 == 1 => {
                CommandOutcome::Exit(exit_code(command.payload() >> 1))
            }
            (Device::SystemCalls, 0) => self.serve_call(command, since).await,
            (Device::Console, 0) => {
                let mut reads = self.reads.borrow_mut();
                if reads.len() == MAX_READS {
                    let text = format!(
                        "{MAX_READS} console reads wait for a character; a further one is ignored; wait for the response to each"
                    );
                    self.service.report_error(&text);
                } else {
                    reads.push_back((command, since));
                    self.tracker.reads.set(reads.len());
                }
                CommandOutcome::Silent
            }
            (Device::Console, 1) => {
                let text = Bytes::copy_from_slice(&[command.payload() as u8]);
                let printed = self.service.print(text).await;
                if printed.is_err() {
                    self.result(command, None, printed.map(|()| 0));
                }
                self.emit(command, since, None);
                CommandOutcome::Silent
            }
            _ => {
                if !self.has_ignored.replace(true) {
                    let word = command.0;
                    self.service.report(
                        Severity::Warning,
                        &format!(
                            "tohost had {word:#x}: {command}, which does not exist; it is ignored, and later ones are not reported"
                        ),
                    );
                }
                self.emit(command, since, None);
                CommandOutcome::Silent
            }
        }
    }

    /// Writes the name of a device, or of one of its commands, to memory.
    async fn identify(&self, command: Command) -> Result<(), Failure> {
        let (address, what) = (command.payload() >> 8, command.payload() as u8);
        let device = command.device();
        let name = match what {
            u8::MAX => device.identity(),
            number => device.command_name(number),
        };
        let mut bytes = [0; IDENTITY];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let place = Span {
            address,
            len: IDENTITY as u64,
        };
        let data = Bytes::copy_from_slice(&bytes);
        self.service.access(Op::Write(place, data)).await.map(drop)
    }

    /// Serves a system call: its words are read, and its result replaces the first.
    async fn serve_call(&self, command: Command, since: u64) -> CommandOutcome {
        let address = command.payload();
        let span = Span {
            address,
            len: SystemCall::SIZE,
        };
        let read = self.service.access(Op::Read(span)).await;
        let call = match read {
            Ok(outcome) => SystemCall::parse(&outcome.into_bytes()),
            Err(failure) => {
                let result = self.result(command, None, Err(failure));
                self.emit(command, since, Some(result));
                return CommandOutcome::Response(1);
            }
        };
        let Some(call) = call else {
            return CommandOutcome::Response(1);
        };
        self.tracker.calls(call);
        if call.name() == "exit" {
            return CommandOutcome::Exit(exit_code(call.args[0]));
        }
        let done = match self.context.catch_panic(self.system_call(&call)).await {
            Ok(done) => done,
            Err(panic) => Err(Failure::Panic(panic)),
        };
        let result = self.result(command, Some(&call), done);
        self.emit(command, since, Some(result));
        let place = self.word(address);
        let data = Bytes::copy_from_slice(&result.to_le_bytes());
        if let Err(failure) = self.service.access(Op::Write(place, data)).await {
            let text = format!("{call}: the result {result:#x} can't be written: {failure}");
            self.service.report_error(&text);
        }
        CommandOutcome::Response(1)
    }

    /// Result of a command. A failure is reported, and gives a negative result.
    fn result(
        &self,
        command: Command,
        call: Option<&SystemCall>,
        done: Result<u64, Failure>,
    ) -> i64 {
        let failure = match done {
            // No call has a result that large.
            Ok(value) => return i64::try_from(value).unwrap_or(i64::MAX),
            Err(failure) => failure,
        };
        let Errno(number) = failure.errno();
        let severity = self.severity(call, &failure);
        let what = match call {
            Some(call) => call.to_string(),
            None => command.to_string(),
        };
        let errno = failure.errno();
        if !failure.is_reported() {
            self.service
                .report(severity, &format!("{what}: {failure}; answered {errno}"));
        }
        -i64::from(number)
    }

    /// Reports a command's outcome to the taps.
    fn emit(&self, command: Command, since: u64, result: Option<i64>) {
        let served = CommandServed {
            channel: self.service.id,
            command,
            call: self.tracker.call(),
            since,
            result,
        };
        self.tracker.complete(&served);
        self.service.emit_served(&self.context, || served.clone());
    }

    fn respond(&self, command: Command, payload: u64) {
        self.responses
            .borrow_mut()
            .push_back(command.response(payload));
    }

    /// Answers a console read if a character is available.
    async fn respond_to_read(&self) {
        self.service.operation.awaits(AwaitedOperation::Input);
        let byte = self.service.read_byte().await.unwrap_or_else(|failure| {
            let cause = failure.with_cause();
            self.service.report_error(&format!("console read: {cause}"));
            None
        });
        let Some(byte) = byte else {
            self.input_is_over.set(true);
            self.service.report(
                Severity::Warning,
                "HTIF: a console read asks for a character behind the end of the standard input, and gets no response: the command has no \
                 value for an end; give more input",
            );
            return;
        };
        let mut reads = self.reads.borrow_mut();
        if let Some((command, since)) = reads.pop_front() {
            let payload = 0x100 | u64::from(byte);
            self.tracker.reads.set(reads.len());
            drop(reads);
            self.respond(command, payload);
            self.emit(command, since, Some(payload.cast_signed()));
            self.watch();
        }
    }
}

/// Read of `fromhost` for the status.
fn response_read(fromhost: u64, space: SpaceId, place: Segments) -> WordsRead {
    let op = Op::Peek(place);
    WordsRead {
        access: AccessSegments { space, op },
        parse: Box::new(move |bytes| {
            let response = u64::from_le_bytes(bytes.try_into().ok()?);
            Some(StatusWords::Htif { fromhost, response })
        }),
    }
}
