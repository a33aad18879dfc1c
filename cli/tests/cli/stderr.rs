//! Standard error of concurrent commands.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use crate::command;

/// Lines of several processes stay whole: each is one write, which a datagram socket receives as
/// one datagram.
#[test]
fn an_error_is_one_write() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        "trace stat no.trace",
        "trace show no.trace",
        "report no.trace -o page.html",
        "replay no.trace",
        "run no.elf",
    ] {
        let (reader, writer) = UnixDatagram::pair().unwrap();
        let mut command = command();
        command.args(words.split(' ')).current_dir(folder.path());
        command
            .stdout(Stdio::null())
            .stderr(Stdio::from(OwnedFd::from(writer)));
        assert!(!command.status().unwrap().success(), "{words}");
        reader.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4096];
        let mut lines = 0;
        while let Ok(len) = reader.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..len]);
            assert!(text.starts_with("error: "), "{words}: {text:?}");
            assert!(text.ends_with('\n'), "{words}: {text:?}");
            lines += 1;
        }
        assert!(lines > 0, "{words}");
    }
}
