use super::*;
use crate::firmware::{Client, Hooks, Words as _};
use crate::test_host::Host;
use crate::{
    CacheLine, Errno, FileRequest, Index, Layout, NEWEST, PtrWidth, REQUEST_ARGS, Request,
    RequestEntry, Response, ResponseEntry, State, VERSION, Version, action,
};
use std::rc::Rc;
use std::vec::Vec;

const BASE: u64 = 0xffff_ffff_0000_0100;

type Pair = (Firmware<Rc<Ram>>, Host<Window<Rc<Ram>>>);

fn pair(layout: Layout) -> Pair {
    let ram = Rc::new(Ram::new(BASE - 0x100, 0x2000));
    (
        Firmware::new(ram.clone(), BASE, layout),
        Host(Window::new(ram, BASE, layout)),
    )
}

fn ready() -> Pair {
    let (mut firmware, host) = pair(Layout::new(PtrWidth::P4, CacheLine::None));
    firmware.reset();
    host.step(|_| Response::Empty);
    assert!(firmware.is_ready());
    (firmware, host)
}

fn call(arg: u64) -> Request {
    Request::Call {
        method: 0x1000,
        args: [arg].into(),
    }
}

/// Answers a CALL with its first argument.
fn echo(entry: &RequestEntry) -> Response {
    Response::Value(entry.args[1])
}

fn received(firmware: &mut Firmware<Rc<Ram>>) -> Vec<u64> {
    core::iter::from_fn(|| firmware.try_receive())
        .map(|response| response.rets)
        .collect()
}

#[test]
fn every_layout_is_served() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        for line in [
            CacheLine::None,
            CacheLine::B32,
            CacheLine::B64,
            CacheLine::B128,
            CacheLine::B256,
        ] {
            let (mut firmware, host) = pair(Layout::new(width, line));
            firmware.reset();
            assert!(!firmware.is_ready());
            assert_eq!(
                (firmware.version(), firmware.state()),
                (VERSION, State::INIT)
            );
            host.step(echo);
            assert!(firmware.is_ready());
            for i in 0..40 {
                assert!(firmware.try_send(&call(u64::MAX - i)));
                assert_eq!(host.step(echo), 1);
                let rets = width.truncate(u64::MAX - i);
                assert_eq!(
                    firmware.try_receive(),
                    Some(ResponseEntry { words: 1, rets })
                );
                assert_eq!(firmware.try_receive(), None);
            }
        }
    }
}

#[test]
fn a_handshake_is_written_in_the_order_of_the_protocol() {
    /// Words that keep a log of the stores.
    struct Logged(Layout, core::cell::RefCell<Vec<(u64, u32)>>);

    impl crate::firmware::Words for Logged {
        fn load(&self, _: u64) -> u32 {
            0
        }

        fn store(&self, offset: u64, value: u32) {
            self.1.borrow_mut().push((offset, value));
        }

        fn layout(&self) -> &Layout {
            &self.0
        }

        fn base(&self) -> u64 {
            BASE
        }
    }

    for (width, line) in [PtrWidth::P4, PtrWidth::P8]
        .iter()
        .flat_map(|width| [0, 32, 64, 128, 256].map(|line| (*width, line)))
    {
        let layout = Layout::new(width, CacheLine::from_bytes(line).unwrap());
        let words = Logged(layout, Default::default());
        let mut channel = crate::firmware::Channel::new(words, crate::firmware::NoHooks);
        channel.start_reset();
        let mut written = channel.words().1.take();
        // The offer of a higher version is the first word of the request queue.
        assert_eq!(written[..3], [(layout.request.offset, 3), (0, 2), (4, 1)]);
        written.drain(..3);
        written.sort_unstable();
        let indices = [layout.request, layout.response].map(|queue| [queue.idx_p, queue.idx_c]);
        assert!(
            written
                .iter()
                .copied()
                .eq(indices.as_flattened().iter().map(|at| (*at, 0)))
        );
        assert!(!channel.is_ready());
    }
}

#[test]
fn the_host_chooses_the_version_of_a_session() {
    for width in [PtrWidth::P4, PtrWidth::P8] {
        let (mut firmware, host) = pair(Layout::new(width, CacheLine::B64));
        for (offered, version) in [
            (Version::from(0), VERSION),
            (VERSION, VERSION),
            (NEWEST, NEWEST),
            (Version { major: 1, minor: 0 }, NEWEST),
        ] {
            firmware.reset_offering(offered);
            assert_eq!(firmware.version(), VERSION);
            host.step(echo);
            assert!(firmware.is_ready());
            assert_eq!(firmware.version(), version, "{offered}");
        }
    }
}

