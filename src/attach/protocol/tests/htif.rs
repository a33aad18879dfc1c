use bytes::Bytes;

use super::{CHANNEL, Kit, channel, outside, segments, span};
use crate::mem::{Op, Segments};
use crate::messages::checkpoint::{SavedChannel, SavedFrontEnd, SavedHtif, SavedService};
use crate::messages::front_end::{self, Restore};
use crate::messages::htif::{Command, CommandServed, ENDPOINT, Htif, SystemCall};
use crate::messages::{HtifPlace, Interface};

const TOHOST: u64 = 0x1000;
const FROMHOST: u64 = 0x1040;
const WORDS: u64 = 0x2000;
const BUFFER: u64 = 0x3000;

const WRITE_A: u64 = 0x0101_0000_0000_0041;
const READ: u64 = 0x0100_0000_0000_0000;

fn place() -> HtifPlace {
    HtifPlace {
        tohost: TOHOST,
        fromhost: FROMHOST,
        settle: 0,
        signature: None,
    }
}

fn words_place() -> Segments {
    [segments(TOHOST, 8), segments(FROMHOST, 8)]
        .into_iter()
        .flatten()
        .collect()
}

fn kit() -> Kit {
    Kit::new(ENDPOINT, Interface::Htif(place()), words_place())
}

impl Kit {
    fn tohost(&mut self, word: u64) {
        self.polls(segments(TOHOST, 8), &word.to_le_bytes());
    }

    fn both(&mut self, tohost: u64, fromhost: u64) {
        let words = [tohost, fromhost].map(u64::to_le_bytes);
        self.polls(words_place(), words.as_flattened());
    }

    fn takes(&mut self) {
        self.writes(Op::Fill(span(TOHOST, 8), 0));
    }

    fn puts(&mut self, address: u64, word: u64) {
        let data = Bytes::copy_from_slice(&word.to_le_bytes());
        self.writes(Op::Write(span(address, 8), data));
    }

    fn responds(&mut self, word: u64) {
        self.puts(FROMHOST, word);
    }

    fn served(&mut self, command: u64, call: Option<SystemCall>, result: Option<i64>) {
        self.event(&CommandServed {
            channel: CHANNEL,
            command: Command(command),
            call,
            since: 0,
            result,
        });
    }

    /// Shows a system call up to its words.
    fn calls(&mut self, number: u64, args: [u64; 7]) -> Option<SystemCall> {
        self.tohost(WORDS);
        self.takes();
        let [a, b, c, d, e, f, g] = args;
        let words = [number, a, b, c, d, e, f, g].map(u64::to_le_bytes);
        self.reads(span(WORDS, 64), words.as_flattened());
        Some(SystemCall { number, args })
    }

    /// Shows the read of a file into the buffer, up to the result.
    fn reads_file(&mut self) {
        let call = self.calls(63, [3, BUFFER, 16, 0, 0, 0, 0]);
        let data = Bytes::from_static(b"content");
        self.writes(Op::Write(span(BUFFER, 7), data));
        self.served(WORDS, call, Some(7));
    }
}

#[test]
fn commands_in_order_are_no_findings() {
    let mut kit = kit();
    for _ in 0..3 {
        kit.tohost(WRITE_A);
        kit.takes();
        kit.served(WRITE_A, None, None);
    }
    kit.reads_file();
    kit.puts(WORDS, 7);
    kit.both(0, 0);
    kit.responds(1);
    // A console read waits while an identification is answered.
    kit.tohost(READ);
    kit.takes();
    let identify = 0x05ff_0000_0030_00ff;
    kit.tohost(identify);
    kit.takes();
    kit.writes(Op::Write(span(BUFFER, 64), Bytes::from_static(&[0; 64])));
    kit.served(identify, None, Some(0));
    kit.both(0, 1);
    kit.both(0, 0);
    kit.responds(0x05ff_0000_0000_0001);
    kit.served(READ, None, Some(0x141));
    kit.both(0, 0);
    kit.responds(READ | 0x141);
    let call = kit.calls(93, [0; 7]);
    kit.served(WORDS, call, None);
    kit.finds_nothing();
}

