//! The files of firmware: descriptors over a sandboxed directory, and over files that the host
//! program opens.
//!
//! A path whose name is registered below `virtual/`, or whose extension is, goes to the host program;
//! every other one to the root directory. Where there is no root, those are refused with `EACCES`.

mod announced;
mod descriptors;
mod disk;
mod path;
mod root;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, Context, Handler};
use mailbox_rs::{Errno, OpenFlags};

use self::announced::Announced;
use self::descriptors::{Claim, Descriptors, File};
use crate::bus::{Desk, Envelope, Port};
use crate::messages::files::{Close, CloseAll, Inbox, Open, READ_MAX, Read, Seek, Write};
use crate::messages::foreign::{
    self, CloseSpecial, OpenSpecial, ReadSpecial, SeekSpecial, SpecialId, WriteSpecial,
};

pub(crate) use self::disk::{Disk, DiskFile};
pub(crate) use self::path::SpecialNames;
pub(crate) use self::root::Root;

/// Serves the descriptors of all channels.
pub(crate) struct Files {
    desk: Desk,
    disk: Option<Announced>,
    special: SpecialNames,
    open: Rc<OpenFiles>,
}

/// The open files. Apart from the actor, since the host program's answer to an open is handled when it is given.
struct OpenFiles {
    descriptors: RefCell<Descriptors>,
    foreign: Port<foreign::Inbox>,
}

impl Files {
    /// Serves the files of `disk`, and asks `foreign` for those that are `special`.
    pub(crate) fn new(
        desk: Desk,
        foreign: &Port<foreign::Inbox>,
        disk: Option<Box<dyn Disk>>,
        special: SpecialNames,
    ) -> Self {
        let disk = disk.map(|disk| Announced::new(disk, desk.clone()));
        let open = OpenFiles {
            descriptors: RefCell::default(),
            foreign: foreign.sent_by(desk.party()),
        };
        Self {
            desk,
            disk,
            special,
            open: Rc::new(open),
        }
    }

    fn open(&mut self, mail: Envelope<Open>) {
        let Envelope { message, reply } = mail;
        let flags = message.flags.known();
        let checked = path::check(&message.path, flags).and_then(|path| {
            let opener = self.special.opener(path)?;
            // Before the file is opened, which may create or empty it.
            let claim = self.open.descriptors.borrow_mut().claim(message.channel)?;
            Ok((path, opener, claim))
        });
        match checked {
            Err(errno) => reply.send(Err(errno)),
            Ok((path, None, claim)) => {
                let file = match &mut self.disk {
                    Some(disk) => disk.open(path, flags).map(File::Disk),
                    None => Err(Errno::EACCES),
                };
                reply.send(self.open.opened(claim, flags, file));
            }
            Ok((path, Some(opener), claim)) => {
                let path = path.to_owned();
                let ask = OpenSpecial {
                    opener,
                    path,
                    flags,
                };
                let open = self.open.clone();
                self.open.foreign.ask_then(ask, move |opened| {
                    let file = opened.unwrap_or_else(given_up).map(File::Special);
                    reply.send(open.opened(claim, flags, file));
                });
            }
        }
    }

    fn read(&mut self, Envelope { message, reply }: Envelope<Read>) {
        let len = message.len.min(READ_MAX);
        match self.open.descriptors.borrow_mut().readable(message.fd) {
            Ok(File::Disk(file)) => reply.send(file.read(len)),
            Ok(&mut File::Special(file)) => {
                self.open.foreign.forward(ReadSpecial { file, len }, reply);
            }
            Err(errno) => reply.send(Err(errno)),
        }
    }

    fn write(&mut self, Envelope { message, reply }: Envelope<Write>) {
        let data = message.data;
        match self.open.descriptors.borrow_mut().writable(message.fd) {
            Ok(File::Disk(file)) => reply.send(file.write(&data)),
            Ok(&mut File::Special(file)) => {
                self.open
                    .foreign
                    .forward(WriteSpecial { file, data }, reply);
            }
            Err(errno) => reply.send(Err(errno)),
        }
    }

    fn seek(&mut self, Envelope { message, reply }: Envelope<Seek>) {
        let position = message.position;
        match self.open.descriptors.borrow_mut().file(message.fd) {
            // Positions are signed to the operating system.
            Ok(_) if i64::try_from(position).is_err() => reply.send(Err(Errno::EINVAL)),
            Ok(File::Disk(file)) => reply.send(file.seek(position)),
            Ok(&mut File::Special(file)) => {
                self.open
                    .foreign
                    .forward(SeekSpecial { file, position }, reply);
            }
            Err(errno) => reply.send(Err(errno)),
        }
    }
}

impl OpenFiles {
    /// Gives the file its descriptor, unless the channel closed all of them meanwhile.
    fn opened(
        &self,
        claim: Claim,
        flags: OpenFlags,
        file: Result<File, Errno>,
    ) -> Result<u64, Errno> {
        match file {
            Ok(file) => self
                .descriptors
                .borrow_mut()
                .fill(claim, flags, file)
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

    fn close(&self, close: &Close) -> Result<(), Errno> {
        let file = self.descriptors.borrow_mut().close(close.fd)?;
        self.drop_file(file);
        Ok(())
    }

    fn close_all(&self, close: &CloseAll) {
        let files = self.descriptors.borrow_mut().close_all(close.channel);
        for file in files {
            self.drop_file(file);
        }
    }

    fn drop_file(&self, file: File) {
        if let File::Special(file) = file {
            self.foreign.post(CloseSpecial { file });
        }
    }
}

impl Actor for Files {
    type Context = Context<Self>;
}

impl Handler<Inbox> for Files {
    type Result = ();

    fn handle(&mut self, mail: Inbox, _: &mut Self::Context) {
        let desk = self.desk.clone();
        desk.open(mail, |mail| match mail {
            Inbox::Open(mail) => self.open(mail),
            Inbox::Close(mail) => mail.reply.send(self.open.close(&mail.message)),
            Inbox::Read(mail) => self.read(mail),
            Inbox::Write(mail) => self.write(mail),
            Inbox::Seek(mail) => self.seek(mail),
            Inbox::CloseAll(mail) => {
                self.open.close_all(&mail.message);
                mail.reply.send(());
            }
        });
    }
}

/// Error of a file whose opener gave no answer.
fn given_up() -> Result<SpecialId, Errno> {
    tracing::error!("a file could not be opened: its opener panicked");
    Err(Errno::EIO)
}
