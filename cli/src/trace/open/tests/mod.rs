//! Open requests, tested with typed messages.

mod htif;

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use mailbox_rs::{Request, RequestEntry};
use vhost::bus::Body;
use vhost::mem::{AccessError, Op, OpOutcome, SpaceId, Span};
use vhost::messages::ChannelId;
use vhost::messages::events::{
    CommandServed, DoorbellRang, OperationServed, RestoreBegun, Served, WordsRang,
};
use vhost::messages::front_end::{Operate, OperateError};
use vhost::messages::htif::Command;
use vhost::messages::mailbox::ChannelWords;
use vhost::messages::memory::Access;
use vhost::messages::rpc::{Call, Schedule, Target};
use vhost::messages::semihosting::Operation;
use vhost::trace::{Content, Entry, FrameError, Header, Kind, Source};

use self::htif::WORDS;
use super::OpenRequests;
use crate::trace::DecodedEntry;
use crate::trace::channels::Channels;

const MEMORIES: &str =
    "space: {cpu: [ram: {base: 0x80000000, size: 0x10000, path: r, width: 64, backend: static}]}";

const MAILBOXES: &str = "
cpu: {space: cpu, abi: htif, tohost: 0x80004000, fromhost: 0x80004040}
trap: {space: cpu, ptr: 32, abi: semihosting, stub: none}
code: {space: cpu, ptr: 32, abi: semihosting, stub: 0x80008000}
";

const TOHOST: u64 = 0x8000_4000;
const CPU: ChannelId = ChannelId(0);
const TRAP: ChannelId = ChannelId(1);

/// Recording in progress.
struct Fixture {
    open: OpenRequests,
    channels: Channels,
    sequence: u64,
    tick: u64,
}

impl Fixture {
    fn new() -> Self {
        let source = |text: &str| {
            let (file, text) = (String::new(), text.to_owned());
            Some(Source { file, text })
        };
        let header = Header {
            memories: source(MEMORIES),
            mailboxes: source(MAILBOXES),
            ..Header::default()
        };
        let channels = Channels::of(&header);
        let names: Vec<&str> = channels.names().collect();
        assert_eq!(names, ["cpu", "trap", "code"]);
        Self {
            open: OpenRequests::of(&channels),
            channels,
            sequence: 0,
            tick: 0,
        }
    }

    fn follow(&mut self, content: Content, from: &str, channel: &str, body: Option<impl Body>) {
        let kind = Kind {
            from: from.to_owned(),
            to: String::new(),
            name: String::new(),
        };
        let entry = Entry {
            frame: 0,
            sequence: self.sequence,
            root: self.sequence,
            tick: self.tick,
            kind: Arc::new(kind),
            content,
        };
        let decoded = DecodedEntry {
            entry,
            body: match body {
                Some(body) => Ok(Some(Box::new(body))),
                None => Err(FrameError::Checksum),
            },
            channel: (!channel.is_empty()).then(|| channel.into()),
            map: Rc::clone(self.channels.map()),
        };
        self.open.follow(&decoded);
    }

    /// Records a message.
    fn send(&mut self, from: &str, channel: &str, body: impl Body) {
        self.sequence += 1;
        let content = Content::Message {
            body: Bytes::new(),
            awaited: true,
        };
        self.follow(content, from, channel, Some(body));
    }

    /// Records the reply to the last message.
    fn reply(&mut self, body: impl Body) {
        let content = Content::Reply { body: Bytes::new() };
        self.follow(content, "", "", Some(body));
    }

    fn access(&mut self, from: &str, op: Op<Span>) {
        let space = SpaceId(0);
        self.send(from, "", Access { space, op });
    }

    fn read(&mut self, from: &str, address: u64, bytes: &[u8]) {
        let len = bytes.len() as u64;
        self.access(from, Op::Read(Span { address, len }));
        let bytes = OpOutcome::Bytes(Bytes::copy_from_slice(bytes));
        self.reply(Ok::<_, AccessError>(bytes));
    }

    fn operate(&mut self, hart: u32, operation: u64, argument: u64) {
        let operate = Operate {
            channel: TRAP,
            hart,
            operation,
            argument,
        };
        self.send("outside", "trap", operate);
    }

    fn pending(&mut self) {
        self.reply(Ok::<Option<u64>, OperateError>(None));
    }

    fn rang(&mut self, word: u64) {
        let rang = WordsRang {
            channel: CPU,
            segments: Default::default(),
            words: Some(Bytes::copy_from_slice(&word.to_le_bytes())),
            read_error: None,
        };
        self.send("htif", "cpu", rang);
    }

    fn take(&mut self) {
        let (address, len) = (TOHOST, 8);
        self.access("htif", Op::Fill(Span { address, len }, 0));
    }

    fn serve(&mut self, word: u64, since: u64) {
        let served = CommandServed {
            channel: CPU,
            command: Command(word),
            call: None,
            since,
            result: None,
        };
        self.send("htif", "cpu", served);
    }

    fn texts(&self, channel: &str) -> Vec<(u64, String)> {
        let open = self.open.lists.get(channel).into_iter().flatten();
        open.map(|it| (it.seen, it.text())).collect()
    }
}

