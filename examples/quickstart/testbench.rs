//! Testbench: the host, and the methods, commands and files that `firmware/selftest.c` needs
//! besides the host's services.

use std::io::{self, Cursor};
use std::path::Path;
use std::task::Poll;

use vhost::{Builder, CallResult, Error, HostProgramCall, SpecialFile, Vhost};

/// Builder of the host: it loads `firmware`, serves files below `files`, and writes text to
/// `console`.
pub fn builder(firmware: &str, files: &Path, console: impl io::Write + Send + 'static) -> Builder {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    Vhost::builder()
        .memories(here.join("mem.yaml"))
        .mailboxes(here.join("mailbox.yaml"))
        .variable("FIRMWARE", firmware)
        .files(files)
        .virtual_file("stimulus", |_: &str, _| Ok(stimulus()))
        .console(console)
}

/// Starts the host, with all methods that firmware calls.
pub fn start(builder: Builder) -> Result<Vhost, Error> {
    let vhost = builder.start()?;
    vhost.register_method("add", add)?;
    vhost.register_method("wait", wait())?;
    vhost.register_method("greet", greet)?;
    vhost.register_command(1, fill_with_ramp)?;
    Ok(vhost)
}

/// Content of the file `virtual/stimulus`: four words without a file on disk.
fn stimulus() -> Box<dyn SpecialFile> {
    let words = [1_u32, 2, 3, 4].map(u32::to_le_bytes);
    Box::new(Cursor::new(words.concat()))
}

/// Returns the sum of its arguments at once.
fn add(_: &Vhost, call: HostProgramCall<'_>) -> CallResult {
    Ok(Poll::Ready(call.args.iter().sum()))
}

/// Returns its result after the number of ticks in its argument. It is polled on every tick and
/// keeps its own state.
fn wait() -> impl FnMut(&Vhost, HostProgramCall<'_>) -> CallResult {
    let mut since = None;
    move |vhost, call| {
        let [ticks] = *call.args else {
            return Err("wait(ticks) takes one argument".into());
        };
        let waited = vhost.now() - *since.get_or_insert(vhost.now());
        if waited < ticks {
            return Ok(Poll::Pending);
        }
        since = None;
        Ok(Poll::Ready(waited))
    }
}

/// Reads a name by backdoor, without the CPU, writes it back in capitals, and returns its length.
/// The argument is the name's address.
fn greet(vhost: &Vhost, call: HostProgramCall<'_>) -> CallResult {
    let [name] = *call.args else {
        return Err("greet(name) takes one argument".into());
    };
    let space = vhost.space_of(call.channel)?.to_owned();
    let text = vhost.read_string(&space, name)?;
    vhost.write_string(&space, name, &text.to_ascii_uppercase())?;
    Ok(Poll::Ready(text.len() as u64))
}

/// Custom command: writes 0, 1, 2, and so on to `len` bytes of firmware's memory. An unmapped byte
/// is an error, which firmware receives as -EIO. A command receives all words of the request, and
/// uses the first ones.
fn fill_with_ramp(vhost: &Vhost, call: HostProgramCall<'_>) -> CallResult {
    let [address, len, ..] = *call.args else {
        return Err("fill_with_ramp(address, len) takes two arguments".into());
    };
    let len = u8::try_from(len)?;
    let space = vhost.space_of(call.channel)?.to_owned();
    vhost.write(&space, address, (0..len).collect::<Vec<_>>())?;
    Ok(Poll::Ready(len.into()))
}
