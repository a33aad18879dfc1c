use std::io::Cursor;
use std::task::Poll;

use super::*;

fn method(name: &str) -> Target {
    Target::Method(name.into())
}

#[test]
fn a_callback_answers_its_own_target() {
    let callbacks = Callbacks::default();
    let mut polls = 0;
    let add = move |channel: &str, args: &[u64]| {
        polls += 1;
        assert_eq!(channel, "core0");
        Ok(match polls {
            1 => Poll::Pending,
            _ => Poll::Ready(args.iter().sum()),
        })
    };
    callbacks.register(method("add"), Box::new(add));
    let call = |target, args: &[u64]| callbacks.call("core0", &target, args);
    assert_eq!(call(method("add"), &[1, 2]), Ok(Progress::Pending));
    assert_eq!(call(method("add"), &[1, 2]), Ok(Progress::Ready(3)));
    assert_eq!(call(method("sub"), &[]), Ok(Progress::Absent));
    assert_eq!(call(Target::Command(0), &[]), Ok(Progress::Absent));
    callbacks.register(method("add"), Box::new(|_, _| Err("on purpose".into())));
    let error = call(method("add"), &[]).unwrap_err();
    assert_eq!(error.to_string(), "method `add` failed: on purpose");
}

#[test]
fn a_callback_may_come_back() {
    let callbacks = Rc::new(Callbacks::default());
    let inside = Rc::downgrade(&callbacks);
    let outer = move |channel: &str, _: &[u64]| {
        let callbacks = inside.upgrade().ok_or("gone")?;
        let itself = callbacks.call(channel, &method("outer"), &[]).unwrap_err();
        assert!(
            itself
                .to_string()
                .ends_with("it was called from inside itself")
        );
        callbacks.register(method("inner"), Box::new(|_, _| Ok(Poll::Ready(1))));
        // The callback is replaced while it runs.
        callbacks.register(method("outer"), Box::new(|_, _| Ok(Poll::Ready(2))));
        match callbacks.call(channel, &method("inner"), &[])? {
            Progress::Ready(result) => Ok(Poll::Ready(result + 10)),
            other => Err(format!("{other:?}").into()),
        }
    };
    callbacks.register(method("outer"), Box::new(outer));
    let call = || callbacks.call("core0", &method("outer"), &[]);
    assert_eq!(call(), Ok(Progress::Ready(11)));
    assert_eq!(call(), Ok(Progress::Ready(2)));
}

/// A value that a callback owns may re-enter when it is dropped.
#[test]
fn a_callback_may_come_back_when_it_is_replaced() {
    struct Last(Rc<Callbacks>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0
                .register(method("last"), Box::new(|_, _| Ok(Poll::Ready(3))));
        }
    }
    let callbacks = Rc::new(Callbacks::default());
    let last = Last(callbacks.clone());
    let held = move |_: &str, _: &[u64]| {
        let _ = &last;
        Ok(Poll::Ready(0))
    };
    callbacks.register(method("held"), Box::new(held));
    callbacks.register(method("held"), Box::new(|_, _| Ok(Poll::Ready(1))));
    let call = |name| callbacks.call("core0", &method(name), &[]);
    assert_eq!(call("held"), Ok(Progress::Ready(1)));
    assert_eq!(call("last"), Ok(Progress::Ready(3)));
}

#[test]
fn a_callback_that_panicked_is_asked_again() {
    let callbacks = Callbacks::default();
    let mut calls = 0;
    let moody = move |_: &str, _: &[u64]| {
        calls += 1;
        assert!(calls > 1, "the first time");
        Ok(Poll::Ready(calls))
    };
    callbacks.register(method("moody"), Box::new(moody));
    let call = || callbacks.call("core0", &method("moody"), &[]);
    let error = call().unwrap_err().to_string();
    assert_eq!(error, "method `moody` failed: it panicked: the first time");
    assert_eq!(call(), Ok(Progress::Ready(2)));
}

fn with_openers() -> Callbacks {
    let (mut extensions, mut virtuals) = (Openers::default(), Openers::default());
    let file = |path: &str, _: OpenFlags| -> io::Result<Box<dyn SpecialFile>> {
        Ok(Box::new(Cursor::new(path.as_bytes().to_vec())))
    };
    assert!(extensions.insert("gz", file).is_none());
    let refuses = |path: &str, _: OpenFlags| -> io::Result<Box<dyn SpecialFile>> {
        Err(match path {
            "none" => io::ErrorKind::NotFound.into(),
            "kind" => io::ErrorKind::Interrupted.into(),
            number => io::Error::from_raw_os_error(number.parse().unwrap()),
        })
    };
    assert!(virtuals.insert("uart", refuses).is_none());
    Callbacks::new(extensions, virtuals)
}

#[test]
fn a_special_file_is_read_and_written_where_it_stands() {
    let callbacks = with_openers();
    let gz = Opener::Extension("gz".to_owned());
    let open = |path| callbacks.open(&gz, path, OpenFlags::READ).unwrap();
    let (one, other) = (open("one"), open("other"));
    assert_ne!(one, other);
    assert_eq!(callbacks.read(one, 2), Ok(Bytes::from_static(b"on")));
    assert_eq!(callbacks.read(other, 64), Ok(Bytes::from_static(b"other")));
    assert_eq!(callbacks.read(one, u64::MAX), Ok(Bytes::from_static(b"e")));
    assert_eq!(callbacks.read(one, 1), Ok(Bytes::new()));
    assert_eq!(callbacks.write(one, b"-more"), Ok(5));
    assert_eq!(callbacks.seek(one, 1), Ok(1));
    assert_eq!(callbacks.read(one, 64), Ok(Bytes::from_static(b"ne-more")));
    callbacks.close(one);
    callbacks.close(one);
    assert_eq!(callbacks.read(one, 1), Err(Errno::EBADF));
    assert_eq!(callbacks.write(one, b""), Err(Errno::EBADF));
    assert_eq!(callbacks.seek(one, 0), Err(Errno::EBADF));
    assert_ne!(open("third"), one, "no number is given twice");
}

#[test]
fn the_error_of_an_opener_reaches_the_caller() {
    let callbacks = with_openers();
    let open =
        |opener: &Opener, path: &str| callbacks.open(opener, path, OpenFlags::READ).unwrap_err();
    let uart = Opener::Virtual("uart".to_owned());
    assert_eq!(open(&uart, "none"), Errno::ENOENT);
    assert_eq!(open(&uart, "kind"), Errno::EIO);
    assert_eq!(open(&uart, "13"), Errno::EACCES);
    // Numbers that firmware would take for success.
    assert_eq!(open(&uart, "0"), Errno::EIO);
    assert_eq!(open(&uart, "-2"), Errno::EIO);
    assert_eq!(
        open(&Opener::Extension("uart".to_owned()), "13"),
        Errno::ENOENT
    );
}