/// Recording that begins while a call is pending and two requests are behind it in the queue.
#[test]
fn answers_of_unknown_requests_are_not_those_of_known_ones() {
    let mut fixture = Fixture::new();
    let request = Request::Print { ptr: 0, len: 1 };
    let entry = RequestEntry::from(&request);
    fixture.tick = 9;
    let words = ChannelWords {
        request_producer: 12,
        ..ChannelWords::UNREAD
    };
    let rang = DoorbellRang {
        channel: CPU,
        words: Some(words),
        entries: vec![entry; 2],
        read_error: None,
    };
    fixture.send("mailbox", "cpu", rang);
    // Slots of the unknown requests, then of the known ones.
    for (slot, since, left) in [(7, 5, 2), (0, 10, 2), (1, 10, 2), (2, 10, 1), (3, 10, 0)] {
        fixture.tick = 10;
        let served = Served {
            channel: CPU,
            slot,
            entry,
            since,
            response: None,
        };
        fixture.send("mailbox", "cpu", served);
        assert_eq!(fixture.texts("cpu").len(), left, "slot {slot}");
    }
}

#[test]
fn an_operation_is_open_from_its_trap_to_its_event() {
    let mut fixture = Fixture::new();
    fixture.tick = 1;
    fixture.operate(3, 6, 0x1_8000_5000);
    let block = [0_u32, 0x100, 4].map(u32::to_le_bytes);
    fixture.read("semihosting", 0x8000_5000, block.as_flattened());
    let expected = "read(0x0, 0x100, 0x4) of hart 3".to_owned();
    assert_eq!(fixture.texts("trap"), [(1, expected)]);
    fixture.tick = 2;
    fixture.operate(3, 6, 0x8000_5000);
    fixture.pending();
    assert_eq!(fixture.texts("trap")[0].0, 1);
    // The hart drops it, and requests another one.
    fixture.operate(3, 7, 0);
    fixture.operate(4, 7, 0);
    let seen = fixture.texts("trap");
    let expected = ["readc(0x0) of hart 3", "readc(0x0) of hart 4"];
    assert_eq!(seen, expected.map(|text| (2, text.to_owned())));
    let served = OperationServed {
        channel: TRAP,
        hart: 3,
        operation: Operation(7),
        args: vec![0],
        since: 2,
        result: Some(1),
        error: None,
    };
    fixture.send("semihosting", "trap", served);
    assert_eq!(fixture.texts("trap").len(), 1);
}

#[test]
fn an_operation_that_is_refused_is_none() {
    let mut fixture = Fixture::new();
    fixture.operate(0, 7, 0);
    fixture.reply(Err::<Option<u64>, _>(OperateError::Exited));
    assert_eq!(fixture.texts("trap"), []);
    let operate = Operate {
        channel: CPU,
        hart: 0,
        operation: 7,
        argument: 0,
    };
    fixture.send("outside", "cpu", operate);
    assert_eq!(fixture.texts("cpu"), []);
}

#[test]
fn code_in_place_of_traps_asks_by_its_words() {
    let words = [7_u64, 0].map(u64::to_le_bytes);
    let words = words.as_flattened();
    let mut fixture = Fixture::new();
    for hart in [0, 5, 8] {
        // The last operation has no words.
        fixture.read("semihosting", 0x8000_8040 + 16 * hart, words);
        fixture.read("outside", 0x8000_8050, words);
    }
    let expected = [0, 5].map(|hart| (0, format!("readc(0x0) of hart {hart}")));
    assert_eq!(fixture.texts("code"), expected);
}

#[test]
fn bytes_for_a_method_are_open_until_they_are_transferred() {
    let mut fixture = Fixture::new();
    let call = |number: u64, bytes: u64| Call {
        channel: "cpu".into(),
        target: Target::Method("seen".into()),
        args: vec![number, 0x8000_3000, bytes],
        schedule: Schedule::NextTick,
    };
    for (tick, bytes) in [(1, 9), (2, 9), (3, 5)] {
        fixture.tick = tick;
        fixture.send("rtt", "cpu", call(0, bytes));
        fixture.send("mailbox", "cpu", call(1, bytes));
    }
    let expected = "rtt up 0, 5 bytes, for method `seen`".to_owned();
    assert_eq!(fixture.texts("cpu"), [(1, expected)]);
}

#[test]
fn a_restore_and_a_message_that_can_not_be_decoded_drop_all() {
    for restores in [false, true] {
        let mut fixture = Fixture::new();
        fixture.rang(WORDS[4]);
        fixture.operate(0, 7, 0);
        fixture.read("semihosting", 0x8000_8040, &[7; 16]);
        let (address, len) = (0x8000_6000, 64);
        fixture.access("htif", Op::Read(Span { address, len }));
        if restores {
            let (tick, statistics) = (0, Vec::new());
            fixture.send("nobody", "", RestoreBegun { tick, statistics });
        } else {
            let content = Content::Message {
                body: Bytes::new(),
                awaited: false,
            };
            fixture.follow(content, "", "", None::<Operate>);
        }
        let words = OpOutcome::Bytes(Bytes::from_static(&[1; 64]));
        fixture.reply(Ok::<_, AccessError>(words));
        assert_eq!(fixture.open.take(), []);
    }
}

#[test]
fn lists_are_bounded() {
    let mut fixture = Fixture::new();
    for hart in 0..1000 {
        fixture.operate(hart, 7, 0);
        fixture.rang(u64::from(hart) << 32 | 2);
    }
    assert_eq!(fixture.texts("trap").len(), 65);
    // HTIF: 64 reads, one command in service, and the next one.
    assert_eq!(fixture.texts("cpu").len(), 66);
}
