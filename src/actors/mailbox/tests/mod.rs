//! Tests of the mailbox server alone, with mocks of all its peers.

mod protocol;
mod sharing;
mod status;
mod words;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::mock::{Firmware, Memory as _, Misbehaviour, Ram};
use mailbox_rs::{
    CacheLine, Errno, FileRequest, Layout, OpenFlags, PtrWidth, Request, RequestEntry, Response,
    ResponseEntry, State, Version,
};

use super::{ChannelProgress, MailboxServer, Peers, statuses};
use crate::actors::memory::{MemoryClient, Resolver};
use crate::actors::rpc::RpcClient;
use crate::bus::{Bus, Inbox as _, Port, ReplySender};
use crate::mem::{
    AccessError, Backend, Init, Memory, MemoryId, MemoryMap, Op, Segment, Shape, Space, SpaceId,
    Span, Store, execute,
};
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{self, ChannelStatus, Step};
use crate::messages::rpc::{CallError, PollOutcome, Progress, Provider, Target, When};
use crate::messages::{ChannelDescriptor, console, files, foreign, memory, rpc};

const BASE: u64 = 0x8000_0000;
const SIZE: u64 = 0x2_0000;
const DATA: u64 = BASE + 0x1_0000;

/// Custom command that is pending until a test answers it.
const LATER: u64 = 99;

/// Memory of a chip that counts its accesses.
struct Chip {
    ram: Ram,
    reads: Cell<u32>,
    writes: Cell<u32>,
}

impl Store for Chip {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.reads.set(self.reads.get() + 1);
        self.ram.read(BASE + at.offset, to);
        Ok(())
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.writes.set(self.writes.get() + 1);
        self.ram.write(BASE + at.offset, data);
        Ok(())
    }
}

/// Messages recorded by the mocks.
#[derive(Default)]
struct Seen {
    text: RefCell<String>,
    reports: RefCell<Vec<(Severity, String, String)>>,
    exits: RefCell<Vec<(String, u32)>>,
    served: RefCell<Vec<foreign::Served>>,
    calls: RefCell<Vec<rpc::Call>>,
    /// Results of the next calls, last one first. Without one a call returns the sum of its arguments.
    results: RefCell<Vec<u64>>,
    pending: RefCell<Vec<ReplySender<Result<PollOutcome, CallError>>>>,
    cancelled: RefCell<Vec<String>>,
    files: RefCell<Vec<String>>,
    /// Runs during firmware's next access to memory or to a file.
    meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Seen {
    fn interrupt(&self) {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
    }
}

struct Bench {
    bus: Bus,
    chip: Rc<Chip>,
    seen: Rc<Seen>,
    progress: Rc<ChannelProgress>,
    server: Port<mailbox::Inbox>,
    memory: Port<memory::Inbox>,
    observed: Rc<Cell<bool>>,
}

impl Bench {
    fn new(channels: &[(u64, Layout)]) -> Self {
        Self::on(Ram::new(BASE, SIZE as usize), channels)
    }

