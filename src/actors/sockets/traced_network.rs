//! Network whose results are collected for recordings.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;

use super::network::{Connection, Listener, Network};
use crate::messages::events::NetworkResult;
use crate::messages::sockets::OsError;

/// Results of a network, collected while that is enabled.
#[derive(Clone, Default)]
pub(super) struct ResultLog {
    wanted: Rc<Cell<bool>>,
    noted: Rc<RefCell<Vec<NetworkResult>>>,
}

impl ResultLog {
    /// Enables or disables the collection.
    pub(super) fn set_enabled(&self, wanted: bool) {
        self.wanted.set(wanted);
    }

    /// Takes the results that were collected since the last call.
    pub(super) fn take(&self) -> Vec<NetworkResult> {
        self.noted.take()
    }

    fn note(&self, result: impl FnOnce() -> NetworkResult) {
        if self.wanted.get() {
            self.noted.borrow_mut().push(result());
        }
    }
}

/// Network, listener or connection of any kind.
pub(super) struct Traced<T: ?Sized> {
    results: ResultLog,
    inner: Box<T>,
}

impl<T: ?Sized> Traced<T> {
    pub(super) fn new(inner: Box<T>, results: &ResultLog) -> Self {
        Self {
            results: results.clone(),
            inner,
        }
    }
}

impl Network for Traced<dyn Network> {
    fn listen(&mut self, port: u16) -> Result<Box<dyn Listener>, OsError> {
        let listening = self.inner.listen(port);
        self.results.note(|| {
            let port = listening.as_ref().map(|listener| listener.port());
            NetworkResult::Listen(port.map_err(|error| *error))
        });
        Ok(Box::new(Traced::new(listening?, &self.results)))
    }
}

impl Listener for Traced<dyn Listener> {
    fn port(&self) -> u16 {
        self.inner.port()
    }

    fn accept(&mut self) -> Result<Option<Box<dyn Connection>>, OsError> {
        let accepted = self.inner.accept();
        self.results.note(|| {
            let came = accepted.as_ref().map(Option::is_some);
            NetworkResult::Accept(came.map_err(|error| *error))
        });
        let noted = |connection| Box::new(Traced::new(connection, &self.results)) as _;
        Ok(accepted?.map(noted))
    }
}

impl Connection for Traced<dyn Connection> {
    fn send(&mut self, data: &[u8]) -> Result<Option<usize>, OsError> {
        let sent = self.inner.send(data);
        self.results.note(|| NetworkResult::Send(sent));
        sent
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, OsError> {
        let received = self.inner.receive(room);
        self.results.note(|| {
            let bytes = |len| Bytes::copy_from_slice(&room[..len]);
            NetworkResult::Receive(received.map(|len| len.map(bytes)))
        });
        received
    }

    fn finish(&mut self) {
        self.inner.finish();
    }
}
