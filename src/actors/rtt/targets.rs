//! Targets of up buffers: console, file, socket, method.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::PosixFlags;

use super::control_block::MAX_BUFFERS;
use crate::actors::service::{ChannelService, Failure};
use crate::messages::console::PrintMarked;
use crate::messages::files::{PosixOpen, WriteSome};
use crate::messages::foreign::Severity;
use crate::messages::rpc::{CallError, Progress, Schedule, Target as CallTarget};
use crate::messages::rtt::{BufferName, Direction};
use crate::messages::sockets::{
    Accept, ClientId, Disconnect, Greet, LocalPort, Open, Read, ReadMode, SocketError, SocketId,
    Write,
};
use crate::messages::{RttPlace, UpTarget};

/// Permission bits of a created file.
const MODE: u32 = 0o666;

/// Name of the up buffer that has frames of defmt.
const DEFMT: &str = "defmt";

/// Maximum number of bytes that one read takes from a client.
const MAX_READ_BYTES: usize = 4096;

/// Targets of one channel's up buffers.
pub(super) struct Targets {
    /// Configured targets, by name or number.
    configured: BTreeMap<String, Rc<Target>>,
    console: Rc<Target>,
    lines: Rc<Target>,
    defmt: Rc<Target>,
}

/// One target.
pub(super) struct Target {
    kind: UpTarget,
    /// Descriptor of an open file.
    file: Cell<Option<u64>>,
    /// True if the file was opened before: then it is appended to.
    is_continued: Cell<bool>,
    socket: RefCell<Option<Socket>>,
}

/// Listening socket, and its clients.
struct Socket {
    id: SocketId,
    clients: Vec<ClientId>,
}

/// Chunk of an up buffer's bytes.
pub(super) struct Piece<'a> {
    pub(super) buffer: &'a BufferName,
    /// Address of the bytes in firmware's memory.
    pub(super) address: u64,
    pub(super) data: Bytes,
}

impl Targets {
    pub(super) fn new(place: &RttPlace) -> Self {
        let targets = place.up.iter();
        let targets = targets.map(|(name, kind)| (name.clone(), Target::new(kind.clone())));
        Self {
            configured: targets.collect(),
            console: Target::new(UpTarget::Console),
            lines: Target::new(UpTarget::Lines),
            defmt: Target::new(UpTarget::Defmt),
        }
    }

    /// Target of a buffer: the one for its name, for its number, or the default.
    pub(super) fn of(&self, buffer: &BufferName) -> Rc<Target> {
        let by_name = buffer.name.as_ref();
        let by_name = by_name.and_then(|name| self.configured.get(name));
        let by_number = || self.configured.get(&buffer.number.to_string());
        if let Some(target) = by_name.or_else(by_number) {
            return target.clone();
        }
        let target = match (buffer.number, buffer.name.as_deref()) {
            (_, Some(DEFMT)) => &self.defmt,
            (0, _) => &self.console,
            _ => &self.lines,
        };
        target.clone()
    }

    /// Files of the configured targets: name, descriptor, and true for a file that was opened
    /// before.
    pub(super) fn saved(&self) -> Vec<(String, Option<u64>, bool)> {
        let targets = self.configured.iter();
        let files = targets.map(|(name, target)| {
            let (file, is_continued) = (target.file.get(), target.is_continued.get());
            (name.clone(), file, is_continued)
        });
        files.collect()
    }

    /// Replaces the files of the configured targets. Unknown names are ignored.
    pub(super) fn restore(&self, files: &[(String, Option<u64>, bool)]) {
        for (name, file, is_continued) in files {
            if let Some(target) = self.configured.get(name) {
                target.file.set(*file);
                target.is_continued.set(*is_continued);
            }
        }
    }

    /// Opens the configured sockets, and reports their ports.
    pub(super) async fn open_sockets(&self, service: &ChannelService) {
        for (name, target) in &self.configured {
            let UpTarget::Socket(port) = target.kind else {
                continue;
            };
            let opened = target.open_socket(service, name, port).await;
            if let Err(reason) = opened {
                service.report_error(&format!("RTT: up channel {name}: {reason}"));
            }
        }
    }

    /// True if a socket is open.
    pub(super) fn has_sockets(&self) -> bool {
        let mut targets = self.configured.values();
        targets.any(|target| target.socket.borrow().is_some())
    }

