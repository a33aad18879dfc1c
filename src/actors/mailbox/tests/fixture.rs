//! The mailbox server with mocks of all its peers, and its firmware.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use mailbox_rs::mock::{Firmware, Memory as _, Ram};
use mailbox_rs::{CacheLine, Errno, Layout, PtrWidth, Request, ResponseEntry, Timestamp};

use crate::actors::console::ConsoleClient;
use crate::actors::mailbox::MailboxChannel;
use crate::actors::memory::{MemoryClient, Resolver};
use crate::actors::rpc::RpcClient;
use crate::actors::service::{ChannelProgress, Peers, Server, statuses};
use crate::bus::{Bus, Inbox as _, Port, ReplySender};
use crate::mem::{
    AccessError, Backend, BackendError, Init, Memory, MemoryId, MemoryMap, Op, Segment, Shape,
    Space, SpaceId, Span, Store, execute,
};
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{self, ChannelStatus};
use crate::messages::rpc::{CallError, PollOutcome, Progress, Provider, Target};
use crate::messages::{
    ChannelDescriptor, ChannelId, ChannelServices, Interface, MailboxPlace, console, files,
    foreign, memory, rpc, sockets,
};
use crate::testing::NoFrames;

pub(super) const BASE: u64 = 0x8000_0000;
pub(super) const SIZE: u64 = 0x2_0000;
pub(super) const DATA: u64 = BASE + 0x1_0000;

/// Custom command that is pending until a test sets its result.
pub(super) const LATER: u64 = 99;

/// Memory of a chip that counts its accesses, and fails on request.
pub(super) struct Chip {
    pub(super) ram: Ram,
    /// True if every access fails.
    pub(super) is_broken: Cell<bool>,
    pub(super) reads: Cell<u32>,
    pub(super) writes: Cell<u32>,
}

impl Store for Chip {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.reads.set(self.reads.get() + 1);
        self.check(at)?;
        self.ram.read(BASE + at.offset, to);
        Ok(())
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.writes.set(self.writes.get() + 1);
        self.check(at)?;
        self.ram.write(BASE + at.offset, data);
        Ok(())
    }
}

impl Chip {
    fn check(&self, at: &Segment) -> Result<(), AccessError> {
        if !self.is_broken.get() {
            return Ok(());
        }
        Err(AccessError::Backend {
            memory: "ram".to_owned(),
            offset: at.offset,
            len: at.len,
            cause: Box::new(BackendError::Model("out of order".to_owned())),
        })
    }
}

/// Messages recorded by the mocks.
#[derive(Default)]
pub(super) struct RecordedMessages {
    pub(super) text: RefCell<String>,
    pub(super) reports: RefCell<Vec<(Severity, String, String)>>,
    pub(super) exits: RefCell<Vec<(String, u32)>>,
    pub(super) served: RefCell<Vec<foreign::Served>>,
    pub(super) calls: RefCell<Vec<rpc::Call>>,
    /// Results of the next calls, last one first. Without one a call returns the sum of its
    /// arguments.
    pub(super) results: RefCell<Vec<u64>>,
    pub(super) pending: RefCell<Vec<ReplySender<Result<PollOutcome, CallError>>>>,
    pub(super) cancelled: RefCell<Vec<String>>,
    pub(super) files: RefCell<Vec<String>>,
    /// Unchanged bytes, with true for standard error.
    pub(super) raw: RefCell<Vec<(bool, Vec<u8>)>>,
    /// Callback during firmware's next access to memory or to a file.
    pub(super) meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl RecordedMessages {
    pub(super) fn interrupt(&self) {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
    }
}

pub(super) struct Fixture {
    pub(super) bus: Bus,
    pub(super) chip: Rc<Chip>,
    pub(super) seen: Rc<RecordedMessages>,
    pub(super) progress: Rc<ChannelProgress>,
    pub(super) server: Port<mailbox::Inbox>,
    pub(super) memory: Port<memory::Inbox>,
    pub(super) observed: Rc<Cell<bool>>,
}

impl Fixture {
    pub(super) fn new(channels: &[(u64, Layout)]) -> Self {
        Self::on(Ram::new(BASE, SIZE as usize), channels)
    }

