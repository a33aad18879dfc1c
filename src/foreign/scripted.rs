//! Mock of the foreign calls for tests of actors: memory that counts its accesses, scripted methods, and a record of all calls.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags};

use super::{Callbacks, Foreign, make};
use crate::bus::{Bus, Port};
use crate::mem::{
    AccessError, Backend, BackendError, Buffer, Init, Memory, MemoryId, MemoryMap, Outcome,
    Segment, Segments, Shape, Space, SpaceId, Store, execute,
};
use crate::messages::foreign::{
    self, Access, ConsoleLine, Inbox, NotifyError, Opener, Served, Severity, SpecialId, Unset,
};
use crate::messages::rpc::{CallError, Progress, Target};

/// The only space of [`map`].
pub(crate) const SPACE: SpaceId = SpaceId(0);

/// A map with one space, `space`, of black boxes given by name, base, size and backend. Their ids are in this order; the space has them in
/// order of base.
pub(crate) fn map(memories: &[(&str, u64, u64, Backend)]) -> Rc<MemoryMap> {
    let memories: Vec<_> = memories
        .iter()
        .map(|(name, base, size, backend)| Memory {
            name: (*name).to_owned(),
            base: *base,
            size: *size,
            shape: Shape::BlackBox,
            init: Init::None,
            backend: *backend,
        })
        .collect();
    let ids: Vec<_> = (0..).map(MemoryId).take(memories.len()).collect();
    let space = Space::new("space".to_owned(), &ids, &memories).unwrap();
    Rc::new(MemoryMap {
        memories,
        spaces: vec![space],
    })
}

/// Memory for a map of any backends. It counts reads and writes.
#[derive(Debug)]
pub(crate) struct Ram {
    map: Rc<MemoryMap>,
    buffers: Vec<Buffer>,
    reads: Cell<usize>,
    writes: Cell<usize>,
    broken: Cell<Option<MemoryId>>,
}

impl Ram {
    /// Creates memories filled with zeros.
    pub(crate) fn new(map: &Rc<MemoryMap>) -> Rc<Self> {
        let buffer = |memory: &Memory| Buffer::new(memory.size).unwrap();
        Rc::new(Self {
            buffers: map.memories.iter().map(buffer).collect(),
            map: map.clone(),
            reads: Cell::new(0),
            writes: Cell::new(0),
            broken: Cell::new(None),
        })
    }

    /// Makes every access to this memory fail from now on.
    pub(crate) fn break_down(&self, memory: MemoryId) {
        self.broken.set(Some(memory));
    }

    /// Number of segments read and written since the last call.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.reads.take(), self.writes.take())
    }

    /// Puts bytes at an address. Not counted.
    pub(crate) fn put(&self, address: u64, data: &[u8]) {
        let place = self.map.resolve(SPACE, address, data.len() as u64).unwrap();
        let mut data = data.iter();
        for cell in self.cells(&place) {
            cell.set(*data.next().unwrap());
        }
    }

    /// Bytes at an address. Not counted.
    pub(crate) fn get(&self, address: u64, len: u64) -> Vec<u8> {
        let place = self.map.resolve(SPACE, address, len).unwrap();
        self.cells(&place).map(Cell::get).collect()
    }

    fn cells<'a>(&'a self, place: &'a Segments) -> impl Iterator<Item = &'a Cell<u8>> {
        place.iter().flat_map(|at| {
            let start = usize::try_from(at.offset).unwrap();
            let end = start + usize::try_from(at.len).unwrap();
            &self.buffers[at.memory.0 as usize].cells()[start..end]
        })
    }

    fn buffer(&self, at: &Segment, len: usize) -> Result<(&Buffer, usize), AccessError> {
        assert_eq!(at.len, len as u64, "a segment has the length of its data");
        assert!(at.len > 0, "no segment is empty");
        if self.broken.get() == Some(at.memory) {
            return Err(AccessError::Backend {
                memory: self.map.memory(at.memory).unwrap().name.clone(),
                offset: at.offset,
                len: at.len,
                cause: Box::new(BackendError::Simulator("it is broken".into())),
            });
        }
        let offset = usize::try_from(at.offset).unwrap();
        Ok((&self.buffers[at.memory.0 as usize], offset))
    }
}

impl Store for Ram {
    fn read(&self, at: &Segment, to: &mut [u8]) -> Result<(), AccessError> {
        self.reads.set(self.reads.get() + 1);
        let (buffer, offset) = self.buffer(at, to.len())?;
        assert!(buffer.read(offset, to), "{at:?} passes the end");
        Ok(())
    }

    fn write(&self, at: &Segment, data: &[u8]) -> Result<(), AccessError> {
        self.writes.set(self.writes.get() + 1);
        let (buffer, offset) = self.buffer(at, data.len())?;
        assert!(buffer.write(offset, data), "{at:?} passes the end");
        Ok(())
    }
}

/// A recorded foreign call, memory accesses aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// A method or a custom command of the host program was polled: channel, target, arguments.
    HostCall(String, Target, Vec<u64>),
    /// A method in Python was polled: channel, method, arguments.
    PyCall(String, String, Vec<u64>),
    /// Python's event loop ran one iteration.
    PyTick,
    /// A channel's calls in Python were cancelled.
    PyCancel(String),
    /// A method of the testbench was polled: channel, method, arguments.
    SvCall(String, String, Vec<u64>),
    /// A channel exited.
    Exit(String, u32),
    /// The testbench was notified of a channel.
    Register(String),
    /// A line of text: channel, text.
    ConsoleLine(String, String),
    /// A request was served.
    Served(Served),
    /// A report: severity, id, text.
    Report(Severity, String, String),
}

