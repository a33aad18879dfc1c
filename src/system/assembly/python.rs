//! Access of Python code to the system.

use std::rc::{Rc, Weak};

use bytes::Bytes;

use crate::foreign::python::{BackdoorError, Host, serve};
use crate::mem::Symbol;
use crate::system::Error;
use crate::system::running::{Inner, Vhost};

/// Weak reference to a system.
struct Backdoor(Weak<Inner>);

impl Vhost {
    /// Makes this system the target of Python code.
    pub(in crate::system) fn serve_python(&self) {
        serve(Rc::new(Backdoor(Rc::downgrade(&self.0))));
    }
}

impl Backdoor {
    fn ask<T>(&self, act: impl FnOnce(&Vhost) -> Result<T, Error>) -> Result<T, BackdoorError> {
        let system = self.0.upgrade().ok_or(BackdoorError::NoSystem)?;
        act(&Vhost(system)).map_err(|error| BackdoorError::Failed(error.to_string()))
    }
}

impl Host for Backdoor {
    fn is_running(&self) -> bool {
        self.0.strong_count() > 0
    }

    fn space_of(&self, channel: &str) -> Result<String, BackdoorError> {
        self.ask(|vhost| vhost.space_of(channel).map(str::to_owned))
    }

    fn symbol(&self, place: &str, name: &str) -> Result<Symbol, BackdoorError> {
        self.ask(|vhost| vhost.symbol(place, name))
    }

    fn semihost(
        &self,
        channel: &str,
        hart: u32,
        operation: u64,
        argument: u64,
    ) -> Result<Option<u64>, BackdoorError> {
        self.ask(|vhost| vhost.semihost(channel, hart, operation, argument))
    }

    fn replace_traps(&self, channel: &str, address: u64, len: u64) -> Result<u64, BackdoorError> {
        self.ask(|vhost| vhost.replace_traps(channel, address, len))
    }

    fn read(&self, space: &str, address: u64, len: u64) -> Result<Bytes, BackdoorError> {
        self.ask(|vhost| vhost.read(space, address, len))
    }

    fn write(&self, space: &str, address: u64, data: Bytes) -> Result<(), BackdoorError> {
        self.ask(|vhost| vhost.write(space, address, data))
    }

    fn read_string(&self, space: &str, address: u64) -> Result<Bytes, BackdoorError> {
        self.ask(|vhost| vhost.read_string(space, address))
    }

    fn write_string(&self, space: &str, address: u64, text: &[u8]) -> Result<(), BackdoorError> {
        self.ask(|vhost| vhost.write_string(space, address, text))
    }
}
