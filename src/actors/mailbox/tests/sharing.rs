//! File paths with variables, and files shared by channels.

use super::*;

#[test]
fn variables_in_paths_are_expanded() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let mut open = |path: &[u8]| {
        fixture.chip.ram.write(DATA, path);
        fixture.chip.ram.write(DATA + path.len() as u64, b"\0");
        let request = Request::File(FileRequest::Open {
            path: DATA,
            flags: OpenFlags::READ,
        });
        let answer = serve(&fixture, &mut firmware, &request).unwrap().rets;
        let printed = fixture.reports().pop().map(|(.., text)| text);
        (answer, fixture.seen.files.take(), printed)
    };
    let enoent = u64::from(-2_i32 as u32);
    let asked = |path: &str| vec![format!("open {path} 1")];
    assert_eq!(open(b"$DIR/f"), (10, asked("run/f"), None));
    assert_eq!(open(b"~/f"), (10, asked("/home/f"), None));
    // Paths without variables.
    assert_eq!(open(b"a~/f"), (10, asked("a~/f"), None));
    assert_eq!(open(b"\xff$").1, asked("\u{fffd}$"));
    let (answer, files, printed) = open(b"$NONE/f");
    assert_eq!((answer, files), (enoent, vec![]));
    let printed = printed.unwrap();
    assert!(
        printed.contains("file `$NONE/f`: the environment variable `NONE` is not set")
            && printed.ends_with("answered ENOENT (no such file or directory)"),
        "{printed}"
    );
    let (answer, files, printed) = open(b"$FILE");
    assert_eq!((answer, files), (enoent, asked("missing")));
    let printed = printed.unwrap();
    assert!(
        printed.contains("file `$FILE`, which is `missing`;"),
        "{printed}"
    );
}

#[test]
fn files_stay_open_until_the_last_channel_has_exited() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout), (BASE + 0x4000, layout)]);
    let mut first = ready(&fixture, BASE, layout);
    let mut second = ready(&fixture, BASE + 0x4000, layout);
    let exit = Request::Exit { code: 0 };
    assert_eq!(serve(&fixture, &mut first, &exit), None);
    assert_eq!(fixture.seen.files.take(), [""; 0]);
    second.reset();
    fixture.tick();
    assert_eq!(fixture.seen.files.take(), ["close all of 1"]);
    assert!(second.is_ready());
    assert_eq!(serve(&fixture, &mut second, &exit), None);
    assert_eq!(
        fixture.seen.files.take(),
        ["close all of 0", "close all of 1"]
    );
}