#[test]
fn a_command_over_another_one_is_lost() {
    let mut kit = kit();
    // Two stores, in either order, and a repeated store.
    for half in [WRITE_A & 0xffff_ffff, WRITE_A & !0xffff_ffff] {
        for word in [half, half, WRITE_A, WRITE_A] {
            kit.tohost(word);
        }
        kit.takes();
        kit.served(WRITE_A, None, None);
    }
    // Start-up code clears memory.
    kit.tohost(WORDS);
    kit.tohost(0);
    kit.finds_nothing();
    kit.tohost(WORDS);
    kit.tohost(WORDS + 0x40);
    kit.finds(
        "tohost at 0x1000 went from 0x2000 to 0x2040: firmware wrote a command over one that the host has not taken; wait until the \
         word is 0",
    );
}

#[test]
fn firmware_only_clears_fromhost() {
    let mut kit = kit();
    for end in [0, 1] {
        kit.reads_file();
        kit.puts(WORDS, 7);
        kit.both(0, 0);
        kit.responds(1);
        // Cleared by halves, and at once.
        kit.both(0, 1);
        kit.both(0, end * 5);
    }
    kit.finds(
        "fromhost at 0x1040 is 0x5, and had 0x1 when the host last read or wrote it: firmware must not write anything but 0 to it",
    );
}

#[test]
fn commands_that_do_not_exist_are_firmware_s_fault() {
    let mut kit = kit();
    kit.tohost(0x0502_0000_0000_0001);
    kit.takes();
    kit.finds(
        "tohost at 0x1000 has 0x502000000000001: firmware asks for command 2 of device 5, which does not exist",
    );
    kit.served(0x0502_0000_0000_0001, None, None);
    // An unknown system call has a result, ENOSYS.
    let call = kit.calls(9999, [0; 7]);
    kit.served(WORDS, call, Some(-38));
    kit.puts(WORDS, (-38_i64).cast_unsigned());
    kit.finds_nothing();
}

#[test]
fn console_reads_that_wait_are_bounded() {
    let mut kit = kit();
    for _ in 0..64 {
        kit.tohost(READ | 0x33);
        kit.takes();
    }
    kit.finds_nothing();
    kit.tohost(READ);
    kit.takes();
    kit.finds(
        "tohost at 0x1000 has 0x100000000000000: firmware reads the console while 64 reads wait; this one gets no response",
    );
}

#[test]
fn a_command_is_taken_once_and_served_before_the_next() {
    let mut kit = kit();
    kit.tohost(WRITE_A);
    kit.takes();
    kit.takes();
    let found = kit.found();
    let twice = [
        "the host sets tohost at 0x1000 to 0, and has not served the command 0x101000000000041 before",
        "the host sets tohost at 0x1000 to 0, and has seen no command there",
    ];
    assert_eq!(found, twice);
    kit.puts(TOHOST, 5);
    kit.finds("the host writes 0x5 to tohost at 0x1000, which it only sets to 0");
    kit.served(WORDS, None, Some(0));
    kit.finds("the host has served the command 0x2000, and has not taken it from tohost at 0x1000");
    kit.served(READ, None, Some(0x20));
    let found = kit.found();
    let read = [
        "the host answers a console read by 0x20, which is no character",
        "the host answers the console read 0x100000000000000, which is not the first that waits",
    ];
    assert_eq!(found, read);
}

#[test]
fn the_host_writes_no_memory_that_no_command_names() {
    let neither = "which are neither its words nor memory that firmware names";
    let mut kit = kit();
    let call = kit.calls(63, [3, BUFFER, 16, 0, 0, 0, 0]);
    kit.writes(Op::Fill(span(BUFFER + 8, 8), 0));
    kit.finds_nothing();
    kit.writes(Op::Fill(span(BUFFER + 9, 8), 0));
    kit.finds(&format!(
        "the host writes 0x8 bytes at 0x3009 (0x0), {neither}"
    ));
    kit.served(WORDS, call, Some(16));
    kit.writes(Op::Fill(span(BUFFER, 16), 0));
    kit.finds(&format!("the host writes 0x10 bytes at 0x3000, {neither}"));
    kit.puts(WORDS, 16);
    kit.finds_nothing();
    // Reported only once.
    kit.puts(WORDS, 16);
    kit.finds(&format!(
        "the host writes 0x8 bytes at 0x2000 (0x10), {neither}"
    ));
}

#[test]
fn a_result_is_the_one_of_the_call_and_precedes_the_response() {
    let mut kit = kit();
    kit.reads_file();
    kit.puts(WORDS, 8);
    kit.finds("the host writes 0x8 at 0x2000 as the result of a system call that has given 0x7");
    kit.reads_file();
    kit.both(0, 0);
    kit.responds(1);
    kit.finds(
        "the host writes 0x1 to fromhost at 0x1040, and has not written the result 0x7 of the system call at 0x2000",
    );
}

