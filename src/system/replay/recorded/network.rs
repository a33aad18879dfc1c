//! Recorded results of sockets.

use std::cell::Cell;
use std::rc::Rc;

use crate::actors::sockets::{Connection, Listener, Network};
use crate::messages::events::NetworkResult;
use crate::messages::sockets::OsError;
use crate::system::replay::comparison::SharedComparison;

/// Network that returns recorded results. The recording has an actor's results behind the message
/// it served at the time: they are read ahead, each once.
#[derive(Clone)]
pub(in crate::system::replay) struct RecordedNetwork {
    comparison: SharedComparison,
    /// Frame of the last result.
    last: Rc<Cell<u64>>,
}

impl RecordedNetwork {
    pub(in crate::system::replay) fn new(comparison: SharedComparison) -> Self {
        let last = Rc::default();
        Self { comparison, last }
    }

    fn next(&self) -> Option<NetworkResult> {
        let (frame, answer) = self.comparison.next_event_after(self.last.get())?;
        self.last.set(frame);
        Some(answer)
    }
}

/// Result of a request past the end of the recording.
const NO_ANSWER: OsError = OsError(libc::EIO);

impl Network for RecordedNetwork {
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError> {
        if self.comparison.is_suspended() {
            let network = self.clone();
            return Ok(Box::new(RecordedListener { network, port }));
        }
        match self.next() {
            Some(NetworkResult::Listen(port)) => Ok(Box::new(RecordedListener {
                network: self.clone(),
                port: port?,
            })),
            _ => Err(NO_ANSWER),
        }
    }
}

struct RecordedListener {
    network: RecordedNetwork,
    port: u16,
}

impl Listener for RecordedListener {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError> {
        match self.network.next() {
            Some(NetworkResult::Accept(came)) => {
                Ok(came?.then(|| Box::new(self.network.clone()) as _))
            }
            _ => Err(NO_ANSWER),
        }
    }
}

/// Connection. All connections are the same, since results come in recorded order.
impl Connection for RecordedNetwork {
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError> {
        match self.next() {
            Some(NetworkResult::Send(sent)) => Ok(sent?.map(|sent| sent.min(data.len()))),
            _ => Err(NO_ANSWER),
        }
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError> {
        let Some(NetworkResult::Receive(received)) = self.next() else {
            return Err(NO_ANSWER);
        };
        Ok(received?.map(|bytes| {
            let len = bytes.len().min(room.len());
            room[..len].copy_from_slice(&bytes[..len]);
            len
        }))
    }

    fn finish(&mut self) {}
}
