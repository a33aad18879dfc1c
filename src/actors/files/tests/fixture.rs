//! A files actor with a temporary root and a host program whose special files are in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use bytes::Bytes;
use mailbox_rs::{Errno, FileStatus, OpenFlags, PosixFlags, Whence};
use tempfile::TempDir;

use super::super::*;
use crate::bus::{Bus, BusError, Inbox as _};
use crate::messages::ChannelId;
use crate::messages::files::{
    ActOnPath, DescriptorStatus, Lseek, PathAction, PathStatus, PosixOpen, ReadDirectory,
    SetLength, Sync, WriteSome,
};
use crate::messages::foreign::SpecialId;

pub(super) const R: OpenFlags = OpenFlags::READ;
pub(super) const W: OpenFlags = OpenFlags::WRITE;
pub(super) const RW: OpenFlags = OpenFlags(3);
pub(super) const APPEND: OpenFlags = OpenFlags::APPEND;
pub(super) const TRUNCATE: OpenFlags = OpenFlags::TRUNCATE;

/// Channel of most tests.
pub(super) const A: ChannelId = ChannelId(0);
/// Another channel.
pub(super) const B: ChannelId = ChannelId(7);

/// Recorded calls of the host program, and contents of its files.
#[derive(Default)]
pub(super) struct Host {
    pub(super) calls: RefCell<Vec<String>>,
    files: RefCell<BTreeMap<u64, (Vec<u8>, usize)>>,
    /// Callback during the host program's next open.
    pub(super) meanwhile: RefCell<Option<Box<dyn Fn()>>>,
}

impl Host {
    fn call(&self, call: foreign::Inbox) {
        match call {
            foreign::Inbox::OpenSpecial(call) => {
                let ask = &call.message;
                self.note(format!(
                    "open {:?} {} {}",
                    ask.opener, ask.path, ask.flags.0
                ));
                let opened = self.open(&ask.path);
                call.reply.send(opened);
            }
            foreign::Inbox::ReadSpecial(call) => {
                let (file, len) = (call.message.file.0, call.message.len);
                self.note(format!("read {file} {len}"));
                let mut files = self.files.borrow_mut();
                let (bytes, at) = files.get_mut(&file).unwrap();
                let rest = &bytes[(*at).min(bytes.len())..];
                let given = Bytes::copy_from_slice(&rest[..rest.len().min(len as usize)]);
                *at += given.len();
                call.reply.send(Ok(given));
            }
            foreign::Inbox::WriteSpecial(call) => {
                let (file, data) = (call.message.file.0, &call.message.data);
                self.note(format!("write {file} {data:?}"));
                if data.is_empty() {
                    call.reply.send(Err(Errno::EPIPE));
                    return;
                }
                let mut files = self.files.borrow_mut();
                files.get_mut(&file).unwrap().0.extend_from_slice(data);
                call.reply.send(Ok(data.len() as u64));
            }
            foreign::Inbox::SeekSpecial(call) => {
                let (file, position) = (call.message.file.0, call.message.position);
                self.note(format!("seek {file} {position}"));
                self.files.borrow_mut().get_mut(&file).unwrap().1 = position as usize;
                call.reply.send(Ok(position));
            }
            foreign::Inbox::CloseSpecial(call) => {
                let file = call.message.file.0;
                self.note(format!("close {file}"));
                self.files.borrow_mut().remove(&file).unwrap();
                call.reply.send(());
            }
            other => panic!("the files actor has no business with {other:?}"),
        }
    }

    fn open(&self, path: &str) -> Result<SpecialId, Errno> {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        assert!(!path.contains("panic"), "as requested by the test");
        if path.contains("absent") {
            return Err(Errno::ENODEV);
        }
        let mut files = self.files.borrow_mut();
        let number = files.last_key_value().map_or(1, |(last, _)| last + 1);
        files.insert(number, Default::default());
        Ok(SpecialId(number))
    }

    fn note(&self, call: String) {
        self.calls.borrow_mut().push(call);
    }

    /// Takes the calls recorded since the last call.
    pub(super) fn seen(&self) -> Vec<String> {
        self.calls.take()
    }

    pub(super) fn open_files(&self) -> usize {
        self.files.borrow().len()
    }
}

