//! Tests of the HTIF server with real files and a real console, and a mock of the outside.

mod bench;
mod commands;
mod faults;
mod hostile;
mod system_calls;

use bench::{BUFFER, Bench, CALL, PATH, TOHOST};
use mailbox_rs::Errno;
