//! Test fixture with the server of one front end and a channel: real files, a real console and
//! memory, and a mock of the outside.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;
use tempfile::TempDir;

use super::{ActorFixture, ForeignCall, NoFrames, Ram, SPACE, map};
use crate::actors::console::{Console, ConsoleClient, Lines, Text};
use crate::actors::files::{Files, Root, SpecialNames};
use crate::actors::memory::{Memory, MemoryClient, Resolver};
use crate::actors::rpc::RpcClient;
use crate::actors::service::{ChannelProgress, FrontEnd, Peers, Server};
use crate::bus::{Bus, Inbox as _, Port};
use crate::mem::{Backend, MemoryMap, Segments};
use crate::messages::foreign::Severity;
use crate::messages::front_end::{Inbox, Protocol, Status};
use crate::messages::rpc::{self, Progress};
use crate::messages::{
    ChannelDescriptor, ChannelId, ChannelServices, Interface, console, files, foreign, memory,
    sockets,
};

/// Addresses of the RAM.
pub(crate) const BASE: u64 = 0x8000_0000;
pub(crate) const SIZE: u64 = 0x2_0000;

/// Server of a protocol with the channel `cpu`.
pub(crate) type FrontEndFixture<P, S = ()> = ActorFixture<Inbox<P>, FrontEndState<S>>;

/// State for the tests of a front end.
pub(crate) struct FrontEndState<S> {
    pub(crate) ram: Rc<Ram>,
    pub(crate) progress: Rc<ChannelProgress>,
    /// True while the testbench observes served requests.
    pub(crate) observed: Rc<Cell<bool>>,
    /// Calls of methods, each of which returns 0.
    pub(crate) calls: Rc<RefCell<Vec<rpc::Call>>>,
    text: Screen,
    root: TempDir,
    /// State for the tests of this front end only.
    pub(crate) own: S,
}

/// Text of the console.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<P: Protocol, S> FrontEndFixture<P, S> {
    /// Starts the server. `place` is the location of the channel's words.
    pub(crate) fn start_front_end<F: FrontEnd<Protocol = P>>(
        own: S,
        interface: Interface,
        place: impl FnOnce(&MemoryMap) -> Segments,
        services: ChannelServices,
    ) -> Self {
        let map = map(&[("ram", BASE, SIZE, Backend::Static)]);
        let ram = Ram::new(&map);
        let progress = Rc::new(ChannelProgress::new(1));
        let state = FrontEndState {
            ram: ram.clone(),
            progress: progress.clone(),
            observed: Rc::default(),
            calls: Rc::default(),
            text: Screen::default(),
            root: tempfile::tempdir().unwrap(),
            own,
        };
        let descriptor = ChannelDescriptor {
            name: "cpu".into(),
            space: SPACE,
            interface,
            place: place(&map),
            services: Arc::new(services),
            firmware: ChannelId(0),
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
        let (served, calls) = (state.observed.clone(), state.calls.clone());
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
                rpc: RpcClient::new(bus.context(P::ENDPOINT), &rpc, None),
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
            Server::<F>::new(bus, started.context, peers, &channels, &progress, own)
        })
    }

    /// File below the root.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.state.root.path().join(name)
    }

    /// Text of the console.
    pub(crate) fn text(&self) -> String {
        let bytes = self.state.text.0.lock();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Bytes of the console since the last call.
    pub(crate) fn take_text(&self) -> Vec<u8> {
        std::mem::take(&mut self.state.text.0.lock())
    }

    pub(crate) fn status(&self) -> String {
        let statuses = self.try_ask(Status::new()).unwrap();
        statuses[0].to_string()
    }

    /// Reports since the last call, and the exit code.
    pub(crate) fn reports_and_exit(&self) -> (Vec<(Severity, String)>, Option<u32>) {
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

    /// Reports since the last call.
    pub(crate) fn reports(&self) -> Vec<(Severity, String)> {
        self.reports_and_exit().0
    }

    /// Runs ticks. No handler may panic.
    pub(crate) fn ticks(&self, count: u32) {
        for _ in 0..count {
            self.tick();
            assert_eq!(self.bus.take_panics(), []);
        }
    }
}
