//! Effect of operations of protocol 0.3, and of standard streams.

use super::{Effect, RequestModel, Response, Special, error};
use crate::disk::{APPEND, CREATES, Files, Open, OpenKind, READ};
use crate::environment::{ARGUMENTS, ENVIRONMENT, PERIOD};
use crate::expect::{Expect, record_size};
use crate::wire::errno::{
    EACCES, EBADF, EEXIST, EFAULT, EINVAL, EISDIR, EMFILE, ENOENT, ENOTDIR, ESPIPE,
};
use crate::wire::{MOVE, file, open};

/// Writing bit of an open file's flags.
const WRITE: u64 = 2;
/// Maximum number of bytes of one READDIR.
const MAX_RECORDS: u64 = 64 << 10;
/// Type of a character device in a mode.
const DEVICE: u64 = 2;

fn errors(errors: Vec<i32>) -> Effect {
    Effect::Respond(errors.into_iter().map(Response::Error).collect())
}

fn done(result: Result<(), Vec<i32>>) -> Effect {
    match result {
        Ok(()) => Effect::Respond(vec![Response::Value(0)]),
        Err(all) => errors(all),
    }
}

/// Number in two words.
const fn wide(low: u64, high: u64) -> u64 {
    (low & 0xffff_ffff) | (high & 0xffff_ffff) << 32
}