    /// Bench whose memory has a content before the host starts.
    fn on(ram: Ram, channels: &[(u64, Layout)]) -> Self {
        let bus = Bus::new();
        let chip = Rc::new(Chip {
            ram,
            reads: Default::default(),
            writes: Default::default(),
        });
        let seen = Rc::new(Seen::default());
        let observed = Rc::new(Cell::new(false));
        let memory = memory_of(&bus, chip.clone(), seen.clone());
        let foreign = foreign_of(&bus, seen.clone());
        // The resolver has no memories, so all accesses go to the mock.
        let resolver = Rc::new(Resolver {
            map: Rc::default(),
            local: chip.clone(),
            observed: Rc::default(),
        });
        let links = Peers {
            memory: MemoryClient::new(&memory, &foreign, resolver, None),
            rpc: RpcClient::new(
                bus.context(mailbox::Inbox::ENDPOINT),
                &rpc_of(&bus, seen.clone()),
                None,
            ),
            files: files_of(&bus, seen.clone()),
            console: console_of(&bus, seen.clone()),
            foreign,
            store: chip.clone(),
            served: observed.clone(),
        };
        let progress = Rc::new(ChannelProgress::new(channels.len()));
        let served = channels.iter().enumerate().map(|(at, (address, layout))| {
            let descriptor = ChannelDescriptor {
                name: format!("core{at}").into(),
                space: SpaceId(0),
                address: *address,
                layout: *layout,
                place: crate::mem::Segments::default(),
            };
            (descriptor, bus.doorbell())
        });
        let served = served.collect();
        let context = bus.context(mailbox::Inbox::ENDPOINT);
        let server = bus.start(|own| {
            MailboxServer::new(context, bus.spawner(), links, served, &progress, &own)
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

    fn tick(&self) {
        self.bus.tick().unwrap();
        assert_eq!(self.bus.take_panics(), []);
    }

    fn statuses(&self) -> Vec<ChannelStatus> {
        statuses(&self.bus, &self.server, &self.memory, &self.progress).unwrap()
    }

    /// Formatted status of the only channel.
    fn status(&self) -> String {
        let [status] = &self.statuses()[..] else {
            panic!("not one channel");
        };
        status.to_string()
    }

    fn reports(&self) -> Vec<(Severity, String, String)> {
        self.seen.reports.take()
    }
}

fn memory_of(bus: &Bus, chip: Rc<Chip>, seen: Rc<Seen>) -> Port<memory::Inbox> {
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

fn rpc_of(bus: &Bus, seen: Rc<Seen>) -> Port<rpc::Inbox> {
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

fn files_of(bus: &Bus, seen: Rc<Seen>) -> Port<files::Inbox> {
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
    }))
}

fn console_of(bus: &Bus, seen: Rc<Seen>) -> Port<console::Inbox> {
    bus.foreign(Rc::new(move |call| match call {
        console::Inbox::Print(call) => {
            let text = String::from_utf8_lossy(&call.message.text).into_owned();
            seen.text.borrow_mut().push_str(&text);
            call.reply.send(());
        }
        console::Inbox::Redirect(call) => call.reply.send(()),
        console::Inbox::Finish(call) => {
            seen.text.borrow_mut().push('|');
            call.reply.send(());
        }
    }))
}

fn foreign_of(bus: &Bus, seen: Rc<Seen>) -> Port<foreign::Inbox> {
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

fn plain(width: PtrWidth) -> Layout {
    Layout::new(width, CacheLine::None)
}

/// One channel with its firmware, after the handshake.
fn ready(bench: &Bench, address: u64, layout: Layout) -> Firmware<&Ram> {
    let mut firmware = Firmware::new(&bench.chip.ram, address, layout);
    firmware.reset();
    bench.tick();
    assert!(firmware.is_ready(), "{}", bench.status());
    firmware
}

fn serve(bench: &Bench, firmware: &mut Firmware<&Ram>, request: &Request) -> Option<ResponseEntry> {
    assert!(firmware.try_send(request));
    bench.tick();
    firmware.try_receive()
}

fn print(text: &str, bench: &Bench) -> Request {
    bench.chip.ram.write(DATA, text.as_bytes());
    Request::Print {
        ptr: DATA,
        len: text.len() as u64,
    }
}

#[test]
fn every_layout_shakes_hands_and_prints() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        for line in [0, 32, 64, 128, 256] {
            let line = CacheLine::from_bytes(line).unwrap_or(CacheLine::None);
            let layout = Layout::new(width, line);
            let bench = Bench::new(&[(BASE, layout)]);
            let mut firmware = ready(&bench, BASE, layout);
            let request = print("hello", &bench);
            let response = serve(&bench, &mut firmware, &request);
            assert_eq!(response, Some(Response::Empty.entry(width)), "{layout:?}");
            assert_eq!(bench.seen.text.take(), "hello");
            assert_eq!(bench.reports(), []);
        }
    }
}

#[test]
fn the_handshake_waits_for_version_state_and_indices() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = Firmware::new(&bench.chip.ram, BASE, layout);
    // An image with INIT in its data is not running firmware yet.
    firmware.store(layout.state, State::INIT.0);
    bench.tick();
    assert!(!firmware.is_ready());
    firmware.set_indices(mailbox_rs::Index(3));
    firmware.misbehave(Misbehaviour::HalfReset);
    bench.tick();
    assert!(!firmware.is_ready());
    assert!(
        bench
            .status()
            .contains("waits for firmware's handshake at 0x80000000")
    );
    firmware.set_indices(mailbox_rs::Index(0));
    bench.tick();
    assert!(firmware.is_ready());
    assert!(
        bench
            .status()
            .starts_with("core0: waits for firmware to write a request")
    );
}

#[test]
fn taking_a_channel_clears_its_queues() {
    let layout = plain(PtrWidth::P8);
    let bench = Bench::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    assert_eq!(bench.chip.writes.get(), 4, "two queues each");
    // Other words are unchanged.
    let firmware = Firmware::new(&bench.chip.ram, BASE, layout);
    assert_eq!(firmware.state(), State(0));
}

#[test]
fn another_version_is_fatal_and_names_both() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = Firmware::new(&bench.chip.ram, BASE, layout);
    firmware.misbehave(Misbehaviour::Version(Version { major: 1, minor: 7 }));
    bench.tick();
    assert!(!firmware.is_ready());
    let reports = bench.reports();
    assert_eq!(
        (reports[0].0, reports[0].1.as_str()),
        (Severity::Fatal, "core0")
    );
    assert!(
        reports[0].2.contains("1.7") && reports[0].2.contains("0.2"),
        "{}",
        reports[0].2
    );
    assert!(
        bench
            .progress
            .fatal()
            .unwrap()
            .starts_with("channel core0: ")
    );
}

