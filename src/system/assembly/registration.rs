//! Registration of channels with the testbench.

use crate::messages::Name;
use crate::messages::foreign::{NotifyError, Register, Severity};
use crate::system::Error;
use crate::system::running::Vhost;

impl Vhost {
    /// Registers each channel with the testbench, once. After a failure the first tick tries again.
    pub(crate) fn register_channels(&self) -> Result<(), Error> {
        for (channel, _) in self.register_each()? {
            self.0.unregistered.borrow_mut().push(channel);
        }
        Ok(())
    }

    /// Registers the remaining channels with the testbench, with no further retry.
    #[cold]
    pub(in crate::system) fn retry_registration(&self) -> Result<(), Error> {
        for (channel, error) in self.register_each()? {
            let text = format!("channel `{channel}`: {error}");
            self.report(Severity::Error, "sv_registery_ch", &text)?;
        }
        Ok(())
    }

    /// Channels that can't be registered.
    fn register_each(&self) -> Result<Vec<(Name, NotifyError)>, Error> {
        // Inside of a tap this fails, and the channels stay pending.
        self.0.bus.run_until_idle()?;
        let mut failed = Vec::new();
        for channel in self.0.unregistered.take() {
            let register = Register {
                channel: channel.clone(),
            };
            if let Err(error) = self.0.bus.ask(&self.0.ports.foreign, register)? {
                failed.push((channel, error));
            }
        }
        Ok(failed)
    }
}
