//! State of one channel, and the task that transfers bytes while a control block is present.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use mailbox_rs::NEWEST;

use super::control_block::{Header, Layout, MAX_BUFFERS};
use super::frames::Frames;
use super::status_tracker::RttTracker;
use super::targets::{Complaints, Targets};
use crate::actors::service::{
    ChannelService, Failure, FrontEnd, LastStep, Opening, ServiceEnd, StatusTracker, WordPoller,
};
use crate::bus::{ActorContext, DOORBELL_BYTES};
use crate::mem::Segments;
use crate::messages::AwaitedOperation;
use crate::messages::checkpoint::{
    RestoreError, SaveError, SavedBlockWait, SavedFrontEnd, SavedPoll, SavedRtt, SavedTransfer,
};
use crate::messages::rtt::{BufferName, Direction, Rtt, RttStatus, RttStep};
use crate::messages::{Interface, RttPlace};

/// Number of up buffers that are polled on each tick. One poll reads their write offsets and two
/// further words.
pub(super) const MAX_POLLED_BUFFERS: u32 = 14;

/// Number of ticks between two checks of sockets' clients and of further up buffers.
const LOOK_TICKS: u64 = 16;

/// State of one channel.
pub(crate) struct Channel {
    pub(super) service: ChannelService,
    pub(super) place: RttPlace,
    pub(super) layout: Layout,
    pub(super) context: ActorContext,
    pub(super) poller: WordPoller,
    pub(super) tracker: RttTracker,
    pub(super) targets: Targets,
    pub(super) frames: Frames,
    pub(super) complaints: Complaints,
    /// Number of reports on control blocks.
    pub(super) reports: Cell<u32>,
    /// Last invalid header that was reported.
    pub(super) impossible: Cell<Option<Header>>,
    /// Up buffers that can't be served, until the control block is found again.
    pub(super) disabled: RefCell<BTreeSet<u32>>,
    /// Up buffers whose mode was checked since the control block was found.
    pub(super) modes_set: RefCell<BTreeSet<u32>>,
    /// True after the configured names were compared with those of a control block.
    pub(super) are_names_checked: Cell<bool>,
    /// Names of buffers by direction and number, each with the address from which it was read.
    pub(super) names: RefCell<BTreeMap<(Direction, u32), (u64, BufferName)>>,
    /// True once the standard input has no more bytes.
    pub(super) is_input_over: Cell<bool>,
    /// Transfer of an up buffer whose bytes are being delivered.
    pub(super) transfer: Cell<Option<SavedTransfer>>,
    /// Transfer of a checkpoint to continue.
    pub(super) restored_transfer: Cell<Option<SavedTransfer>>,
    /// Address of the control block in service.
    pub(super) block: Cell<Option<u64>>,
    /// Location of the mark and the numbers of buffers, for a control block at a given address.
    pub(super) header: Segments,
    /// Wait for changes of the control block, while the task waits.
    block_wait: RefCell<Option<SavedBlockWait>>,
    /// True after a restore: the session and its sockets are present already.
    is_restored: Cell<bool>,
}

