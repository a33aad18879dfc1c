//! Firmware's files: descriptors of files in a sandboxed directory and of files opened by the host
//! program.
//!
//! A path goes to the host program if its name below `virtual/` or its extension is registered, and
//! to the root directory otherwise. Without a root, the latter fails with `EACCES`.

mod announcing_disk;
mod checkpoint;
mod descriptors;
mod directory;
mod disk;
mod inside;
mod os_error;
mod path;
mod places;
mod positioned_file;
mod posix;
mod refusal;
mod root;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use actix::{Actor, Context, Handler};
use bytes::Bytes;
use mailbox_rs::{Errno, OpenFlags, Whence};

use self::announcing_disk::Announced;
use self::descriptors::{Claim, Descriptors, File, OpenFile};
use self::refusal::Refusal;
use crate::bus::{ActorContext, Envelope, Port, ReplySender};
use crate::messages::files::{Close, CloseAll, Explain, Inbox, Open, READ_MAX, Read, Seek, Write};
use crate::messages::foreign::{
    self, CloseSpecial, OpenSpecial, Opener, ReadSpecial, SeekSpecial, SpecialId, WriteSpecial,
};
use crate::messages::{ChannelId, escaped_name};

pub(crate) use self::disk::{Disk, DiskFile, Opened};
pub(crate) use self::path::SpecialNames;
pub(crate) use self::root::Root;

/// Reason given for paths in a system without a root.
const NO_ROOT: &str = "the system has no root directory for files; name one by MAILBOX_FS_ROOT, `vhost run --files` or `Builder::files`";

/// Serves the file descriptors of all channels.
pub(crate) struct Files {
    context: ActorContext,
    disk: Option<Announced>,
    special: SpecialNames,
    open: Rc<OpenFiles>,
    /// Reason of each channel's last operation, if it failed.
    reasons: HashMap<ChannelId, String>,
}

/// Open files. They are apart from the actor, because the host program's reply to an open is
/// handled at the moment of sending.
struct OpenFiles {
    descriptors: RefCell<Descriptors>,
    /// Number of entries of all open directories.
    entries: Cell<usize>,
    foreign: Port<foreign::Inbox>,
}

impl Files {
    /// Serves the files of `disk`. Files with a name in `special` are opened over `foreign`.
    pub(crate) fn new(
        context: ActorContext,
        foreign: &Port<foreign::Inbox>,
        disk: Option<Box<dyn Disk>>,
        special: SpecialNames,
    ) -> Self {
        let disk = disk.map(|disk| Announced::new(disk, context.clone()));
        let open = OpenFiles {
            descriptors: RefCell::default(),
            entries: Cell::default(),
            foreign: foreign.with_sender(context.endpoint()),
        };
        Self {
            context,
            disk,
            special,
            open: Rc::new(open),
            reasons: HashMap::new(),
        }
    }

    fn open(&mut self, envelope: Envelope<Open>) {
        let Envelope { message, reply } = envelope;
        let channel = message.channel;
        self.reasons.remove(&channel);
        let flags = message.flags.known();
        let checked = path::check(&message.path, flags).and_then(|path| {
            let opener = self.special.opener(path)?;
            // Reserved before the open, which may create or truncate the file.
            let claim = self.open.descriptors.borrow_mut().claim(channel)?;
            Ok((path, opener, claim))
        });
        match checked {
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
            Ok((path, None, claim)) => {
                let file = match &mut self.disk {
                    Some(disk) => disk.open(path, flags).map(File::Disk),
                    None => Err(Refusal::new(Errno::EACCES, NO_ROOT)),
                };
                let file = file.map_err(|refusal| self.refused(channel, refusal));
                reply.send(self.open.opened(claim, flags, message.path, file));
            }
            Ok((_, Some(opener), claim)) => {
                self.open_special(claim, opener, message.path, flags, reply);
            }
        }
    }

    /// Asks the host program to open a file.
    fn open_special(
        &self,
        claim: Claim,
        opener: Opener,
        path: Bytes,
        flags: OpenFlags,
        reply: ReplySender<Result<u64, Errno>>,
    ) {
        let ask = OpenSpecial {
            opener,
            path: String::from_utf8_lossy(&path).into_owned(),
            flags,
        };
        let open = self.open.clone();
        self.open.foreign.ask_then(ask, move |opened| {
            let file = opened.unwrap_or_else(|| opener_panicked(&path));
            let file = file.map(File::Special);
            reply.send(open.opened(claim, flags, path, file));
        });
    }

    /// Stores the reason of a failure for [`Explain`].
    fn refused(&mut self, channel: ChannelId, refusal: Refusal) -> Errno {
        if let Some(reason) = refusal.reason {
            self.reasons.insert(channel, reason);
        }
        refusal.errno
    }

    /// Stores the name of the file if the operation on it failed.
    fn with_name<T>(
        &mut self,
        channel: ChannelId,
        file: &OpenFile,
        done: Result<T, Errno>,
    ) -> Result<T, Errno> {
        done.map_err(|errno| self.refused(channel, file.failed(errno)))
    }

