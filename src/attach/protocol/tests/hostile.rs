//! Random messages: no panic, and state of bounded size.

use bytes::Bytes;
use mailbox_rs::{Errno, PtrWidth};
use proptest::prelude::*;

use super::{CHANNEL, Kit, channel, segments, span};
use crate::bus::{Content, Endpoint};
use crate::mem::{Op, OpOutcome, Segments};
use crate::messages::events::SystemStarted;
use crate::messages::front_end::{self, Operate};
use crate::messages::htif::{self, Command, CommandServed, SystemCall};
use crate::messages::memory::{self, Access};
use crate::messages::rtt::{self, BufferName, Direction, Transferred};
use crate::messages::semihosting::{self, Operation, OperationServed, Semihosting};
use crate::messages::{HtifPlace, Interface, RttPlace, SemihostingPlace};

/// Message of a random kind, whose numbers are often addresses of words.
#[derive(Debug, Clone)]
enum Traffic {
    Poll(u64, Vec<u8>),
    /// Read with its reply, unless a filter hides the reply.
    Read(u64, u64, Option<Vec<u8>>),
    Write(u64, Vec<u8>),
    Word(u64, u64),
    Fill(u64, u64, u8),
    Command(u64, Option<u64>, Option<i64>),
    Operation(u32, u64, Vec<u64>, Option<u64>, bool),
    Operate(u32, u64, u64),
    Transfer(bool, u32, u64),
    Start,
}

const BASE: u64 = 0x1000;

fn address() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => (0_u64..64).prop_map(|word| BASE + 4 * word),
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..32,
        2 => address(),
        1 => any::<u64>(),
        1 => Just(0x0100_0000_0000_0000),
        1 => (0_u64..3).prop_map(|it| it << 56 | 0x00ff_0000_0000_1000),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::collection::vec(number(), 0..12);
    let words = words.prop_map(|words| words.into_iter().flat_map(u64::to_le_bytes).collect());
    prop_oneof![
        words,
        prop::collection::vec(any::<u8>(), 0..40),
        control_block()
    ]
}

fn control_block() -> impl Strategy<Value = Vec<u8>> {
    (0_u32..4, 0_u32..4, prop::collection::vec(number(), 0..40)).prop_map(|(up, down, words)| {
        let mut bytes = b"SEGGER RTT\0\0\0\0\0\0".to_vec();
        bytes.extend([up, down].iter().flat_map(|it| it.to_le_bytes()));
        let words = words.into_iter().map(|word| word as u32);
        bytes.extend(words.flat_map(u32::to_le_bytes));
        bytes.resize(24 + 24 * (up + down) as usize, 0);
        bytes
    })
}

fn traffic() -> impl Strategy<Value = Traffic> {
    prop_oneof![
        (address(), bytes()).prop_map(|(at, words)| Traffic::Poll(at, words)),
        (address(), 0_u64..200, prop::option::of(bytes())).prop_map(|(at, len, bytes)| {
            Traffic::Read(at, bytes.as_ref().map_or(len, |it| it.len() as u64), bytes)
        }),
        (address(), bytes()).prop_map(|(at, data)| Traffic::Write(at, data)),
        (address(), number()).prop_map(|(at, word)| Traffic::Word(at, word)),
        (address(), number(), any::<u8>()).prop_map(|(at, len, byte)| Traffic::Fill(at, len, byte)),
        (number(), prop::option::of(number()), any::<Option<i64>>())
            .prop_map(|(word, call, result)| Traffic::Command(word, call, result)),
        (
            0_u32..1000,
            0_u64..0x40,
            prop::collection::vec(number(), 0..5),
            prop::option::of(number()),
            any::<bool>(),
        )
            .prop_map(|(hart, number, args, result, fails)| {
                Traffic::Operation(hart % 9, number, args, result, fails)
            }),
        (any::<u32>(), 0_u64..0x40, number())
            .prop_map(|(hart, it, arg)| Traffic::Operate(hart, it, arg)),
        (any::<bool>(), 0_u32..70, number())
            .prop_map(|(up, at, bytes)| Traffic::Transfer(up, at, bytes)),
        Just(Traffic::Start),
    ]
}

/// Two channels of each protocol, all with their words at [`BASE`]. The search for a control block
/// is tested with one channel.
fn kits() -> Vec<Kit> {
    let htif = HtifPlace {
        tohost: BASE,
        fromhost: BASE + 64,
        settle: 0,
        signature: None,
    };
    let rtt = |block| RttPlace {
        block,
        search: vec![(0, u64::MAX)],
        ptr_width: PtrWidth::P4,
        up: std::collections::BTreeMap::new(),
        modes: std::collections::BTreeMap::new(),
    };
    let semihosting = |stub| SemihostingPlace {
        ptr_width: PtrWidth::P4,
        stub,
        harts: 1,
        flush: None,
    };
    let all = |server: Endpoint, interface: Interface| {
        let second = channel("second", interface.clone(), Segments::new());
        Kit::of(
            server,
            vec![channel("cpu", interface, segments(BASE, 24)), second],
        )
    };
    vec![
        all(htif::ENDPOINT, Interface::Htif(htif)),
        all(rtt::ENDPOINT, Interface::Rtt(rtt(Some(BASE)))),
        Kit::of(
            rtt::ENDPOINT,
            vec![channel("cpu", Interface::Rtt(rtt(None)), Segments::new())],
        ),
        all(
            semihosting::ENDPOINT,
            Interface::Semihosting(semihosting(Some(BASE))),
        ),
        all(
            semihosting::ENDPOINT,
            Interface::Semihosting(semihosting(None)),
        ),
    ]
}

