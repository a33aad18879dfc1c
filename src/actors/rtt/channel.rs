//! One channel: search of the control block, and transfers.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use mailbox_rs::NEWEST;

use super::control_block::{Descriptor, HEADER, Header, HeaderState, Layout, MOST_BUFFERS};
use super::frames::Frames;
use super::search::{Found, Search};
use super::status_tracker::RttTracker;
use super::targets::{Complaint, Complaints, Piece, Targets};
use crate::actors::service::{
    ChannelService, End, Failure, FrontEnd, LastStep, Opening, StatusTracker, WordPoller,
};
use crate::bus::{ActorContext, DOORBELL_BYTES};
use crate::mem::{CHUNK, Op, Segments, Span, part};
use crate::messages::foreign::Severity;
use crate::messages::rtt::{BufferName, Direction, Rtt, RttStatus, RttStep, Transferred};
use crate::messages::{Interface, RttPlace};

/// Up buffers that are served. Their write offsets, and two further words, are what one poll reads.
const MOST_SERVED: u32 = 14;

/// Longest name of a buffer, with its NUL.
const MOST_NAME: u64 = 64;

/// Ticks between two looks at the clients of sockets.
const SOCKET_TICKS: u64 = 16;

/// Ticks between two searches of the whole range.
const SEARCH_TICKS: u64 = 1024;

/// Most reports on control blocks that vanish or are impossible.
const MOST_REPORTS: u32 = 16;

/// State of one channel.
pub(crate) struct Channel {
    service: ChannelService,
    place: RttPlace,
    layout: Layout,
    context: ActorContext,
    poller: WordPoller,
    tracker: RttTracker,
    targets: Targets,
    frames: Frames,
    complaints: Complaints,
    /// Number of reports on control blocks.
    reports: Cell<u32>,
    /// Last impossible header that was reported.
    impossible: Cell<Option<Header>>,
    /// Up buffers that can't be served, until the control block is found anew.
    disabled: RefCell<BTreeSet<u32>>,
    /// Names of buffers, by direction and number, with the address that they were read from.
    names: RefCell<BTreeMap<(bool, u32), (u64, BufferName)>>,
    /// True once the standard input has no more bytes.
    is_input_over: Cell<bool>,
}

/// Control block, as read.
struct Block {
    address: u64,
    place: Segments,
    header: Header,
    /// Descriptors of up buffers, then of down buffers.
    descriptors: Vec<Descriptor>,
}

/// News for the channel's task.
enum News {
    /// Words of the control block have changed.
    Words,
    /// Bytes are there for the first down buffer.
    Input,
    /// Clients of sockets may have bytes.
    Sockets,
}

/// Words that are polled, by their offsets from the control block.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Spans to read: offset and length.
    spans: Vec<(u64, u64)>,
    /// Offsets of the words in the bytes read.
    words: Vec<usize>,
}

impl FrontEnd for Channel {
    type Protocol = Rtt;

    fn serves(interface: &Interface) -> bool {
        matches!(interface, Interface::Rtt(_))
    }

    fn open(opening: Opening<'_>) -> Option<Self> {
        let Interface::Rtt(place) = &opening.descriptor.interface else {
            return None;
        };
        let service = ChannelService::new(&opening, place.ptr_width);
        let Opening {
            id,
            bus,
            context,
            peers,
            progress,
            ..
        } = opening;
        let address = place.block;
        let first = RttStep::Block { address };
        let tracker = StatusTracker::new(id, first, progress, service.tasks.clone());
        let poller = WordPoller::new(bus, id, context.clone(), peers.store.clone());
        Some(Self {
            service,
            layout: Layout {
                ptr_width: place.ptr_width,
            },
            place: place.clone(),
            context,
            poller,
            tracker: RttTracker::new(tracker),
            targets: Targets::new(place),
            frames: Frames::default(),
            complaints: Complaints::default(),
            reports: Cell::new(0),
            impossible: Cell::new(None),
            disabled: RefCell::default(),
            names: RefCell::default(),
            is_input_over: Cell::new(false),
        })
    }

    fn service(&self) -> &ChannelService {
        &self.service
    }

    fn status(&self) -> RttStatus {
        self.tracker.status(self.service.name())
    }