pub(super) struct Fixture {
    pub(super) bus: Rc<Bus>,
    pub(super) files: Port<Inbox>,
    pub(super) host: Rc<Host>,
    /// Parent directory of the root, with a file `secret` beside it.
    outside: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::start(|places| Some(Box::new(Root::open(&places.path("")).unwrap())))
    }

    pub(super) fn without_root() -> Self {
        Self::start(|_| None)
    }

    pub(super) fn on(disk: impl Disk + 'static) -> Self {
        Self::start(|_| Some(Box::new(disk)))
    }

    fn start(disk: impl FnOnce(&Places) -> Option<Box<dyn Disk>>) -> Self {
        let outside = TempDir::new().unwrap();
        std::fs::create_dir(outside.path().join("root")).unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        let disk = disk(&Places(&outside));

        let bus = Rc::new(Bus::new());
        let host = Rc::new(Host::default());
        let callee = host.clone();
        let foreign = bus.foreign(Rc::new(move |call| callee.call(call)));
        let special = SpecialNames {
            extensions: ["sock".to_owned()].into(),
            virtuals: ["uart".to_owned()].into(),
        };
        let files = Files::new(bus.context(Inbox::ENDPOINT), &foreign, disk, special);
        let files = bus.start(|_| files).unwrap();
        Self {
            bus,
            files,
            host,
            outside,
        }
    }

    /// Path below the root.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        Places(&self.outside).path(name)
    }

    /// Path beside the root.
    pub(super) fn outside(&self, name: &str) -> PathBuf {
        self.outside.path().join(name)
    }

    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(super) fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn ask<M: crate::bus::Message>(&self, message: M) -> M::Reply
    where
        Inbox: From<Envelope<M>>,
    {
        self.try_ask(message).unwrap()
    }

    pub(super) fn try_ask<M: crate::bus::Message>(&self, message: M) -> Result<M::Reply, BusError>
    where
        Inbox: From<Envelope<M>>,
    {
        self.bus.ask(&self.files, message)
    }

    pub(super) fn open_as(
        &self,
        channel: ChannelId,
        path: impl AsRef<[u8]>,
        flags: OpenFlags,
    ) -> Result<u64, Errno> {
        let path = Bytes::copy_from_slice(path.as_ref());
        self.ask(Open {
            channel,
            path,
            flags,
        })
    }

    pub(super) fn open(&self, path: impl AsRef<[u8]>, flags: OpenFlags) -> Result<u64, Errno> {
        self.open_as(A, path, flags)
    }

    pub(super) fn close(&self, fd: u64) -> Result<(), Errno> {
        let closed = self.ask(Close { channel: A, fd });
        // The host program is called after the reply to the channel.
        self.bus.run_until_idle().unwrap();
        closed
    }

    pub(super) fn read(&self, fd: u64, len: u64) -> Result<String, Errno> {
        self.read_as(A, fd, len)
    }

    pub(super) fn read_as(&self, channel: ChannelId, fd: u64, len: u64) -> Result<String, Errno> {
        let read = self.ask(Read { channel, fd, len });
        read.map(|bytes| String::from_utf8(bytes.into()).unwrap())
    }

    pub(super) fn write(&self, fd: u64, data: &str) -> Result<u64, Errno> {
        self.ask(Write {
            channel: A,
            fd,
            data: Bytes::copy_from_slice(data.as_bytes()),
        })
    }

    pub(super) fn seek(&self, fd: u64, position: u64) -> Result<u64, Errno> {
        self.ask(Seek {
            channel: A,
            fd,
            position,
        })
    }

    pub(super) fn posix_open(
        &self,
        path: impl AsRef<[u8]>,
        flags: PosixFlags,
    ) -> Result<u64, Errno> {
        self.ask(PosixOpen {
            channel: A,
            path: Bytes::copy_from_slice(path.as_ref()),
            flags,
            mode: 0o644,
        })
    }

    pub(super) fn write_some(&self, fd: u64, data: &str) -> Result<u64, Errno> {
        self.ask(WriteSome {
            channel: A,
            fd,
            data: Bytes::copy_from_slice(data.as_bytes()),
        })
    }

    pub(super) fn lseek(&self, fd: u64, offset: i64, whence: Whence) -> Result<u64, Errno> {
        self.ask(Lseek {
            channel: A,
            fd,
            whence,
            offset,
        })
    }

    pub(super) fn fstat(&self, fd: u64) -> Result<FileStatus, Errno> {
        self.ask(DescriptorStatus { channel: A, fd })
    }

    pub(super) fn stat(&self, path: impl AsRef<[u8]>) -> Result<FileStatus, Errno> {
        self.ask(PathStatus {
            channel: A,
            path: Bytes::copy_from_slice(path.as_ref()),
        })
    }

    pub(super) fn act(&self, path: impl AsRef<[u8]>, action: PathAction) -> Result<(), Errno> {
        self.ask(ActOnPath {
            channel: A,
            path: Bytes::copy_from_slice(path.as_ref()),
            action,
        })
    }

    pub(super) fn read_directory(&self, fd: u64, len: u64) -> Result<Bytes, Errno> {
        self.ask(ReadDirectory {
            channel: A,
            fd,
            len,
        })
    }

    pub(super) fn truncate(&self, fd: u64, len: u64) -> Result<(), Errno> {
        self.ask(SetLength {
            channel: A,
            fd,
            len,
        })
    }

    pub(super) fn sync(&self, fd: u64) -> Result<(), Errno> {
        self.ask(Sync { channel: A, fd })
    }

    /// Reason of the last failure.
    pub(super) fn explain(&self, channel: ChannelId) -> Option<String> {
        self.ask(Explain { channel })
    }

    pub(super) fn close_all(&self, channel: ChannelId) {
        self.ask(CloseAll { channel });
        self.bus.run_until_idle().unwrap();
    }
}

/// Location of the root directory.
pub(super) struct Places<'a>(&'a TempDir);

impl Places<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("root").join(name)
    }
}
