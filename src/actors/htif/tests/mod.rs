//! Tests of the HTIF server with real files and a real console, and a mock of the outside.

mod commands;
mod faults;
mod fixture;
mod hostile;
mod system_calls;

use fixture::{BUFFER, CALL, Fixture, PATH, TOHOST};
use mailbox_rs::Errno;