#[test]
fn an_idle_tick_reads_the_doorbell_and_nothing_else() {
    let layout = plain(PtrWidth::P8);
    let bench = Bench::new(&[(BASE, layout)]);
    let _firmware = ready(&bench, BASE, layout);
    bench.tick();
    let (reads, writes) = (bench.chip.reads.get(), bench.chip.writes.get());
    bench.tick();
    bench.tick();
    assert_eq!(bench.chip.reads.get() - reads, 2);
    assert_eq!(bench.chip.writes.get(), writes);
}

#[test]
fn a_print_takes_three_reads_and_three_writes() {
    let layout = plain(PtrWidth::P8);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let request = print("sixteen bytes...", &bench);
    assert!(firmware.try_send(&request));
    let (reads, writes) = (bench.chip.reads.get(), bench.chip.writes.get());
    bench.tick();
    assert_eq!(bench.chip.reads.get() - reads, 3, "doorbell, entry, text");
    assert_eq!(bench.chip.writes.get() - writes, 3, "idx_c, entry, idx_p");
}

#[test]
fn bursts_fill_the_queues_and_their_indices_wrap() {
    let layout = Layout::new(PtrWidth::P4, CacheLine::B64);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let mut expected = 0;
    for round in 0..50_u64 {
        let mut sent = 0;
        while firmware.try_send(&Request::Custom {
            action: 0x8000_0000,
            id: 1,
            args: [round, sent].into(),
        }) {
            sent += 1;
        }
        assert_eq!(sent, 8);
        bench.tick();
        for at in 0..8 {
            let response = firmware.try_receive().expect("all are served in one tick");
            assert_eq!(response.rets, round + at);
            expected += 1;
        }
        assert_eq!(firmware.try_receive(), None);
    }
    assert_eq!(bench.seen.calls.borrow().len(), expected);
}

#[test]
fn indices_set_near_their_end_wrap_at_two_to_the_32() {
    let layout = plain(PtrWidth::P8);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    firmware.set_indices(mailbox_rs::Index(u32::MAX - 2));
    for turn in 0..20 {
        let request = Request::Custom {
            action: 0x8000_0000,
            id: 1,
            args: [turn].into(),
        };
        let response = serve(&bench, &mut firmware, &request);
        assert_eq!(response.map(|response| response.rets), Some(turn));
    }
    let severities: Vec<_> = bench
        .reports()
        .into_iter()
        .map(|(severity, ..)| severity)
        .collect();
    assert_eq!(severities, [Severity::Warning], "said once");
}

#[test]
fn a_full_response_queue_waits_for_firmware() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let request = |at: u64| Request::Custom {
        action: 0x8000_0000,
        id: 1,
        args: [at].into(),
    };
    for at in 0..8 {
        assert!(firmware.try_send(&request(at)));
    }
    bench.tick();
    for at in 8..12 {
        assert!(firmware.try_send(&request(at)));
    }
    bench.tick();
    assert!(
        bench.status().contains("the queue is full"),
        "{}",
        bench.status()
    );
    assert_eq!(
        firmware.queued(),
        3,
        "one more was taken, its response waits"
    );
    let mut received = Vec::new();
    for _ in 0..8 {
        received.extend(firmware.try_receive().map(|response| response.rets));
        bench.tick();
    }
    while let Some(response) = firmware.try_receive() {
        received.push(response.rets);
        bench.tick();
    }
    assert_eq!(received, (0..12).collect::<Vec<_>>());
    assert_eq!(bench.reports(), []);
}

