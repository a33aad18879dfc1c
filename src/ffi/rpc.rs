//! RPC calls from C.

use std::ffi::c_char;

use super::arguments::{Out, array, text};
use super::guard::guard;
use crate::messages::rpc::Progress;

/// Statuses of a poll.
const READY: u32 = 0;
const PENDING: u32 = 1;
const ABSENT: u32 = 2;
const FAILED: u32 = 3;

/// Polls a method once.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn __mb_call(
    channel: *const c_char,
    method: *const c_char,
    arg_len: u32,
    args: *const u64,
    status: *mut u32,
) -> u64 {
    guard("__mb_call", 0, |call| {
        // SAFETY: C gives NULL or room for a number until this returns.
        let status = unsafe { Out::new(status, FAILED, "status") }?;
        // SAFETY: C gives NULL or a C string, which stays until this returns.
        let channel = unsafe { text(channel, "ch") }?;
        // SAFETY: as above.
        let method = unsafe { text(method, "method") }?;
        // SAFETY: C gives NULL or `arg_len` words, which stay until this returns.
        let args = unsafe { array(args, arg_len.into(), "args") }?;
        let (code, result) = match call
            .system_state()?
            .system_at_once()?
            .poll_call(channel, method, args)?
        {
            Progress::Ready(result) => (READY, result),
            Progress::Pending => (PENDING, 0),
            Progress::Absent => (ABSENT, 0),
            Progress::Failed => (FAILED, 0),
        };
        status.set(code);
        Ok(result)
    })
}
