//! Tests of the mailbox server alone, with mocks of all its peers.
//!
//! Each file has one topic, and imports the names below.

mod accesses;
mod calls;
mod faults;
mod files;
mod fixture;
mod handshake;
mod observers;
mod posix;
mod printing;
mod protocol;
mod queues;
mod requests;
mod reset;
mod sharing;
mod status;
mod stdio;
mod words;

use mailbox_rs::mock::{Firmware, Memory as _, Misbehaviour, Ram};
use mailbox_rs::{
    CacheLine, Errno, FileRequest, Layout, OpenFlags, PtrWidth, Request, RequestEntry, Response,
    ResponseEntry, State, Version,
};

use self::fixture::{BASE, DATA, Fixture, LATER, SIZE, plain, print, ready, serve};
use crate::messages::foreign::Severity;
use crate::messages::mailbox::{self, ChannelStatus, MailboxStep};
use crate::messages::rpc::{Progress, Provider, Schedule, Target};