#[test]
fn responses_go_on_where_firmware_took_more_than_there_were() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let request = Request::MemSet {
        dest: DATA,
        byte: 0,
        len: 1,
    };
    firmware.misbehave(Misbehaviour::SkipResponses(100));
    for _ in 0..9 {
        assert!(firmware.try_send(&request));
        bench.tick();
    }
    assert_eq!(firmware.queued(), 0);
    assert_eq!(firmware.load(layout.response.idx_p), 9);
    let reports = bench.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0]
            .2
            .starts_with("response queue: idx_c is 0x64, where idx_p is 0x8; ")
    );
}

#[test]
fn a_reset_drops_a_pending_call_and_the_channel_starts_anew() {
    let layout = plain(PtrWidth::P8);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    bench.chip.ram.put_string(DATA, "later");
    let call = Request::Call {
        method: DATA,
        args: [1, 2].into(),
    };
    assert_eq!(serve(&bench, &mut firmware, &call), None);
    assert!(
        bench.status().contains("calling method `later`"),
        "{}",
        bench.status()
    );

    firmware.misbehave(Misbehaviour::Reset);
    bench.tick();
    assert!(firmware.is_ready(), "in the tick that sees the reset");
    assert_eq!(bench.seen.cancelled.take(), ["core0"]);
    assert_eq!(bench.seen.files.take(), ["close all of 0"]);
    // The reply comes too late and is dropped.
    bench
        .seen
        .pending
        .take()
        .pop()
        .unwrap()
        .send(Ok(Provider::Testbench.outcome(Progress::Ready(99))));
    bench.tick();
    assert_eq!(firmware.try_receive(), None);

    bench.chip.ram.put_string(DATA, "sum");
    let response = serve(&bench, &mut firmware, &call);
    assert_eq!(response.map(|response| response.rets), Some(3));
}

#[test]
fn a_memory_that_never_becomes_ready_does_not_hang_a_tick() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    for state in [0, 1, 77, u32::MAX] {
        firmware.misbehave(Misbehaviour::State(state));
        bench.tick();
        bench.tick();
    }
    firmware.reset();
    bench.tick();
    assert!(firmware.is_ready());
}

#[test]
fn exit_ends_the_channel_and_later_resets_are_ignored() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    assert_eq!(
        serve(&bench, &mut firmware, &Request::Exit { code: 3 }),
        None
    );
    assert_eq!(bench.seen.exits.take(), [("core0".to_owned(), 3)]);
    assert_eq!(
        (bench.progress.served(), bench.progress.exits()),
        (1, vec![Some(3), None])
    );
    assert_eq!(bench.seen.text.take(), "|");
    firmware.reset();
    bench.tick();
    assert!(!firmware.is_ready());
    let steps: Vec<Step> = bench.statuses().into_iter().map(|now| now.step).collect();
    let address = BASE + 0x4000;
    assert_eq!(
        steps,
        [Step::Exited { code: 3 }, Step::Handshake { address }]
    );
}

#[test]
fn memory_requests_do_what_they_say() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let empty = Some(Response::Empty.entry(PtrWidth::P4));
    let set = Request::MemSet {
        dest: DATA,
        byte: 0xa5,
        len: 300,
    };
    assert_eq!(serve(&bench, &mut firmware, &set), empty);
    bench.chip.ram.write(DATA, b"abcdef");
    let overlapping = Request::MemMove {
        dest: DATA + 2,
        src: DATA,
        len: 6,
    };
    assert_eq!(serve(&bench, &mut firmware, &overlapping), empty);
    let mut moved = [0; 9];
    bench.chip.ram.read(DATA, &mut moved);
    assert_eq!(&moved, b"ababcdef\xa5");
    let compare = |len| Request::MemCmp {
        s1: DATA,
        s2: DATA + 2,
        len,
    };
    let difference = serve(&bench, &mut firmware, &compare(9)).unwrap();
    assert_eq!(
        difference.rets,
        u64::from((i32::from(b'a') - i32::from(b'c')) as u32)
    );
    assert_eq!(difference.words, 1);
    assert_eq!(serve(&bench, &mut firmware, &compare(2)).unwrap().rets, 0);
    let nothing = Request::MemMove {
        dest: DATA,
        src: DATA,
        len: 0,
    };
    assert_eq!(serve(&bench, &mut firmware, &nothing), empty);
}