/// News for the channel's task.
enum News {
    /// Words of the control block have changed.
    Words,
    /// Bytes are available for the first down buffer.
    Input,
    /// Clients of sockets may have bytes, and so may up buffers that are not polled.
    Look,
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
            descriptor,
            bus,
            context,
            peers,
            progress,
        } = opening;
        let address = place.block;
        let first = RttStep::Block { address };
        let tracker = StatusTracker::new(id, first, progress, service.operation.clone());
        let poller = WordPoller::new(bus, id, context.clone(), peers.store.clone());
        Some(Self {
            service,
            layout: Layout::of(place.ptr_width),
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
            modes_set: RefCell::default(),
            are_names_checked: Cell::new(false),
            names: RefCell::default(),
            is_input_over: Cell::new(false),
            transfer: Cell::default(),
            restored_transfer: Cell::default(),
            block: Cell::new(None),
            header: descriptor.place.clone(),
            block_wait: RefCell::default(),
            is_restored: Cell::new(false),
        })
    }

    fn service(&self) -> &ChannelService {
        &self.service
    }

    fn status(&self) -> RttStatus {
        self.tracker.status(self.service.name())
    }

    async fn serve(&self) -> Result<ServiceEnd, Failure> {
        let mut known = None;
        let mut is_restored = self.is_restored.take();
        let mut resumed = self.block_wait.take().filter(|_| is_restored);
        if is_restored {
            known = resumed.as_ref().map(|wait| wait.address);
            if known.is_none() {
                known = self.block.get();
            }
            if resumed.is_none() && (known.is_some() || self.place.block.is_none()) {
                // In an uninterrupted channel, memory is accessed in ticks only; so it is here.
                self.wait(1).await;
            }
        } else {
            self.service.session.begin(NEWEST);
            self.targets.open_sockets(&self.service).await;
        }
        loop {
            let address = match known.take() {
                Some(address) => address,
                None => self.locate().await?,
            };
            self.block.set(Some(address));
            let step = RttStep::Bytes { address };
            match &resumed {
                Some(wait) => self.tracker.resume(step, wait.since),
                None => {
                    self.tracker.transition(step);
                    self.disabled.borrow_mut().clear();
                }
            }
            self.frames.reset(std::mem::take(&mut is_restored));
            self.serve_block(address, resumed.take()).await?;
            self.poller.rest();
            self.block.set(None);
            self.modes_set.borrow_mut().clear();
            self.tracker.transition(RttStep::Block {
                address: self.place.block,
            });
            // Waits so that a block that is present and can't be served does not keep the host
            // busy.
            self.wait(1).await;
        }
    }

    fn save(&self) -> Result<SavedFrontEnd, SaveError> {
        let status = self.status();
        let transfer = match (status.step, self.service.operation.awaited()) {
            (RttStep::Failed, _) => return Err(self.service.failed_error()),
            (RttStep::Deliver { .. }, AwaitedOperation::Call(_)) => self.transfer.get(),
            (RttStep::Deliver { .. }, _) => return Err(self.service.busy_error()),
            // The transfer of a restore continues in the next tick.
            _ => self.restored_transfer.get(),
        };
        Ok(SavedFrontEnd::Rtt(SavedRtt {
            files: self.targets.saved(),
            is_input_over: self.is_input_over.get(),
            transfer,
            // For a given address, the address is not part of the state.
            block: self.block.get().filter(|_| self.place.block.is_none()),
            modes_set: self.modes_set.borrow().iter().copied().collect(),
            wait: self.saved_wait(),
            names: self.saved_names(),
            are_names_checked: self.are_names_checked.get(),
            disabled: self.disabled.borrow().iter().copied().collect(),
            buffers: status.buffers,
        }))
    }

    fn restore(&self, saved: &SavedFrontEnd) -> Result<(), RestoreError> {
        let SavedFrontEnd::Rtt(saved) = saved else {
            return Err(self.service.other_protocol_error());
        };
        if !is_possible(saved) {
            let what = "a wait for words that no control block has";
            return Err(self.service.impossible_state_error(what));
        }
        self.targets.restore(&saved.files);
        self.is_input_over.set(saved.is_input_over);
        self.restored_transfer.set(saved.transfer);
        self.block.set(saved.block);
        self.block_wait.replace(saved.wait.clone());
        self.are_names_checked.set(saved.are_names_checked);
        self.disabled
            .replace(saved.disabled.iter().copied().collect());
        let names = saved.names.iter();
        let names = names.map(|(is_down, number, address, name)| {
            let (number, name) = (*number, name.clone());
            let direction = match is_down {
                true => Direction::Down,
                false => Direction::Up,
            };
            ((direction, number), (*address, BufferName { number, name }))
        });
        self.names.replace(names.collect());
        self.tracker.restore(&saved.buffers);
        self.modes_set
            .replace(saved.modes_set.iter().copied().collect());
        self.poller.rest();
        let address = self.place.block;
        self.tracker.transition(RttStep::Block { address });
        self.is_restored.set(true);
        Ok(())
    }

    fn enter_end(&self, _: LastStep) {
        self.tracker.transition(RttStep::Failed);
    }

    fn stop(&self) {
        self.poller.end();
    }
}