impl RequestModel<'_> {
    /// Executes an operation of protocol 0.3; `None` for an unknown one.
    pub(super) fn posix(&mut self, args: &[u64]) -> Option<Effect> {
        let [operation, a, b, c, d, ..] = *args else {
            return None;
        };
        Some(match operation {
            file::POSIX_OPEN => self.posix_open(a, b),
            file::CHECKED_CLOSE => self.checked_close(a),
            file::LSEEK => self.lseek(a, b, wide(c, d) as i64, args[5]),
            file::FSTAT => self.fstat(a, b),
            file::STAT => self.stat(a, b),
            file::ACCESS => match self.on_path(a, |files, path| files.tree.find(path).map(drop)) {
                Effect::Respond(mut responses) if b > 7 => {
                    responses.retain(|response| matches!(response, Response::Error(_)));
                    responses.push(Response::Error(EINVAL));
                    Effect::Respond(responses)
                }
                effect => effect,
            },
            file::UNLINK => self.on_path(a, |files, path| files.tree.unlink(path)),
            file::RENAME => self.rename(a, b),
            file::MKDIR => self.on_path(a, |files, path| files.tree.make_directory(path)),
            file::RMDIR => self.on_path(a, |files, path| files.tree.remove_directory(path)),
            file::READDIR => self.read_directory(a, b, c),
            file::FTRUNCATE => self.set_length(a, wide(b, c)),
            file::FSYNC => self.sync(a),
            file::ARGV => self.block(&ARGUMENTS.concat(), a, b),
            file::ENV => self.block(&ENVIRONMENT.concat(), a, b),
            file::TIME => {
                let time = self.tick * PERIOD;
                self.partly(a, 16, Expect::Time(time), 0)
            }
            file::RANDOM => self.random(a, b),
            _ => return None,
        })
    }

    /// Standard stream of a descriptor in this session; EBADF for a closed one.
    pub(super) fn stream(&self, fd: u64) -> Result<Option<usize>, i32> {
        let streams = self.files.streams.get(&self.channel);
        let Some(streams) = streams.filter(|streams| streams.posix && fd < 3) else {
            return Ok(None);
        };
        let stream = fd as usize;
        if streams.closed[stream] {
            Err(EBADF)
        } else {
            Ok(Some(stream))
        }
    }

    /// Reads the standard input, all of which is available.
    pub(super) fn read_stream(&mut self, stream: usize, address: u64, len: u64) -> Effect {
        if stream != 0 {
            return error(EBADF);
        }
        let channel = self.channel;
        let streams = self.files.streams.get(&channel);
        self.unknown_input = streams.is_some_and(|it| it.is_input_unknown);
        let left = streams.map_or(0, |it| it.input.len() as u64);
        let max = if len == 0 { MOVE } else { len };
        let room = self.space.room(address, max.min(left));
        if left > 0 && room == 0 {
            return error(EFAULT);
        }
        self.touch(address, room);
        let input = self.files.streams.get_mut(&channel).map(|it| &mut it.input);
        let data: Vec<u8> =
            input.map_or_else(Vec::new, |input| input.drain(..room as usize).collect());
        self.writes.push((address, room));
        self.space.set_expected(address, &data);
        Effect::Respond(vec![Response::Value(room)])
    }

    /// Writes to the standard output or error.
    pub(super) fn write_stream(&mut self, stream: usize, address: u64, len: u64) -> Effect {
        if stream == 0 {
            let mut responses = vec![Response::Error(EBADF)];
            responses.extend(self.ranges(&[(address, len)]).err().unwrap_or_default());
            return Effect::Respond(responses);
        }
        if let Err(errors) = self.ranges(&[(address, len)]) {
            return Effect::Respond(errors);
        }
        if self.nothing_nowhere(&[(address, len)]) {
            return Effect::Respond(vec![Response::Value(0), Response::Error(EFAULT)]);
        }
        let text = Some(self.space.expected(address, len));
        match stream {
            1 => self.text = text,
            _ => self.error_text = text,
        }
        Effect::Respond(vec![Response::Value(len)])
    }

    /// Closes a standard stream.
    pub(super) fn close_stream(&mut self, stream: usize) {
        if let Some(streams) = self.files.streams.get_mut(&self.channel) {
            streams.closed[stream] = true;
        }
    }

    /// Acts on a path.
    fn on_path(
        &mut self,
        address: u64,
        act: impl FnOnce(&mut Files, &str) -> Result<(), Vec<i32>>,
    ) -> Effect {
        let path = match self.string(address) {
            Ok(path) => path,
            Err(errors) => return Effect::Respond(errors),
        };
        match self.files.below(&path) {
            Ok(path) => done(act(self.files, &path)),
            Err(all) => errors(all),
        }
    }

    fn rename(&mut self, from: u64, to: u64) -> Effect {
        let (from, to) = (self.string(from), self.string(to));
        let (from, to) = match (from, to) {
            (Ok(from), Ok(to)) => (from, to),
            (from, to) => {
                let all = [from.err(), to.err()].into_iter().flatten().flatten();
                let mut all: Vec<Response> = all.collect();
                // The other path may be wrong as well.
                all.extend([ENOENT, EACCES].map(Response::Error));
                return Effect::Respond(all);
            }
        };
        let paths = (self.files.below(&from), self.files.below(&to));
        match paths {
            (Ok(from), Ok(to)) => done(self.files.tree.rename(&from, &to)),
            (from, to) => {
                let mut all: Vec<i32> = [from.as_ref().err(), to.as_ref().err()]
                    .into_iter()
                    .flatten()
                    .flatten()
                    .copied()
                    .collect();
                for path in [from, to].into_iter().flatten() {
                    all.extend(self.files.tree.find(&path).err().unwrap_or_default());
                }
                errors(all)
            }
        }
    }

    fn posix_open(&mut self, path: u64, flags: u64) -> Effect {
        let path = match self.string(path) {
            Ok(path) => path,
            Err(errors) => return Effect::Respond(errors),
        };
        let mut all = Vec::new();
        if flags & 3 == 3 {
            all.push(EINVAL);
        }
        all.extend(self.files.is_full(self.channel).then_some(EMFILE));
        let path = match self.files.below(&path) {
            Ok(path) => path,
            Err(more) => return errors([all, more].concat()),
        };
        let kind = self.opened(&path, flags, all.is_empty());
        let kind = match kind {
            Ok(kind) if all.is_empty() => kind,
            Ok(_) => return errors(all),
            Err(more) => return errors([all, more].concat()),
        };
        let mut own = match flags & 3 {
            0 => READ,
            open::WRITE => WRITE,
            _ => READ | WRITE,
        };
        if own & WRITE != 0 && flags & open::APPEND != 0 {
            own |= APPEND;
        }
        Effect::Respond(vec![Response::Opened(Open {
            by: self.channel,
            flags: own,
            path,
            position: 0,
            kind,
        })])
    }

    /// File or directory of an open. It is created or truncated if `acts` is true.
    fn opened(&mut self, path: &str, flags: u64, acts: bool) -> Result<OpenKind, Vec<i32>> {
        let tree = &mut self.files.tree;
        let has = |flag| flags & flag != 0;
        let is_writing = flags & 3 != 0;
        match tree.find(path) {
            Ok(_) if has(open::CREATE) && has(open::EXCLUSIVE) => Err(vec![EEXIST]),
            Ok(None) if is_writing || has(open::CREATE) => Err(vec![EISDIR]),
            Ok(None) => Ok(OpenKind::Directory(tree.entries(path))),
            Ok(Some(_)) if has(open::DIRECTORY) => Err(vec![ENOTDIR]),
            Ok(Some(number)) => {
                if acts && is_writing && has(open::TRUNCATE) {
                    tree.content(number).resize(0);
                }
                Ok(OpenKind::File(number))
            }
            Err(errors) if !has(open::CREATE) => Err(errors),
            Err(_) if !acts => Ok(OpenKind::Special),
            Err(_) => tree.add(path).map(OpenKind::File),
        }
    }

    fn checked_close(&mut self, fd: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => return error(errno),
            Ok(Some(stream)) => {
                self.close_stream(stream);
                return done(Ok(()));
            }
            Ok(None) => {}
        }
        match self.files.open.remove(&fd) {
            Some(open) if open.is_special() => Effect::Special(Special::CheckedClose),
            Some(_) => done(Ok(())),
            None => error(EBADF),
        }
    }

    fn lseek(&mut self, fd: u64, whence: u64, offset: i64, result: u64) -> Effect {
        let bad_whence = (whence > 2).then_some(EINVAL);
        match self.stream(fd) {
            Err(errno) => return errors([errno].into_iter().chain(bad_whence).collect()),
            Ok(Some(_)) => return errors([ESPIPE].into_iter().chain(bad_whence).collect()),
            Ok(None) => {}
        }
        let Some(open) = self.files.open.get(&fd) else {
            return errors([EBADF].into_iter().chain(bad_whence).collect());
        };
        let (number, position) = (open.kind.clone(), open.position);
        let from = match (whence, number) {
            (0, _) => 0,
            (1, _) => position,
            (2, OpenKind::File(number)) => self.files.tree.content(number).len(),
            _ => return error(EINVAL),
        };
        let to = i128::from(from) + i128::from(offset);
        let Some(to) = u64::try_from(to).ok().filter(|to| *to <= i64::MAX as u64) else {
            return error(EINVAL);
        };
        if !self.space.maps(result, 8) {
            return error(EFAULT);
        }
        if let Some(open) = self.files.open.get_mut(&fd) {
            open.position = to;
        }
        self.put(result, &to.to_le_bytes())
    }

    /// Writes bytes that the model knows. The response is 0.
    fn put(&mut self, address: u64, data: &[u8]) -> Effect {
        self.touch(address, data.len() as u64);
        self.writes.push((address, data.len() as u64));
        self.space.set_expected(address, data);
        done(Ok(()))
    }

    /// Writes bytes that the model knows in part.
    fn partly(&mut self, address: u64, len: u64, kind: Expect, value: u64) -> Effect {
        if !self.space.maps(address, len) {
            return error(EFAULT);
        }
        self.touch(address, len);
        self.partial = Some((address, len, kind));
        Effect::Respond(vec![Response::Value(value)])
    }

    fn fstat(&mut self, fd: u64, result: u64) -> Effect {
        let device = Expect::Status {
            kind: DEVICE,
            size: None,
            links: None,
        };
        let kind = match self.stream(fd) {
            Err(errno) => return error(errno),
            Ok(Some(_)) => device,
            Ok(None) => match self.files.open.get(&fd).map(|open| open.kind.clone()) {
                None => return error(EBADF),
                Some(OpenKind::Special) => device,
                Some(OpenKind::File(number)) => self.file_status(number),
                Some(OpenKind::Directory(_)) => DIRECTORY,
            },
        };
        self.partly(result, 80, kind, 0)
    }

    fn file_status(&mut self, number: u64) -> Expect {
        Expect::Status {
            kind: 8,
            size: Some(self.files.tree.content(number).len()),
            links: Some(self.files.tree.is_named(number).into()),
        }
    }

    fn stat(&mut self, path: u64, result: u64) -> Effect {
        let path = match self.string(path) {
            Ok(path) => path,
            Err(errors) => return Effect::Respond(errors),
        };
        let found = self.files.below(&path);
        let kind = match found.and_then(|path| self.files.tree.find(&path)) {
            Err(all) => return errors(all),
            Ok(Some(number)) => self.file_status(number),
            Ok(None) => DIRECTORY,
        };
        self.partly(result, 80, kind, 0)
    }

    fn read_directory(&mut self, fd: u64, address: u64, len: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => return error(errno),
            Ok(Some(_)) => return error(ENOTDIR),
            Ok(None) => {}
        }
        let Some(open) = self.files.open.get_mut(&fd) else {
            return error(EBADF);
        };
        let OpenKind::Directory(entries) = &open.kind else {
            return error(ENOTDIR);
        };
        let from = usize::try_from(open.position)
            .unwrap_or(usize::MAX)
            .min(entries.len());
        let mut bytes = 0;
        let mut records = Vec::new();
        for (name, is_directory) in &entries[from..] {
            let size = record_size(name);
            if bytes + size > len.min(MAX_RECORDS) {
                break;
            }
            bytes += size;
            records.push((name.clone(), *is_directory));
        }
        if records.is_empty() {
            return if from < entries.len() {
                error(EINVAL)
            } else {
                done(Ok(()))
            };
        }
        open.position += records.len() as u64;
        self.partly(address, bytes, Expect::Records(records), bytes)
    }

    fn set_length(&mut self, fd: u64, len: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => return error(errno),
            Ok(Some(_)) => return error(EINVAL),
            Ok(None) => {}
        }
        match self.files.open.get(&fd) {
            None => errors(vec![EBADF, EINVAL]),
            Some(open) => match open.kind {
                OpenKind::File(number) if open.flags & CREATES != 0 && len <= MOVE => {
                    self.files.tree.content(number).resize(len);
                    done(Ok(()))
                }
                _ => error(EINVAL),
            },
        }
    }

    fn sync(&mut self, fd: u64) -> Effect {
        match self.stream(fd) {
            Err(errno) => error(errno),
            Ok(Some(_)) => done(Ok(())),
            Ok(None) if self.files.open.contains_key(&fd) => done(Ok(())),
            Ok(None) => error(EBADF),
        }
    }

    /// Writes the part of a block for which there is room. The response is the length of the block.
    fn block(&mut self, block: &str, address: u64, len: u64) -> Effect {
        let fits = len.min(block.len() as u64);
        if fits > 0 && !self.space.maps(address, fits) {
            return error(EFAULT);
        }
        let _ = self.put(address, &block.as_bytes()[..fits as usize]);
        let value = Response::Value(block.len() as u64);
        match self.nothing_nowhere(&[(address, fits)]) {
            true => Effect::Respond(vec![value, Response::Error(EFAULT)]),
            false => Effect::Respond(vec![value]),
        }
    }

    fn random(&mut self, address: u64, len: u64) -> Effect {
        if let Err(errors) = self.ranges(&[(address, len)]) {
            return Effect::Respond(errors);
        }
        if self.nothing_nowhere(&[(address, len)]) {
            return Effect::Respond(vec![Response::Value(0), Response::Error(EFAULT)]);
        }
        self.partly(address, len, Expect::Random, len)
    }
}

/// Status of a directory.
const DIRECTORY: Expect = Expect::Status {
    kind: 4,
    size: None,
    links: None,
};