#[test]
fn cprint_formats_with_strings_from_memory() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    bench.chip.ram.put_string(DATA, "%s has %-4d|%.3s|%n\n");
    bench.chip.ram.put_string(DATA + 0x100, "main.c");
    bench.chip.ram.put_string(DATA + 0x200, "core");
    let minus = u64::from((-2_i32) as u32);
    let args = [DATA + 0x200, minus, DATA + 0x200, 0];
    let request = Request::CPrint {
        format: DATA,
        file: DATA + 0x100,
        line: 42,
        args: args.into(),
    };
    assert_eq!(serve(&bench, &mut firmware, &request), None);
    assert_eq!(bench.seen.text.take(), "core has -2  |cor|%n\n");
    let reports = bench.reports();
    assert!(
        reports[0].2.starts_with("CPRINT at main.c:42: `%n`"),
        "{}",
        reports[0].2
    );
}

#[test]
fn calls_carry_their_name_and_arguments() {
    let layout = plain(PtrWidth::P8);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    bench.chip.ram.put_string(DATA, "add");
    let args: Vec<u64> = (0..19).collect();
    let args = args.as_slice().try_into().unwrap();
    let response = serve(&bench, &mut firmware, &Request::Call { method: DATA, args });
    assert_eq!(
        response,
        Some(ResponseEntry {
            words: 1,
            rets: 171
        })
    );
    let call = bench.seen.calls.borrow_mut().pop().unwrap();
    assert_eq!(
        (call.target, call.args.len()),
        (Target::Method("add".into()), 19)
    );
}

#[test]
fn a_call_that_is_pending_is_asked_again_on_the_next_tick() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    bench.chip.ram.put_string(DATA, "later");
    let request = Request::Call {
        method: DATA,
        args: [5].into(),
    };
    assert_eq!(serve(&bench, &mut firmware, &request), None);
    for when in [When::Now, When::NextTick, When::NextTick] {
        let call = bench.seen.calls.take().pop().unwrap();
        assert_eq!(
            (call.when, call.args, call.channel),
            (when, vec![5], "core0".into())
        );
        let pending = bench.seen.pending.take().pop().unwrap();
        pending.send(Ok(Provider::Testbench.outcome(Progress::Pending)));
        bench.tick();
        assert_eq!(firmware.try_receive(), None);
    }
    let pending = bench.seen.pending.take().pop().unwrap();
    pending.send(Ok(
        Provider::Testbench.outcome(Progress::Ready(0x1_0000_0007))
    ));
    bench.tick();
    let response = ResponseEntry { words: 1, rets: 7 };
    assert_eq!(
        firmware.try_receive(),
        Some(response),
        "as far as P reaches"
    );
    let [(Severity::Warning, channel, text)] = &bench.reports()[..] else {
        panic!("not one warning");
    };
    assert_eq!(channel, "core0");
    assert!(
        text.starts_with("method `later` returned 0x100000007, ")
            && text.contains("firmware gets the low half, 0x7; "),
        "{text}"
    );
}

