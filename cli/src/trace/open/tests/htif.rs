//! Commands of HTIF, compared with a model.

use vhost::messages::events::RestoreBegun;
use vhost::messages::foreign::Exit;

use super::super::ProtocolRequest;
use super::{CPU, Fixture};

/// Words of one or two halves. Some are the beginning of another one.
pub(super) const WORDS: [u64; 6] = [
    1 << 56,
    0x0101_0000_0000_0041,
    0x0101_0000_0000_0000,
    0x41,
    0x8000_6000,
    0x0101_0000_0000_0042,
];

#[test]
fn commands_are_those_that_firmware_wrote_and_the_host_did_not_serve() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut fixture = Fixture::new();
        // A command that is served at once shows that the recording contains accesses.
        fixture.rang(WORDS[1]);
        fixture.take();
        fixture.serve(WORDS[1], 0);
        let (mut tohost, mut polled) = (0, 0);
        let mut taken: Vec<u64> = Vec::new();
        for tick in 1..200 {
            fixture.tick = tick;
            match random.u8(..5) {
                0 => tohost = *random.choice(&WORDS).unwrap(),
                1 => tohost = 0,
                2 | 3 if polled != 0 => {
                    let reads = taken.iter().filter(|word| **word == WORDS[0]).count();
                    if polled != WORDS[0] || reads < 64 {
                        taken.push(polled);
                    }
                    fixture.take();
                    (tohost, polled) = (0, 0);
                }
                _ => {
                    let rest = taken.len();
                    if rest > 0 && random.bool() {
                        let word = taken[random.usize(..rest)];
                        let first = taken.iter().position(|it| *it == word).unwrap();
                        taken.remove(first);
                        fixture.serve(word, tick);
                    }
                }
            }
            if taken.len() > 60 {
                break;
            }
            if tohost != polled {
                polled = tohost;
                fixture.rang(polled);
            }
            let open = fixture.open.lists.get("cpu").into_iter().flatten();
            let words: Vec<u64> = open
                .map(|it| match &it.request {
                    ProtocolRequest::Htif(command) => command.word(),
                    other => panic!("{other:?}"),
                })
                .collect();
            let waiting = Some(polled).filter(|word| *word != 0);
            let expected: Vec<u64> = taken.iter().copied().chain(waiting).collect();
            assert_eq!(words, expected, "seed {seed}, tick {tick}");
        }
    }
}

#[test]
fn console_reads_beyond_those_that_wait_are_none() {
    let mut fixture = Fixture::new();
    for tick in 1..=70 {
        fixture.tick = tick;
        fixture.rang(WORDS[0]);
        fixture.take();
    }
    let reads = fixture.texts("cpu");
    assert_eq!((reads.len(), reads[0].0, reads[63].0), (64, 1, 64));
    // A command in between drops none of these.
    fixture.rang(WORDS[1]);
    assert_eq!(fixture.texts("cpu").len(), 65);
    // The next one drops none either, while that command is in service.
    fixture.take();
    fixture.rang(WORDS[4]);
    let open = fixture.texts("cpu");
    assert_eq!((open.len(), open[0].0), (66, 1));
    fixture.send(
        "htif",
        "cpu",
        Exit {
            channel: "cpu".into(),
            code: 0,
        },
    );
    assert_eq!(fixture.texts("cpu"), []);
}

#[test]
fn an_exit_drops_reads_that_wait_for_input_on_all_channels_of_the_firmware() {
    let mut fixture = Fixture::new();
    fixture.rang(WORDS[0]);
    fixture.operate(0, 7, 0);
    // Channel beside that of the exit.
    fixture.open.channels[1].1 = CPU;
    let exit = |channel: &str| Exit {
        channel: channel.into(),
        code: 0,
    };
    for channel in ["code", "unknown"] {
        fixture.send("htif", channel, exit(channel));
        assert_eq!(
            (fixture.texts("cpu").len(), fixture.texts("trap").len()),
            (1, 1)
        );
    }
    fixture.send("htif", "cpu", exit("cpu"));
    assert_eq!(
        (fixture.texts("cpu"), fixture.texts("trap")),
        (vec![], vec![])
    );
    // A waiting hart is polled further.
    fixture.operate(0, 7, 0);
    fixture.pending();
    assert_eq!(fixture.texts("trap"), []);
    let (tick, statistics) = (0, Vec::new());
    fixture.send("nobody", "", RestoreBegun { tick, statistics });
    fixture.operate(0, 7, 0);
    assert_eq!(fixture.texts("trap").len(), 1);
}

#[test]
fn halves_of_a_command_are_one_request() {
    let mut fixture = Fixture::new();
    for word in [WORDS[3], WORDS[1]] {
        fixture.tick += 1;
        fixture.rang(word);
    }
    let expected = (1, "console write 0x41".to_owned());
    assert_eq!(fixture.texts("cpu"), [expected]);
    // Response of an earlier command.
    fixture.serve(WORDS[1], 0);
    assert_eq!(fixture.texts("cpu").len(), 1);
    fixture.serve(WORDS[1], 2);
    assert_eq!(fixture.texts("cpu"), []);
}