    async fn serve(&self) -> Result<End, Failure> {
        self.service.session.begin(NEWEST);
        self.targets.open_sockets(&self.service).await;
        loop {
            let address = self.find().await?;
            self.tracker.enter(RttStep::Bytes { address });
            self.disabled.borrow_mut().clear();
            self.frames.reset();
            self.serve_block(address).await?;
            self.poller.rest();
            self.tracker.enter(RttStep::Block {
                address: self.place.block,
            });
            // A block that is there and can't be served must not keep the host busy.
            self.wait(1).await;
        }
    }

    fn enter_end(&self, _: LastStep) {
        self.tracker.enter(RttStep::GivenUp);
    }

    fn stop(&self) {
        self.poller.end();
    }
}

impl Channel {
    /// Waits until firmware has set up a control block. Returns its address.
    async fn find(&self) -> Result<u64, Failure> {
        match (self.place.block, self.place.search) {
            (Some(address), _) => self.wait_for_mark(address).await.map(|()| address),
            (None, Some(range)) => self.search(Search::new(range)).await,
            (None, None) => std::future::pending().await,
        }
    }

    async fn wait_for_mark(&self, address: u64) -> Result<(), Failure> {
        let span = Span {
            address,
            len: HEADER,
        };
        let memory = &self.service.peers.memory;
        let place = memory.locate(self.service.space, span).await??;
        self.poller.watch(place.iter().copied());
        poll_fn(|context| {
            let bytes = match self.poller.bytes() {
                Ok(bytes) => bytes,
                Err(failure) => return Poll::Ready(Err(failure)),
            };
            match HeaderState::of(&bytes) {
                HeaderState::Present(_) => return Poll::Ready(Ok(())),
                HeaderState::Impossible(header) => self.report_impossible(address, header),
                HeaderState::Absent => {}
            }
            self.poller.wake_later(context, None);
            Poll::Pending
        })
        .await
    }

    async fn search(&self, mut search: Search) -> Result<u64, Failure> {
        loop {
            match search.step(&self.service).await? {
                Found::Nothing => self.wait(1).await,
                Found::End => self.wait(SEARCH_TICKS).await,
                Found::Mark(address) => {
                    let span = Span {
                        address,
                        len: HEADER,
                    };
                    let read = self.service.access(Op::Read(span)).await;
                    // A mark at the end of the range may have no header behind it.
                    let header = read.map(|read| HeaderState::of(&read.into_bytes()));
                    match header.unwrap_or(HeaderState::Absent) {
                        HeaderState::Present(_) => {
                            let text = format!("RTT: control block found at {address:#x}");
                            self.report(&text);
                            return Ok(address);
                        }
                        HeaderState::Impossible(header) => {
                            self.report_impossible(address, header);
                        }
                        HeaderState::Absent => {}
                    }
                    self.wait(1).await;
                }
            }
        }
    }

    /// Waits for ticks to pass.
    async fn wait(&self, ticks: u64) {
        let until = self.context.now().saturating_add(ticks);
        poll_fn(|context| {
            if self.context.now() >= until {
                return Poll::Ready(());
            }
            self.poller.wake_later(context, Some(until));
            Poll::Pending
        })
        .await;
    }

    fn report_impossible(&self, address: u64, header: Header) {
        if self.impossible.replace(Some(header)) != Some(header) {
            let Header { up, down } = header;
            self.report(&format!(
                "RTT: the control block at {address:#x} has {up} up and {down} down buffers; at most {MOST_BUFFERS} are accepted; it is \
                 not served as long as it says so"
            ));
        }
    }

    /// Reports about control blocks, up to a number.
    fn report(&self, text: &str) {
        let count = self.reports.get();
        if count < MOST_REPORTS {
            self.reports.set(count + 1);
            let last = match count + 1 < MOST_REPORTS {
                true => "",
                false => "; further control blocks are not reported",
            };
            self.service
                .report(Severity::Info, &format!("{text}{last}"));
        }
    }

