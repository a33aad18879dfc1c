//! Stand-in for Python in a build without the feature `python`.

use std::collections::HashMap;
use std::rc::Rc;

use mailbox_rs::PtrWidth;

use super::Callbacks;
use crate::messages::rpc::{CallError, Progress};

/// Python without methods.
#[derive(Debug)]
pub(crate) struct Python;

impl Python {
    pub(crate) fn new(_: HashMap<String, PtrWidth>, _: Rc<Callbacks>) -> Self {
        Self
    }

    pub(super) fn call(&self, _: &str, _: &str, _: &[u64]) -> Result<Progress, CallError> {
        Ok(Progress::Absent)
    }

    pub(super) fn tick(&self) {}

    pub(super) fn cancel(&self, _: &str) {}

    pub(super) fn on_tasks(&self, _: Box<dyn Fn(bool)>) {}
}