    /// Accepts clients of all sockets.
    pub(super) async fn accept(&self, service: &ChannelService) {
        for target in self.configured.values() {
            target.accept(service).await;
        }
    }

    /// Socket target of a buffer, if it has clients.
    pub(super) fn with_clients(&self, buffer: &BufferName) -> Option<Rc<Target>> {
        let target = self.of(buffer);
        let has_clients = {
            let socket = target.socket.borrow();
            socket.as_ref().is_some_and(|it| !it.clients.is_empty())
        };
        has_clients.then_some(target)
    }
}

impl Target {
    fn new(kind: UpTarget) -> Rc<Self> {
        Rc::new(Self {
            kind,
            file: Cell::new(None),
            is_continued: Cell::new(false),
            socket: RefCell::new(None),
        })
    }

    /// True for frames of defmt.
    pub(super) fn is_defmt(&self) -> bool {
        self.kind == UpTarget::Defmt
    }

    /// Delivers a chunk, which stays in firmware's memory until this returns.
    ///
    /// # Errors
    /// Errors of the file or the method. Then the chunk is lost.
    pub(super) async fn deliver(
        &self,
        service: &ChannelService,
        piece: Piece<'_>,
    ) -> Result<(), Failure> {
        let Piece {
            buffer,
            address,
            data,
        } = piece;
        match &self.kind {
            UpTarget::Console => service.print(data).await,
            UpTarget::Lines => {
                let mark = match &buffer.name {
                    Some(name) => name.clone(),
                    None => format!("up {}", buffer.number),
                };
                service.peers.console.port().post(PrintMarked {
                    channel: service.id,
                    source: buffer.number,
                    mark,
                    text: data,
                });
                Ok(())
            }
            // The channel itself decodes frames.
            UpTarget::Nothing | UpTarget::Defmt => Ok(()),
            UpTarget::File(path) => self.append(service, path, data).await,
            UpTarget::Socket(_) => {
                self.send(service, data).await;
                Ok(())
            }
            UpTarget::Method(method) => {
                let target = CallTarget::Method(method.clone());
                let args = [u64::from(buffer.number), address, data.len() as u64];
                service.operation.begin_call(&target);
                let tracker = service.operation.clone();
                let on_pending = move |by| tracker.count_poll(by);
                let rpc = &service.peers.rpc;
                let called = rpc.call(service.name(), &target, &args, Schedule::Now, on_pending);
                match called.await??.progress {
                    Progress::Ready(_) => Ok(()),
                    Progress::Absent => Err(CallError::Absent(target).into()),
                    Progress::Failed | Progress::Pending => Err(CallError::Failed(target).into()),
                }
            }
        }
    }

