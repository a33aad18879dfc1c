//! Effect of one request: the actions that `docs/protocol.md` requires of the host.

mod posix;

use crate::disk::{CREATES, Files, Open, READ};
use crate::event::Target;
use crate::expect::Expect;
use crate::printf;
use crate::space::Space;
use crate::wire::errno::{EBADF, EFAULT, EINVAL, EISDIR, ESPIPE};
use crate::wire::{ARGS, Entry, Layout, MOVE, STRING, action, file};

/// Required behaviour of the host.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The channel exits with this code.
    Exit(u32),
    /// No response.
    Silent {
        /// True if an error is reported.
        fails: bool,
    },
    /// Response, one of these.
    Respond(Vec<Response>),
    /// Call with its arguments, whose result is the response.
    Call(Target, Vec<u64>),
    /// Operation on a special file of the host program.
    Special(Special),
}

/// Response to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// Success without a value.
    Empty,
    /// Success with a value.
    Value(u64),
    /// Error number, which is also reported.
    Error(i32),
    /// Descriptor of a newly opened file.
    Opened(Open),
}

/// Request to a file of the host program.
#[derive(Debug, Clone, PartialEq)]
pub enum Special {
    /// Opening of the file.
    Open(Open),
    /// Read of at most this number of bytes to an address.
    Read(u64, u64),
    /// Write of these bytes.
    Write(Vec<u8>),
    /// New position.
    Seek(u64),
    /// Closing of the file.
    Close,
    /// Closing of the file, with a response.
    CheckedClose,
}

/// Request to be executed on the expected contents.
pub struct RequestModel<'a> {
    /// Number of the channel.
    pub channel: usize,
    /// Layout of the channel.
    pub layout: &'a Layout,
    /// Memories of the channel.
    pub space: &'a mut Space,
    /// Files of all channels.
    pub files: &'a mut Files,
    /// Text of PRINT and CPRINT.
    pub text: Option<Vec<u8>>,
    /// Text of standard error.
    pub error_text: Option<Vec<u8>>,
    /// True if the text is unknown.
    pub unknown_text: bool,
    /// Ranges that the host writes.
    pub writes: Vec<(u64, u64)>,
    /// Range that the host writes, whose bytes are known in part.
    pub partial: Option<(u64, u64, Expect)>,
    /// Number of the tick.
    pub tick: u64,
    /// Address of the channel.
    pub at: u64,
    /// True if the request moves bytes of the channel itself, so that words of the channel are not
    /// only written by firmware.
    pub touched: bool,
    /// True if the host's reads of the standard input are unknown.
    pub unknown_input: bool,
}

fn error(errno: i32) -> Effect {
    Effect::Respond(vec![Response::Error(errno)])
}

