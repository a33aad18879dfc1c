use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use proptest::prelude::*;

use super::text::LINE_MAX;
use super::*;
use crate::messages::ChannelId;
use crate::messages::console::Redirect;
use crate::testing::{ActorFixture, ForeignCall, Ram, map};

/// Sink that shows its content, and can fail.
#[derive(Clone, Default)]
struct Screen {
    bytes: Arc<Mutex<Vec<u8>>>,
    flushes: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

type Fixture = ActorFixture<Inbox, Screen>;

impl ActorFixture<Inbox, Screen> {
    fn new() -> Self {
        let screen = Screen::default();
        let sink = Box::new(screen.clone());
        let names = vec!["core0".into(), "core1".into()];
        let text = Arc::new(Mutex::new(Text::new(names, sink)));
        Self::start(&Ram::new(&map(&[])), screen, |peers| {
            let lines = Lines::new(peers.context.clone(), text, peers.foreign);
            Console::new(peers.context, lines)
        })
    }

    fn print(&self, channel: u32, text: impl AsRef<[u8]>) {
        let print = Print {
            channel: ChannelId(channel),
            text: Bytes::copy_from_slice(text.as_ref()),
        };
        self.try_ask(print).unwrap();
    }

    fn finish(&self, channel: Option<u32>) {
        let channel = channel.map(ChannelId);
        self.try_ask(Finish { channel }).unwrap();
    }

    /// Output since the last call.
    fn seen(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.state.bytes.lock())).unwrap()
    }
}

#[test]
fn a_line_comes_out_when_it_ends() {
    let fixture = Fixture::new();
    fixture.print(0, "hel");
    fixture.print(0, "lo");
    assert_eq!(fixture.seen(), "");
    fixture.print(0, ", world\nnext");
    assert_eq!(fixture.seen(), "[core0] hello, world\n");
    fixture.print(0, "\n\n");
    assert_eq!(fixture.seen(), "[core0] next\n[core0] \n");
}

/// A system that is dropped without a shutdown prints its incomplete lines.
#[test]
fn a_begun_line_comes_out_when_the_console_ends() {
    let fixture = Fixture::new();
    fixture.print(0, "the last words");
    fixture.print(1, "others\r");
    let screen = fixture.state.clone();
    drop(fixture);
    let seen = String::from_utf8(screen.bytes.lock().clone()).unwrap();
    assert_eq!(seen, "[core0] the last words\n[core1] others\n");
}

#[test]
fn channels_do_not_mix() {
    let fixture = Fixture::new();
    fixture.print(0, "a");
    fixture.print(1, "b");
    fixture.print(0, "a\na");
    fixture.print(1, "b\nb");
    assert_eq!(fixture.seen(), "[core0] aa\n[core1] bb\n");
    fixture.finish(Some(1));
    assert_eq!(fixture.seen(), "[core1] b\n");
    fixture.print(1, "c");
    fixture.finish(None);
    assert_eq!(fixture.seen(), "[core0] a\n[core1] c\n");
    fixture.finish(None);
    assert_eq!(fixture.seen(), "");
}

#[test]
fn lines_of_standard_error_are_marked_and_apart() {
    let fixture = Fixture::new();
    fixture.print(0, "out");
    let error = |text: &'static str| {
        let print = PrintError {
            channel: ChannelId(0),
            text: Bytes::from_static(text.as_bytes()),
        };
        fixture.try_ask(print).unwrap();
    };
    error("err");
    error("or\nmore");
    fixture.print(0, "put\n");
    assert_eq!(fixture.seen(), "[core0] stderr: error\n[core0] output\n");
    fixture.finish(Some(0));
    assert_eq!(fixture.seen(), "[core0] stderr: more\n");
    fixture.try_ask(Redirect).unwrap();
    error("to the testbench\n");
    assert_eq!(fixture.seen(), "");
    let lines = fixture.outside.calls();
    assert!(
        format!("{lines:?}").contains("stderr: to the testbench"),
        "{lines:?}"
    );
}

#[test]
fn raw_bytes_come_out_behind_the_lines_before_them() {
    let fixture = Fixture::new();
    fixture.print(0, "line\nbegun");
    for (is_error, data) in [(false, &b"\0\r\n"[..]), (true, b"dropped: no sink")] {
        let put = PutRaw {
            channel: ChannelId(1),
            is_error,
            data: Bytes::copy_from_slice(data),
        };
        fixture.try_ask(put).unwrap();
    }
    assert_eq!(fixture.seen(), "[core0] line\n\0\r\n");
    fixture.finish(None);
    assert_eq!(fixture.seen(), "[core0] begun\n");
}

#[test]
fn a_channel_without_a_name_has_its_number() {
    let fixture = Fixture::new();
    fixture.print(u32::MAX, "hi\n");
    assert_eq!(fixture.seen(), "[channel 4294967295] hi\n");
}

