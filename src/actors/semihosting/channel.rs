//! One channel: operations on request of the testbench, and the exit.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

use mailbox_rs::{Errno, FileRequest, NEWEST, PosixFlags, Request, Whence};

use super::handles::Handles;
use super::outcome::{MINUS_ONE, OperationOutcome};
use crate::actors::service::{
    ChannelService, Failure, FrontEnd, LastStep, Opening, ServiceEnd, StatusTracker, WordPoller,
    WordsRead, severity,
};
use crate::bus::ActorContext;
use crate::mem::{Op, Segments, SpaceId, Span, subrange};
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::{RestoreError, SaveError, SavedFrontEnd, SavedSemihosting};
use crate::messages::foreign::Severity;
use crate::messages::front_end::{Operate, OperateError};
use crate::messages::memory::AccessSegments;
use crate::messages::semihosting::{
    Operation, OperationServed, OperationText, STUB_ARGUMENTS, STUB_ARGUMENTS_LEN, STUB_HARTS,
    STUB_LOCK_LEN, STUB_WORDS, Semihosting, SemihostingStatus, SemihostingStep,
};
use crate::messages::{Interface, StatusWords};

/// Words by which the code that replaces traps asks the host.
struct Stub {
    address: u64,
    place: Segments,
    poller: WordPoller,
    /// True after the report on a hart without words of its own.
    has_told: Cell<bool>,
}

/// Delayed result to continue with: hart, result, and first tick in which it may be written; `None`
/// for none.
struct RestoredResult(Option<(u32, u64, u64)>);

/// State of one channel.
pub(crate) struct Channel {
    pub(super) service: ChannelService,
    context: ActorContext,
    tracker: StatusTracker<SemihostingStep, OperationServed>,
    /// Step while no operation is served.
    waiting: SemihostingStep,
    pub(super) handles: Handles,
    /// Number of the last error.
    pub(super) errno: Cell<i32>,
    /// Wall time of the first operation that asked for the elapsed time, in nanoseconds.
    pub(super) start: RefCell<Option<u64>>,
    /// Words of the code that replaces traps, if there is such code.
    stub: Option<Stub>,
    /// True after the report on a read of a character behind the end of the input.
    pub(super) has_told_end: Cell<bool>,
    exit: Cell<Option<u32>>,
    /// Delayed result: hart and value.
    delayed_result: Cell<Option<(u32, u64)>>,
    /// State to continue from, set by a restore: a delayed result, with the first tick in which it
    /// may be written.
    restored: Cell<Option<RestoredResult>>,
    /// Waker of the channel's task, while it waits for the exit.
    waker: Cell<Option<Waker>>,
}

impl FrontEnd for Channel {
    type Protocol = Semihosting;

    fn serves(interface: &Interface) -> bool {
        matches!(interface, Interface::Semihosting(_))
    }

    fn open(opening: Opening<'_>) -> Option<Self> {
        let Interface::Semihosting(place) = &opening.descriptor.interface else {
            return None;
        };
        let service = ChannelService::new(&opening, place.ptr_width);
        let Opening {
            id,
            descriptor,
            bus,
            context,
            peers,
            progress,
        } = opening;
        let waiting = match place.stub {
            Some(_) => SemihostingStep::Code,
            None => SemihostingStep::Trap,
        };
        if place.stub.is_some() {
            let lock = subrange(&descriptor.place, STUB_WORDS, STUB_LOCK_LEN);
            progress.found(id, lock_read(descriptor.space, lock));
        }
        let tracker = StatusTracker::new(id, waiting.clone(), progress, service.operation.clone());
        let stub = place.stub.map(|address| Stub {
            address,
            has_told: Cell::new(false),
            place: subrange(&descriptor.place, 0, STUB_WORDS),
            poller: WordPoller::new(bus, id, context.clone(), peers.store.clone()),
        });
        Some(Self {
            stub,
            service,
            context,
            tracker,
            waiting,
            handles: Handles::default(),
            errno: Cell::new(0),
            start: RefCell::default(),
            has_told_end: Cell::new(false),
            exit: Cell::new(None),
            delayed_result: Cell::new(None),
            restored: Cell::new(None),
            waker: Cell::default(),
        })
    }

    fn service(&self) -> &ChannelService {
        &self.service
    }