#[test]
fn files_are_read_and_written_in_bounded_parts() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    bench.chip.ram.put_string(DATA, "out.txt");
    let mut ask = |request: FileRequest| {
        serve(&bench, &mut firmware, &Request::File(request)).map(|response| response.rets)
    };
    let open = FileRequest::Open {
        path: DATA,
        flags: OpenFlags(2),
    };
    assert_eq!(ask(open), Some(10));
    assert_eq!(
        ask(FileRequest::Write {
            fd: 10,
            ptr: BASE,
            len: 70_000
        }),
        Some(70_000)
    );
    assert_eq!(
        ask(FileRequest::Seek {
            fd: 10,
            position: 5
        }),
        Some(5)
    );
    assert_eq!(
        ask(FileRequest::Read {
            fd: 10,
            ptr: DATA,
            len: 80
        }),
        Some(80)
    );
    assert_eq!(ask(FileRequest::Close { fd: 10 }), None);
    let seen = bench.seen.files.take();
    let expected = [
        "open out.txt 2",
        "write 10 65536 bytes",
        "write 10 4464 bytes",
        "seek 10 5",
        "read 10 80",
        "read 10 20",
        "close 10",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_memory_has_no_room_for_stays_in_the_file() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let mut read = |ptr, len| {
        let request = FileRequest::Read { fd: 10, ptr, len };
        let response = serve(&bench, &mut firmware, &Request::File(request));
        response.unwrap().rets
    };
    assert_eq!(read(BASE + SIZE - 30, 80), 30);
    assert_eq!(read(BASE + SIZE - 30, 0), 30);
    assert_eq!(bench.seen.files.take(), ["read 10 30", "read 10 30"]);
    assert_eq!(bench.reports(), []);
    assert_eq!(read(0x44, 2), u64::from(-14_i32 as u32));
    assert_eq!(bench.seen.files.take(), [""; 0]);
}

#[test]
fn failed_requests_are_answered_and_reported_with_their_fields() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    bench.chip.ram.put_string(DATA, "missing");
    bench.chip.ram.put_string(DATA + 0x40, "absent");
    bench.chip.ram.put_string(DATA + 0x80, "dropped");
    let entry = |action, words, args: &[u64]| {
        let mut entry = RequestEntry {
            action,
            words,
            args: [0; 20],
        };
        entry.args[..args.len()].copy_from_slice(args);
        entry
    };
    let cases: &[(RequestEntry, Errno, &str)] = &[
        (entry(0, 0, &[]), Errno::EINVAL, "slot 0"),
        (entry(4, 0, &[]), Errno::EINVAL, "MEMMOVE with words = 0"),
        (entry(2, 2, &[0xffff_ffff, 16]), Errno::EFAULT, "PRINT"),
        (
            entry(5, 3, &[0x1000_0000, 0, 0x2000_0000]),
            Errno::EINVAL,
            "536870912 bytes are more than the limit of one request",
        ),
        (entry(2, 2, &[4, 0x1000]), Errno::EFAULT, "0x1000"),
        (
            entry(2, 2, &[4, BASE + SIZE - 2]),
            Errno::EFAULT,
            "0x80020000",
        ),
        (entry(8, 3, &[0, DATA, 1]), Errno::ENOENT, "FILE OPEN"),
        (entry(8, 3, &[9, DATA, 1]), Errno::EINVAL, "FILE"),
        (entry(7, 1, &[DATA + 0x40]), Errno::ENOSYS, "`absent`"),
        (
            entry(7, 1, &[DATA + 0x80]),
            Errno::EIO,
            "rpc did not reply to Call",
        ),
        (entry(7, 1, &[0x44]), Errno::EFAULT, "method name at 0x44"),
    ];
    for (entry, errno, named) in cases {
        assert!(firmware.try_send_entry(entry));
        bench.tick();
        let response = firmware
            .try_receive()
            .unwrap_or_else(|| panic!("{named}: no answer"));
        let answer = Response::Error(*errno).entry(PtrWidth::P4);
        assert_eq!(
            response,
            answer,
            "{named}: {:?}",
            bench.seen.reports.borrow()
        );
        let reports = bench.reports();
        assert_eq!(reports.len(), 1, "{reports:?}");
        let (severity, id, text) = &reports[0];
        assert_eq!((*severity, id.as_str()), (Severity::Error, "core0"));
        assert!(
            text.contains(named) && text.contains(errno.name().unwrap()),
            "{text}"
        );
    }
    // Requests without a response are reported too.
    assert!(firmware.try_send_entry(&entry(3, 3, &[0x44, 0, 0])));
    bench.tick();
    assert_eq!(firmware.try_receive(), None);
    assert_eq!(bench.reports().len(), 1);
}

#[test]
fn indices_that_jump_are_reported_and_service_goes_on() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    firmware.misbehave(Misbehaviour::JumpAhead(1000));
    bench.tick();
    let reports = bench.reports();
    assert!(
        reports[0].2.contains("idx_p went from 0x0 to 0x3e8"),
        "{reports:?}"
    );
    let request = print("on it goes", &bench);
    assert!(serve(&bench, &mut firmware, &request).is_some());
    assert_eq!(bench.seen.text.take(), "on it goes");
}

