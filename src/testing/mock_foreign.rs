//! Mock of the foreign calls, with scripted methods and a record of all calls.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use mailbox_rs::Timestamp;

use super::ram::Ram;
use crate::bus::{Bus, Port};
use crate::foreign::{Callbacks, Foreign, dispatch};
use crate::mem::{AccessError, OpOutcome, execute};
use crate::messages::foreign::{
    self, Access, ConsoleLine, Inbox, NotifyError, Served, Severity, Unset,
};
use crate::messages::rpc::{CallError, Progress, Target};

/// Recorded foreign call, other than a memory access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForeignCall {
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

/// Scripted methods by name.
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
    calls: RefCell<Vec<ForeignCall>>,
    accesses: Cell<usize>,
}

impl MockForeign {
    /// Creates a new bus with a mock that has this memory and these callbacks.
    pub(crate) fn bus(ram: &Rc<Ram>, callbacks: Callbacks) -> (Bus, Rc<MockForeign>, Port<Inbox>) {
        let mock = Rc::new(Self {
            ram: ram.clone(),
            callbacks,
            methods: Methods::default(),
            py_methods: Methods::default(),
            calls: RefCell::default(),
            accesses: Cell::new(0),
        });
        let bus = Bus::new();
        let outside = mock.clone();
        let port = bus.foreign(Rc::new(move |call| dispatch(&*outside, call)));
        (bus, mock, port)
    }

    /// Scripts a method of the testbench. All others are absent. The method may use the bus, but
    /// not call itself.
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
    pub(crate) fn calls(&self) -> Vec<ForeignCall> {
        self.calls.take()
    }

    /// Number of foreign accesses since the last call, with any segments.
    pub(crate) fn accesses(&self) -> usize {
        self.accesses.take()
    }

    fn record(&self, call: ForeignCall) {
        self.calls.borrow_mut().push(call);
    }
}

impl Foreign for MockForeign {
    fn access(&self, access: &Access) -> Result<OpOutcome, AccessError> {
        self.accesses.set(self.accesses.get() + 1);
        execute(&*self.ram, &access.op)
    }

    fn host_call(
        &self,
        channel: &str,
        target: &Target,
        args: &[u64],
    ) -> Result<Progress, CallError> {
        self.record(ForeignCall::HostCall(
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
        self.record(ForeignCall::SvCall(
            channel.into(),
            method.into(),
            args.to_vec(),
        ));
        let answer = self.methods.get(method);
        answer.map_or(Ok(Progress::Absent), |answer| {
            answer.borrow_mut()(channel, args)
        })
    }

    fn py_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, CallError> {
        let Some(answer) = self.py_methods.get(method) else {
            return Ok(Progress::Absent);
        };
        self.record(ForeignCall::PyCall(
            channel.into(),
            method.into(),
            args.to_vec(),
        ));
        answer.borrow_mut()(channel, args)
    }

    fn py_tick(&self) {
        self.record(ForeignCall::PyTick);
    }

    fn py_cancel(&self, channel: &str) {
        self.record(ForeignCall::PyCancel(channel.to_owned()));
    }

    fn on_py_tasks(&self, _: Box<dyn Fn(bool)>) {}

    fn exit(&self, channel: &str, code: u32) {
        self.record(ForeignCall::Exit(channel.to_owned(), code));
    }

    fn register(&self, channel: &str) -> Result<(), NotifyError> {
        self.record(ForeignCall::Register(channel.to_owned()));
        Ok(())
    }

    fn line(&self, line: &ConsoleLine) {
        self.record(ForeignCall::ConsoleLine(
            line.channel.clone().to_string(),
            line.text.clone(),
        ));
    }

    fn served(&self, served: &Served) {
        self.record(ForeignCall::Served(served.clone()));
    }

    fn report(&self, report: &foreign::Report) {
        let foreign::Report { severity, id, text } = report.clone();
        self.record(ForeignCall::Report(severity, id, text));
    }

    fn expand_path(&self, path: &str) -> Result<String, Unset> {
        Ok(path.to_owned())
    }

    fn wall_time(&self) -> Timestamp {
        Timestamp::from_nanoseconds(1 << 62)
    }

    fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }
}
