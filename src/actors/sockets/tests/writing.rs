//! Bytes to clients that accept them at once, late or never.

use proptest::prelude::*;

use super::*;

#[test]
fn accepted_bytes_are_not_queued() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    fixture.write(client, b"abc").unwrap();
    assert_eq!(wire.borrow().received, b"abc");
    assert!(
        !fixture.tick(),
        "a tick with nothing queued has nothing to do"
    );
}

#[test]
fn queued_bytes_are_sent_on_ticks() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 2;
    fixture.write(client, b"abc").unwrap();
    fixture.write(client, b"de").unwrap();
    assert_eq!(wire.borrow().received, b"ab");
    wire.borrow_mut().window = 1;
    assert!(fixture.tick());
    assert_eq!(wire.borrow().received, b"abc");
    wire.borrow_mut().window = 9;
    assert!(fixture.tick());
    assert_eq!(wire.borrow().received, b"abcde");
    assert!(!fixture.tick());
}

#[test]
fn queued_bytes_are_sent_on_any_call() {
    let fixture = Fixture::new();
    let other = fixture.ask(open("other", 6000)).unwrap();
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 0;
    fixture.write(client, b"abc").unwrap();
    wire.borrow_mut().window = 9;
    fixture.ask(LocalPort { socket: other }).unwrap();
    assert_eq!(wire.borrow().received, b"abc");
    assert!(!fixture.tick());
}

#[test]
fn a_client_that_takes_nothing_is_dropped_at_the_limit() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"unread");
    wire.borrow_mut().window = 3;
    fixture.write(client, &[b'x'; LIMIT + 3]).unwrap();
    let (other, other_wire) = fixture.client();
    fixture.write(other, b"unmoved").unwrap();

    let overrun = fixture.write(client, b"y").unwrap_err();
    assert!(
        matches!(&overrun, SocketError::Overrun { limit: LIMIT, .. }),
        "{overrun:?}"
    );
    assert!(wire.borrow().closed);
    assert_eq!(fixture.write(client, b"z"), Err(gone(client)));
    assert_eq!(fixture.read(client, ReadMode::UpTo(9)), Err(gone(client)));
    assert!(!fixture.tick());
    assert_eq!(fixture.disconnect(client), Ok(()));
    assert_eq!(other_wire.borrow().received, b"unmoved");
    assert_eq!(fixture.warnings(), [""; 0], "the writer knows");
}

#[test]
fn a_client_that_goes_away_while_it_is_written_to() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"last words");
    wire.borrow_mut().reset = true;
    let lost = fixture.write(client, b"abc").unwrap_err();
    assert!(
        matches!(&lost, SocketError::Lost { unsent: 3, .. }),
        "{lost:?}"
    );
    assert_eq!(fixture.write(client, b"abc"), Err(gone(client)));
    assert_eq!(
        fixture.read(client, ReadMode::UpTo(99)),
        some(b"last words")
    );
}

#[test]
fn a_client_that_goes_away_with_bytes_queued_is_reported() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().window = 1;
    fixture.write(client, b"abc").unwrap();
    wire.borrow_mut().reset = true;
    assert!(fixture.tick());
    let warnings = fixture.warnings();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(
        warning.contains("client 1 of socket `uart`") && warning.contains("2 bytes"),
        "{warning}"
    );
    assert!(!fixture.tick());
    assert_eq!(fixture.write(client, b"x"), Err(gone(client)));
    assert_eq!(fixture.disconnect(client), Ok(()));
    assert_eq!(fixture.warnings(), [""; 0]);
}

#[test]
fn a_client_that_is_gone_before_its_greeting() {
    let fixture = Fixture::new();
    fixture.greet("hello");
    let wire = fixture.state.world.borrow_mut().connect(5000);
    wire.borrow_mut().reset = true;
    let client = fixture.accept().unwrap().unwrap();
    let lost = fixture.write(client, b"x").unwrap_err();
    assert!(
        matches!(&lost, SocketError::Lost { unsent: 5, .. }),
        "{lost:?}"
    );
    assert_eq!(fixture.write(client, b"x"), Err(gone(client)));
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
        let fixture = Fixture::new();
        let (client, wire) = fixture.client();
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
                    let result = fixture.write(client, &data);
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
                    fixture.tick();
                }
            }
            prop_assert!(written.starts_with(&wire.borrow().received));
        }
        wire.borrow_mut().window = usize::MAX;
        fixture.tick();
        prop_assert_eq!(&wire.borrow().received, &written);
    }
}