impl RequestModel<'_> {
    /// Executes a request.
    pub fn perform(&mut self, entry: &Entry) -> Effect {
        let [a, b, c, d, ..] = entry.args;
        if entry.action == 0 || ((1..=8).contains(&entry.action) && entry.words == 0) {
            return self.malformed(entry);
        }
        match entry.action {
            action::EXIT => Effect::Exit(a as u32),
            action::PRINT => self.print(b, a),
            action::CPRINT => self.cprint(
                a,
                &entry.args[3..],
                (entry.words as usize).saturating_sub(3),
            ),
            action::MEMMOVE => self.change(&[(a, c), (b, c)], |space| space.expected(b, c)),
            action::MEMSET => self.change(&[(a, c)], |_| vec![b as u8; c as usize]),
            action::MEMCMP => self.compare(a, b, c),
            action::CALL => match self.string(a) {
                Ok(name) => {
                    let counted = (entry.words as usize).clamp(1, ARGS);
                    let name = String::from_utf8_lossy(&name).into_owned();
                    Effect::Call(Target::Method(name), entry.args[1..counted].to_vec())
                }
                Err(errors) => Effect::Respond(errors),
            },
            action::FILE => match a {
                file::OPEN => self.open(b, c),
                file::CLOSE => self.close(b),
                file::READ => self.read(b, c, d),
                file::WRITE => self.write(b, c, d),
                file::SEEK => self.seek(b, c),
                _ if self.is_posix() => {
                    let effect = self.posix(&entry.args);
                    effect.unwrap_or_else(|| self.malformed(entry))
                }
                _ => self.malformed(entry),
            },
            _ => Effect::Call(Target::Command(a), entry.args[1..].to_vec()),
        }
    }

    /// True in a session of protocol 0.3.
    fn is_posix(&self) -> bool {
        self.files
            .streams
            .get(&self.channel)
            .is_some_and(|streams| streams.posix)
    }

    fn malformed(&self, entry: &Entry) -> Effect {
        if entry.responds() {
            error(EINVAL)
        } else {
            Effect::Silent { fails: true }
        }
    }

    /// Records a moved range.
    fn touch(&mut self, address: u64, len: u64) {
        let (at, size) = (self.at, self.layout.size);
        self.touched |= len > 0 && address < at + size && at < address.saturating_add(len);
    }

    /// Checks the ranges that a request moves.
    fn ranges(&mut self, ranges: &[(u64, u64)]) -> Result<(), Vec<Response>> {
        let len = ranges.first().map_or(0, |range| range.1);
        let mapped = ranges
            .iter()
            .all(|(address, len)| self.space.maps(*address, *len));
        if len > MOVE {
            return Err(vec![Response::Error(EFAULT), Response::Error(EINVAL)]);
        }
        if !mapped {
            return Err(vec![Response::Error(EFAULT)]);
        }
        ranges
            .iter()
            .for_each(|(address, len)| self.touch(*address, *len));
        Ok(())
    }

    /// True if one of the ranges is empty and at an unmapped address. It is not specified if that
    /// is an error.
    fn nothing_nowhere(&self, ranges: &[(u64, u64)]) -> bool {
        let nowhere = |(address, len): &(u64, u64)| *len == 0 && !self.space.maps(*address, 1);
        ranges.iter().any(nowhere)
    }

    fn change(&mut self, ranges: &[(u64, u64)], data: impl FnOnce(&Space) -> Vec<u8>) -> Effect {
        if let Err(errors) = self.ranges(ranges) {
            return Effect::Respond(errors);
        }
        if self.nothing_nowhere(ranges) {
            return Effect::Respond(vec![Response::Empty, Response::Error(EFAULT)]);
        }
        let data = data(self.space);
        self.writes.push(ranges[0]);
        self.space.set_expected(ranges[0].0, &data);
        Effect::Respond(vec![Response::Empty])
    }

    fn compare(&mut self, one: u64, other: u64, len: u64) -> Effect {
        let ranges = [(one, len), (other, len)];
        if let Err(errors) = self.ranges(&ranges) {
            return Effect::Respond(errors);
        }
        if self.nothing_nowhere(&ranges) {
            return Effect::Respond(vec![Response::Value(0), Response::Error(EFAULT)]);
        }
        let (one, other) = (
            self.space.expected(one, len),
            self.space.expected(other, len),
        );
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        let difference = differs.map_or(0, |(one, other)| i64::from(*one) - i64::from(*other));
        Effect::Respond(vec![Response::Value(difference as u64)])
    }

    fn print(&mut self, address: u64, len: u64) -> Effect {
        if let Err(errors) = self.ranges(&[(address, len)]) {
            return Effect::Respond(errors);
        }
        if self.nothing_nowhere(&[(address, len)]) {
            return Effect::Respond(vec![Response::Empty, Response::Error(EFAULT)]);
        }
        self.text = Some(self.space.expected(address, len));
        Effect::Respond(vec![Response::Empty])
    }

    fn cprint(&mut self, format: u64, words: &[u64], counted: usize) -> Effect {
        let Ok(format) = self.string(format) else {
            return Effect::Silent { fails: true };
        };
        match printf::render(&format, words, counted, self.layout.pointer, self.space) {
            Some((text, met)) => {
                self.text = Some(text);
                Effect::Silent { fails: !met }
            }
            None => {
                self.unknown_text = true;
                Effect::Silent { fails: false }
            }
        }
    }

    /// Bytes of a string, or the permitted errors.
    fn string(&mut self, address: u64) -> Result<Vec<u8>, Vec<Response>> {
        let room = self.space.room(address, STRING);
        self.touch(address, room);
        let bytes = self.space.expected(address, room);
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            return Ok(bytes[..end].to_vec());
        }
        Err(match room {
            0 => vec![Response::Error(EFAULT)],
            STRING => vec![Response::Error(EINVAL)],
            _ => vec![Response::Error(EFAULT), Response::Error(EINVAL)],
        })
    }

    fn open(&mut self, path: u64, flags: u64) -> Effect {
        let path = match self.string(path) {
            Ok(path) => path,
            Err(errors) => return Effect::Respond(errors),
        };
        match self.files.opened(self.channel, &path, flags) {
            Ok(open) if open.is_special() => Effect::Special(Special::Open(open)),
            Ok(open) => Effect::Respond(vec![Response::Opened(open)]),
            Err(errors) => Effect::Respond(errors.into_iter().map(Response::Error).collect()),
        }
    }

    fn close(&mut self, fd: u64) -> Effect {
        match self.stream(fd) {
            Err(_) => return Effect::Silent { fails: true },
            Ok(Some(stream)) => {
                self.close_stream(stream);
                return Effect::Silent { fails: false };
            }
            Ok(None) => {}
        }
        match self.files.open.remove(&fd) {
            Some(open) if open.is_special() => Effect::Special(Special::Close),
            Some(_) => Effect::Silent { fails: false },
            None => Effect::Silent { fails: true },
        }
    }

    fn read(&mut self, fd: u64, address: u64, len: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => return error(errno),
            Ok(Some(stream)) => return self.read_stream(stream, address, len),
            Ok(None) => {}
        }
        let max = if len == 0 { MOVE } else { len.min(MOVE) };
        let room = self.space.room(address, max.min(1 << 20));
        let special = match self.files.file(fd, READ) {
            Ok(open) if open.is_directory() && room == 0 => {
                return Effect::Respond(vec![Response::Error(EISDIR), Response::Error(EFAULT)]);
            }
            Ok(open) if open.is_directory() => return error(EISDIR),
            Ok(open) => open.is_special(),
            Err(_) if room == 0 => {
                return Effect::Respond(vec![Response::Error(EBADF), Response::Error(EFAULT)]);
            }
            Err(errno) => return error(errno),
        };
        if room == 0 {
            return error(EFAULT);
        }
        self.touch(address, room);
        if special {
            return Effect::Special(Special::Read(address, room));
        }
        let data = self.files.read(fd, room);
        self.writes.push((address, data.len() as u64));
        self.space.set_expected(address, &data);
        Effect::Respond(vec![Response::Value(data.len() as u64)])
    }

    fn write(&mut self, fd: u64, address: u64, len: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => {
                let mut errors = vec![Response::Error(errno)];
                errors.extend(self.ranges(&[(address, len)]).err().unwrap_or_default());
                return Effect::Respond(errors);
            }
            Ok(Some(stream)) => return self.write_stream(stream, address, len),
            Ok(None) => {}
        }
        let mut errors = self.ranges(&[(address, len)]).err().unwrap_or_default();
        let special = match self.files.file(fd, CREATES) {
            Ok(open) => open.is_special(),
            Err(errno) => {
                errors.push(Response::Error(errno));
                if self.nothing_nowhere(&[(address, len)]) {
                    errors.push(Response::Error(EFAULT));
                }
                return Effect::Respond(errors);
            }
        };
        if !errors.is_empty() {
            return Effect::Respond(errors);
        }
        if self.nothing_nowhere(&[(address, len)]) {
            return Effect::Respond(vec![Response::Value(0), Response::Error(EFAULT)]);
        }
        let data = self.space.expected(address, len);
        if special {
            return Effect::Special(Special::Write(data));
        }
        self.files.write(fd, &data);
        Effect::Respond(vec![Response::Value(len)])
    }

    fn seek(&mut self, fd: u64, position: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => {
                return Effect::Respond(vec![Response::Error(errno), Response::Error(EINVAL)]);
            }
            Ok(Some(_)) => {
                return Effect::Respond(vec![Response::Error(ESPIPE), Response::Error(EINVAL)]);
            }
            Ok(None) => {}
        }
        let error_like = self.layout.narrow((-4095_i64) as u64);
        let impossible = position > i64::MAX as u64 || self.layout.narrow(position) >= error_like;
        match self.files.file(fd, READ | CREATES) {
            Err(errno) if impossible => {
                Effect::Respond(vec![Response::Error(errno), Response::Error(EINVAL)])
            }
            Err(errno) => error(errno),
            Ok(_) if impossible => error(EINVAL),
            Ok(open) if open.is_special() => Effect::Special(Special::Seek(position)),
            Ok(open) => {
                open.position = position;
                Effect::Respond(vec![Response::Value(position)])
            }
        }
    }
}
