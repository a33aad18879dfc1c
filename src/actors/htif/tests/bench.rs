//! The HTIF server with its peers, and its firmware.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tempfile::TempDir;

use crate::actors::console::{Console, ConsoleClient, Lines, Text};
use crate::actors::files::{Files, Root, SpecialNames};
use crate::actors::htif::HtifChannel;
use crate::actors::memory::{Memory, MemoryClient, Resolver};
use crate::actors::rpc::RpcClient;
use crate::actors::service::{ChannelProgress, Peers, Server};
use crate::bus::{Bus, Inbox as _, Port};
use crate::mem::Backend;
use crate::messages::foreign::Severity;
use crate::messages::front_end::Status;
use crate::messages::htif::{Command, Inbox};
use crate::messages::{
    ChannelDescriptor, ChannelServices, HtifPlace, Interface, console, files, foreign, memory, rpc,
    sockets,
};
use crate::testing::{ActorBench, ForeignCall, NoFrames, Ram, SPACE, map};

pub(super) const BASE: u64 = 0x8000_0000;
pub(super) const SIZE: u64 = 0x2_0000;
pub(super) const TOHOST: u64 = BASE + 0x1000;
pub(super) const FROMHOST: u64 = BASE + 0x1040;
/// Words of a system call.
pub(super) const CALL: u64 = BASE + 0x2000;
/// Path of a system call.
pub(super) const PATH: u64 = BASE + 0x3000;
pub(super) const BUFFER: u64 = BASE + 0x4000;

pub(super) type Bench = ActorBench<Inbox, State>;

/// State of the tests of this actor.
pub(super) struct State {
    pub(super) ram: Rc<Ram>,
    pub(super) progress: Rc<ChannelProgress>,
    /// True while the testbench observes served requests.
    pub(super) observed: Rc<Cell<bool>>,
    text: Screen,
    root: TempDir,
}

