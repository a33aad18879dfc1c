//! Requests of firmware.

use super::{Firmware, FirmwareContext};
use crate::disk::Open;
use crate::ram::Fault;
use crate::request_words::{Words, assemble};
use crate::scenario::{Fd, Posix, Request, SCRATCH, Text};
use crate::wire::{ENTRIES, action, file};

impl Firmware {
    /// Sends a request whose memory fails once. Returns false until that has ended.
    pub(super) fn send_faulty(
        &mut self,
        request: &Request,
        fault: Fault,
        context: &mut FirmwareContext<'_>,
    ) -> bool {
        if self.faulty {
            if !self.is_idle(context) {
                return false;
            }
            context.space.set_fault(None);
            self.faulty = false;
            return true;
        }
        if self.is_idle(context) && self.send(request, None, context) {
            context.session.expect_fault();
            context.space.set_fault(Some(fault));
            context.shared.coverage.hit(if fault.tear {
                "fault in a write, torn"
            } else {
                "fault in a read"
            });
            self.faulty = true;
        }
        false
    }

    /// Sends a request. Returns false if the queue is full.
    pub(super) fn send(
        &mut self,
        request: &Request,
        late: Option<u32>,
        context: &mut FirmwareContext<'_>,
    ) -> bool {
        let (at, layout) = (context.session.at, context.session.layout);
        let taken = context.space.expected_word(at + layout.request.idx_c);
        if self.produced.wrapping_sub(taken) >= ENTRIES {
            return false;
        }
        let Some(descriptor) = self.descriptor(request, context) else {
            return true;
        };
        if let (Request::Posix(posix), Some(fd)) = (request, descriptor)
            && !matches!(posix, Posix::Close { .. } | Posix::Fstat { .. })
            && context
                .shared
                .files
                .open
                .get(&fd)
                .is_some_and(Open::is_special)
        {
            // The model of special files lacks it.
            return true;
        }
        let special =
            descriptor.and_then(|fd| Some(context.shared.files.open.get(&fd)?.is_special()));
        let alone = needs_idle(request) || special == Some(true);
        if (alone || self.alone) && !self.is_idle(context) {
            return false;
        }
        self.alone = alone;
        let scratch = context.channel.base + SCRATCH.0 + self.sent % SCRATCH.2 * SCRATCH.1;
        self.sent += 1;
        let Words {
            action,
            words,
            args,
            stores,
        } = assemble(request, context.channel, scratch, descriptor.unwrap_or(0));
        for (address, data) in stores {
            context.space.store(address, &data);
        }
        let args: Vec<u64> = args.iter().map(|arg| layout.narrow(*arg)).collect();
        let bytes = crate::wire::Entry::emit(action, words, &args, layout.pointer);
        context
            .space
            .store(at + layout.request.slot(self.produced), &bytes);
        let slot = context.space.expected(
            at + layout.request.slot(self.produced),
            layout.request.entry,
        );
        let entry = crate::wire::Entry::parse(&slot, layout.pointer);
        self.produced = self.produced.wrapping_add(1);
        if entry.responds() {
            let opens = entry.action == action::FILE
                && [file::OPEN, file::POSIX_OPEN].contains(&entry.args[0]);
            self.expected.push_back(opens);
        }
        match late {
            Some(turns) if turns > 0 => {
                self.late = Some(self.produced);
                self.pause = turns;
            }
            _ => context
                .space
                .store_word(at + layout.request.idx_p, self.produced),
        }
        true
    }

    /// Descriptor of a request: `Some(None)` for a request without one. `None` skips the request.
    fn descriptor(
        &self,
        request: &Request,
        context: &mut FirmwareContext<'_>,
    ) -> Option<Option<u64>> {
        let fd = match request {
            Request::Close { fd }
            | Request::Read { fd, .. }
            | Request::Write { fd, .. }
            | Request::Seek { fd, .. } => Some(*fd),
            Request::Posix(posix) => posix.fd(),
            _ => None,
        };
        let Some(fd) = fd else {
            return Some(None);
        };
        Some(Some(match fd {
            Fd::Own(back) => {
                let at = self.fds.len().checked_sub(1 + back as usize);
                at.map_or(9, |at| self.fds[at])
            }
            Fd::Other(channel) => {
                let channel = channel as usize;
                let fd = context.left.get(channel).copied().flatten();
                let fd = fd.filter(|_| channel != self.number)?;
                context.shared.coverage.hit("file of another channel");
                fd
            }
            Fd::Raw(fd) => fd,
        }))
    }
}

/// True for a request that must not be sent together with others, because it shares their bytes, or
/// its effects could not be distinguished from theirs.
fn needs_idle(request: &Request) -> bool {
    let text = match request {
        Request::Print { text, .. } | Request::CPrint { format: text, .. } => text,
        Request::Call { method, .. } => method,
        Request::Open { path, .. } => {
            let special =
                matches!(path, Text::Some(path) if path.starts_with(crate::disk::SPECIAL));
            return special || matches!(path, Text::Unterminated(_));
        }
        // Some bytes that it gets are not known.
        Request::Posix(_) => return true,
        Request::Close { fd }
        | Request::Read { fd, .. }
        | Request::Write { fd, .. }
        | Request::Seek { fd, .. } => {
            return !matches!(fd, Fd::Raw(_));
        }
        _ => return false,
    };
    matches!(text, Text::Unterminated(_))
}
