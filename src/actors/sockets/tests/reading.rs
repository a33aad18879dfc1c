//! Bytes from a client, split in all ways, compared with the bytes read.

use proptest::prelude::*;

use super::*;

#[test]
fn a_number_is_read_when_all_of_it_is_there() {
    let number = [1, 2, 3, 4, 5, 6, 7, 8];
    for width in [1, 2, 4, 8] {
        for split in 0..width {
            let fixture = Fixture::new();
            let (client, wire) = fixture.client();
            wire.borrow_mut().sent.extend(&number[..split]);
            let want = ReadMode::Exactly(width as u8);
            assert_eq!(fixture.read(client, want), Ok(None));
            assert_eq!(fixture.read(client, want), Ok(None));
            wire.borrow_mut().sent.extend(&number[split..width]);
            assert_eq!(fixture.read(client, want), some(&number[..width]));
            assert_eq!(fixture.read(client, want), Ok(None));
        }
    }
}

#[test]
fn strings_end_with_a_nul() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"one\0\0th");
    assert_eq!(fixture.read(client, ReadMode::Text), some(b"one"));
    assert_eq!(fixture.read(client, ReadMode::Text), some(b""));
    assert_eq!(fixture.read(client, ReadMode::Text), Ok(None));
    wire.borrow_mut().sent.extend(b"ree\0");
    assert_eq!(fixture.read(client, ReadMode::Exactly(1)), some(b"t"));
    assert_eq!(fixture.read(client, ReadMode::Text), some(b"hree"));
}

#[test]
fn bytes_before_the_end_can_be_read() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"abc");
    wire.borrow_mut().ended = true;
    assert_eq!(fixture.read(client, ReadMode::Exactly(2)), some(b"ab"));
    assert_eq!(
        fixture.read(client, ReadMode::Exactly(2)),
        Err(ended(client))
    );
    assert_eq!(fixture.read(client, ReadMode::Text), Err(ended(client)));
    assert_eq!(fixture.read(client, ReadMode::UpTo(2)), some(b"c"));
    assert_eq!(fixture.read(client, ReadMode::UpTo(2)), Err(ended(client)));
    // Only the incoming stream has ended.
    assert_eq!(fixture.write(client, b"bye"), Ok(()));
    assert_eq!(wire.borrow().received, b"bye");
}

#[test]
fn a_reset_comes_after_bytes_sent_before() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    wire.borrow_mut().sent.extend(b"abc");
    wire.borrow_mut().reset = true;
    assert_eq!(fixture.read(client, ReadMode::UpTo(2)), some(b"ab"));
    let lost = fixture.read(client, ReadMode::Exactly(2)).unwrap_err();
    assert!(
        matches!(&lost, SocketError::Lost { unsent: 0, .. }),
        "{lost:?}"
    );
    assert!(lost.to_string().contains("reset"), "{lost}");
    assert!(wire.borrow().closed);
    assert_eq!(fixture.read(client, ReadMode::Exactly(1)), some(b"c"));
    assert_eq!(
        fixture.read(client, ReadMode::Exactly(1)),
        Err(gone(client))
    );
    assert_eq!(fixture.write(client, b"x"), Err(gone(client)));
    assert_eq!(fixture.disconnect(client), Ok(()));
    assert_eq!(fixture.warnings(), [""; 0]);
}

#[test]
fn a_flood_is_left_to_the_network() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    let flood = 3 * READ_MAX;
    wire.borrow_mut().sent.extend(vec![b'x'; flood]);
    for _ in 0..3 {
        let error = fixture.read(client, ReadMode::Text).unwrap_err();
        assert!(error.to_string().contains("NUL"), "{error}");
    }
    assert_eq!(wire.borrow().sent.len(), flood - READ_MAX);
    let mut read = 0;
    while let Some(bytes) = fixture.read(client, ReadMode::UpTo(usize::MAX)).unwrap() {
        assert!(bytes.len() <= READ_MAX);
        read += bytes.len();
    }
    assert_eq!(read, flood);
}

#[test]
fn the_longest_string() {
    let fixture = Fixture::new();
    let (client, wire) = fixture.client();
    let text = vec![b'x'; READ_MAX - 1];
    wire.borrow_mut().sent.extend(&text);
    assert_eq!(fixture.read(client, ReadMode::Text), Ok(None));
    wire.borrow_mut().sent.extend(b"\0y\0");
    assert_eq!(fixture.read(client, ReadMode::Text), some(&text));
    assert_eq!(fixture.read(client, ReadMode::Text), some(b"y"));
}

#[derive(Debug, Clone)]
enum Step {
    Arrives(Vec<u8>),
    Read(ReadMode),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // NULs are frequent, so that strings end often.
    let byte = prop_oneof![2 => Just(0), 5 => any::<u8>()];
    let want = prop_oneof![
        prop::sample::select(vec![1, 2, 4, 8]).prop_map(ReadMode::Exactly),
        (0_usize..20).prop_map(ReadMode::UpTo),
        Just(ReadMode::Text),
    ];
    let step = prop_oneof![
        prop::collection::vec(byte, 0..12).prop_map(Step::Arrives),
        want.prop_map(Step::Read),
    ];
    prop::collection::vec(step, 0..60)
}

/// Result of a reader that has all bytes in one piece.
fn model(bytes: &mut Vec<u8>, want: ReadMode) -> Option<Vec<u8>> {
    let (given, taken) = match want {
        ReadMode::Exactly(count) => (count.into(), count.into()),
        ReadMode::UpTo(most) if bytes.is_empty() && most > 0 => return None,
        ReadMode::UpTo(most) => (most.min(bytes.len()), most.min(bytes.len())),
        ReadMode::Text => {
            let nul = bytes.iter().position(|byte| *byte == 0)?;
            (nul, nul + 1)
        }
    };
    if taken > bytes.len() {
        return None;
    }
    let mut read: Vec<u8> = bytes.drain(..taken).collect();
    read.truncate(given);
    Some(read)
}

proptest! {
    #[test]
    fn pieces_make_no_difference(steps in steps()) {
        let fixture = Fixture::new();
        let (client, wire) = fixture.client();
        let mut bytes = Vec::new();
        for step in steps {
            match step {
                Step::Arrives(more) => {
                    wire.borrow_mut().sent.extend(&more);
                    bytes.extend(more);
                }
                Step::Read(want @ ReadMode::UpTo(most)) => {
                    // The number of bytes in one read depends on the network.
                    let read = fixture.read(client, want).unwrap();
                    prop_assert_eq!(read.is_some(), most == 0 || !bytes.is_empty());
                    let read = read.unwrap_or_default();
                    prop_assert!(read.len() <= most);
                    prop_assert_eq!(Some(read.to_vec()), model(&mut bytes, ReadMode::UpTo(read.len())));
                }
                Step::Read(want) => {
                    let read = fixture.read(client, want).unwrap();
                    prop_assert_eq!(read.map(|read| read.to_vec()), model(&mut bytes, want));
                }
            }
        }
    }
}