    fn status(&self) -> SemihostingStatus {
        let mut step = self.tracker.step().borrow().clone();
        if let SemihostingStep::Serve { awaits, .. } = &mut step {
            *awaits = self.tracker.awaited();
        }
        SemihostingStatus {
            channel: self.service.name().to_string(),
            now: self.tracker.now(),
            step,
            since: self.tracker.since(),
            recent: self.tracker.recent(),
        }
    }

    /// Waits for the exit, and serves the code in place of traps.
    async fn serve(&self) -> Result<ServiceEnd, Failure> {
        let restored = self.restored.take();
        if restored.is_none() {
            self.service.session.begin(NEWEST);
        }
        let Some(stub) = &self.stub else {
            let code = poll_fn(|context| match self.exit.get() {
                Some(code) => Poll::Ready(code),
                None => {
                    self.waker.set(Some(context.waker().clone()));
                    Poll::Pending
                }
            });
            return Ok(ServiceEnd::Exit(code.await));
        };
        if let Some(RestoredResult(Some((hart, result, until)))) = restored {
            self.delayed_result.set(Some((hart, result)));
            self.service.wait_until(until).await;
            self.respond(stub, hart, result).await?;
        }
        loop {
            // Firmware may repeat the same request before the next poll.
            stub.poller.watch(stub.place.iter().copied());
            let Flags { harts, other } = match self.next_event(stub).await? {
                FirmwareEvent::Operations(flags) => flags,
                FirmwareEvent::Exit(code) => return Ok(ServiceEnd::Exit(code)),
            };
            if other != 0 && !stub.has_told.replace(true) {
                self.report_other_hart(other);
            }
            let mut waits = false;
            for hart in harts {
                waits |= !self.serve_hart(stub, hart).await?;
                if let Some(code) = self.exit.get() {
                    return Ok(ServiceEnd::Exit(code));
                }
            }
            if waits {
                stub.wait(self.context.now() + 1, &self.context).await;
            }
        }
    }

    fn save(&self) -> Result<SavedFrontEnd, SaveError> {
        if let SemihostingStep::Failed = *self.tracker.step().borrow() {
            return Err(self.service.failed_error());
        }
        let delayed = match (self.delayed_result.get(), self.tracker.awaited()) {
            (Some((hart, result)), AwaitedOperation::Delay { until }) => {
                Some((hart, result, until))
            }
            (None, _) => None,
            (Some(_), _) => return Err(self.service.busy_error()),
        };
        let has_told = self.stub.as_ref().is_some_and(|stub| stub.has_told.get());
        Ok(SavedFrontEnd::Semihosting(SavedSemihosting {
            handles: self.handles.saved(),
            errno: self.errno.get(),
            start: *self.start.borrow(),
            has_told,
            delayed,
        }))
    }

    fn restore(&self, saved: &SavedFrontEnd) -> Result<(), RestoreError> {
        let SavedFrontEnd::Semihosting(saved) = saved else {
            return Err(self.service.other_protocol_error());
        };
        if !self.handles.restore(&saved.handles) {
            let what = "more handles than a channel can have, or fewer than the standard streams";
            return Err(self.service.impossible_state_error(what));
        }
        self.errno.set(saved.errno);
        self.start.replace(saved.start);
        if let Some(stub) = &self.stub {
            stub.has_told.set(saved.has_told);
        }
        self.delayed_result.set(None);
        self.exit.set(None);
        self.tracker.transition(self.waiting.clone());
        self.restored.set(Some(RestoredResult(saved.delayed)));
        Ok(())
    }

    fn enter_end(&self, last: LastStep) {
        if let LastStep::Exited { code } = last {
            self.exit.set(Some(code));
        }
        self.tracker.transition(match last {
            LastStep::Exited { code } => SemihostingStep::Exited { code },
            LastStep::Failed => SemihostingStep::Failed,
        });
    }

    fn stop(&self) {
        if let Some(stub) = &self.stub {
            stub.poller.end();
        }
    }