    /// Serves a control block as long as it is there.
    async fn serve_block(&self, address: u64) -> Result<(), Failure> {
        let mut plan = None;
        let mut is_full = false;
        let mut look = self.context.now();
        loop {
            let Some(block) = self.read_block(address).await? else {
                return Ok(());
            };
            if block.header.up > MOST_SERVED
                && self
                    .complaints
                    .is_new(Complaint::Descriptor, false, MOST_BUFFERS)
            {
                let up = block.header.up;
                self.service.report(
                    Severity::Warning,
                    &format!("RTT: {up} up channels, of which the first {MOST_SERVED} are served"),
                );
            }
            for number in 0..block.header.up.min(MOST_SERVED) {
                self.take_up(&block, number).await?;
            }
            // Rings until the next poll are for bytes that may have come while others were delivered.
            is_full &= self.room(&block, 0) == Some(0);
            let next = self.plan(&block, is_full);
            if plan.as_ref() != Some(&next) {
                let spans = next.spans.iter();
                let spans = spans.flat_map(|(at, len)| part(&block.place, *at, *len));
                self.poller.watch_words(spans, next.words.clone());
                plan = Some(next);
            }
            let has_input = self.room(&block, 0).is_some() && !is_full;
            match self.news(has_input, look).await? {
                News::Words => {}
                News::Input => is_full = !self.put_input(address).await?,
                News::Sockets => {
                    look = self.context.now() + SOCKET_TICKS;
                    self.targets.accept(&self.service).await;
                    self.put_received(address).await?;
                }
            }
        }
    }

    /// Waits for something to do.
    async fn news(&self, has_input: bool, look: u64) -> Result<News, Failure> {
        let look = self.targets.has_sockets().then_some(look);
        poll_fn(|context| {
            if let Err(failure) = self.poller.bytes() {
                return Poll::Ready(Err(failure));
            }
            if self.poller.take_ring() {
                return Poll::Ready(Ok(News::Words));
            }
            let wants_input = has_input && !self.is_input_over.get();
            if wants_input && self.service.is_byte_ready(context) {
                return Poll::Ready(Ok(News::Input));
            }
            if look.is_some_and(|look| look <= self.context.now()) {
                return Poll::Ready(Ok(News::Sockets));
            }
            self.poller.wake_later(context, look);
            Poll::Pending
        })
        .await
    }

    /// Reads the control block; `None` if it is gone, or can't be read.
    async fn read_block(&self, address: u64) -> Result<Option<Block>, Failure> {
        let read = |len| Op::Read(Span { address, len });
        let Ok(header) = self.service.access(read(HEADER)).await else {
            return Ok(None);
        };
        let header = match HeaderState::of(&header.into_bytes()) {
            HeaderState::Present(header) => header,
            HeaderState::Absent | HeaderState::Impossible(_) => {
                self.report(&format!(
                    "RTT: the control block at {address:#x} is gone; the host waits for a new one"
                ));
                return Ok(None);
            }
        };
        let len = self.layout.offset(header.up + header.down);
        let bytes = match self.service.access(read(len)).await {
            Ok(outcome) => outcome.into_bytes(),
            Err(failure) => {
                self.report(&format!(
                    "RTT: the control block at {address:#x} can't be read: {failure}"
                ));
                return Ok(None);
            }
        };
        let span = Span { address, len };
        let memory = &self.service.peers.memory;
        let place = memory.locate(self.service.space, span).await??;
        let size = usize::try_from(self.layout.descriptor()).unwrap_or(usize::MAX);
        let descriptors = bytes[HEADER as usize..].chunks_exact(size);
        let descriptors = descriptors.filter_map(|bytes| self.layout.parse(bytes));
        Ok(Some(Block {
            address,
            place,
            header,
            descriptors: descriptors.collect(),
        }))
    }

    /// Words to poll: the write offsets of the up buffers, the mark where it fits, and while the first down buffer is full its read
    /// offset.
    fn plan(&self, block: &Block, is_full: bool) -> Plan {
        let Header { up, .. } = block.header;
        let at = |position, offset| self.layout.offset(position) + offset;
        let mut words: Vec<u64> = (0..up.min(MOST_SERVED))
            .map(|number| at(number, self.layout.write_offset()))
            .collect();
        if is_full {
            words.push(at(up, self.layout.read_offset()));
        }
        let end = words.last().map_or(4, |last| last + 4);
        let most = DOORBELL_BYTES as u64;
        if end <= most {
            words.insert(0, 0);
        }
        let first = words.first().copied().unwrap_or_default();
        if end - first <= most {
            let offsets = words.iter().map(|word| (word - first) as usize);
            return Plan {
                spans: vec![(first, end - first)],
                words: offsets.collect(),
            };
        }
        Plan {
            spans: words.iter().map(|word| (*word, 4)).collect(),
            words: (0..words.len()).map(|at| 4 * at).collect(),
        }
    }