    /// Fixture whose memory has content before the host starts.
    pub(super) fn on(ram: Ram, channels: &[(u64, Layout)]) -> Self {
        Self::with(ram, ChannelServices::default(), channels)
    }

    /// Fixture with services of its channels.
    pub(super) fn with(ram: Ram, services: ChannelServices, channels: &[(u64, Layout)]) -> Self {
        let services = Arc::new(services);
        let bus = Bus::new();
        let chip = Rc::new(Chip {
            ram,
            is_broken: Default::default(),
            reads: Default::default(),
            writes: Default::default(),
        });
        let seen = Rc::new(RecordedMessages::default());
        let observed = Rc::new(Cell::new(false));
        let memory = memory_of(&bus, chip.clone(), seen.clone());
        let foreign = foreign_of(&bus, seen.clone());
        // The resolver has no memories, so all accesses go to the mock.
        let resolver = Rc::new(Resolver {
            map: Rc::default(),
            local: chip.clone(),
            observed: Rc::default(),
        });
        let peers = Peers {
            memory: MemoryClient::new(&memory, &foreign, resolver, None),
            rpc: RpcClient::new(
                bus.context(mailbox::Inbox::ENDPOINT),
                &rpc_of(&bus, seen.clone()),
                None,
            ),
            files: files_of(&bus, seen.clone()),
            console: ConsoleClient::new(&console_of(&bus, seen.clone()), None),
            sockets: bus.foreign(Rc::new(|_: sockets::Inbox| {})),
            frames: Rc::new(NoFrames),
            foreign,
            store: chip.clone(),
            served: observed.clone(),
        };
        let progress = Rc::new(ChannelProgress::new(channels.len()));
        let served = channels
            .iter()
            .enumerate()
            .map(|(at, (address, layout))| ChannelDescriptor {
                name: format!("core{at}").into(),
                space: SpaceId(0),
                interface: Interface::Mailbox(MailboxPlace {
                    address: *address,
                    layout: *layout,
                }),
                place: crate::mem::Segments::default(),
                services: services.clone(),
                firmware: ChannelId(at as u32),
            });
        let served: Vec<ChannelDescriptor> = served.collect();
        let context = bus.context(mailbox::Inbox::ENDPOINT);
        let server = bus.start(|own| {
            Server::<MailboxChannel>::new(&bus, context, peers, &served, &progress, own)
        });
        let server = server.unwrap();
        bus.run_until_idle().unwrap();
        Self {
            bus,
            chip,
            seen,
            progress,
            server,
            memory,
            observed,
        }
    }

    pub(super) fn tick(&self) {
        self.bus.tick().unwrap();
        assert_eq!(self.bus.take_panics(), []);
    }

    pub(super) fn statuses(&self) -> Vec<ChannelStatus> {
        let ids: Vec<ChannelId> = self.progress.channels().collect();
        statuses(&self.bus, &self.server, &ids, &self.memory, &self.progress).unwrap()
    }

    /// Formatted status of the only channel.
    pub(super) fn status(&self) -> String {
        let [status] = &self.statuses()[..] else {
            panic!("not one channel");
        };
        status.to_string()
    }