    async fn operate(&self, asked: &Operate) -> Result<Option<u64>, OperateError> {
        if self.exit.get().is_some() {
            return Err(OperateError::Exited);
        }
        let Operate {
            hart,
            operation,
            argument,
            ..
        } = *asked;
        let operation = Operation(operation);
        // Numbers of firmware have the width of its registers.
        let argument = self.service.width.truncate(argument);
        let since = self.context.now();
        let step = |awaits| SemihostingStep::Serve {
            hart,
            operation,
            argument,
            awaits,
        };
        // An operation that is asked for again, since it waits for input, is no progress.
        let is_repeated = *self.tracker.step().borrow() == step(AwaitedOperation::Input);
        match is_repeated {
            true => self.tracker.wait(step(AwaitedOperation::Host)),
            false => self.tracker.transition(step(AwaitedOperation::Host)),
        }
        let mut args = vec![argument];
        let done = self.context.catch_panic(async {
            if operation.words() > 0 {
                args.extend(self.words(argument, operation.words()).await?);
            }
            self.execute(operation, argument, &args[1..]).await
        });
        let done = done.await;
        let done = done.unwrap_or_else(|panic| Err(Failure::Panic(panic)));
        if let Ok(OperationOutcome::Pending) = done {
            self.tracker.wait(step(AwaitedOperation::Input));
            self.service.operation.awaits(AwaitedOperation::Input);
            return Ok(None);
        }
        self.tracker.transition(self.waiting.clone());
        let (result, error) = match done {
            Ok(OperationOutcome::Value(value)) => (Some(value), None),
            // One that is pending has returned above.
            Ok(OperationOutcome::Exit(_) | OperationOutcome::Pending) => (None, None),
            Err(ref failure) => {
                let errno = failure.errno();
                let Errno(number) = errno;
                self.errno.set(number);
                let severity = self.severity(operation, failure);
                let text = OperationText(operation, &args);
                if !failure.is_reported() {
                    self.service.report(
                        severity,
                        &format!("hart {hart}: {text}: {failure}; answered {errno}"),
                    );
                }
                (Some(failed(operation, &args)), Some(errno))
            }
        };
        let result = result.map(|result| self.service.width.truncate(result));
        let served = OperationServed {
            channel: self.service.id,
            hart,
            operation,
            args,
            since,
            result,
            error,
        };
        self.tracker.add_recent(served.clone());
        self.service.emit_served(&self.context, || served.clone());
        if let Ok(OperationOutcome::Exit(code)) = done {
            self.exit.set(Some(code));
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
        Ok(Some(result.unwrap_or_default()))
    }
}

/// Flags of the words.
struct Flags {
    /// Harts that ask for an operation.
    harts: Vec<u32>,
    /// Flag of a hart without words of its own; 0 for none.
    other: u32,
}

impl Flags {
    /// Flags in the bytes read; `None` before the first read, and if no flag is set.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (words, _) = bytes.as_chunks();
        let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let (other, flags) = words.split_last()?;
        let harts = (0..).zip(flags).filter(|(_, flag)| **flag != 0);
        let harts: Vec<u32> = harts.map(|(hart, _)| hart).collect();
        let other = *other;
        (!harts.is_empty() || other != 0).then_some(Self { harts, other })
    }
}

impl Stub {
    /// Waits for a tick.
    async fn wait(&self, until: u64, now: &ActorContext) {
        poll_fn(|context| {
            if now.now() >= until {
                return Poll::Ready(());
            }
            self.poller.wake_later(context, Some(until));
            Poll::Pending
        })
        .await;
    }
}

/// Event for which a channel with code in place of traps waits.
enum FirmwareEvent {
    Operations(Flags),
    /// Exit by a call of the testbench.
    Exit(u32),
}

impl Channel {
    /// Waits until firmware asks for an operation by its words, or has exited.
    async fn next_event(&self, stub: &Stub) -> Result<FirmwareEvent, Failure> {
        poll_fn(|context| {
            if let Some(code) = self.exit.get() {
                return Poll::Ready(Ok(FirmwareEvent::Exit(code)));
            }
            let bytes = match stub.poller.bytes() {
                Ok(bytes) => bytes,
                Err(failure) => return Poll::Ready(Err(failure)),
            };
            let is_new = |flags: &Flags| !flags.harts.is_empty() || !stub.has_told.get();
            if let Some(flags) = Flags::of(&bytes).filter(is_new) {
                return Poll::Ready(Ok(FirmwareEvent::Operations(flags)));
            }
            self.waker.set(Some(context.waker().clone()));
            stub.poller.wake_later(context, None);
            Poll::Pending
        })
        .await
    }