/// Text of the console.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(ChannelServices::default(), 0, |_| {})
    }

    /// Bench with services, whose firmware takes `settle` ticks between two stores at most.
    pub(super) fn with(
        services: ChannelServices,
        settle: u64,
        change: impl FnOnce(&mut HtifPlace),
    ) -> Self {
        let map = map(&[("ram", BASE, SIZE, Backend::Static)]);
        let ram = Ram::new(&map);
        let progress = Rc::new(ChannelProgress::new(1));
        let state = State {
            ram: ram.clone(),
            progress: progress.clone(),
            observed: Rc::default(),
            text: Screen::default(),
            root: tempfile::tempdir().unwrap(),
        };
        let mut place = HtifPlace {
            tohost: TOHOST,
            fromhost: FROMHOST,
            settle,
            signature: None,
        };
        change(&mut place);
        let located = |address| map.resolve(SPACE, address, 8).unwrap();
        let words = [TOHOST, FROMHOST].map(located);
        let descriptor = ChannelDescriptor {
            name: "cpu".into(),
            space: SPACE,
            interface: Interface::Htif(place),
            place: words.into_iter().flatten().collect(),
            services: Arc::new(services),
        };
        let root = Root::open(state.root.path()).unwrap();
        let text = Text::new(vec!["cpu".into()], Box::new(state.text.clone()));
        let text = Arc::new(Mutex::new(text));
        let resolver = Rc::new(Resolver {
            map,
            local: ram.clone(),
            observed: Rc::default(),
        });
        let store = ram.clone();
        let served = state.observed.clone();
        let start_peers = |bus: &Bus, foreign: &Port<foreign::Inbox>| {
            let context = bus.context(memory::Inbox::ENDPOINT);
            let memory = bus.start(|_| Memory::new(context, resolver.clone(), foreign));
            let context = bus.context(files::Inbox::ENDPOINT);
            let (disk, special) = (Box::new(root), SpecialNames::default());
            let files = bus.start(|_| Files::new(context, foreign, Some(disk), special));
            let context = bus.context(console::Inbox::ENDPOINT);
            let lines = Lines::new(context.clone(), text, foreign);
            let console = bus.start(|_| Console::new(context, lines));
            let rpc = bus.foreign(Rc::new(|_: rpc::Inbox| {}));
            Peers {
                memory: MemoryClient::new(&memory.unwrap(), foreign, resolver.clone(), None),
                rpc: RpcClient::new(bus.context(Inbox::ENDPOINT), &rpc, None),
                files: files.unwrap(),
                console: ConsoleClient::new(&console.unwrap(), None),
                sockets: bus.foreign(Rc::new(|_: sockets::Inbox| {})),
                frames: Rc::new(NoFrames),
                foreign: foreign.clone(),
                store,
                served,
            }
        };
        Self::start_among(&ram, state, start_peers, |started, peers| {
            let channels = [descriptor];
            let (bus, own) = (started.bus, started.own);
            Server::<HtifChannel>::new(bus, started.context, peers, &channels, &progress, own)
        })
    }

    /// File below the root.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.state.root.path().join(name)
    }

    /// Text of the console.
    pub(super) fn text(&self) -> String {
        let bytes = self.state.text.0.lock().unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn word(&self, address: u64) -> u64 {
        let bytes = self.state.ram.get(address, 8);
        u64::from_le_bytes(bytes.try_into().unwrap())
    }

    pub(super) fn put_word(&self, address: u64, word: u64) {
        self.state.ram.put(address, &word.to_le_bytes());
    }

    /// Stores half of a word.
    pub(super) fn put_half(&self, address: u64, word: u32) {
        self.state.ram.put(address, &word.to_le_bytes());
    }

    /// Writes a command, and runs a tick.
    pub(super) fn command(&self, word: u64) {
        self.put_word(TOHOST, word);
        self.tick();
        assert_eq!(self.bus.take_panics(), []);
    }

    /// Takes the response, if there is one.
    pub(super) fn response(&self) -> Option<Command> {
        let word = self.word(FROMHOST);
        self.put_word(FROMHOST, 0);
        (word != 0).then_some(Command(word))
    }

    /// Makes a system call: its result.
    pub(super) fn call(&self, number: u64, args: &[u64]) -> i64 {
        let mut words = [0; 8];
        words[0] = number;
        words[1..=args.len()].copy_from_slice(args);
        for (address, word) in (CALL..).step_by(8).zip(words) {
            self.put_word(address, word);
        }
        self.command(CALL);
        for _ in 0..10 {
            if let Some(response) = self.response() {
                assert_eq!(response, Command(1));
                return self.word(CALL).cast_signed();
            }
            self.tick();
        }
        panic!("no response: {}", self.status());
    }

    /// Writes a path with its NUL: its address and length.
    pub(super) fn path(&self, path: &str) -> (u64, u64) {
        self.state.ram.put(PATH, path.as_bytes());
        self.state.ram.put(PATH + path.len() as u64, &[0]);
        (PATH, path.len() as u64 + 1)
    }

    /// Opens a file from the working directory.
    pub(super) fn open(&self, path: &str, flags: u64) -> i64 {
        let (path, len) = self.path(path);
        self.call(56, &[CWD, path, len, flags, 0o644])
    }

    pub(super) fn status(&self) -> String {
        let statuses = self.try_ask(Status::new()).unwrap();
        statuses[0].to_string()
    }

    /// Reports since the last call, and the exit.
    pub(super) fn told(&self) -> (Vec<(Severity, String)>, Option<u32>) {
        let (mut reports, mut exit) = (Vec::new(), None);
        for call in self.outside.calls() {
            match call {
                ForeignCall::Report(severity, _, text) => reports.push((severity, text)),
                ForeignCall::Exit(_, code) => exit = Some(code),
                _ => {}
            }
        }
        (reports, exit)
    }

    /// Bytes of firmware's memory.
    pub(super) fn bytes(&self, address: u64, len: u64) -> Bytes {
        self.state.ram.get(address, len).into()
    }
}

/// `AT_FDCWD`, as 64 bits.
pub(super) const CWD: u64 = (-100_i64).cast_unsigned();
