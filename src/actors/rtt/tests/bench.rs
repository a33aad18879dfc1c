//! The RTT server with its peers, and its firmware.

use std::cell::Cell;
use std::collections::BTreeMap;
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
use crate::actors::rtt::RttChannel;
use crate::actors::service::{ChannelProgress, Peers, Server};
use crate::bus::{Bus, Inbox as _, Port};
use crate::mem::Backend;
use crate::messages::foreign::Severity;
use crate::messages::front_end::Status;
use crate::messages::rpc::Progress;
use crate::messages::rtt::Inbox;
use crate::messages::{
    ChannelDescriptor, ChannelServices, Interface, OutputTarget, RttPlace, UpTarget, console,
    files, foreign, memory, rpc, sockets,
};
use crate::testing::{ActorBench, ForeignCall, NoFrames, Ram, SPACE, map};

pub(super) const BASE: u64 = 0x8000_0000;
pub(super) const SIZE: u64 = 0x2_0000;
pub(super) const BLOCK: u64 = BASE + 0x1000;
pub(super) const NAMES: u64 = BASE + 0x3000;
pub(super) const DATA: u64 = BASE + 0x4000;

pub(super) type Bench = ActorBench<Inbox, State>;

/// State of the tests of this actor.
pub(super) struct State {
    pub(super) ram: Rc<Ram>,
    pub(super) calls: Rc<std::cell::RefCell<Vec<rpc::Call>>>,
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

/// Place of a control block at a known address.
pub(super) fn place(ptr_width: PtrWidth) -> RttPlace {
    RttPlace {
        block: Some(BLOCK),
        search: None,
        ptr_width,
        up: BTreeMap::new(),
    }
}

impl Bench {
    /// Bench whose standard output is unchanged.
    pub(super) fn new(ptr_width: PtrWidth) -> Self {
        Self::with(place(ptr_width), ChannelServices::default())
    }

    /// Bench with targets of its up channels.
    pub(super) fn with_targets(targets: &[(&str, UpTarget)]) -> Self {
        let mut place = place(PtrWidth::P4);
        let targets = targets.iter();
        place.up = targets
            .map(|(name, target)| ((*name).to_owned(), target.clone()))
            .collect();
        Self::with(place, ChannelServices::default())
    }

