//! Requests to special files.

use super::{Check, Session, Shared, WaitingRequest, ensure};
use crate::effect::{Reply, Special};
use crate::event::FileOp;
use crate::space::Space;

impl Session {
    pub(super) fn count_specials(&mut self, op: &FileOp) {
        match op {
            FileOp::Open(Ok(())) => self.open_specials += 1,
            FileOp::Drop => self.open_specials -= 1,
            _ => {}
        }
    }

    pub(super) fn filed(
        &mut self,
        path: &str,
        op: &FileOp,
        space: &mut Space,
        shared: &mut Shared,
    ) -> Check {
        self.count_specials(op);
        if *op == FileOp::Drop {
            return Ok(());
        }
        self.until(space, shared, |waiting| {
            matches!(waiting, WaitingRequest::Special(..))
        })?;
        if self.loose {
            return Ok(());
        }
        let Some(WaitingRequest::Special(special, outcome)) = &mut self.current else {
            return Err(format!("file `{path}`: {op:?} without a request"));
        };
        match (special, op) {
            (Special::Open(open), FileOp::Open(result)) if open.path == path => {
                outcome.error = result.err();
            }
            (Special::Read(address, most), FileOp::Read(result)) => {
                match result {
                    Err(errno) => outcome.error = Some(*errno),
                    Ok(data) => {
                        let done = outcome.bytes.len() as u64;
                        ensure(done + data.len() as u64 <= *most, || {
                            format!("file `{path}`: more than {most} bytes read")
                        })?;
                        if !data.is_empty() && (data.len() as u64) < *most {
                            shared.coverage.hit("short read");
                        }
                        space.want(*address + done, data);
                        outcome.bytes.extend_from_slice(data);
                        self.writes.push((*address, outcome.bytes.len() as u64));
                    }
                };
            }
            (Special::Write(wanted), FileOp::Write(result)) => match result {
                Err(errno) => outcome.error = Some(*errno),
                Ok(data) => {
                    let done = outcome.bytes.len();
                    let matches = wanted
                        .get(done..)
                        .is_some_and(|rest| rest.starts_with(data));
                    ensure(matches, || {
                        format!("file `{path}`: {data:x?} written at {done} of {wanted:x?}")
                    })?;
                    if data.len() < wanted.len() {
                        shared.coverage.hit("short write");
                    }
                    outcome.bytes.extend_from_slice(data);
                }
            },
            (Special::Seek(wanted), FileOp::Seek(result)) => match result {
                Err(errno) => outcome.error = Some(*errno),
                Ok(position) => {
                    outcome.position = *position;
                    ensure(position == wanted, || {
                        format!("file `{path}`: position {position}, expected {wanted}")
                    })?;
                }
            },
            (special, op) => {
                return Err(format!("file `{path}`: {op:?}, expected {special:?}"));
            }
        }
        Ok(())
    }

    /// Completes a request to a special file.
    pub(super) fn finish_special(&mut self) {
        let Some(WaitingRequest::Special(..)) = &self.current else {
            return;
        };
        let Some(WaitingRequest::Special(special, outcome)) = self.current.take() else {
            return;
        };
        let moved = outcome.bytes.len() as u64;
        // Bytes read before an error may or may not be in memory.
        if outcome.error.is_some() {
            self.uncertain.extend_from_slice(&self.writes);
        }
        let mut replies: Vec<Reply> = outcome.error.map(Reply::Error).into_iter().collect();
        match special {
            Special::Open(open) if replies.is_empty() => replies.push(Reply::Opened(open)),
            Special::Seek(_) if replies.is_empty() => replies.push(Reply::Value(outcome.position)),
            Special::Read(..) | Special::Write(_) if replies.is_empty() || moved > 0 => {
                replies.push(Reply::Value(moved));
            }
            Special::Close => return,
            Special::CheckedClose => replies.push(Reply::Value(0)),
            _ => {}
        }
        self.answers.push_back(replies);
    }
}
