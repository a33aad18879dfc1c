//! Requests to special files.

use super::{Check, Session, Shared, WaitingRequest, ensure};
use crate::effect::{Response, Special};
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

    pub(super) fn check_file_operation(
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
        self.take_until(space, shared, |waiting| {
            matches!(waiting, WaitingRequest::Special(..))
        })?;
        if self.is_relaxed {
            return Ok(());
        }
        let Some(WaitingRequest::Special(special, outcome)) = &mut self.current else {
            return Err(format!("file `{path}`: {op:?} without a request"));
        };
        match (special, op) {
            (Special::Open(open), FileOp::Open(result)) if open.path == path => {
                outcome.error = result.err();
            }
            (Special::Read(address, max), FileOp::Read(result)) => {
                match result {
                    Err(errno) => outcome.error = Some(*errno),
                    Ok(data) => {
                        let done = outcome.bytes.len() as u64;
                        ensure(done + data.len() as u64 <= *max, || {
                            format!("file `{path}`: more than {max} bytes read")
                        })?;
                        if !data.is_empty() && (data.len() as u64) < *max {
                            shared.coverage.hit("short read");
                        }
                        space.set_expected(*address + done, data);
                        outcome.bytes.extend_from_slice(data);
                        self.writes.push((*address, outcome.bytes.len() as u64));
                    }
                };
            }
            (Special::Write(expected), FileOp::Write(result)) => match result {
                Err(errno) => outcome.error = Some(*errno),
                Ok(data) => {
                    let done = outcome.bytes.len();
                    let matches = expected
                        .get(done..)
                        .is_some_and(|rest| rest.starts_with(data));
                    ensure(matches, || {
                        format!("file `{path}`: {data:x?} written at {done} of {expected:x?}")
                    })?;
                    if data.len() < expected.len() {
                        shared.coverage.hit("short write");
                    }
                    outcome.bytes.extend_from_slice(data);
                }
            },
            (Special::Seek(expected), FileOp::Seek(result)) => match result {
                Err(errno) => outcome.error = Some(*errno),
                Ok(position) => {
                    outcome.position = *position;
                    ensure(position == expected, || {
                        format!("file `{path}`: position {position}, expected {expected}")
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
        let mut responses: Vec<Response> = outcome.error.map(Response::Error).into_iter().collect();
        match special {
            Special::Open(open) if responses.is_empty() => responses.push(Response::Opened(open)),
            Special::Seek(_) if responses.is_empty() => {
                responses.push(Response::Value(outcome.position))
            }
            Special::Read(..) | Special::Write(_) if responses.is_empty() || moved > 0 => {
                responses.push(Response::Value(moved));
            }
            Special::Close => return,
            Special::CheckedClose => responses.push(Response::Value(0)),
            _ => {}
        }
        self.expected_responses.push_back(responses);
    }
}