    fn read(&mut self, Envelope { message, reply }: Envelope<Read>) {
        let channel = message.channel;
        self.reasons.remove(&channel);
        let len = message.len.min(READ_MAX);
        let open = self.open.clone();
        match open.descriptors.borrow_mut().readable(message.fd) {
            Ok(open_file) => match &mut open_file.file {
                File::Disk(file) => {
                    let read = file.read(len);
                    reply.send(self.with_name(channel, open_file, read));
                }
                File::Directory(_) => {
                    reply.send(self.with_name(channel, open_file, Err(Errno::EISDIR)));
                }
                File::Lost => reply.send(self.with_name(channel, open_file, Err(Errno::EIO))),
                &mut File::Special(file) => {
                    self.reasons.insert(channel, open_file.name());
                    open.foreign.forward(ReadSpecial { file, len }, reply);
                }
            },
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
        }
    }

    fn write(&mut self, Envelope { message, reply }: Envelope<Write>) {
        let channel = message.channel;
        self.reasons.remove(&channel);
        let data = message.data;
        let open = self.open.clone();
        match open.descriptors.borrow_mut().writable(message.fd) {
            Ok(open_file) => match &mut open_file.file {
                File::Disk(file) => {
                    let written = file.write(&data);
                    reply.send(self.with_name(channel, open_file, written));
                }
                File::Directory(_) => {
                    reply.send(self.with_name(channel, open_file, Err(Errno::EBADF)));
                }
                File::Lost => reply.send(self.with_name(channel, open_file, Err(Errno::EIO))),
                &mut File::Special(file) => {
                    self.reasons.insert(channel, open_file.name());
                    open.foreign.forward(WriteSpecial { file, data }, reply);
                }
            },
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
        }
    }

    fn seek(&mut self, Envelope { message, reply }: Envelope<Seek>) {
        let channel = message.channel;
        self.reasons.remove(&channel);
        let position = message.position;
        let open = self.open.clone();
        match open.descriptors.borrow_mut().file(message.fd) {
            // Positions of the operating system are signed.
            Ok(_) if i64::try_from(position).is_err() => {
                let reason =
                    format!("position {position:#x} is past the largest position of a file");
                let refusal = Refusal::new(Errno::EINVAL, reason);
                reply.send(Err(self.refused(channel, refusal)));
            }
            Ok(open_file) => match &mut open_file.file {
                File::Disk(file) => {
                    let sought = file.seek(position);
                    reply.send(self.with_name(channel, open_file, sought));
                }
                File::Directory(directory) => {
                    let sought = directory.lseek(Whence::Set, position.cast_signed());
                    reply.send(self.with_name(channel, open_file, sought));
                }
                File::Lost => reply.send(self.with_name(channel, open_file, Err(Errno::EIO))),
                &mut File::Special(file) => {
                    self.reasons.insert(channel, open_file.name());
                    open.foreign.forward(SeekSpecial { file, position }, reply);
                }
            },
            Err(refusal) => reply.send(Err(self.refused(channel, refusal))),
        }
    }

    fn close(&mut self, close: &Close) -> Result<(), Errno> {
        self.reasons.remove(&close.channel);
        let closed = self.open.descriptors.borrow_mut().close(close.fd);
        let file = closed.map_err(|refusal| self.refused(close.channel, refusal))?;
        self.open.drop_file(file);
        Ok(())
    }

    fn close_all(&mut self, close: &CloseAll) {
        let files = self.open.descriptors.borrow_mut().close_all(close.channel);
        for file in files {
            self.open.drop_file(file);
        }
    }
}

impl OpenFiles {
    /// Assigns a descriptor to an opened file, unless the channel has closed all of its files
    /// meanwhile.
    fn opened(
        &self,
        claim: Claim,
        flags: OpenFlags,
        path: Bytes,
        file: Result<File, Errno>,
    ) -> Result<u64, Errno> {
        match file {
            Ok(file) => self
                .descriptors
                .borrow_mut()
                .fill(claim, flags, path, file)
                .map_err(|file| {
                    self.drop_file(file);
                    Errno::EINTR
                }),
            Err(errno) => {
                self.descriptors.borrow_mut().release(claim);
                Err(errno)
            }
        }
    }

    fn drop_file(&self, file: File) {
        match file {
            File::Special(file) => self.foreign.post(CloseSpecial { file }),
            File::Directory(directory) => {
                self.entries.set(self.entries.get() - directory.len());
            }
            File::Disk(_) | File::Lost => {}
        }
    }
}

impl Actor for Files {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Files {
    type Result = ();

    fn handle(&mut self, message: Inbox, _: &mut Self::Context) {
        let context = self.context.clone();
        context.handle(message, |message| match message {
            Inbox::Open(envelope) => self.open(envelope),
            Inbox::Close(envelope) => envelope.reply.send(self.close(&envelope.message)),
            Inbox::Read(envelope) => self.read(envelope),
            Inbox::Write(envelope) => self.write(envelope),
            Inbox::Seek(envelope) => self.seek(envelope),
            Inbox::Explain(envelope) => {
                let Explain { channel } = envelope.message;
                envelope.reply.send(self.reasons.remove(&channel));
            }
            Inbox::CloseAll(envelope) => {
                self.close_all(&envelope.message);
                envelope.reply.send(());
            }
            Inbox::Save(envelope) => envelope.reply.send(self.save()),
            Inbox::Restore(envelope) => {
                let findings = self.restore(envelope.message.files);
                envelope.reply.send(findings);
            }
            posix => self.handle_posix(posix),
        });
    }
}

/// Error of an open whose opener panicked.
fn opener_panicked(path: &Bytes) -> Result<SpecialId, Errno> {
    let path = escaped_name(path);
    tracing::error!("file `{path}` can't be opened: its opener panicked");
    Err(Errno::EIO)
}
