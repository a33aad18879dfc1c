//! Values that the Rust API returns by value can be sent to another thread. The C ABI's system
//! moves between threads, so code inside of it must not keep objects that belong to it. Borrowed
//! values can't outlive their call.

use vhost::attach::{AttachContext, Findings};
use vhost::bus::{OwnedObservation, Tap};
use vhost::messages::foreign::Report;
use vhost::messages::sockets::{ClientId, SocketId};
use vhost::{ChannelExit, FileOpener, MemoryModel, Progress, SpecialFile};

fn assert_send<T: Send + ?Sized>() {}

#[test]
fn types_returned_by_value_are_send() {
    assert_send::<ChannelExit>();
    assert_send::<Progress>();
    assert_send::<Report>();
    assert_send::<SocketId>();
    assert_send::<ClientId>();
    assert_send::<AttachContext>();
    assert_send::<Findings>();
    assert_send::<OwnedObservation>();
}

#[test]
fn objects_of_the_host_program_are_send() {
    assert_send::<dyn FileOpener>();
    assert_send::<dyn SpecialFile>();
    assert_send::<dyn MemoryModel>();
    assert_send::<dyn Tap>();
}
