//! Wait for a control block, at a given address or in ranges.

use std::future::poll_fn;
use std::task::Poll;

use super::channel::Channel;
use super::control_block::{HEADER, Header, HeaderState, MAX_BUFFERS};
use super::search::{Search, SearchOutcome};
use crate::actors::service::Failure;
use crate::mem::{Op, Span};
use crate::messages::foreign::Severity;

/// Number of ticks between two searches of all ranges.
const SEARCH_TICKS: u64 = 1024;

/// Maximum number of reports on control blocks that vanish or are invalid.
const MAX_REPORTS: u32 = 16;

impl Channel {
    /// Waits until firmware has set up a control block. Returns its address.
    pub(super) async fn locate(&self) -> Result<u64, Failure> {
        match self.place.block {
            Some(address) => self.wait_for_mark(address).await.map(|()| address),
            None => self.search(Search::new(&self.place.search)).await,
        }
    }

    async fn wait_for_mark(&self, address: u64) -> Result<(), Failure> {
        self.poller.watch(self.header.iter().copied());
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

    async fn search(&self, mut search: Search<'_>) -> Result<u64, Failure> {
        loop {
            match search.step(&self.service).await? {
                SearchOutcome::Nothing => self.wait(1).await,
                SearchOutcome::End => self.wait(SEARCH_TICKS).await,
                SearchOutcome::Mark(address) => {
                    let span = Span {
                        address,
                        len: HEADER,
                    };
                    let read = self.service.access(Op::Read(span)).await;
                    // A mark at the end of the range may have no header after it.
                    let header = read.map(|read| HeaderState::of(&read.into_bytes()));
                    match header.unwrap_or(HeaderState::Absent) {
                        HeaderState::Present(header) => {
                            if self.is_likely(address, header).await? {
                                let text = format!("RTT: control block found at {address:#x}");
                                self.report(&text);
                                return Ok(address);
                            }
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

    /// True if a mark may belong to a control block: it has buffers, and at least one of those that
    /// are set up is plausible. A constant in firmware may have the mark, too.
    async fn is_likely(&self, address: u64, header: Header) -> Result<bool, Failure> {
        if header == (Header { up: 0, down: 0 }) {
            return Ok(false);
        }
        let block = self.read_block(address).await?;
        Ok(block.is_some_and(|block| {
            let mut set_up = block.descriptors.iter().filter(|it| it.is_set_up());
            let first = set_up.next();
            first.is_none_or(|it| it.check().is_ok() || set_up.any(|it| it.check().is_ok()))
        }))
    }

    /// Reports a control block with more buffers than the host serves, once for each number.
    pub(super) fn report_impossible(&self, address: u64, header: Header) {
        if self.impossible.replace(Some(header)) != Some(header) {
            let Header { up, down } = header;
            let text = format!(
                "RTT: the control block at {address:#x} has {up} up and {down} down buffers; at most {MAX_BUFFERS} are accepted; it is \
                 not served until it has fewer; set up fewer, or find out what has overwritten the numbers"
            );
            // A mark that a search has found may not belong to a control block.
            let severity = match self.place.block {
                Some(_) => Severity::Warning,
                None => Severity::Info,
            };
            self.report_as(severity, &text);
        }
    }

    /// Reports a change of control blocks, up to the maximum number of reports.
    pub(super) fn report(&self, text: &str) {
        self.report_as(Severity::Info, text);
    }

    fn report_as(&self, severity: Severity, text: &str) {
        let count = self.reports.get();
        if count < MAX_REPORTS {
            self.reports.set(count + 1);
            let last = match count + 1 < MAX_REPORTS {
                true => "",
                false => "; further control blocks are not reported",
            };
            self.service.report(severity, &format!("{text}{last}"));
        }
    }
}