/// Script of a method in Python or in the testbench. Called for each poll.
type Method = dyn FnMut(&str, &[u64]) -> Result<Progress, CallError>;

/// MockForeign methods by name.
#[derive(Default)]
struct Methods(RefCell<HashMap<String, Rc<RefCell<Method>>>>);

impl Methods {
    fn insert(
        &self,
        name: &str,
        method: impl FnMut(&str, &[u64]) -> Result<Progress, CallError> + 'static,
    ) {
        let method: Rc<RefCell<Method>> = Rc::new(RefCell::new(method));
        self.0.borrow_mut().insert(name.to_owned(), method);
    }

    fn get(&self, name: &str) -> Option<Rc<RefCell<Method>>> {
        self.0.borrow().get(name).cloned()
    }
}

/// Mock of the foreign calls.
pub(crate) struct MockForeign {
    /// Memory reached by accesses.
    pub(crate) ram: Rc<Ram>,
    /// Methods, commands and special files of the host program.
    pub(crate) callbacks: Callbacks,
    methods: Methods,
    py_methods: Methods,
    told: RefCell<Vec<Told>>,
    accesses: Cell<usize>,
}

impl MockForeign {
    /// Creates a mock with this memory and these callbacks, on a new bus, and its port.
    pub(crate) fn bus(ram: &Rc<Ram>, callbacks: Callbacks) -> (Bus, Rc<MockForeign>, Port<Inbox>) {
        let scripted = Rc::new(Self {
            ram: ram.clone(),
            callbacks,
            methods: Methods::default(),
            py_methods: Methods::default(),
            told: RefCell::default(),
            accesses: Cell::new(0),
        });
        let bus = Bus::new();
        let outside = scripted.clone();
        let port = bus.foreign(Rc::new(move |call| make(&*outside, call)));
        (bus, scripted, port)
    }

    /// Scripts a method of the testbench. All others are absent. The method may use the bus, but not call itself.
    pub(crate) fn method(
        &self,
        name: &str,
        method: impl FnMut(&str, &[u64]) -> Result<Progress, CallError> + 'static,
    ) {
        self.methods.insert(name, method);
    }

    /// Scripts a method in Python.
    pub(crate) fn py_method(
        &self,
        name: &str,
        method: impl FnMut(&str, &[u64]) -> Result<Progress, CallError> + 'static,
    ) {
        self.py_methods.insert(name, method);
    }

    /// Takes the calls recorded since the last call.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.take()
    }

    /// Number of foreign accesses since the last call, regardless of their segments.
    pub(crate) fn accesses(&self) -> usize {
        self.accesses.take()
    }

    fn tell(&self, told: Told) {
        self.told.borrow_mut().push(told);
    }
}

impl Foreign for MockForeign {
    fn access(&self, access: &Access) -> Result<Outcome, AccessError> {
        self.accesses.set(self.accesses.get() + 1);
        execute(&*self.ram, &access.op)
    }

    fn host_call(
        &self,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Progress, CallError> {
        self.tell(Told::HostCall(
            channel.into(),
            target.clone(),
            args.to_vec(),
        ));
        self.callbacks.call(channel, target, args)
    }

    fn has_sv_call(&self) -> bool {
        true
    }

    fn sv_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError> {
        self.tell(Told::SvCall(channel.into(), method.into(), args.to_vec()));
        let answer = self.methods.get(method);
        answer.map_or(Ok(Progress::Absent), |answer| {
            answer.borrow_mut()(channel, args)
        })
    }

    fn py_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError> {
        let Some(answer) = self.py_methods.get(method) else {
            return Ok(Progress::Absent);
        };
        self.tell(Told::PyCall(channel.into(), method.into(), args.to_vec()));
        answer.borrow_mut()(channel, args)
    }

    fn py_tick(&self) {
        self.tell(Told::PyTick);
    }

    fn py_cancel(&self, channel: &str) {
        self.tell(Told::PyCancel(channel.to_owned()));
    }

    fn on_py_tasks(&self, _: Box<dyn Fn(bool)>) {}

    fn exit(&self, channel: &str, code: u32) {
        self.tell(Told::Exit(channel.to_owned(), code));
    }

    fn register(&self, channel: &str) -> Result<(), NotifyError> {
        self.tell(Told::Register(channel.to_owned()));
        Ok(())
    }

    fn line(&self, line: &ConsoleLine) {
        self.tell(Told::ConsoleLine(
            line.channel.clone().to_string(),
            line.text.clone(),
        ));
    }

    fn served(&self, served: &Served) {
        self.tell(Told::Served(served.clone()));
    }

    fn report(&self, report: &foreign::Report) {
        let foreign::Report { severity, id, text } = report.clone();
        self.tell(Told::Report(severity, id, text));
    }

    fn expand_path(&self, path: &str) -> Result<String, Unset> {
        Ok(path.to_owned())
    }

    fn open_special(
        &self,
        opener: &Opener,
        path: &str,
        flags: OpenFlags,
    ) -> Result<SpecialId, Errno> {
        self.callbacks.open(opener, path, flags)
    }

    fn read_special(&self, file: SpecialId, len: u64) -> Result<Bytes, Errno> {
        self.callbacks.read(file, len)
    }

    fn write_special(&self, file: SpecialId, data: &[u8]) -> Result<u64, Errno> {
        self.callbacks.write(file, data)
    }

    fn seek_special(&self, file: SpecialId, position: u64) -> Result<u64, Errno> {
        self.callbacks.seek(file, position)
    }

    fn close_special(&self, file: SpecialId) {
        self.callbacks.close(file);
    }
}
