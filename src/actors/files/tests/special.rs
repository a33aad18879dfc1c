//! Files opened by the host program.

use bytes::Bytes;
use mailbox_rs::Errno;

use super::fixture::*;
use crate::messages::files::{CloseAll, Open, READ_MAX, Read, Write};

#[test]
fn a_virtual_file_is_the_host_programs() {
    let bench = Fixture::new();
    let fd = bench.open("virtual/uart/0", RW).unwrap();
    assert_eq!(fd, 10);
    assert_eq!(bench.write(fd, "hello"), Ok(5));
    assert_eq!(bench.read(fd, 4).unwrap(), "hell");
    assert_eq!(bench.seek(fd, 1), Ok(1));
    assert_eq!(bench.read(fd, u64::MAX).unwrap(), "ello");
    assert_eq!(bench.close(fd), Ok(()));
    assert_eq!(
        bench.host.seen(),
        [
            "open Virtual(\"uart\") virtual/uart/0 3".to_owned(),
            "write 1 b\"hello\"".to_owned(),
            "read 1 4".to_owned(),
            "seek 1 1".to_owned(),
            format!("read 1 {READ_MAX}"),
            "close 1".to_owned(),
        ]
    );
    assert_eq!(bench.close(fd), Err(Errno::EBADF));
}

#[test]
fn so_is_one_of_a_registered_extension() {
    let bench = Fixture::new();
    bench.put("a.sock", "not this");
    assert_eq!(bench.open("a.sock", RW), Ok(10));
    assert_eq!(bench.read(10, 9).unwrap(), "");
    assert_eq!(bench.open("virtual/b.sock", R), Ok(11));
    assert_eq!(bench.open("virtual/uart/c.sock", R), Ok(12));
    let seen = bench.host.seen();
    assert_eq!(seen[0], "open Extension(\"sock\") a.sock 3");
    assert_eq!(seen[2], "open Extension(\"sock\") virtual/b.sock 1");
    assert_eq!(seen[3], "open Virtual(\"uart\") virtual/uart/c.sock 1");
}

#[test]
fn other_names_are_files_of_the_root() {
    let bench = Fixture::new();
    std::fs::create_dir(bench.path("virtual")).unwrap();
    bench.put("virtual/f", "text");
    let fd = bench.open("virtual/f", R).unwrap();
    assert_eq!(bench.read(fd, 9).unwrap(), "text");
    assert_eq!(bench.open("virtual/none", R), Err(Errno::ENOENT));
    assert_eq!(bench.open("../a.sock", R), Err(Errno::EACCES));
    assert!(bench.host.seen().is_empty());
}

#[test]
fn refusals_of_the_host_program_reach_firmware() {
    let bench = Fixture::new();
    assert_eq!(bench.open("virtual/uart/absent", R), Err(Errno::ENODEV));
    assert_eq!(bench.open("virtual/uart/panic", R), Err(Errno::EIO));
    // Neither has used a descriptor.
    assert_eq!(bench.open("virtual/uart", RW), Ok(10));
    assert_eq!(bench.write(10, ""), Err(Errno::EPIPE));
    assert_eq!(bench.seek(10, u64::MAX), Err(Errno::EINVAL));
}

#[test]
fn a_special_file_is_used_as_it_was_opened() {
    let bench = Fixture::new();
    let read_only = bench.open("virtual/uart", R).unwrap();
    let write_only = bench.open("virtual/uart", W).unwrap();
    bench.host.seen();
    assert_eq!(bench.write(read_only, "x"), Err(Errno::EBADF));
    assert_eq!(bench.read(write_only, 1), Err(Errno::EBADF));
    assert!(bench.host.seen().is_empty());
}

#[test]
fn closing_all_closes_those_of_one_channel() {
    let bench = Fixture::new();
    bench.put("f", "");
    bench.open_as(A, "virtual/uart", R).unwrap();
    bench.open_as(B, "virtual/uart", R).unwrap();
    bench.open_as(A, "f", R).unwrap();
    bench.open_as(A, "a.sock", R).unwrap();
    bench.host.seen();
    bench.close_all(A);
    assert_eq!(bench.host.seen(), ["close 1", "close 3"]);
    assert_eq!(bench.host.open_files(), 1);
    assert!(bench.read_as(B, 11, 1).is_ok());
    bench.close_all(A);
    assert_eq!(bench.open_as(A, "f", R), Ok(14));
}

#[test]
fn a_channel_may_start_anew_while_a_file_is_opened() {
    let bench = Fixture::new();
    let (bus, files) = (bench.bus.clone(), bench.files.clone());
    *bench.host.meanwhile.borrow_mut() = Some(Box::new(move || {
        bus.ask(&files, CloseAll { channel: A }).unwrap();
        let open = Open {
            channel: A,
            path: Bytes::from_static(b"f"),
            flags: RW,
        };
        assert_eq!(bus.ask(&files, open).unwrap(), Ok(10));
    }));
    assert_eq!(bench.open("virtual/uart", R), Err(Errno::EINTR));
    bench.bus.run_until_idle().unwrap();
    assert_eq!(
        bench.host.seen(),
        ["open Virtual(\"uart\") virtual/uart 1", "close 1"]
    );
    assert_eq!(bench.host.open_files(), 0);
    assert_eq!(bench.write(10, "mine"), Ok(4));
    assert_eq!(bench.content("f"), "mine");
}

#[test]
fn a_descriptor_is_bad_until_its_file_is_open() {
    let bench = Fixture::new();
    let (bus, files) = (bench.bus.clone(), bench.files.clone());
    *bench.host.meanwhile.borrow_mut() = Some(Box::new(move || {
        let read = Read {
            channel: A,
            fd: 10,
            len: 1,
        };
        assert_eq!(bus.ask(&files, read).unwrap(), Err(Errno::EBADF));
    }));
    assert_eq!(bench.open("virtual/uart", R), Ok(10));
}

#[test]
fn operations_posted_at_once_are_done_in_order() {
    let bench = Fixture::new();
    let fd = bench.open("virtual/uart", RW).unwrap();
    let write = |data| Write {
        channel: A,
        fd,
        data,
    };
    for number in 0..100 {
        bench.files.post(write(Bytes::from(format!("{number} "))));
    }
    let expected: String = (0..100).map(|number| format!("{number} ")).collect();
    assert_eq!(bench.read(fd, READ_MAX).unwrap(), expected);
}