    pub(super) fn with(place: RttPlace, services: ChannelServices) -> Self {
        let services = ChannelServices {
            stdout: OutputTarget::Raw,
            ..services
        };
        let map = map(&[("ram", BASE, SIZE, Backend::Static)]);
        let ram = Ram::new(&map);
        let progress = Rc::new(ChannelProgress::new(1));
        let state = State {
            ram: ram.clone(),
            calls: Rc::default(),
            text: Screen::default(),
            root: tempfile::tempdir().unwrap(),
        };
        let block = place.block.map(|at| map.resolve(SPACE, at, 24).unwrap());
        let descriptor = ChannelDescriptor {
            name: "cpu".into(),
            space: SPACE,
            interface: Interface::Rtt(place),
            place: block.unwrap_or_default(),
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
        let calls = state.calls.clone();
        let start_peers = |bus: &Bus, foreign: &Port<foreign::Inbox>| {
            let context = bus.context(memory::Inbox::ENDPOINT);
            let memory = bus.start(|_| Memory::new(context, resolver.clone(), foreign));
            let context = bus.context(files::Inbox::ENDPOINT);
            let (disk, special) = (Box::new(root), SpecialNames::default());
            let files = bus.start(|_| Files::new(context, foreign, Some(disk), special));
            let context = bus.context(console::Inbox::ENDPOINT);
            let lines = Lines::new(context.clone(), text, foreign);
            let console = bus.start(|_| Console::new(context, lines));
            let rpc = bus.foreign(Rc::new(move |call: rpc::Inbox| {
                if let rpc::Inbox::Call(call) = call {
                    calls.borrow_mut().push(call.message);
                    let ready = rpc::Provider::Testbench.outcome(Progress::Ready(0));
                    call.reply.send(Ok(ready));
                }
            }));
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
            Server::<RttChannel>::new(bus, started.context, peers, &channels, &progress, own)
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

    /// Bytes of the console since the last call.
    pub(super) fn take_text(&self) -> Vec<u8> {
        std::mem::take(&mut self.state.text.0.lock().unwrap())
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

    /// Runs ticks. No handler may panic.
    pub(super) fn ticks(&self, count: u32) {
        for _ in 0..count {
            self.tick();
            assert_eq!(self.bus.take_panics(), []);
        }
    }
}

/// Firmware's side of RTT.
pub(super) struct Firmware {
    pub(super) ram: Rc<Ram>,
    pub(super) ptr_width: PtrWidth,
    pub(super) block: u64,
    pub(super) up: u32,
}

/// Buffer that firmware sets up.
pub(super) struct Buffer<'a> {
    pub(super) name: &'a str,
    pub(super) size: u32,
}

impl Firmware {
    pub(super) fn new(bench: &Bench, ptr_width: PtrWidth) -> Self {
        Self {
            ram: bench.state.ram.clone(),
            ptr_width,
            block: BLOCK,
            up: 0,
        }
    }

    /// Sets up the control block. The mark comes last, as in real firmware.
    pub(super) fn set_up(&mut self, up: &[Buffer<'_>], down: &[Buffer<'_>]) {
        self.up = up.len() as u32;
        let (mut name_at, mut data_at) = (NAMES, DATA);
        for (position, buffer) in up.iter().chain(down).enumerate() {
            self.ram.put(name_at, buffer.name.as_bytes());
            self.ram.put(name_at + buffer.name.len() as u64, &[0]);
            let width = self.ptr_width.bytes() as usize;
            let mut bytes = name_at.to_le_bytes()[..width].to_vec();
            bytes.extend(&data_at.to_le_bytes()[..width]);
            for word in [buffer.size, 0, 0, 0] {
                bytes.extend(word.to_le_bytes());
            }
            self.ram.put(self.descriptor(position as u32), &bytes);
            name_at += 0x40;
            data_at += u64::from(buffer.size);
        }
        let numbers = [up.len() as u32, down.len() as u32].map(u32::to_le_bytes);
        self.ram.put(self.block + 16, numbers.as_flattened());
        self.ram.put(self.block, b"SEGGER RTT\0\0\0\0\0\0");
    }

    fn descriptor(&self, position: u32) -> u64 {
        let size = if self.ptr_width == PtrWidth::P4 {
            24
        } else {
            32
        };
        self.block + 24 + u64::from(position) * size
    }

    /// Address of size, write offset and read offset of a buffer.
    pub(super) fn words(&self, position: u32) -> u64 {
        self.descriptor(position) + 2 * self.ptr_width.bytes()
    }

    pub(super) fn word(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.ram.get(address, 4).try_into().unwrap())
    }

    fn data(&self, position: u32) -> u64 {
        let width = self.ptr_width.bytes();
        let mut bytes = [0; 8];
        let read = self.ram.get(self.descriptor(position) + width, width);
        bytes[..width as usize].copy_from_slice(&read);
        u64::from_le_bytes(bytes)
    }

    /// Writes as many bytes to an up buffer as fit. Returns their number.
    pub(super) fn write(&self, number: u32, bytes: &[u8]) -> usize {
        let words = self.words(number);
        let (size, mut at, read) = (self.word(words), self.word(words + 4), self.word(words + 8));
        let mut written = 0;
        for byte in bytes {
            let next = if at + 1 == size { 0 } else { at + 1 };
            if next == read {
                break;
            }
            self.ram.put(self.data(number) + u64::from(at), &[*byte]);
            at = next;
            written += 1;
        }
        self.ram.put(words + 4, &at.to_le_bytes());
        written
    }

    /// Takes at most `most` bytes out of a down buffer.
    pub(super) fn read(&self, number: u32, most: usize) -> Vec<u8> {
        let words = self.words(self.up + number);
        let (size, write, mut at) = (self.word(words), self.word(words + 4), self.word(words + 8));
        let mut bytes = Vec::new();
        while at != write && bytes.len() < most {
            let data = self.data(self.up + number);
            bytes.extend(self.ram.get(data + u64::from(at), 1));
            at = if at + 1 == size { 0 } else { at + 1 };
        }
        self.ram.put(words + 8, &at.to_le_bytes());
        bytes
    }
}
