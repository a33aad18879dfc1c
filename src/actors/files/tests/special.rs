//! Files opened by the host program.

use bytes::Bytes;
use mailbox_rs::Errno;

use super::fixture::*;
use crate::messages::files::{CloseAll, Open, READ_MAX, Read, Write};

#[test]
fn a_virtual_file_is_the_host_programs() {
    let fixture = Fixture::new();
    let fd = fixture.open("virtual/uart/0", RW).unwrap();
    assert_eq!(fd, 10);
    assert_eq!(fixture.write(fd, "hello"), Ok(5));
    assert_eq!(fixture.read(fd, 4).unwrap(), "hell");
    assert_eq!(fixture.seek(fd, 1), Ok(1));
    assert_eq!(fixture.read(fd, u64::MAX).unwrap(), "ello");
    assert_eq!(fixture.close(fd), Ok(()));
    assert_eq!(
        fixture.host.seen(),
        [
            "open Virtual(\"uart\") virtual/uart/0 3".to_owned(),
            "write 1 b\"hello\"".to_owned(),
            "read 1 4".to_owned(),
            "seek 1 1".to_owned(),
            format!("read 1 {READ_MAX}"),
            "close 1".to_owned(),
        ]
    );
    assert_eq!(fixture.close(fd), Err(Errno::EBADF));
}

#[test]
fn so_is_one_of_a_registered_extension() {
    let fixture = Fixture::new();
    fixture.put("a.sock", "not this");
    assert_eq!(fixture.open("a.sock", RW), Ok(10));
    assert_eq!(fixture.read(10, 9).unwrap(), "");
    assert_eq!(fixture.open("virtual/b.sock", R), Ok(11));
    assert_eq!(fixture.open("virtual/uart/c.sock", R), Ok(12));
    let seen = fixture.host.seen();
    assert_eq!(seen[0], "open Extension(\"sock\") a.sock 3");
    assert_eq!(seen[2], "open Extension(\"sock\") virtual/b.sock 1");
    assert_eq!(seen[3], "open Virtual(\"uart\") virtual/uart/c.sock 1");
}

#[test]
fn other_names_are_files_of_the_root() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("virtual")).unwrap();
    fixture.put("virtual/f", "text");
    let fd = fixture.open("virtual/f", R).unwrap();
    assert_eq!(fixture.read(fd, 9).unwrap(), "text");
    assert_eq!(fixture.open("virtual/none", R), Err(Errno::ENOENT));
    assert_eq!(fixture.open("../a.sock", R), Err(Errno::EACCES));
    assert!(fixture.host.seen().is_empty());
}

#[test]
fn refusals_of_the_host_program_reach_firmware() {
    let fixture = Fixture::new();
    assert_eq!(fixture.open("virtual/uart/absent", R), Err(Errno::ENODEV));
    assert_eq!(fixture.open("virtual/uart/panic", R), Err(Errno::EIO));
    // Neither has used a descriptor.
    assert_eq!(fixture.open("virtual/uart", RW), Ok(10));
    assert_eq!(fixture.write(10, ""), Err(Errno::EPIPE));
    assert_eq!(fixture.seek(10, u64::MAX), Err(Errno::EINVAL));
}

#[test]
fn a_special_file_is_used_as_it_was_opened() {
    let fixture = Fixture::new();
    let read_only = fixture.open("virtual/uart", R).unwrap();
    let write_only = fixture.open("virtual/uart", W).unwrap();
    fixture.host.seen();
    assert_eq!(fixture.write(read_only, "x"), Err(Errno::EBADF));
    assert_eq!(fixture.read(write_only, 1), Err(Errno::EBADF));
    assert!(fixture.host.seen().is_empty());
}

#[test]
fn closing_all_closes_those_of_one_channel() {
    let fixture = Fixture::new();
    fixture.put("f", "");
    fixture.open_as(A, "virtual/uart", R).unwrap();
    fixture.open_as(B, "virtual/uart", R).unwrap();
    fixture.open_as(A, "f", R).unwrap();
    fixture.open_as(A, "a.sock", R).unwrap();
    fixture.host.seen();
    fixture.close_all(A);
    assert_eq!(fixture.host.seen(), ["close 1", "close 3"]);
    assert_eq!(fixture.host.open_files(), 1);
    assert!(fixture.read_as(B, 11, 1).is_ok());
    fixture.close_all(A);
    assert_eq!(fixture.open_as(A, "f", R), Ok(14));
}

#[test]
fn a_channel_may_start_anew_while_a_file_is_opened() {
    let fixture = Fixture::new();
    let (bus, files) = (fixture.bus.clone(), fixture.files.clone());
    *fixture.host.meanwhile.borrow_mut() = Some(Box::new(move || {
        bus.ask(&files, CloseAll { channel: A }).unwrap();
        let open = Open {
            channel: A,
            path: Bytes::from_static(b"f"),
            flags: RW,
        };
        assert_eq!(bus.ask(&files, open).unwrap(), Ok(10));
    }));
    assert_eq!(fixture.open("virtual/uart", R), Err(Errno::EINTR));
    fixture.bus.run_until_idle().unwrap();
    assert_eq!(
        fixture.host.seen(),
        ["open Virtual(\"uart\") virtual/uart 1", "close 1"]
    );
    assert_eq!(fixture.host.open_files(), 0);
    assert_eq!(fixture.write(10, "mine"), Ok(4));
    assert_eq!(fixture.content("f"), "mine");
}

#[test]
fn a_descriptor_is_bad_until_its_file_is_open() {
    let fixture = Fixture::new();
    let (bus, files) = (fixture.bus.clone(), fixture.files.clone());
    *fixture.host.meanwhile.borrow_mut() = Some(Box::new(move || {
        let read = Read {
            channel: A,
            fd: 10,
            len: 1,
        };
        assert_eq!(bus.ask(&files, read).unwrap(), Err(Errno::EBADF));
    }));
    assert_eq!(fixture.open("virtual/uart", R), Ok(10));
}

#[test]
fn operations_posted_at_once_are_done_in_order() {
    let fixture = Fixture::new();
    let fd = fixture.open("virtual/uart", RW).unwrap();
    let write = |data| Write {
        channel: A,
        fd,
        data,
    };
    for number in 0..100 {
        fixture.files.post(write(Bytes::from(format!("{number} "))));
    }
    let expected: String = (0..100).map(|number| format!("{number} ")).collect();
    assert_eq!(fixture.read(fd, READ_MAX).unwrap(), expected);
}