    pub(super) fn reports(&self) -> Vec<(Severity, String, String)> {
        self.seen.reports.take()
    }
}

fn memory_of(bus: &Bus, chip: Rc<Chip>, seen: Rc<RecordedMessages>) -> Port<memory::Inbox> {
    let memory = |name: &str, base, size| Memory {
        name: name.into(),
        base,
        size,
        shape: Shape::BlackBox,
        init: Init::None,
        backend: Backend::Log,
    };
    // The second memory is large and has no bytes in the mock.
    let memories = vec![
        memory("ram", BASE, SIZE),
        memory("large", 0x1000_0000, 1 << 30),
    ];
    let space = Space::new("core".into(), &[MemoryId(1), MemoryId(0)], &memories).unwrap();
    let map = MemoryMap {
        memories,
        spaces: vec![space],
    };
    let resolver = Resolver {
        map: Rc::new(map),
        local: chip.clone(),
        observed: Rc::default(),
    };
    bus.foreign(Rc::new(move |call| match call {
        memory::Inbox::Access(call) => {
            if !matches!(call.message.op, Op::Word(..)) {
                seen.interrupt();
            }
            let op = resolver.resolve(call.message.space, call.message.op);
            let op = op.map_err(AccessError::from);
            call.reply.send(op.and_then(|op| execute(&*chip, &op)));
        }
        memory::Inbox::AccessSegments(call) => call.reply.send(execute(&*chip, &call.message.op)),
        memory::Inbox::MappedLength(call) => {
            let Span { address, len } = call.message.span;
            call.reply.send(resolver.map.clip(SpaceId(0), address, len));
        }
        memory::Inbox::Resolve(call) => {
            let Span { address, len } = call.message.span;
            call.reply.send(
                resolver
                    .map
                    .resolve(call.message.space, address, len)
                    .map_err(Into::into),
            );
        }
    }))
}

fn rpc_of(bus: &Bus, seen: Rc<RecordedMessages>) -> Port<rpc::Inbox> {
    bus.foreign(Rc::new(move |call| match call {
        rpc::Inbox::Call(call) => {
            seen.calls.borrow_mut().push(call.message.clone());
            match &call.message.target {
                Target::Method(name) if **name == *"later" => {
                    seen.pending.borrow_mut().push(call.reply);
                }
                Target::Command(LATER) => seen.pending.borrow_mut().push(call.reply),
                Target::Method(name) if **name == *"absent" => {
                    call.reply.send(Err(CallError::Absent(call.message.target)));
                }
                Target::Method(name) if **name == *"dropped" => {}
                _ => {
                    let sum = call.message.args.iter().sum();
                    let result = seen.results.borrow_mut().pop().unwrap_or(sum);
                    call.reply
                        .send(Ok(Provider::Testbench.outcome(Progress::Ready(result))));
                }
            }
        }
        rpc::Inbox::Cancel(call) => {
            seen.cancelled
                .borrow_mut()
                .push(call.message.channel.to_string());
            call.reply.send(());
        }
        _ => {}
    }))
}

fn files_of(bus: &Bus, seen: Rc<RecordedMessages>) -> Port<files::Inbox> {
    let note = move |text: String| {
        seen.interrupt();
        seen.files.borrow_mut().push(text);
    };
    bus.foreign(Rc::new(move |call| match call {
        files::Inbox::Open(call) => {
            let path = String::from_utf8_lossy(&call.message.path).into_owned();
            note(format!("open {path} {}", call.message.flags.0));
            call.reply.send(if path == "missing" {
                Err(Errno::ENOENT)
            } else {
                Ok(10)
            });
        }
        files::Inbox::Close(call) => {
            note(format!("close {}", call.message.fd));
            call.reply.send(Ok(()));
        }
        files::Inbox::Read(call) => {
            note(format!("read {} {}", call.message.fd, call.message.len));
            // A file of 100 bytes, of which a read returns at most 60.
            let at = if call.message.len == 65536 || call.message.len == 80 {
                0
            } else {
                60
            };
            let len = call.message.len.min(if at == 0 { 60 } else { 40 });
            call.reply.send(Ok(Bytes::from(vec![7; len as usize])));
        }
        files::Inbox::Write(call) => {
            note(format!(
                "write {} {} bytes",
                call.message.fd,
                call.message.data.len()
            ));
            call.reply.send(Ok(call.message.data.len() as u64));
        }
        files::Inbox::Seek(call) => {
            note(format!(
                "seek {} {}",
                call.message.fd, call.message.position
            ));
            call.reply.send(Ok(call.message.position));
        }
        files::Inbox::Explain(call) => call.reply.send(None),
        files::Inbox::CloseAll(call) => {
            note(format!("close all of {}", call.message.channel.0));
            call.reply.send(());
        }
        other => super::posix::answer(other, &note),
    }))
}

fn console_of(bus: &Bus, seen: Rc<RecordedMessages>) -> Port<console::Inbox> {
    bus.foreign(Rc::new(move |call| match call {
        console::Inbox::Print(call) => {
            let text = String::from_utf8_lossy(&call.message.text).into_owned();
            seen.text.borrow_mut().push_str(&text);
            call.reply.send(());
        }
        console::Inbox::PrintMarked(_) | console::Inbox::Save(_) | console::Inbox::Restore(_) => {
            panic!("{call:?}")
        }
        console::Inbox::Redirect(call) => call.reply.send(()),
        console::Inbox::PrintError(call) => {
            let text = String::from_utf8_lossy(&call.message.text).into_owned();
            seen.text.borrow_mut().push_str(&format!("<{text}>"));
            call.reply.send(());
        }
        console::Inbox::PutRaw(call) => {
            let message = call.message;
            seen.raw
                .borrow_mut()
                .push((message.is_error, message.data.to_vec()));
            call.reply.send(());
        }
        console::Inbox::Finish(call) => {
            seen.text.borrow_mut().push('|');
            call.reply.send(());
        }
    }))
}

fn foreign_of(bus: &Bus, seen: Rc<RecordedMessages>) -> Port<foreign::Inbox> {
    bus.foreign(Rc::new(move |call| match call {
        foreign::Inbox::Exit(call) => {
            seen.exits
                .borrow_mut()
                .push((call.message.channel.to_string(), call.message.code));
            call.reply.send(());
        }
        foreign::Inbox::ExpandPath(call) => {
            let expanded = match call.message.path.as_str() {
                "$DIR/f" => Ok("run/f".to_owned()),
                "$FILE" => Ok("missing".to_owned()),
                "~/f" => Ok("/home/f".to_owned()),
                _ => Err(foreign::Unset {
                    variable: "NONE".to_owned(),
                }),
            };
            call.reply.send(expanded);
        }
        foreign::Inbox::WallTime(call) => {
            call.reply.send(Timestamp::from_nanoseconds(1 << 62));
        }
        foreign::Inbox::Served(call) => {
            seen.served.borrow_mut().push(call.message);
            call.reply.send(());
        }
        foreign::Inbox::Report(call) => {
            let report = call.message;
            seen.reports
                .borrow_mut()
                .push((report.severity, report.id, report.text));
            call.reply.send(());
        }
        other => panic!("not for the outside: {other:?}"),
    }))
}

pub(super) fn plain(width: PtrWidth) -> Layout {
    Layout::new(width, CacheLine::None)
}

/// One channel with its firmware, after the handshake.
pub(super) fn ready(fixture: &Fixture, address: u64, layout: Layout) -> Firmware<&Ram> {
    let mut firmware = Firmware::new(&fixture.chip.ram, address, layout);
    firmware.reset();
    fixture.tick();
    assert!(firmware.is_ready(), "{}", fixture.status());
    firmware
}

pub(super) fn serve(
    fixture: &Fixture,
    firmware: &mut Firmware<&Ram>,
    request: &Request,
) -> Option<ResponseEntry> {
    assert!(firmware.try_send(request));
    fixture.tick();
    firmware.try_receive()
}

pub(super) fn print(text: &str, fixture: &Fixture) -> Request {
    fixture.chip.ram.write(DATA, text.as_bytes());
    Request::Print {
        ptr: DATA,
        len: text.len() as u64,
    }
}
