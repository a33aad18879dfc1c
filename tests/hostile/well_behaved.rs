//! Well-behaved firmware beside misbehaving firmware: it is always served correctly, within one
//! tick.

use std::collections::VecDeque;

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{FileRequest, OpenFlags, PtrWidth, Request, Response};

use test_support::host_fixture::{HostFixture, NEXT, Plan, RAM};
use test_support::ram::Ram;

/// Text to print.
const TEXT: &str = "all is well";

/// Well-behaved channel, with a model of the memory that it moves.
pub(crate) struct WellBehaved {
    firmware: Firmware<Ram>,
    width: PtrWidth,
    rng: fastrand::Rng,
    /// Expected bytes from the start of `RAM` to the end of `NEXT`.
    model: Vec<u8>,
}

/// Strings, in the memory of the channels.
const STRINGS: [(u64, &str); 3] = [(0x1_3000, TEXT), (0x1_3100, "echo"), (0x1_3200, "good.txt")];
/// Address of a single byte.
const END_OF_LINE: u64 = 0x1_3000 + TEXT.len() as u64;

impl WellBehaved {
    pub(crate) fn new(fixture: &HostFixture, plan: &Plan, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let model: Vec<u8> = std::iter::repeat_with(|| rng.u8(..))
            .take((RAM.size + NEXT.size) as usize)
            .collect();
        fixture
            .vhost
            .write("good", RAM.base, model.clone())
            .expect("its memory");
        let mut firmware = fixture.firmware(plan);
        firmware.reset();
        Self {
            firmware,
            width: plan.width,
            rng,
            model,
        }
    }

    /// One tick with a request of every kind.
    pub(crate) fn round(&mut self, fixture: &HostFixture) {
        let [(text, _), (echo, _), (path, _)] = STRINGS;
        for (address, string) in STRINGS {
            self.firmware.memory().write(address, string.as_bytes());
            self.firmware
                .memory()
                .write(address + string.len() as u64, &[0]);
        }
        self.firmware.memory().write(END_OF_LINE, b"\n");
        let value = self.width.truncate(self.rng.u64(..));
        let (dest, src, len) = self.places();
        let (to, from) = (at(dest), at(src));
        self.model.copy_within(from..from + len as usize, to);
        let flags = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0 | OpenFlags::TRUNCATE.0);
        let open = Request::File(FileRequest::Open { path, flags });
        let fd = self.number(fixture, &open);
        fixture.given.set(fd);

        let first = [
            (
                Request::Print {
                    ptr: text,
                    len: TEXT.len() as u64 + 1,
                },
                Some(Response::Empty),
            ),
            (Request::MemMove { dest, src, len }, Some(Response::Empty)),
            (
                Request::Call {
                    method: echo,
                    args: [value].into(),
                },
                Some(Response::Value(value)),
            ),
            (
                Request::File(FileRequest::Write { fd, ptr: dest, len }),
                Some(Response::Value(len)),
            ),
            (
                Request::File(FileRequest::Seek { fd, position: 0 }),
                Some(Response::Value(0)),
            ),
        ];
        let second = [
            (
                Request::File(FileRequest::Read {
                    fd,
                    ptr: dest,
                    len: 0,
                }),
                Some(Response::Value(len)),
            ),
            (Request::File(FileRequest::Close { fd }), None),
            (
                Request::MemCmp {
                    s1: dest,
                    s2: dest,
                    len,
                },
                Some(Response::Value(0)),
            ),
            (
                Request::MemSet {
                    dest,
                    byte: value as u8,
                    len: len / 2,
                },
                Some(Response::Empty),
            ),
        ];
        self.ask(fixture, &first);
        self.ask(fixture, &second);
        self.model[to..to + len as usize / 2].fill(value as u8);
        let printed = fixture.console.take_text();
        let line = format!("[good] {TEXT}");
        assert!(printed.lines().any(|printed| printed == line), "{printed}");
    }

    /// Compares its memory with the model.
    pub(crate) fn check(&self, fixture: &HostFixture) {
        let is = fixture
            .vhost
            .read("good", RAM.base, self.model.len() as u64)
            .expect("its memory");
        let wrong = is.iter().zip(&self.model).position(|(is, must)| is != must);
        assert_eq!(wrong, None, "the first byte that is wrong");
    }

    /// Returns the result of a request that can't be predicted.
    fn number(&mut self, fixture: &HostFixture, request: &Request) -> u64 {
        self.shake_hands(fixture);
        assert!(self.firmware.try_send(request), "the queue is full");
        fixture.vhost.tick().expect("a tick");
        self.firmware.try_receive().expect("an answer").rets
    }

    fn shake_hands(&mut self, fixture: &HostFixture) {
        if !self.firmware.is_ready() {
            fixture.vhost.tick().expect("a tick");
            assert!(self.firmware.is_ready(), "no handshake");
        }
    }

    fn ask(&mut self, fixture: &HostFixture, asked: &[(Request, Option<Response>)]) {
        let mut answers: VecDeque<_> = asked.iter().filter_map(|(_, answer)| *answer).collect();
        self.shake_hands(fixture);
        for (request, _) in asked {
            assert!(self.firmware.try_send(request), "the queue is full");
        }
        fixture.vhost.tick().expect("a tick");
        while let Some(response) = self.firmware.try_receive() {
            let answer = answers.pop_front().map(|answer| answer.entry(self.width));
            assert_eq!(Some(response), answer, "of {asked:?}");
        }
        assert!(
            answers.is_empty(),
            "of {asked:?}\n{}",
            fixture.vhost.status().expect("the status")
        );
    }

    /// Two addresses in its memory, and a length to move: mostly short, sometimes long.
    fn places(&mut self) -> (u64, u64, u64) {
        let size = self.model.len() as u64;
        let most = if self.rng.u8(..16) == 0 { size } else { 100 };
        let len = self.rng.u64(..most);
        let mut place = || RAM.base + self.rng.u64(..=size - len);
        (place(), place(), len)
    }
}

fn at(address: u64) -> usize {
    (address - RAM.base) as usize
}