    /// Takes the bytes of an up buffer.
    async fn take_up(&self, block: &Block, number: u32) -> Result<(), Failure> {
        let Some(descriptor) = block.descriptors.get(number as usize).copied() else {
            return Ok(());
        };
        if !descriptor.is_set_up() || self.disabled.borrow().contains(&number) {
            return Ok(());
        }
        if descriptor.write == descriptor.read {
            return Ok(());
        }
        let buffer = self.name(false, number, descriptor.name).await;
        if let Err(implausible) = descriptor.check() {
            if self.complaints.is_new(Complaint::Descriptor, false, number) {
                self.service.complain(&format!(
                    "RTT: up channel {buffer}: {implausible}; it is not served as long as it says so"
                ));
            }
            return Ok(());
        }
        let step = RttStep::Deliver {
            buffer: buffer.clone(),
        };
        self.tracker.enter(step);
        let since = self.context.now();
        let (mut bytes, mut error) = (0, None);
        for (offset, len) in descriptor.filled() {
            let mut done = 0;
            while done < len {
                let address = descriptor.data.wrapping_add(u64::from(offset + done));
                let len = CHUNK.min(u64::from(len - done));
                let read = self.service.access(Op::Read(Span { address, len })).await;
                let data = match read {
                    Ok(outcome) => outcome.into_bytes(),
                    Err(failure) => return self.disable(&buffer, Complaint::Bytes, &failure),
                };
                done += len as u32;
                bytes += len;
                let piece = Piece {
                    buffer: &buffer,
                    address,
                    data,
                };
                let target = self.targets.of(&buffer);
                if target.is_defmt() {
                    self.frames.deliver(&self.service, &self.context, &piece);
                    continue;
                }
                let delivered = target.deliver(&self.service, piece);
                if let Err(failure) = Box::pin(delivered).await {
                    error = Some(failure.errno());
                    if self.complaints.is_new(Complaint::Target, false, number) {
                        self.service.complain(&format!(
                            "RTT: up channel {buffer}: {failure}; its bytes are lost, and later ones are not reported"
                        ));
                    }
                }
            }
        }
        let at = Span {
            address: block.address + self.layout.offset(number) + self.layout.read_offset(),
            len: 4,
        };
        let moved = Op::Word(at, u64::from(descriptor.write));
        if let Err(failure) = self.service.access(moved).await {
            return self.disable(&buffer, Complaint::Offset, &failure);
        }
        self.emit(Direction::Up, buffer, bytes, since, error);
        let address = block.address;
        self.tracker.enter(RttStep::Bytes { address });
        Ok(())
    }

    /// Serves an up buffer no more, until the control block is found anew.
    fn disable(
        &self,
        buffer: &BufferName,
        what: Complaint,
        failure: &Failure,
    ) -> Result<(), Failure> {
        self.disabled.borrow_mut().insert(buffer.number);
        if self.complaints.is_new(what, false, buffer.number) {
            self.service.complain(&format!(
                "RTT: up channel {buffer} is not served any more: {failure}"
            ));
        }
        Ok(())
    }

    /// Number and name of a buffer. The name is read when its address is new.
    async fn name(&self, is_down: bool, number: u32, address: u64) -> BufferName {
        if let Some((known, buffer)) = self.names.borrow().get(&(is_down, number))
            && *known == address
        {
            return buffer.clone();
        }
        let read = Op::Text(Span {
            address,
            len: MOST_NAME,
        });
        let name = match address {
            0 => None,
            _ => {
                let read = self.service.access(read).await;
                let bytes = read.map(|outcome| outcome.into_bytes());
                let text = bytes.ok().and_then(|bytes| text_of(&bytes));
                if text.is_none() && self.complaints.is_new(Complaint::Name, is_down, number) {
                    let direction = if is_down { "down" } else { "up" };
                    let text = format!(
                        "RTT: the name of {direction} channel {number}, at {address:#x}, is no text of less than {MOST_NAME} bytes"
                    );
                    self.service.report(Severity::Info, &text);
                }
                text
            }
        };
        let buffer = BufferName { number, name };
        let known = (address, buffer.clone());
        self.names.borrow_mut().insert((is_down, number), known);
        buffer
    }

