//! Reads and writes of files.

use super::*;

#[test]
fn files_are_read_and_written_in_bounded_parts() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "out.txt");
    let mut ask = |request: FileRequest| {
        serve(&fixture, &mut firmware, &Request::File(request)).map(|response| response.rets)
    };
    let open = FileRequest::Open {
        path: DATA,
        flags: OpenFlags(2),
    };
    assert_eq!(ask(open), Some(10));
    assert_eq!(
        ask(FileRequest::Write {
            fd: 10,
            ptr: BASE,
            len: 70_000
        }),
        Some(70_000)
    );
    assert_eq!(
        ask(FileRequest::Seek {
            fd: 10,
            position: 5
        }),
        Some(5)
    );
    assert_eq!(
        ask(FileRequest::Read {
            fd: 10,
            ptr: DATA,
            len: 80
        }),
        Some(80)
    );
    assert_eq!(ask(FileRequest::Close { fd: 10 }), None);
    let seen = fixture.seen.files.take();
    let expected = [
        "open out.txt 2",
        "write 10 65536 bytes",
        "write 10 4464 bytes",
        "seek 10 5",
        "read 10 80",
        "read 10 20",
        "close 10",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn bytes_without_room_in_memory_stay_in_the_file() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let mut read = |ptr, len| {
        let request = FileRequest::Read { fd: 10, ptr, len };
        let response = serve(&fixture, &mut firmware, &Request::File(request));
        response.unwrap().rets
    };
    assert_eq!(read(BASE + SIZE - 30, 80), 30);
    assert_eq!(read(BASE + SIZE - 30, 0), 30);
    assert_eq!(fixture.seen.files.take(), ["read 10 30", "read 10 30"]);
    assert_eq!(fixture.reports(), []);
    assert_eq!(read(0x44, 2), u64::from(-14_i32 as u32));
    assert_eq!(fixture.seen.files.take(), [""; 0]);
}
