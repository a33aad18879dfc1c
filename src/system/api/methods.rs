//! Methods and commands of the host program.

use std::rc::{Rc, Weak};

use crate::foreign::CallResult;
use crate::messages::rpc::{self, Progress, RegisterTarget, Schedule, Target};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::running::{HostProgramCall, Inner, Vhost};

impl Vhost {
    /// Registers `callback` for CALLs of this method, in place of the testbench's function.
    ///
    /// A pending call is polled on every tick. A tick without a poll means that firmware has reset
    /// the channel, and the next poll belongs to another call.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn register_method(
        &self,
        name: impl Into<String>,
        callback: impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + Send + 'static,
    ) -> Result<(), Error> {
        self.register(Target::Method(name.into().into()), callback)
    }

    /// Registers `callback` for custom commands (requests OTHER) of this id.
    ///
    /// # Errors
    /// [`Error::Bus`] from inside a tap.
    pub fn register_command(
        &self,
        id: u64,
        callback: impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + Send + 'static,
    ) -> Result<(), Error> {
        self.register(Target::Command(id), callback)
    }

    pub(in crate::system) fn register(
        &self,
        target: Target,
        mut callback: impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult + 'static,
    ) -> Result<(), Error> {
        let _library = CodeGuard::library();
        let system: Weak<Inner> = Rc::downgrade(&self.0);
        let callback = move |channel: &str, args: &[u64]| {
            let vhost = Vhost(system.upgrade().ok_or("the system has ended")?);
            callback(&vhost, HostProgramCall { channel, args })
        };
        self.0
            .callbacks
            .register(target.clone(), Box::new(callback));
        Ok(self
            .0
            .bus
            .ask(&self.0.ports.rpc, RegisterTarget { target })?)
    }

    /// Polls a method once, as a CALL of firmware does on every tick.
    ///
    /// # Errors
    /// A testbench that can't be called.
    pub fn poll_call(&self, channel: &str, method: &str, args: &[u64]) -> Result<Progress, Error> {
        let _library = CodeGuard::library();
        let ask = rpc::Call {
            channel: channel.into(),
            target: Target::Method(method.into()),
            args: args.to_vec(),
            schedule: Schedule::Now,
        };
        let answer = self.0.bus.ask(&self.0.ports.rpc, ask)?;
        let answered = answer.map_err(|cause| Error::Call {
            channel: channel.to_owned(),
            cause,
        })?;
        Ok(answered.progress)
    }
}
