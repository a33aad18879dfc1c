//! The semihosting server with its peers, and its firmware.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use mailbox_rs::PtrWidth;
use tempfile::TempDir;

use crate::actors::console::{Console, ConsoleClient, Lines, Text};
use crate::actors::files::{Files, Root, SpecialNames};
use crate::actors::memory::{Memory, MemoryClient, Resolver};
use crate::actors::rpc::RpcClient;
use crate::actors::semihosting::SemihostingChannel;
use crate::actors::service::{ChannelProgress, Peers, Server};
use crate::bus::{Bus, Inbox as _, Port};
use crate::mem::Backend;
use crate::messages::foreign::Severity;
use crate::messages::front_end::{Operate, Status};
use crate::messages::semihosting::Inbox;
use crate::messages::{
    ChannelDescriptor, ChannelId, ChannelServices, Interface, SemihostingPlace, console, files,
    foreign, memory, rpc, sockets,
};
use crate::testing::{ActorBench, ForeignCall, NoFrames, Ram, SPACE, map};

pub(super) const BASE: u64 = 0x8000_0000;
pub(super) const SIZE: u64 = 0x2_0000;
/// Parameter block.
pub(super) const BLOCK: u64 = BASE + 0x1000;
pub(super) const NAME: u64 = BASE + 0x2000;
pub(super) const DATA: u64 = BASE + 0x4000;

pub(super) type Bench = ActorBench<Inbox, State>;

/// State of the tests of this actor.
pub(super) struct State {
    pub(super) ram: Rc<Ram>,
    pub(super) progress: Rc<ChannelProgress>,
    text: Screen,
    root: TempDir,
    width: PtrWidth,
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
    pub(super) fn new(width: PtrWidth) -> Self {
        Self::with(width, ChannelServices::default())
    }

    /// Bench with services.
    pub(super) fn with(width: PtrWidth, services: ChannelServices) -> Self {
        let map = map(&[("ram", BASE, SIZE, Backend::Static)]);
        let ram = Ram::new(&map);
        let progress = Rc::new(ChannelProgress::new(1));
        let state = State {
            ram: ram.clone(),
            progress: progress.clone(),
            text: Screen::default(),
            root: tempfile::tempdir().unwrap(),
            width,
        };
        let descriptor = ChannelDescriptor {
            name: "cpu".into(),
            space: SPACE,
            interface: Interface::Semihosting(SemihostingPlace {
                ptr_width: width,
                stub: None,
            }),
            place: crate::mem::Segments::default(),
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
                served: Rc::new(Cell::new(false)),
            }
        };
        Self::start_among(&ram, state, start_peers, |started, peers| {
            let channels = [descriptor];
            let (bus, own) = (started.bus, started.own);
            Server::<SemihostingChannel>::new(
                bus,
                started.context,
                peers,
                &channels,
                &progress,
                own,
            )
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

    pub(super) fn status(&self) -> String {
        let statuses = self.try_ask(Status::new()).unwrap();
        statuses[0].to_string()
    }

    /// Reports since the last call.
    pub(super) fn reports(&self) -> Vec<(Severity, String)> {
        let calls = self.outside.calls().into_iter();
        let reports = calls.filter_map(|call| match call {
            ForeignCall::Report(severity, _, text) => Some((severity, text)),
            _ => None,
        });
        reports.collect()
    }

    /// Carries out an operation with an argument.
    pub(super) fn operate(&self, operation: u64, argument: u64) -> Option<u64> {
        let operate = Operate {
            channel: ChannelId(0),
            hart: 0,
            operation,
            argument,
        };
        let result = self.ask(operate).unwrap();
        assert_eq!(self.bus.take_panics(), []);
        result
    }

    /// Carries out an operation with a parameter block: its result as a signed number of firmware's width.
    pub(super) fn call(&self, operation: u64, words: &[u64]) -> i64 {
        let result = self.try_call(operation, words);
        result.expect("it waits for no input")
    }

    /// The same, `None` while it waits for input.
    pub(super) fn try_call(&self, operation: u64, words: &[u64]) -> Option<i64> {
        let width = self.state.width.bytes() as usize;
        let block = words
            .iter()
            .flat_map(|word| word.to_le_bytes()[..width].to_vec());
        let block: Vec<u8> = block.collect();
        self.state.ram.put(BLOCK, &block);
        let result = self.operate(operation, BLOCK)?;
        Some(match self.state.width {
            PtrWidth::P4 => i64::from((result as u32).cast_signed()),
            PtrWidth::P8 => result.cast_signed(),
        })
    }

    /// Opens a file.
    pub(super) fn open(&self, name: &str, mode: u64) -> i64 {
        self.state.ram.put(NAME, name.as_bytes());
        self.call(0x01, &[NAME, mode, name.len() as u64])
    }

    /// Writes bytes to a handle. Returns the number of those that were not written.
    pub(super) fn write(&self, handle: i64, bytes: &[u8]) -> i64 {
        self.state.ram.put(DATA, bytes);
        self.call(0x05, &[handle.cast_unsigned(), DATA, bytes.len() as u64])
    }

    /// Reads at most `len` bytes from a handle.
    pub(super) fn read(&self, handle: i64, len: u64) -> Vec<u8> {
        let rest = self.call(0x06, &[handle.cast_unsigned(), DATA, len]);
        self.state.ram.get(DATA, len - rest.cast_unsigned())
    }
}
