//! Standard input of firmware, from the host program or the testbench.

use bytes::Bytes;

use crate::messages::ChannelId;
use crate::messages::front_end::{StdinClose, StdinError, StdinWrite};
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::running::{AnyServer, Vhost};

impl Vhost {
    /// Adds bytes to the standard input of a channel, whose configuration has `stdio: {stdin:
    /// testbench}`. Returns the number of bytes taken, which is smaller than the length of `data`
    /// if more than 16 MiB would be buffered. A pending read is answered at once.
    ///
    /// # Errors
    /// [`Error::Stdin`] for a channel without such an input, or after
    /// [`close_stdin`](Self::close_stdin); [`Error::Bus`] from inside a tap.
    pub fn write_stdin(&self, channel: &str, data: &[u8]) -> Result<usize, Error> {
        let _library = CodeGuard::library();
        let failed = |cause| Self::stdin_error(channel, cause);
        let channel = self.served_channel(channel).map_err(failed)?;
        let server = self.server_of(channel).map_err(failed)?;
        let (len, data) = (data.len(), Bytes::copy_from_slice(data));
        let taken = server.write_stdin(&self.0.bus, StdinWrite { channel, data })?;
        let taken = taken.map_err(failed)?;
        Ok(usize::try_from(taken).unwrap_or(len))
    }

    /// Ends the standard input of a channel: firmware reads the end of the file behind the last
    /// byte.
    ///
    /// # Errors
    /// Those of [`write_stdin`](Self::write_stdin).
    pub fn close_stdin(&self, channel: &str) -> Result<(), Error> {
        let _library = CodeGuard::library();
        let failed = |cause| Self::stdin_error(channel, cause);
        let channel = self.served_channel(channel).map_err(failed)?;
        let server = self.server_of(channel).map_err(failed)?;
        let closed = server.close_stdin(&self.0.bus, StdinClose { channel })?;
        closed.map_err(failed)
    }

    /// Server of a channel.
    pub(in crate::system) fn server_of(
        &self,
        channel: ChannelId,
    ) -> Result<&dyn AnyServer, StdinError> {
        let front_ends = self.0.ports.front_ends.get();
        front_ends
            .and_then(|front_ends| front_ends.of(channel))
            .ok_or(StdinError::NoChannel)
    }

    /// Number of a served channel.
    pub(in crate::system) fn served_channel(&self, name: &str) -> Result<ChannelId, StdinError> {
        let mut numbered = (0..)
            .map(ChannelId)
            .zip(&**self.0.attach_context.channels());
        let found = numbered.find(|(_, channel)| &*channel.name == name);
        found.map(|(number, _)| number).ok_or(StdinError::NoChannel)
    }

    fn stdin_error(channel: &str, cause: StdinError) -> Error {
        Error::Stdin {
            channel: channel.to_owned(),
            cause,
        }
    }
}