#[test]
fn responses_come_in_order_where_firmware_has_taken_the_last_one() {
    let mut kit = kit();
    kit.responds(1);
    kit.finds("the host writes 0x1 to fromhost at 0x1040, which answers no command");
    let mut kit = self::kit();
    kit.reads_file();
    kit.puts(WORDS, 7);
    kit.both(0, 0);
    kit.responds(0x101);
    kit.finds("the host writes 0x101 to fromhost at 0x1040, where 0x1 is the next response");
    kit.responds(1);
    kit.finds("the host writes 0x1 to fromhost at 0x1040 over 0x101, which firmware has not taken");
}

#[test]
fn no_command_is_taken_while_64_responses_wait() {
    let mut kit = kit();
    for _ in 0..64 {
        kit.reads_file();
        kit.puts(WORDS, 7);
    }
    kit.finds_nothing();
    for command in [WRITE_A, READ] {
        kit.tohost(command);
        kit.takes();
        kit.finds("the host takes a command from tohost at 0x1000 while 64 responses wait");
        if command == WRITE_A {
            kit.served(command, None, None);
        }
    }
    kit.reads_file();
    kit.finds("the host takes a command from tohost at 0x1000 while 64 responses wait");
}

#[test]
fn nothing_is_taken_after_the_exit() {
    let mut kit = kit();
    kit.tohost(3);
    kit.takes();
    kit.served(3, None, None);
    kit.tohost(3);
    kit.takes();
    kit.finds("the host takes the command 0x3 after the exit");
}

#[test]
fn addresses_outside_of_the_map_are_firmware_s_fault() {
    let mut kit = kit();
    kit.tohost(0x9000);
    kit.takes();
    kit.access(Op::Read(span(0x9000, 64)), Err(outside(0x9000)));
    kit.finds(
        "firmware reaches outside of the map by the words of a system call at 0x9000: space `cpu` has no memory at 0x9000, needed for \
         the 4 bytes at 0x9000; have it pass an address of memory, or add the memory to the map",
    );
    kit.served(0x9000, None, Some(-14));
    kit.both(0, 0);
    kit.responds(1);
    kit.finds_nothing();
    let call = kit.calls(64, [1, 0x9000, 4, 0, 0, 0, 0]);
    kit.access(Op::Read(span(0x9000, 4)), Err(outside(0x9000)));
    kit.finds(
        "firmware reaches outside of the map by write(0x1, 0x9000, 0x4), whose words are at 0x2000: space `cpu` has no memory at \
         0x9000, needed for the 4 bytes at 0x9000; have it pass an address of memory, or add the memory to the map",
    );
    kit.served(WORDS, call, Some(-14));
    kit.puts(WORDS, (-14_i64).cast_unsigned());
    let identify = 0x05ff_0000_0090_00ff;
    kit.tohost(identify);
    kit.takes();
    kit.access(
        Op::Write(span(0x9000, 64), Bytes::from_static(&[0; 64])),
        Err(outside(0x9000)),
    );
    let found = kit.found();
    let what = "by identify device 5, command 255, at 0x9000 (tohost had 0x5ff0000009000ff): space";
    assert!(found.len() == 1 && found[0].contains(what), "{found:?}");
}

