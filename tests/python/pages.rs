//! Python shims of `docs/migrating.md`.

use vhost::Progress::{Pending, Ready};

use crate::fixture::{CORE32, CORE64, DATA, PythonFixture};
use crate::subprocess::Subprocess;

/// Code blocks of the page: a user-defined `poll`, and registered methods.
fn shims() -> [&'static str; 2] {
    let page = include_str!("../../docs/migrating.md");
    let blocks = page.split("```python\n").skip(1);
    let blocks: Vec<_> = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    blocks.try_into().unwrap()
}

/// Sums memory for two channels at the same time.
fn sums(first: [vhost::Progress; 2]) {
    let fixture = PythonFixture::new();
    fixture
        .vhost
        .write("core", DATA, vec![1, 2, 3, 4, 5])
        .unwrap();
    for (channel, expected) in [CORE32, CORE64].into_iter().zip(first) {
        assert_eq!(
            fixture.poll(channel, "checksum", &[DATA, 5]).unwrap(),
            expected
        );
    }
    for _ in 0..4 {
        fixture.tick();
    }
    for channel in [CORE32, CORE64] {
        assert_eq!(
            fixture.poll(channel, "checksum", &[DATA, 5]).unwrap(),
            Ready(15)
        );
    }
}

#[test]
fn a_poll_of_the_users_own_goes_on() {
    Subprocess::default()
        .module("mbpy_calls_init", "def mbpy_calls_init(): pass\n")
        .module("pymb_rpcs", shims()[0])
        .run("pages::a_poll_of_the_users_own_goes_on", || {
            sums([Pending, Pending])
        });
}

#[test]
fn registered_methods_are_called() {
    Subprocess::default()
        .module("mbpy_calls_init", shims()[1])
        .run("pages::registered_methods_are_called", || {
            sums([Ready(15), Ready(15)])
        });
}