impl Kit {
    fn take(&mut self, traffic: &Traffic) {
        match traffic {
            Traffic::Poll(at, words) => self.polls(segments(*at, words.len() as u64), words),
            Traffic::Read(at, len, bytes) => {
                let op = Op::Read(span(*at, *len));
                match bytes {
                    Some(bytes) => {
                        let bytes = Bytes::copy_from_slice(bytes);
                        self.access(op, Ok(OpOutcome::Bytes(bytes)));
                    }
                    None => {
                        let access = Access {
                            space: super::SPACE,
                            op,
                        };
                        self.post::<memory::Inbox, _>(self.server, &access);
                    }
                }
            }
            Traffic::Write(at, data) => {
                let place = span(*at, data.len() as u64);
                self.writes(Op::Write(place, Bytes::copy_from_slice(data)));
            }
            Traffic::Word(at, word) => {
                for len in [4, 8] {
                    self.writes(Op::Word(span(*at, len), *word));
                }
            }
            Traffic::Fill(at, len, byte) => self.writes(Op::Fill(span(*at, *len), *byte)),
            Traffic::Command(word, number, result) => self.event(&CommandServed {
                channel: CHANNEL,
                command: Command(*word),
                call: number.map(|number| SystemCall {
                    number,
                    args: [number; 7],
                }),
                since: 0,
                result: *result,
            }),
            Traffic::Operation(hart, number, args, result, fails) => self.event(&OperationServed {
                channel: CHANNEL,
                hart: *hart,
                operation: Operation(*number),
                args: args.clone(),
                since: 0,
                result: *result,
                error: fails.then_some(Errno::EIO),
            }),
            Traffic::Operate(hart, operation, argument) => {
                let operate = Operate {
                    channel: CHANNEL,
                    hart: *hart,
                    operation: *operation,
                    argument: *argument,
                };
                type Inbox = front_end::Inbox<Semihosting>;
                let sequence = self.post::<Inbox, _>(Endpoint::EXTERNAL, &operate);
                if hart % 2 == 0 {
                    let from = Endpoint::EXTERNAL;
                    self.see::<Inbox, Operate>(sequence, from, Content::Dropped);
                }
            }
            Traffic::Transfer(up, number, bytes) => {
                let direction = if *up { Direction::Up } else { Direction::Down };
                let buffer = BufferName {
                    number: *number,
                    name: None,
                };
                let event = Transferred::new(CHANNEL, direction, buffer, *bytes, 0, None);
                self.event(&event);
            }
            Traffic::Start => self.event(&SystemStarted),
        }
    }
}

proptest! {
    #[test]
    fn random_messages_do_no_harm(all in prop::collection::vec(traffic(), 1..200)) {
        for mut kit in kits() {
            for traffic in &all {
                kit.take(traffic);
                for text in kit.found.drain(..) {
                    prop_assert!(text.starts_with("channel `"), "{text}");
                    prop_assert!(text.len() < 1000, "{text}");
                }
            }
        }
    }
}

/// A filter that hides replies and events must not let the state grow.
#[test]
fn state_is_bounded() {
    for mut kit in kits() {
        let size = |kit: &Kit| format!("{:?}", kit.rules.others).len();
        let mut sizes = [0; 2];
        for (at, rounds) in [300, 1200].into_iter().enumerate() {
            for round in 0..rounds {
                for command in [BASE + 0x800, 0x0100_0000_0000_0000] {
                    kit.take(&Traffic::Poll(BASE, u64::to_le_bytes(command).to_vec()));
                    kit.take(&Traffic::Fill(BASE, 8, 0));
                }
                for len in [24, 64, 72] {
                    kit.take(&Traffic::Read(BASE + 64 * (round % 2), len, None));
                }
                kit.take(&Traffic::Read(BASE + 0x800, 64, None));
                kit.take(&Traffic::Operate(2 * round as u32 + 1, 6, BASE));
                kit.take(&Traffic::Operation(
                    0,
                    1,
                    vec![0, 0, 0, 0],
                    Some(round),
                    false,
                ));
                kit.access(Op::Read(span(round, 4)), Err(super::outside(round)));
                kit.found.clear();
            }
            sizes[at] = size(&kit);
        }
        // The numbers have more digits, but there are not more of them.
        assert!(sizes[1] < sizes[0] * 2, "{sizes:?}");
    }
}
