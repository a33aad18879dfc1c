//! Bytes to clients that accept them at once, late or never.

use proptest::prelude::*;

use super::*;

#[test]
fn accepted_bytes_are_not_queued() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    bench.write(client, b"abc").unwrap();
    assert_eq!(wire.borrow().received, b"abc");
    assert!(
        !bench.tick(),
        "a tick with nothing queued has nothing to do"
    );
}

#[test]
fn queued_bytes_are_sent_on_ticks() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 2;
    bench.write(client, b"abc").unwrap();
    bench.write(client, b"de").unwrap();
    assert_eq!(wire.borrow().received, b"ab");
    wire.borrow_mut().window = 1;
    assert!(bench.tick());
    assert_eq!(wire.borrow().received, b"abc");
    wire.borrow_mut().window = 9;
    assert!(bench.tick());
    assert_eq!(wire.borrow().received, b"abcde");
    assert!(!bench.tick());
}

#[test]
fn queued_bytes_are_sent_on_any_call() {
    let bench = Fixture::new();
    let other = bench.ask(open("other", 6000)).unwrap();
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 0;
    bench.write(client, b"abc").unwrap();
    wire.borrow_mut().window = 9;
    bench.ask(LocalPort { socket: other }).unwrap();
    assert_eq!(wire.borrow().received, b"abc");
    assert!(!bench.tick());
}

#[test]
fn a_client_that_takes_nothing_is_dropped_at_the_limit() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().sent.extend(b"unread");
    wire.borrow_mut().window = 3;
    bench.write(client, &[b'x'; LIMIT + 3]).unwrap();
    let (other, other_wire) = bench.client();
    bench.write(other, b"unmoved").unwrap();

    let overrun = bench.write(client, b"y").unwrap_err();
    assert!(
        matches!(&overrun, SocketError::Overrun { limit: LIMIT, .. }),
        "{overrun:?}"
    );
    assert!(wire.borrow().closed);
    assert_eq!(bench.write(client, b"z"), Err(gone(client)));
    assert_eq!(bench.read(client, ReadMode::UpTo(9)), Err(gone(client)));
    assert!(!bench.tick());
    assert_eq!(bench.disconnect(client), Ok(()));
    assert_eq!(other_wire.borrow().received, b"unmoved");
    assert_eq!(bench.warnings(), [""; 0], "the writer knows");
}

#[test]
fn a_client_that_goes_away_while_it_is_written_to() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().sent.extend(b"last words");
    wire.borrow_mut().reset = true;
    let lost = bench.write(client, b"abc").unwrap_err();
    assert!(
        matches!(&lost, SocketError::Lost { unsent: 3, .. }),
        "{lost:?}"
    );
    assert_eq!(bench.write(client, b"abc"), Err(gone(client)));
    assert_eq!(bench.read(client, ReadMode::UpTo(99)), some(b"last words"));
}

#[test]
fn a_client_that_goes_away_with_bytes_queued_is_reported() {
    let bench = Fixture::new();
    let (client, wire) = bench.client();
    wire.borrow_mut().window = 1;
    bench.write(client, b"abc").unwrap();
    wire.borrow_mut().reset = true;
    assert!(bench.tick());
    let warnings = bench.warnings();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(
        warning.contains("client 1 of socket `uart`") && warning.contains("2 bytes"),
        "{warning}"
    );
    assert!(!bench.tick());
    assert_eq!(bench.write(client, b"x"), Err(gone(client)));
    assert_eq!(bench.disconnect(client), Ok(()));
    assert_eq!(bench.warnings(), [""; 0]);
}

#[test]
fn a_client_that_is_gone_before_its_greeting() {
    let bench = Fixture::new();
    bench.greet("hello");
    let wire = bench.state.world.borrow_mut().connect(5000);
    wire.borrow_mut().reset = true;
    let client = bench.accept().unwrap().unwrap();
    let lost = bench.write(client, b"x").unwrap_err();
    assert!(
        matches!(&lost, SocketError::Lost { unsent: 5, .. }),
        "{lost:?}"
    );
    assert_eq!(bench.write(client, b"x"), Err(gone(client)));
}

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<u8>),
    Opens(usize),
    Tick,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Write),
        2 => (0_usize..60).prop_map(Step::Opens),
        2 => Just(Step::Tick),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// For any window, no byte is lost or reordered, and the limit is exact.
    #[test]
    fn windows_make_no_difference(steps in steps()) {
        let bench = Fixture::new();
        let (client, wire) = bench.client();
        wire.borrow_mut().window = 0;
        let mut written = Vec::new();
        for step in steps {
            match step {
                Step::Write(data) => {
                    let taken = {
                        let wire = wire.borrow();
                        wire.received.len() + wire.window
                    };
                    let queued = (written.len() + data.len()).saturating_sub(taken);
                    let result = bench.write(client, &data);
                    if queued > LIMIT {
                        let overran = matches!(result, Err(SocketError::Overrun { .. }));
                        prop_assert!(overran, "{:?} with {} bytes queued", result, queued);
                        return Ok(());
                    }
                    prop_assert_eq!(result, Ok(()));
                    written.extend(data);
                }
                Step::Opens(more) => wire.borrow_mut().window += more,
                Step::Tick => {
                    bench.tick();
                }
            }
            prop_assert!(written.starts_with(&wire.borrow().received));
        }
        wire.borrow_mut().window = usize::MAX;
        bench.tick();
        prop_assert_eq!(&wire.borrow().received, &written);
    }
}
