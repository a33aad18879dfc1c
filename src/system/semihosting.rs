//! Operations of semihosting, which the testbench has seen firmware ask for.

use super::{Error, Vhost};
use crate::messages::front_end::{Operate, OperateError};
use crate::sim::strand::Abroad;

impl Vhost {
    /// Carries out an operation of semihosting that firmware of a channel with `abi: semihosting` asks for: the hart is at the trap, with
    /// the number of the operation in `a0` (`r0`) and the argument in `a1` (`r1`). Returns the value for `a0`.
    ///
    /// `None` while the operation waits for standard input. Nothing has been done then; ask again in a later tick.
    ///
    /// # Errors
    /// [`Error::Semihost`] for a channel without semihosting, or whose firmware has exited; [`Error::Bus`] from inside a tap.
    pub fn semihost(
        &self,
        channel: &str,
        hart: u32,
        operation: u64,
        argument: u64,
    ) -> Result<Option<u64>, Error> {
        let _home = Abroad::go(false);
        let failed = |cause| Error::Semihost {
            channel: channel.to_owned(),
            cause,
        };
        let id = self.served_channel(channel);
        let id = id.map_err(|_| failed(OperateError::NoChannel))?;
        let server = self.server_of(id);
        let server = server.map_err(|_| failed(OperateError::NoChannel))?;
        let operate = Operate {
            channel: id,
            hart,
            operation,
            argument,
        };
        server.operate(&self.0.bus, operate)?.map_err(failed)
    }
}