#[test]
fn descriptors_are_open_while_they_are_used() {
    const EBADF: i64 = -9;
    let mut kit = kit();
    let mut asks = |number: u64, args: [u64; 7], result: i64| {
        let call = kit.calls(number, args);
        kit.served(WORDS, call, Some(result));
        kit.puts(WORDS, result.cast_unsigned());
        kit.both(0, 0);
        kit.responds(1);
        kit.both(0, 0);
        kit.found()
    };
    let fd = |fd: u64| [fd, BUFFER, 4, 0, 0, 0, 0];
    let cwd = (-100_i64).cast_unsigned();
    assert_eq!(asks(56, [cwd, BUFFER, 4, 0, 0, 0, 0], 3), [""; 0]);
    // A file that can't be written, a descriptor of another width, and one of another channel.
    assert_eq!(asks(64, fd(0xffff_ffff_0000_0003), EBADF), [""; 0]);
    assert_eq!(asks(63, fd(7), 4), [""; 0]);
    assert_eq!(asks(57, fd(3), 0), [""; 0]);
    assert_eq!(
        asks(57, fd(3), EBADF),
        [
            "close(0x3), whose words are at 0x2000, of descriptor 3, which is not open: firmware has closed it"
        ]
    );
    assert_eq!(
        asks(63, fd(3), EBADF),
        [
            "read(0x3, 0x3000, 0x4), whose words are at 0x2000, of descriptor 3, which is not open: firmware has closed it"
        ]
    );
    assert_eq!(
        asks(63, fd(3), 4),
        [
            "read(0x3, 0x3000, 0x4), whose words are at 0x2000, of descriptor 3, which is closed: the host carries it out"
        ]
    );
    assert_eq!(
        asks(34, [9, BUFFER, 4, 0, 0, 0, 0], EBADF),
        [
            "mkdirat(0x9, 0x3000, 0x4, 0x0), whose words are at 0x2000, of descriptor 9, which is not open: firmware has not opened it"
        ]
    );
    // With an absolute path, the directory is unused.
    assert_eq!(asks(34, [3, BUFFER, 4, 0, 0, 0, 0], 0), [""; 0]);
    assert_eq!(asks(56, [cwd, BUFFER, 4, 0, 0, 0, 0], 3), [""; 0]);
    assert_eq!(
        asks(56, [cwd, BUFFER, 4, 0, 0, 0, 0], 3),
        [
            "openat(0xffffffffffffff9c, 0x3000, 0x4, 0x0, 0x0), whose words are at 0x2000: the host gives descriptor 3, which is open"
        ]
    );
}

#[test]
fn attached_later_it_judges_only_observed_commands() {
    let mut kit = Kit::attached_late(ENDPOINT, Interface::Htif(place()), words_place());
    // End of a command that was taken before.
    kit.writes(Op::Fill(span(BUFFER, 16), 0));
    kit.served(WORDS, None, Some(0));
    kit.puts(WORDS, 0);
    kit.responds(1);
    kit.served(READ, None, Some(0x141));
    kit.both(0, 0);
    // Response to an earlier console read, while a later one waits.
    kit.tohost(READ);
    kit.takes();
    kit.served(READ | 1, None, Some(0x141));
    kit.tohost(0);
    kit.finds_nothing();
    kit.takes();
    kit.finds("the host sets tohost at 0x1000 to 0, and has seen no command there");
}

#[test]
fn a_restore_brings_responses_and_reads() {
    let mut kit = kit();
    kit.reads_file();
    let saved = SavedHtif {
        responses: vec![1, READ | 0x150],
        reads: vec![(READ, 3)],
        ..SavedHtif::default()
    };
    let channel = SavedChannel {
        channel: CHANNEL,
        exit: None,
        service: saved_service(),
        front_end: SavedFrontEnd::Htif(saved),
    };
    let restore = Restore {
        channels: vec![channel],
    };
    kit.post::<front_end::Inbox<Htif>, _>(crate::bus::Endpoint::EXTERNAL, &restore);
    for response in [1, READ | 0x150] {
        kit.both(0, 0);
        kit.responds(response);
    }
    kit.served(READ, None, Some(0x141));
    kit.both(0, 0);
    kit.responds(READ | 0x141);
    kit.finds_nothing();
}

fn saved_service() -> SavedService {
    SavedService {
        version: mailbox_rs::NEWEST,
        closed: [false; 3],
        files: [None; 3],
        opened_before: [false; 3],
        lost: [None; 2],
        input: Bytes::new(),
        input_ended: false,
        random: 0,
        faults: None,
    }
}

#[test]
fn channels_of_one_space_share_their_writable_ranges() {
    let other = HtifPlace {
        tohost: 0x5000,
        fromhost: 0x5040,
        ..place()
    };
    let channels = vec![
        channel("cpu", Interface::Htif(place()), words_place()),
        channel("second", Interface::Htif(other), Segments::new()),
    ];
    let mut kit = Kit::of(ENDPOINT, channels);
    kit.event(&crate::messages::events::SystemStarted);
    kit.reads_file();
    kit.puts(WORDS, 7);
    kit.writes(Op::Fill(span(0x5000, 8), 0));
    assert!(kit.found.is_empty(), "{:?}", kit.found);
    kit.puts(0x6000, 7);
    let text = "channel `cpu` or `second`: the host writes 0x8 bytes at 0x6000 (0x7), which are neither its words nor memory that \
                firmware names";
    assert_eq!(kit.found, [text]);
}