#[test]
fn an_operation_that_the_version_lacks_is_not_sent() {
    struct Old(Host<Window<Rc<Ram>>>);

    impl Hooks for Old {
        fn wait(&mut self) {
            // A host of protocol 0.2 does not read the offer.
            let offer = self.0.0.layout().request.offer();
            self.0.0.store(offer, 0);
            self.0.step(|entry| panic!("{entry} was sent"));
        }
    }

    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let (firmware, host) = pair(layout);
    let mut client = Client::new(Window::new(firmware.memory(), BASE, layout), Old(host));
    client.reset();
    assert_eq!(client.version(), VERSION);
    let lacking = Some(Response::Error(Errno::ENOSYS).entry(PtrWidth::P4));
    for file in [
        FileRequest::CheckedClose { fd: 10 },
        FileRequest::Time { result: 0 },
    ] {
        assert_eq!(client.request(&Request::File(file)), lacking);
    }
}

#[test]
fn a_burst_fills_the_queue() {
    let (mut firmware, host) = ready();
    for i in 0..8 {
        assert_eq!((firmware.queued(), firmware.is_full()), (i as u32, false));
        assert!(firmware.try_send(&call(i)));
    }
    assert!(firmware.is_full());
    assert!(!firmware.try_send(&call(8)));
    assert_eq!(host.step(echo), 8);
    assert_eq!(received(&mut firmware), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn counters_wrap() {
    let (mut firmware, host) = ready();
    firmware.set_indices(Index(u32::MAX - 3));
    for i in 0..8 {
        assert!(firmware.try_send(&call(i)));
    }
    assert_eq!((firmware.queued(), firmware.is_full()), (8, true));
    assert_eq!(host.step(echo), 8);
    assert_eq!(received(&mut firmware), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(firmware.load(firmware.layout().response.idx_c), 4);
}

#[test]
fn each_misbehaviour_is_seen_in_the_channel() {
    let (mut firmware, host) = ready();
    let layout = *firmware.layout();

    firmware.misbehave(Misbehaviour::Version(Version { major: 1, minor: 0 }));
    assert_eq!(firmware.load(layout.version), 0x1_0000);
    host.step(echo);
    assert!(!firmware.is_ready(), "this host knows its own version only");

    firmware.reset();
    host.step(echo);
    firmware.misbehave(Misbehaviour::JumpAhead(100));
    assert_eq!(firmware.queued(), 100);
    firmware.misbehave(Misbehaviour::OverwriteConsumer(99));
    assert_eq!(firmware.queued(), 1);

    firmware.misbehave(Misbehaviour::OverwriteProducer(7));
    firmware.misbehave(Misbehaviour::SkipResponses(5));
    assert_eq!(received(&mut firmware).len(), 2);

    firmware.misbehave(Misbehaviour::HalfReset);
    assert_eq!((firmware.state(), firmware.queued()), (State::INIT, 1));
    firmware.misbehave(Misbehaviour::State(77));
    assert_eq!(firmware.state(), State(77));
    firmware.misbehave(Misbehaviour::Reset);
    assert_eq!((firmware.state(), firmware.queued()), (State::INIT, 0));
}

#[test]
fn a_words_count_is_corrupted_once() {
    let (mut firmware, host) = ready();
    firmware.misbehave(Misbehaviour::Words(u32::MAX));
    assert!(firmware.try_send(&call(1)));
    assert!(firmware.try_send(&call(2)));
    let mut words = Vec::new();
    host.step(|entry| {
        words.push(entry.words);
        Response::Empty
    });
    assert_eq!(words, [u32::MAX, 2]);
}

#[test]
fn a_deaf_firmware_hears_again() {
    let (mut firmware, host) = ready();
    firmware.misbehave(Misbehaviour::Deaf);
    assert!(firmware.try_send(&call(1)));
    host.step(echo);
    assert_eq!(firmware.try_receive(), None);
    firmware.behave();
    assert_eq!(received(&mut firmware), [1]);
}

#[test]
fn a_reset_drops_requests_in_progress() {
    let (mut firmware, host) = ready();
    assert!(firmware.try_send(&call(1)));
    host.step(echo);
    assert!(firmware.try_send(&call(2)));
    firmware.reset();
    assert_eq!(host.step(echo), 0);
    assert!(firmware.is_ready());
    assert_eq!(received(&mut firmware), []);
}

#[test]
fn entries_go_out_as_they_are() {
    let (mut firmware, host) = ready();
    let sent = RequestEntry {
        action: 0,
        words: 20,
        args: [u64::from(u32::MAX); REQUEST_ARGS],
    };
    assert!(firmware.try_send_entry(&sent));
    let mut taken = None;
    host.step(|entry| {
        taken = Some(*entry);
        Response::Empty
    });
    assert_eq!(taken, Some(sent));
}

#[test]
fn the_client_runs_on_a_window() {
    struct Serve(Host<Window<Rc<Ram>>>);

    impl Hooks for Serve {
        fn wait(&mut self) {
            self.0.step(echo);
        }
    }

    let layout = Layout::new(PtrWidth::P8, CacheLine::B32);
    let (firmware, host) = pair(layout);
    let mut client = Client::new(Window::new(firmware.memory(), BASE, layout), Serve(host));
    client.reset();
    assert_eq!(
        client.request(&call(42)),
        Some(ResponseEntry { words: 1, rets: 42 })
    );
    assert_eq!(client.custom(3, [9]), Some(9));
    assert_eq!(client.seek(10, 1), Ok(10));
    assert_eq!(client.seek(10, 1 << 40), Ok(10));
}

#[test]
fn arguments_that_are_wider_than_a_word_are_not_sent() {
    const WIDE: u64 = 10 | 1 << 32;

    struct Unanswered;

    impl Hooks for Unanswered {
        fn wait(&mut self) {
            panic!("a request was sent");
        }
    }

    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let (firmware, host) = pair(layout);
    let mut client = Client::new(Window::new(firmware.memory(), BASE, layout), Unanswered);
    assert_eq!(client.seek(10, 1 << 32), Err(Errno::EOVERFLOW));
    assert_eq!(client.seek(WIDE, 1), Err(Errno::EOVERFLOW));
    assert_eq!(client.close(WIDE), Err(Errno::EOVERFLOW));
    let overflow = Some(Response::Error(Errno::EOVERFLOW).entry(PtrWidth::P4));
    // Checks each argument of each kind of request.
    for (action, words) in [
        (action::PRINT, 2),
        (action::CPRINT, 20),
        (action::MEMMOVE, 3),
        (action::MEMSET, 3),
        (action::MEMCMP, 3),
        (action::CALL, 20),
        (action::OTHER, 20),
    ] {
        for wide in 0..words {
            let mut args = [0; 20];
            args[..words as usize].fill(1);
            args[wide as usize] = WIDE;
            let entry = RequestEntry {
                action,
                words,
                args,
            };
            let request = Request::try_from(&entry).unwrap();
            // A line number has 32 bits, and a byte 8.
            let narrowed = RequestEntry::from(&request) != entry;
            assert_eq!(
                narrowed,
                (action, wide) == (action::CPRINT, 2) || (action, wide) == (action::MEMSET, 1)
            );
            if !narrowed {
                assert_eq!(client.request(&request), overflow, "{entry:?}");
            }
        }
    }
    for (fd, ptr, len) in [(WIDE, 1, 1), (10, WIDE, 1), (10, 1, WIDE)] {
        for file in [
            FileRequest::Read { fd, ptr, len },
            FileRequest::Write { fd, ptr, len },
        ] {
            assert_eq!(client.request(&Request::File(file)), overflow, "{file:?}");
        }
    }
    assert_eq!(client.custom(WIDE as usize, []), overflow.map(|it| it.rets));
    host.step(|entry| panic!("{entry:?} was sent"));
}

#[test]
fn ram_ends_where_it_ends() {
    let ram = Ram::new(u64::MAX - 3, 4);
    ram.write(u64::MAX - 5, b"ab");
    ram.write(u64::MAX - 3, b"cdef!");
    let mut bytes = [0xff; 8];
    ram.read(u64::MAX - 5, &mut bytes);
    assert_eq!(&bytes, b"\0\0cdef\0\0");
    assert_eq!(ram.string(u64::MAX - 3), "cdef");
    assert_eq!(ram.string(0), "");

    let ram = Ram::new(0, 4);
    assert_eq!(ram.put_string(0, "ab"), 3);
    assert_eq!(ram.string(0), "ab");
}
