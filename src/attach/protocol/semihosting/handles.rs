//! Handles of a channel, opened and closed by the results of its operations.

use std::collections::BTreeSet;

use super::operation::name;
use crate::attach::protocol::rules::Breach;

/// Maximum number of handles that a channel has opened.
const MAX_HANDLES: usize = 256;

/// First handle after the three standard streams.
const FIRST: u64 = 3;

/// Open handles; `None` if they are not known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Handles(Option<BTreeSet<u64>>);

impl Handles {
    /// Creates the state in which exactly these handles are open.
    pub(super) fn of(handles: impl IntoIterator<Item = u64>) -> Self {
        Self(Some(
            handles
                .into_iter()
                .take(MAX_HANDLES + FIRST as usize)
                .collect(),
        ))
    }

    /// Checks an operation of a hart with its argument, by its parameters and its result; `None`
    /// for a failed one.
    pub(super) fn served(
        &mut self,
        (hart, argument): (u32, u64),
        operation: u64,
        words: &[u64],
        result: Option<u64>,
        breaches: &mut Vec<Breach>,
    ) {
        if let (0x01, &[_, mode, _]) = (operation, words)
            && mode > 11
        {
            breaches.push(format!(
                "hart {hart}: firmware opens a file at {argument:#x} with mode {mode:#x}, which is none of 0 to 11"
            ));
        }
        let Some(open) = &mut self.0 else {
            return;
        };
        match (operation, words) {
            (0x01, _) => {
                let Some(handle) = result else { return };
                if open.range(FIRST..).count() >= MAX_HANDLES {
                    breaches.push(format!(
                        "hart {hart}: the host gives handle {handle:#x} while 256 are open"
                    ));
                } else if !open.insert(handle) {
                    breaches.push(format!(
                        "hart {hart}: the host gives handle {handle:#x}, which is open"
                    ));
                }
            }
            (0x02 | 0x05 | 0x06 | 0x09 | 0x0a | 0x0c, &[handle, ..]) => {
                let name = name(operation);
                if !open.contains(&handle) {
                    let side = match result {
                        Some(_) => "the host carries it out",
                        None => "firmware has not opened it, or has closed it",
                    };
                    breaches.push(format!(
                        "hart {hart}: {name} at {argument:#x} of handle {handle:#x}, which is not open: {side}"
                    ));
                }
                // A handle is closed even if its file can't be.
                if operation == 0x02 {
                    open.remove(&handle);
                }
            }
            _ => {}
        }
    }
}
