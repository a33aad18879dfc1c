//! All sums of the flags of an OPEN.

use mailbox_rs::{Errno, OpenFlags};

use super::fixture::*;

#[test]
fn every_sum_of_flags_opens_by_the_protocol() {
    for (sum, unknown) in (0..16).flat_map(|sum| [0, 16, 1 << 31].map(|more| (sum, more))) {
        let [read, write, append, truncate] = [1, 2, 4, 8].map(|flag| sum & flag != 0);
        let creates = write || append || truncate;
        let flags = OpenFlags(sum | unknown);
        let fixture = Fixture::new();
        fixture.put("f", "before");
        let (there, missing) = (fixture.open("f", flags), fixture.open("new", flags));
        let expected = match (sum, creates) {
            (0, _) => Err(Errno::EINVAL),
            (_, false) => Err(Errno::ENOENT),
            _ => Ok(11),
        };
        assert_eq!(missing, expected, "{flags:?}");
        assert_eq!(fixture.path("new").exists(), creates, "{flags:?}");
        let content = if truncate { "" } else { "before" };
        assert_eq!(fixture.content("f"), content, "{flags:?}");
        let Ok(fd) = there else {
            assert_eq!((there, sum), (Err(Errno::EINVAL), 0));
            continue;
        };
        let readable = read.then(|| content[..content.len().min(2)].to_owned());
        assert_eq!(
            fixture.read(fd, 2),
            readable.ok_or(Errno::EBADF),
            "{flags:?}"
        );
        assert_eq!(fixture.seek(fd, 0), Ok(0), "{flags:?}");
        let written = if creates { Ok(2) } else { Err(Errno::EBADF) };
        assert_eq!(fixture.write(fd, "XY"), written, "{flags:?}");
        let content = match (creates, truncate, append) {
            (false, ..) => "before",
            (_, true, _) => "XY",
            (_, _, true) => "beforeXY",
            _ => "XYfore",
        };
        assert_eq!(fixture.content("f"), content, "{flags:?}");
    }
}
