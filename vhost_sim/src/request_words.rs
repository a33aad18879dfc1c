//! Requests of a scenario as words of an entry, with their strings.

use crate::scenario::{Arg, Channel, Pointer, Posix, Request, Text, Value};
use crate::wire::{action, file};

/// Words of an entry, and the writes that precede it.
pub struct Words {
    /// Kind of request.
    pub action: u32,
    /// Number of valid arguments.
    pub words: u32,
    /// Arguments to write.
    pub args: Vec<u64>,
    /// Writes of strings: address and bytes.
    pub stores: Vec<(u64, Vec<u8>)>,
}

/// Allocator of strings in the scratch area.
struct Scratch<'a> {
    channel: &'a Channel,
    next: u64,
    stores: Vec<(u64, Vec<u8>)>,
}

impl Scratch<'_> {
    fn put(&mut self, bytes: Vec<u8>) -> u64 {
        let at = self.next;
        self.next += bytes.len() as u64;
        self.stores.push((at, bytes));
        at
    }

    fn text(&mut self, text: &Text) -> u64 {
        match text {
            Text::Some(text) => self.put([text.as_bytes(), &[0]].concat()),
            Text::Unterminated(text) => {
                let address = self.channel.address(Pointer::End(text.len() as i64));
                self.stores.push((address, text.clone().into_bytes()));
                address
            }
            Text::At(pointer) => self.channel.address(*pointer),
        }
    }
}

/// Builds a request. Strings go to the scratch area at an address.
pub fn assemble(request: &Request, channel: &Channel, scratch: u64, fd: u64) -> Words {
    let mut scratch = Scratch {
        channel,
        next: scratch,
        stores: Vec::new(),
    };
    let at = |pointer: &Pointer| channel.address(*pointer);
    let value = |value: &Value| match value {
        Value::Word(word) => *word,
        Value::At(pointer) => at(pointer),
    };
    let (action, args, words) = match request {
        Request::Exit { code } => (action::EXIT, vec![u64::from(*code)], None),
        Request::Print { text, len } => {
            let own = match text {
                Text::Some(text) | Text::Unterminated(text) => text.len() as u64,
                Text::At(_) => 0,
            };
            let address = scratch.text(text);
            (action::PRINT, vec![len.unwrap_or(own), address], None)
        }
        Request::CPrint {
            format,
            args,
            words,
        } => {
            let format = scratch.text(format);
            let file = scratch.text(&Text::Some("main.c".into()));
            let mut all = vec![format, file, 12];
            for arg in args {
                all.push(match arg {
                    Arg::Word(word) => *word,
                    Arg::Text(text) => scratch.text(&Text::Some(text.clone())),
                });
            }
            (action::CPRINT, all, *words)
        }
        Request::MemMove { to, from, len } => (action::MEMMOVE, vec![at(to), at(from), *len], None),
        Request::MemSet { to, byte, len } => (action::MEMSET, vec![at(to), *byte, *len], None),
        Request::MemCmp { one, other, len } => {
            (action::MEMCMP, vec![at(one), at(other), *len], None)
        }
        Request::Call {
            method,
            args,
            words,
        } => {
            let name = scratch.text(method);
            let args = std::iter::once(name)
                .chain(args.iter().map(value))
                .collect();
            (action::CALL, args, *words)
        }
        Request::Custom {
            action,
            id,
            args,
            words,
        } => {
            let args = std::iter::once(*id).chain(args.iter().copied()).collect();
            (*action, args, *words)
        }
        Request::Open { path, flags } => (
            action::FILE,
            vec![file::OPEN, scratch.text(path), *flags],
            None,
        ),
        Request::Close { .. } => (action::FILE, vec![file::CLOSE, fd], None),
        Request::Read { to, len, .. } => (action::FILE, vec![file::READ, fd, at(to), *len], None),
        Request::Write { from, len, .. } => {
            (action::FILE, vec![file::WRITE, fd, at(from), *len], None)
        }
        Request::Seek { position, .. } => (action::FILE, vec![file::SEEK, fd, *position], None),
        Request::Posix(posix) => (action::FILE, operation(posix, &mut scratch, fd), None),
        Request::Raw {
            action,
            words,
            args,
        } => (*action, args.iter().map(value).collect(), Some(*words)),
    };
    Words {
        action,
        words: words.unwrap_or(args.len() as u32),
        args,
        stores: scratch.stores,
    }
}

/// Words of an operation of protocol 0.3.
fn operation(request: &Posix, scratch: &mut Scratch<'_>, fd: u64) -> Vec<u64> {
    let channel = scratch.channel;
    let at = |pointer: &Pointer| channel.address(*pointer);
    // Numbers of 64 bits have two words.
    let halves = |number: u64| [number & 0xffff_ffff, number >> 32];
    match request {
        Posix::Open { path, flags, mode } => {
            vec![file::POSIX_OPEN, scratch.text(path), *flags, *mode]
        }
        Posix::Close { .. } => vec![file::CHECKED_CLOSE, fd],
        Posix::Lseek {
            whence,
            offset,
            result,
            ..
        } => {
            let [low, high] = halves(*offset as u64);
            vec![file::LSEEK, fd, *whence, low, high, at(result)]
        }
        Posix::Fstat { result, .. } => vec![file::FSTAT, fd, at(result)],
        Posix::Stat { path, result } => vec![file::STAT, scratch.text(path), at(result)],
        Posix::Access { path, mode } => vec![file::ACCESS, scratch.text(path), *mode],
        Posix::Unlink { path } => vec![file::UNLINK, scratch.text(path)],
        Posix::Rename { from, to } => vec![file::RENAME, scratch.text(from), scratch.text(to)],
        Posix::Mkdir { path, mode } => vec![file::MKDIR, scratch.text(path), *mode],
        Posix::Rmdir { path } => vec![file::RMDIR, scratch.text(path)],
        Posix::Readdir { to, len, .. } => vec![file::READDIR, fd, at(to), *len],
        Posix::Ftruncate { len, .. } => {
            let [low, high] = halves(*len);
            vec![file::FTRUNCATE, fd, low, high]
        }
        Posix::Fsync { .. } => vec![file::FSYNC, fd],
        Posix::Argv { to, len } => vec![file::ARGV, at(to), *len],
        Posix::Env { to, len } => vec![file::ENV, at(to), *len],
        Posix::Time { to } => vec![file::TIME, at(to)],
        Posix::Random { to, len } => vec![file::RANDOM, at(to), *len],
    }
}