    /// Appends bytes to a file, which is truncated at its first open.
    async fn append(
        &self,
        service: &ChannelService,
        path: &str,
        mut data: Bytes,
    ) -> Result<(), Failure> {
        let mut reopened = false;
        while !data.is_empty() {
            let fd = self.open(service, path).await?;
            let channel = service.id;
            let write = WriteSome {
                channel,
                fd,
                data: data.clone(),
            };
            match service.on_file(write).await {
                Ok(0) => break,
                Ok(more) => {
                    let more = usize::try_from(more).unwrap_or(usize::MAX);
                    data = data.slice(more.min(data.len())..);
                }
                // The exit of the last channel closes the files of all channels.
                Err(_) if !reopened => {
                    self.file.set(None);
                    reopened = true;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn open(&self, service: &ChannelService, path: &str) -> Result<u64, Failure> {
        if let Some(fd) = self.file.get() {
            return Ok(fd);
        }
        let flags = PosixFlags::WRITE_ONLY | PosixFlags::CREATE | PosixFlags::APPEND;
        let flags = match self.is_continued.get() {
            true => flags,
            false => flags | PosixFlags::TRUNCATE,
        };
        let given = Bytes::copy_from_slice(path.as_bytes());
        let expanded = service.expanded(&given).await?;
        let open = PosixOpen {
            channel: service.id,
            path: expanded.clone(),
            flags,
            mode: MODE,
        };
        let opened = service.on_file(open).await;
        let fd = opened.map_err(|failure| failure.on_path(&given, &expanded))?;
        self.file.set(Some(fd));
        self.is_continued.set(true);
        Ok(fd)
    }

    async fn open_socket(
        &self,
        service: &ChannelService,
        name: &str,
        port: u16,
    ) -> Result<(), String> {
        let sockets = &service.peers.sockets;
        let name_of_socket = format!("{}.{name}", service.name());
        let open = Open {
            name: name_of_socket.clone(),
            port,
        };
        let opened = sockets.ask(open).await;
        let socket = opened
            .map_err(|lost| lost.to_string())?
            .map_err(|error| error.to_string())?;
        // A terminal gets only firmware's bytes, so there is no greeting.
        let text = String::new();
        let _ = sockets.ask(Greet { socket, text }).await;
        let port = sockets.ask(LocalPort { socket }).await;
        *self.socket.borrow_mut() = Some(Socket {
            id: socket,
            clients: Vec::new(),
        });
        if let Ok(Ok(port)) = port {
            let text = format!("RTT: up channel {name} is on port {port} of 127.0.0.1");
            service.report(Severity::Info, &text);
        }
        Ok(())
    }

    async fn accept(&self, service: &ChannelService) {
        let id = self.socket.borrow().as_ref().map(|socket| socket.id);
        let Some(socket) = id else { return };
        // One client in each check: a burst of clients waits.
        if let Ok(Ok(Some(client))) = service.peers.sockets.ask(Accept { socket }).await
            && let Some(it) = &mut *self.socket.borrow_mut()
        {
            it.clients.push(client);
        }
    }

    /// Socket and its clients, if the socket is open.
    fn clients(&self) -> Option<(SocketId, Vec<ClientId>)> {
        let socket = self.socket.borrow();
        let Socket { id, clients } = socket.as_ref()?;
        Some((*id, clients.clone()))
    }

    async fn send(&self, service: &ChannelService, data: Bytes) {
        let Some((socket, clients)) = self.clients() else {
            return;
        };
        for client in clients {
            let data = data.clone();
            let write = Write {
                socket,
                client,
                data,
            };
            let written = service.peers.sockets.ask(write).await;
            if let Ok(Err(error)) = written {
                self.drop_client(service, socket, client, &error).await;
            }
        }
    }

    /// Takes at most `room` bytes that clients have sent.
    pub(super) async fn receive(&self, service: &ChannelService, room: u32) -> Bytes {
        let mut received = Vec::new();
        let Some((socket, clients)) = self.clients() else {
            return Bytes::new();
        };
        for client in clients {
            let left = (room as usize).min(MAX_READ_BYTES) - received.len();
            if left == 0 {
                break;
            }
            let want = ReadMode::UpTo(left);
            let read = Read {
                socket,
                client,
                want,
            };
            match service.peers.sockets.ask(read).await {
                Ok(Ok(Some(bytes))) => received.extend_from_slice(&bytes[..bytes.len().min(left)]),
                Ok(Err(error)) => self.drop_client(service, socket, client, &error).await,
                Ok(Ok(None)) | Err(_) => {}
            }
        }
        received.into()
    }

    async fn drop_client(
        &self,
        service: &ChannelService,
        socket: SocketId,
        client: ClientId,
        error: &SocketError,
    ) {
        if !matches!(error, SocketError::Ended { .. }) {
            service.report(Severity::Warning, &format!("RTT: {error}"));
        }
        let _ = service
            .peers
            .sockets
            .ask(Disconnect { socket, client })
            .await;
        if let Some(it) = &mut *self.socket.borrow_mut() {
            it.clients.retain(|known| *known != client);
        }
    }
}

/// Kinds of reports on buffers. Each is made once per buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Complaint {
    Descriptor,
    Bytes,
    Offset,
    Name,
    Target,
}

/// Reports made so far.
#[derive(Debug, Default)]
pub(super) struct Complaints(RefCell<std::collections::HashSet<(Complaint, Direction, u32)>>);

impl Complaints {
    /// Remembers a report about a buffer. True if it is new.
    pub(super) fn is_new(&self, what: Complaint, direction: Direction, number: u32) -> bool {
        number <= MAX_BUFFERS && self.0.borrow_mut().insert((what, direction, number))
    }
}
