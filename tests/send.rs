//! Values that the Rust API returns by value can be sent to another thread. The C ABI's system
//! moves between threads, so code inside of it must not keep objects that belong to it. Borrowed
//! values can't outlive their call.

use vhost::attach::{AttachContext, Findings};
use vhost::bus::{OwnedObservation, Tap};
use vhost::messages::foreign::Report;
use vhost::messages::sockets::{ClientId, SocketId};
use vhost::{ChannelExit, FileOpener, MemoryModel, Progress, SpecialFile};

fn is_send<T: Send + ?Sized>() {}

#[test]
fn types_returned_by_value_are_send() {
    is_send::<ChannelExit>();
    is_send::<Progress>();
    is_send::<Report>();
    is_send::<SocketId>();
    is_send::<ClientId>();
    is_send::<AttachContext>();
    is_send::<Findings>();
    is_send::<OwnedObservation>();
}

#[test]
fn objects_of_the_host_program_are_send() {
    is_send::<dyn FileOpener>();
    is_send::<dyn SpecialFile>();
    is_send::<dyn MemoryModel>();
    is_send::<dyn Tap>();
}