    /// Serves the operation that a hart asks for by its words. Returns false while it waits for
    /// input.
    async fn serve_hart(&self, stub: &Stub, hart: u32) -> Result<bool, Failure> {
        let arguments = stub.address + STUB_ARGUMENTS + STUB_ARGUMENTS_LEN * u64::from(hart);
        let word = |address, len| Span { address, len };
        let read = Op::Read(word(arguments, STUB_ARGUMENTS_LEN));
        let bytes = self.service.access(read).await?.into_bytes();
        let (words, _) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let mut next = || words.next().unwrap_or_default();
        let operate = Operate {
            channel: self.service.id,
            hart,
            operation: self.service.width.truncate(next()),
            argument: next(),
        };
        let result = match self.operate(&operate).await {
            Ok(Some(result)) => result,
            Ok(None) => return Ok(false),
            Err(_) => 0,
        };
        if self.exit.get().is_none() {
            self.delayed_result.set(Some((hart, result)));
            self.service.delay_response().await;
            self.respond(stub, hart, result).await?;
        }
        Ok(true)
    }

    /// Writes the result of an operation to the words of a hart.
    async fn respond(&self, stub: &Stub, hart: u32, result: u64) -> Result<(), Failure> {
        self.delayed_result.set(None);
        let word = |address, len| Span { address, len };
        let arguments = stub.address + STUB_ARGUMENTS + STUB_ARGUMENTS_LEN * u64::from(hart);
        let flag = stub.address + 4 * u64::from(hart);
        let response = vec![
            Op::Word(word(arguments, 8), result),
            Op::Word(word(flag, 4), 0),
        ];
        self.service.access(Op::Batch(response)).await.map(drop)
    }

    /// Reports a hart without words of its own, by its flag.
    fn report_other_hart(&self, flag: u32) {
        let text = match flag {
            1 => "semihosting: an operation was asked for while another one waited: by a second hart, for which the code in place of traps \
                  is not made (give the number of harts as `harts`, or compile firmware with the extension A), or by a trap handler that \
                  has interrupted the operation (let it ask for none)"
                .to_owned(),
            _ => format!(
                "semihosting: hart {} has asked for an operation; the code in place of traps has words for harts 0 to {}: compile firmware \
                 with the extension A; the hart waits for ever",
                flag - 1,
                STUB_HARTS - 1
            ),
        };
        self.service.report(Severity::Error, &text);
    }

    fn severity(&self, operation: Operation, failure: &Failure) -> Severity {
        let Some(request) = request(operation) else {
            return Severity::Error;
        };
        severity(&self.service.services, &Request::File(request), failure)
    }
}

/// Read of the lock for the status.
fn lock_read(space: SpaceId, place: Segments) -> WordsRead {
    let op = Op::Peek(place);
    WordsRead {
        access: AccessSegments { space, op },
        parse: Box::new(|bytes| {
            let lock = u32::from_le_bytes(bytes.try_into().ok()?);
            Some(StatusWords::Semihosting { lock })
        }),
    }
}

/// Operation of the mailbox that corresponds to an operation, for the severity of a failure.
fn request(operation: Operation) -> Option<FileRequest> {
    Some(match operation.name() {
        "open" => FileRequest::PosixOpen {
            path: 0,
            flags: PosixFlags::READ_ONLY,
            mode: 0,
        },
        "close" => FileRequest::Close { fd: 0 },
        "read" => FileRequest::Read {
            fd: 0,
            ptr: 0,
            len: 0,
        },
        "write" => FileRequest::Write {
            fd: 0,
            ptr: 0,
            len: 0,
        },
        "seek" | "flen" => FileRequest::Lseek {
            fd: 0,
            whence: Whence::Set,
            offset: 0,
            result: 0,
        },
        "remove" => FileRequest::Unlink { path: 0 },
        "rename" => FileRequest::Rename { from: 0, to: 0 },
        _ => return None,
    })
}

/// Result of a failed operation: no bytes transferred, or -1.
fn failed(operation: Operation, args: &[u64]) -> u64 {
    match (operation.name(), args) {
        ("read" | "write", [_, _, _, len]) => *len,
        _ => MINUS_ONE,
    }
}