impl Channel {
    /// Serves a control block while it is present. Starts at the wait of a checkpoint if there is
    /// one.
    async fn serve_block(
        &self,
        address: u64,
        resumed: Option<SavedBlockWait>,
    ) -> Result<(), Failure> {
        let mut is_resumed = resumed.is_some();
        let now = self.context.now();
        let mut wait = resumed.unwrap_or_else(|| SavedBlockWait {
            address,
            place: Segments::default(),
            reads: vec![],
            found: now,
            since: now,
            look: now,
            looks: false,
            is_full: false,
            has_room: false,
            last: Bytes::new(),
        });
        let mut last = Some(std::mem::take(&mut wait.last)).filter(|_| is_resumed);
        if is_resumed {
            self.poll(&wait.place, &wait.reads);
        }
        loop {
            if !std::mem::take(&mut is_resumed) && !self.look_at_block(&mut wait).await? {
                return Ok(());
            }
            self.tracker
                .waits_for_room(wait.is_full && self.service.may_have_input());
            let due = [wait.looks.then_some(wait.look), self.names_due(wait.found)];
            let due = due.into_iter().flatten().min();
            let has_room = wait.has_room;
            self.block_wait.replace(Some(wait));
            let news = self.news(has_room, due).await?;
            // Always present here: a restore ends this task.
            let Some(waited) = self.block_wait.take() else {
                return Ok(());
            };
            wait = waited;
            match news {
                // The first poll after a restore rings even without a change.
                News::Words if last.take().is_some_and(|last| last == self.poller.last()) => {
                    is_resumed = true;
                }
                News::Words => {}
                News::Input => wait.is_full = !self.put_input(address).await?,
                News::Look => {
                    wait.look = self.context.now() + LOOK_TICKS;
                    if self.targets.has_sockets() {
                        self.targets.accept(&self.service).await;
                        self.put_received(address).await?;
                    }
                }
            }
        }
    }

    /// Reads a control block, takes the bytes of its up buffers, and polls the words to wait for.
    /// Returns false if the block is absent.
    async fn look_at_block(&self, wait: &mut SavedBlockWait) -> Result<bool, Failure> {
        let Some(block) = self.read_block(wait.address).await? else {
            return Ok(false);
        };
        if !self.place.modes.is_empty() {
            self.set_modes(&block).await?;
        }
        self.warn_of_unknown(&block, wait.found).await;
        for number in 0..block.header.up {
            self.take_up(&block, number).await?;
        }
        // Changes up to the next poll may be bytes that came while others were delivered.
        wait.is_full &= self.room(&block, 0) == Some(0);
        let next = self.plan(&block, wait.is_full);
        if wait.reads != next {
            self.poll(&block.place, &next);
            wait.reads = next;
            wait.place = block.place.clone();
        }
        wait.has_room = self.room(&block, 0).is_some() && !wait.is_full;
        wait.looks = self.targets.has_sockets() || block.header.up > MAX_POLLED_BUFFERS;
        Ok(true)
    }

    /// Wait for changes of the control block, for a checkpoint.
    fn saved_wait(&self) -> Option<SavedBlockWait> {
        let wait = self.block_wait.borrow().clone()?;
        let (last, since) = (self.poller.last(), self.status().since);
        Some(SavedBlockWait {
            last,
            since,
            ..wait
        })
    }

    /// Names of buffers, for a checkpoint.
    fn saved_names(&self) -> Vec<(bool, u32, u64, Option<String>)> {
        let names = self.names.borrow();
        let names = names
            .iter()
            .map(|((direction, number), (address, buffer))| {
                let is_down = *direction == Direction::Down;
                (is_down, *number, *address, buffer.name.clone())
            });
        names.collect()
    }

    /// Waits for the next news.
    async fn news(&self, has_input: bool, look: Option<u64>) -> Result<News, Failure> {
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
                return Poll::Ready(Ok(News::Look));
            }
            self.poller.wake_later(context, look);
            Poll::Pending
        })
        .await
    }

    /// Waits for a number of ticks.
    pub(super) async fn wait(&self, ticks: u64) {
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
}

/// True if this state is possible: its polled words are within a control block.
fn is_possible(saved: &SavedRtt) -> bool {
    let most = 2 * MAX_BUFFERS as usize + 2;
    let is_wait = saved.wait.as_ref().is_none_or(|wait| {
        let len: u64 = wait
            .place
            .iter()
            .fold(0, |len, it| len.saturating_add(it.len));
        let is_read = |read: &SavedPoll| {
            let end = read.at.checked_add(read.len);
            let words = read.words.iter();
            read.len <= DOORBELL_BYTES as u64
                && end.is_some_and(|end| end <= len)
                && words.clone().count() <= DOORBELL_BYTES / 4
                && words.clone().all(|word| *word as u64 + 4 <= read.len)
        };
        wait.reads.len() <= DOORBELL_BYTES / 4 && wait.reads.iter().all(is_read)
    });
    let counts = [saved.names.len(), saved.disabled.len(), saved.buffers.len()];
    is_wait && counts.iter().all(|count| *count <= most)
}
