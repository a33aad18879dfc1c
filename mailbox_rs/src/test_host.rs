//! Minimal host, for tests of the firmware's side.

use crate::firmware::Words;
use crate::{Index, Layout, NEWEST, PtrWidth, RequestEntry, Response, State, VERSION};

/// Host's end of a channel, accessed like the firmware's own. It has protocol 0.3.
pub(crate) struct Host<W>(pub(crate) W);

impl<W: Words> Host<W> {
    /// Completes a handshake, or serves all queued requests; returns the number served.
    pub(crate) fn step(&self, mut serve: impl FnMut(&RequestEntry) -> Response) -> usize {
        let Layout {
            version,
            state,
            request,
            response,
            ..
        } = *self.0.layout();
        let indices = [request.idx_p, request.idx_c, response.idx_p, response.idx_c];
        if self.0.load(version) == VERSION.into()
            && State(self.0.load(state)) == State::INIT
            && indices.iter().all(|&index| self.0.load(index) == 0)
        {
            if self.0.load(request.offer()) >= NEWEST.into() {
                self.0.store(version, NEWEST.into());
            }
            self.0.store(state, State::READY.0);
        }
        let mut served = 0;
        while let Some(entry) = self.take() {
            served += 1;
            let response = serve(&entry);
            if entry.responds() {
                self.answer(response);
            }
        }
        served
    }

    fn take(&self) -> Option<RequestEntry> {
        let Layout {
            ptr_width,
            request,
            state,
            ..
        } = *self.0.layout();
        let producer = Index(self.0.load(request.idx_p));
        let consumer = Index(self.0.load(request.idx_c));
        if State(self.0.load(state)) != State::READY || Index::is_empty(producer, consumer) {
            return None;
        }
        let mut bytes = [0; RequestEntry::MAX_SIZE];
        self.copy(
            request.entry(consumer.slot()),
            &mut bytes[..RequestEntry::size(ptr_width)],
        );
        self.0.store(request.idx_c, consumer.next().0);
        RequestEntry::parse(&bytes, ptr_width)
    }

    fn answer(&self, answer: Response) {
        let Layout {
            ptr_width,
            response,
            ..
        } = *self.0.layout();
        let producer = Index(self.0.load(response.idx_p));
        assert!(
            !Index::is_full(producer, Index(self.0.load(response.idx_c))),
            "room for a response"
        );
        let entry = response.entry(producer.slot());
        let answer = answer.entry(ptr_width);
        self.0.store(entry, answer.words);
        self.0.store(entry + ptr_width.bytes(), answer.rets as u32);
        if ptr_width == PtrWidth::P8 {
            self.0.store(entry + 12, (answer.rets >> 32) as u32);
        }
        self.0.store(response.idx_p, producer.next().0);
    }

    fn copy(&self, offset: u64, bytes: &mut [u8]) {
        for (at, word) in (offset..).step_by(4).zip(bytes.chunks_exact_mut(4)) {
            word.copy_from_slice(&self.0.load(at).to_le_bytes());
        }
    }
}
