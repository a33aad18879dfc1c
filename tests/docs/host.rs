use std::error::Error;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use vhost::{Builder, CallResult, HostProgramCall, Vhost};

vhost::host!(configure);

/// Configures the system that `mb_init` builds.
pub(crate) fn configure(builder: Builder) -> Result<Builder, Box<dyn Error>> {
    let count = AtomicU64::new(1);
    Ok(builder
        .method("checksum", checksum)
        .command(7, move |_, call| {
            let step = call.args.first().copied().unwrap_or(1);
            Ok(Poll::Ready(count.fetch_add(step, Ordering::Relaxed) + step))
        })
        .virtual_file("motd", |_: &str, _| {
            Ok(Box::new(Cursor::new(Box::from(*b"hello from Rust"))) as Box<_>)
        }))
}

/// Sum of the bytes at (address, length).
fn checksum(vhost: &Vhost, call: HostProgramCall<'_>) -> CallResult {
    let [address, len, ..] = *call.args else {
        return Err("checksum(address, length) takes two arguments".into());
    };
    let space = vhost.space_of(call.channel)?.to_owned();
    let data = vhost.read(&space, address, len)?;
    Ok(Poll::Ready(data.iter().map(|byte| u64::from(*byte)).sum()))
}
