//! Descriptions of foreign calls, for the timeout that ends hanging ones.

use std::fmt::{self, Write};

use crate::messages::foreign::{FrameReport, Inbox};
use crate::sim::call_timeout::{self, ForeignCall};

/// Starts measuring a foreign call, if a timeout is set.
#[inline]
pub(crate) fn measure(call: &Inbox) -> Option<ForeignCall> {
    ForeignCall::begin(|text| describe(call, text))
}

/// True if foreign calls are measured.
pub(crate) fn is_measured() -> bool {
    call_timeout::is_on()
}

fn describe(call: &Inbox, text: &mut dyn Write) -> fmt::Result {
    match call {
        Inbox::Access(_) => text.write_str("an access to memory outside of this library"),
        Inbox::HostCall(call) => {
            let ask = &call.message;
            write!(text, "{} of channel `{}`", ask.target, ask.channel)
        }
        Inbox::MethodCall(call) => {
            let ask = &call.message;
            write!(text, "method `{}` of channel `{}`", ask.method, ask.channel)
        }
        Inbox::PyTick(_) => text.write_str("a turn of Python's event loop"),
        Inbox::PyCancel(call) => {
            let channel = &call.message.channel;
            write!(
                text,
                "Python's cancellation of calls of channel `{channel}`"
            )
        }
        Inbox::Exit(call) => write!(text, "`mb_exit` of channel `{}`", call.message.channel),
        Inbox::Register(call) => {
            let channel = &call.message.channel;
            write!(text, "`sv_registery_ch` of channel `{channel}`")
        }
        Inbox::ConsoleLine(call) => {
            write!(text, "`mb_print` of channel `{}`", call.message.channel)
        }
        Inbox::Served(call) => write!(text, "`mb_served` of channel `{}`", call.message.channel),
        Inbox::Report(call) => write!(text, "`mb_report` by `{}`", call.message.id),
        Inbox::FrameReport(call) => {
            let FrameReport(report) = &call.message;
            write!(text, "`mb_report` by `{}`", report.id)
        }
        Inbox::WallTime(_) => write!(text, "the wall time"),
        Inbox::ExpandPath(call) => write!(text, "expansion of path `{}`", call.message.path),
        Inbox::OpenSpecial(call) => write!(text, "`open` of special file `{}`", call.message.path),
        Inbox::ReadSpecial(_) => text.write_str("`read` of a special file"),
        Inbox::WriteSpecial(_) => text.write_str("`write` of a special file"),
        Inbox::SeekSpecial(_) => text.write_str("`seek` of a special file"),
        Inbox::CloseSpecial(_) => text.write_str("`drop` of a special file"),
    }
}