    /// Free bytes of a down buffer; `None` if it can't take any.
    fn room(&self, block: &Block, number: u32) -> Option<u32> {
        let descriptor = self.down(block, number)?;
        Some(descriptor.free().iter().map(|(_, len)| len).sum())
    }

    /// Descriptor of a down buffer that is set up.
    fn down(&self, block: &Block, number: u32) -> Option<Descriptor> {
        let Header { up, down } = block.header;
        let position = (number < down).then_some((up + number) as usize)?;
        let descriptor = block.descriptors.get(position).copied()?;
        let is_usable = descriptor.is_set_up() && descriptor.check().is_ok();
        is_usable.then_some(descriptor)
    }

    /// Puts bytes of the standard input into the first down buffer. False if that has no room.
    async fn put_input(&self, address: u64) -> Result<bool, Failure> {
        let Some(block) = self.read_block(address).await? else {
            return Ok(true);
        };
        let room = self.room(&block, 0).unwrap_or_default();
        if room == 0 {
            return Ok(false);
        }
        let read = self.service.read_some(u64::from(room)).await;
        let read = read.unwrap_or_else(|failure| {
            let text = format!("RTT: standard input: {failure}");
            self.service.complain(&text);
            None
        });
        match read {
            Some(data) => self.put_down(&block, 0, data).await?,
            None => self.is_input_over.set(true),
        }
        Ok(true)
    }

    /// Puts bytes of sockets into the down buffers of the same numbers.
    async fn put_received(&self, address: u64) -> Result<(), Failure> {
        let Some(block) = self.read_block(address).await? else {
            return Ok(());
        };
        for number in 0..block.header.up.min(MOST_SERVED) {
            let name = block.descriptors.get(number as usize).map(|it| it.name);
            let buffer = self.name(false, number, name.unwrap_or_default()).await;
            let Some(target) = self.targets.with_clients(&buffer) else {
                continue;
            };
            let room = self.room(&block, number).unwrap_or_default();
            if room > 0 {
                let data = target.receive(&self.service, room).await;
                if !data.is_empty() {
                    self.put_down(&block, number, data).await?;
                }
            }
        }
        Ok(())
    }

    /// Puts bytes into a down buffer that has room for them.
    async fn put_down(&self, block: &Block, number: u32, data: Bytes) -> Result<(), Failure> {
        let Some(descriptor) = self.down(block, number) else {
            return Ok(());
        };
        let buffer = self.name(true, number, descriptor.name).await;
        let since = self.context.now();
        let (len, mut rest) = (data.len() as u32, data);
        for (offset, room) in descriptor.free() {
            let piece = rest.split_to(rest.len().min(room as usize));
            if piece.is_empty() {
                continue;
            }
            let span = Span {
                address: descriptor.data.wrapping_add(u64::from(offset)),
                len: piece.len() as u64,
            };
            if let Err(failure) = self.service.access(Op::Write(span, piece)).await {
                if self.complaints.is_new(Complaint::Bytes, true, number) {
                    self.service.complain(&format!(
                        "RTT: down channel {buffer}: {failure}; bytes for it are lost"
                    ));
                }
                return Ok(());
            }
        }
        let offset = (descriptor.write + len) % descriptor.size;
        let position = self.layout.offset(block.header.up + number);
        let at = Span {
            address: block.address + position + self.layout.write_offset(),
            len: 4,
        };
        let moved = Op::Word(at, u64::from(offset));
        self.service.access(moved).await?;
        self.emit(Direction::Down, buffer, u64::from(len), since, None);
        Ok(())
    }

    fn emit(
        &self,
        direction: Direction,
        buffer: BufferName,
        bytes: u64,
        since: u64,
        error: Option<mailbox_rs::Errno>,
    ) {
        self.tracker.transferred(direction, &buffer, bytes);
        let id = self.service.id;
        let event = || Transferred::new(id, direction, buffer.clone(), bytes, since, error);
        self.service.emit_served(&self.context, event);
    }
}

/// Name of a buffer, if the bytes are printable text.
fn text_of(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let is_name = !text.is_empty() && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned())
}