#[test]
fn a_return_before_the_end_of_a_line_belongs_to_it() {
    let fixture = Fixture::new();
    fixture.print(0, "one\r\ntwo\r");
    fixture.print(0, "\na\rb\n\r");
    assert_eq!(fixture.seen(), "[core0] one\n[core0] two\n[core0] a\rb\n");
    fixture.finish(None);
    assert_eq!(fixture.seen(), "[core0] \n");
}

#[test]
fn characters_may_be_split_between_messages_and_may_be_wrong() {
    let fixture = Fixture::new();
    let text = "grüße".as_bytes();
    fixture.print(0, &text[..3]);
    fixture.print(0, &text[3..]);
    fixture.print(0, b"\n\xff!\n\xc3\n");
    assert_eq!(
        fixture.seen(),
        "[core0] grüße\n[core0] \u{fffd}!\n[core0] \u{fffd}\n"
    );
}

#[test]
fn text_without_an_end_of_line_comes_out_in_pieces() {
    let fixture = Fixture::new();
    let full = "x".repeat(LINE_MAX);
    fixture.print(0, &full);
    assert_eq!(fixture.seen(), "");
    fixture.print(0, "y");
    assert_eq!(fixture.seen(), format!("[core0] {full}\n"));
    fixture.print(0, format!("{}\n", &full[1..]));
    assert_eq!(fixture.seen(), format!("[core0] y{}\n", &full[1..]));
    fixture.print(0, full.repeat(3));
    assert_eq!(fixture.seen(), format!("[core0] {full}\n").repeat(2));
}

#[test]
fn a_piece_ends_with_a_whole_character() {
    let fixture = Fixture::new();
    let text = format!("{}é{}", "x".repeat(LINE_MAX - 1), "y\n");
    fixture.print(0, &text);
    let expected = format!("[core0] {}\n[core0] éy\n", "x".repeat(LINE_MAX - 1));
    assert_eq!(fixture.seen(), expected);
    fixture.print(0, vec![0xff; LINE_MAX + 1]);
    assert!(fixture.seen().starts_with("[core0] \u{fffd}"));
}

#[test]
fn a_message_is_flushed_once_and_only_if_it_ends_a_line() {
    let fixture = Fixture::new();
    fixture.print(0, "a");
    fixture.print(0, "");
    assert_eq!(fixture.state.flushes.load(Ordering::Relaxed), 0);
    fixture.print(0, "b\nc\nd\n");
    assert_eq!(fixture.state.flushes.load(Ordering::Relaxed), 1);
    fixture.finish(None);
    assert_eq!(fixture.state.flushes.load(Ordering::Relaxed), 1);
}

#[test]
fn a_broken_sink_is_survived() {
    let fixture = Fixture::new();
    fixture.state.broken.store(true, Ordering::Relaxed);
    fixture.print(0, "lost\n");
    fixture.print(0, "lost\nkept");
    fixture.state.broken.store(false, Ordering::Relaxed);
    fixture.print(0, "\n");
    assert_eq!(fixture.seen(), "[core0] kept\n");
    let reports: Vec<_> = fixture.outside.calls();
    let text = format!("{reports:?}");
    assert_eq!(reports.len(), 1, "{text}");
    for part in ["Error", "console", "standard output", "Broken pipe"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

proptest! {
    #[test]
    fn text_is_independent_of_its_division_into_messages(
        pieces in prop::collection::vec("[aé\u{1f600}\r\n]{0,6}", 0..20),
        broken in any::<bool>(),
    ) {
        let mut text = pieces.concat().into_bytes();
        if broken {
            text.insert(text.len() / 2, 0xff);
        }
        let fixture = Fixture::new();
        for byte in &text {
            fixture.print(0, [*byte]);
        }
        fixture.finish(None);
        let bytewise = fixture.seen();
        fixture.print(0, &text);
        fixture.finish(None);
        prop_assert_eq!(fixture.seen(), bytewise);
    }
}

/// Complete lines are printed, by any sink.
#[test]
fn the_testbench_is_given_lines() {
    let fixture = Fixture::new();
    let reported = || {
        fixture.bus.run_until_idle().unwrap();
        fixture.outside.calls()
    };
    fixture.print(1, "before\n");
    fixture.try_ask(Redirect).unwrap();
    assert_eq!(fixture.seen(), "[core1] before\n");
    assert_eq!(reported(), []);
    let line =
        |channel: &str, text: &str| ForeignCall::ConsoleLine(channel.to_owned(), text.to_owned());
    fixture.print(0, "one\r\ntwo");
    fixture.print(7, "no name\n");
    assert_eq!(
        reported(),
        [line("core0", "one"), line("channel 7", "no name")]
    );
    fixture.print(0, b"\xff\n");
    fixture.print(0, "left");
    fixture.finish(None);
    assert_eq!(
        reported(),
        [line("core0", "two\u{fffd}"), line("core0", "left")]
    );
    assert_eq!(fixture.seen(), "");
}