#[test]
fn channels_of_mixed_layouts_are_served_side_by_side() {
    let layouts = [
        Layout::new(PtrWidth::P4, CacheLine::None),
        Layout::new(PtrWidth::P8, CacheLine::None),
        Layout::new(PtrWidth::P4, CacheLine::B32),
        Layout::new(PtrWidth::P8, CacheLine::B128),
    ];
    let channels: Vec<_> = (0..).map(|at| BASE + at * 0x2000).zip(layouts).collect();
    let bench = Bench::new(&channels);
    let mut firmwares: Vec<_> = channels
        .iter()
        .map(|(base, layout)| ready(&bench, *base, *layout))
        .collect();
    for turn in 0..30_u64 {
        for (at, firmware) in (0_u64..).zip(&mut firmwares) {
            let args = [turn, at].into();
            assert!(firmware.try_send(&Request::Custom {
                action: 1 << 31,
                id: 1,
                args
            }));
        }
        bench.tick();
        for (at, firmware) in (0_u64..).zip(&mut firmwares) {
            assert_eq!(
                firmware.try_receive().map(|response| response.rets),
                Some(turn + at)
            );
        }
    }
    assert_eq!(bench.reports(), []);
}

#[test]
fn taps_are_shown_what_came_of_each_request() {
    use crate::bus::Observation;
    use std::sync::{Arc, Mutex};

    let bench = Bench::new(&[(BASE, plain(PtrWidth::P4))]);
    let mut firmware = ready(&bench, BASE, plain(PtrWidth::P4));
    let served = Arc::new(Mutex::new(Vec::new()));
    let kept = served.clone();
    bench.bus.attach(move |seen: &Observation<'_>| {
        if let Some(announced) = seen.event.is::<mailbox::Served>() {
            kept.lock().unwrap().push((seen.tick, announced.clone()));
        }
    });

    let hello = print("hello", &bench);
    serve(&bench, &mut firmware, &hello);
    serve(&bench, &mut firmware, &Request::Exit { code: 3 });

    let served = served.lock().unwrap();
    let told: Vec<_> = served
        .iter()
        .map(|(tick, served)| {
            assert_eq!(served.since, *tick);
            (
                served.slot,
                Request::try_from(&served.entry),
                served.response,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, Ok(hello), Some(Response::Empty)),
            (1, Ok(Request::Exit { code: 3 }), None),
        ]
    );
}

/// Requests served before the testbench observes are not reported to it.
#[test]
fn the_testbench_is_told_of_what_is_served_once_it_asks() {
    let layout = plain(PtrWidth::P4);
    let bench = Bench::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let hello = print("hello", &bench);
    serve(&bench, &mut firmware, &hello);
    assert_eq!(bench.seen.served.take(), []);

    bench.observed.set(true);
    serve(&bench, &mut firmware, &hello);
    let nowhere = Request::MemSet {
        dest: 0,
        byte: 0,
        len: 1,
    };
    serve(&bench, &mut firmware, &nowhere);
    let call = Request::Call {
        method: DATA,
        args: [7].into(),
    };
    bench.chip.ram.put_string(DATA, "later");
    assert!(firmware.try_send(&call));
    bench.tick();
    bench.tick();
    assert_eq!(bench.seen.served.borrow().len(), 2, "it is not served yet");
    let pending = bench.seen.pending.take().pop().unwrap();
    pending.send(Ok(Provider::Testbench.outcome(Progress::Ready(9))));
    bench.tick();
    firmware.try_receive().unwrap();
    serve(&bench, &mut firmware, &Request::Exit { code: 3 });

    let told = bench.seen.served.take();
    let told: Vec<_> = told
        .iter()
        .map(|told| {
            assert_eq!(&*told.channel, "core0");
            (
                told.slot,
                Request::try_from(&*told.entry),
                told.ticks,
                told.result,
            )
        })
        .collect();
    let efault = u64::from((-14_i32).cast_unsigned());
    assert_eq!(
        told,
        [
            (1, Ok(hello), 0, Some(0)),
            (2, Ok(nowhere), 0, Some(efault)),
            (3, Ok(call), 2, Some(9)),
            (4, Ok(Request::Exit { code: 3 }), 0, None),
        ]
    );
}
