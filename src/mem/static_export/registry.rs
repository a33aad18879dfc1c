//! Registry of the last system's instances, which outlives the system. The C ABI has one registry,
//! and each thread of a Rust program has one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use thiserror::Error;

use super::{StaticMemDescriptor, StaticMemSink};
use crate::mem::Buffer;
use crate::sim::strand::{self, strand_local};

strand_local! {
    /// Instances of the last system that was started here; `None` before the first. It is replaced
    /// as a whole, so that a flush continues with the instances with which it started.
    static REGISTERED: RefCell<Option<Registered>> = RefCell::new(None);
}

type Registered = Rc<Vec<Instance>>;

/// Instances of one system, in the order in which its memories refer to them.
#[derive(Default)]
pub(crate) struct Instances {
    all: Rc<Vec<Instance>>,
    places: HashMap<StaticMemDescriptor, usize>,
}

#[derive(Clone)]
struct Instance {
    descriptor: StaticMemDescriptor,
    buffer: Buffer,
}

impl Instances {
    /// Returns the buffer of an array of `depth` words of `width` bytes, shared by all memories
    /// that refer to it. `None` if it can't be allocated.
    pub(crate) fn buffer(&mut self, path: &str, width: u64, depth: u64) -> Option<Buffer> {
        let descriptor = StaticMemDescriptor {
            path: path.to_owned(),
            width: usize::try_from(width).ok()?,
            depth: usize::try_from(depth).ok()?,
        };
        if let Some(known) = self.places.get(&descriptor) {
            return self.all.get(*known).map(|instance| instance.buffer.clone());
        }
        let buffer = Buffer::new(width.checked_mul(depth)?)?;
        self.places.insert(descriptor.clone(), self.all.len());
        Rc::make_mut(&mut self.all).push(Instance {
            descriptor,
            buffer: buffer.clone(),
        });
        Some(buffer)
    }

    /// Registers the instances in place of those of the previous system.
    pub(crate) fn register(&self) {
        replace(Some(self.all.clone()));
    }
}

/// Passes each instance of the last system to `sink`, in the order in which its memories refer to
/// them, banks row by row, including instances that were never written.
///
/// The system is the last one of this thread. In a thread that has started none, and inside a call
/// of the C ABI, it is the system of the C ABI.
///
/// # Errors
/// - The first error of the sink, unchanged. Later instances are not passed on.
/// - The thread is ending and its memories are gone. Flush before `exit`.
/// - Another thread is inside a call of the C ABI.
/// - There is not enough memory for a copy of an instance.
pub fn flush_static_mems(sink: &mut dyn StaticMemSink) -> Result<(), String> {
    if let Some(own) = registered().map_err(|error| error.to_string())? {
        return flush(&own, sink);
    }
    let _entered = strand::enter().map_err(|overlap| overlap.to_string())?;
    match registered().map_err(|error| error.to_string())? {
        Some(registered) => flush(&registered, sink),
        None => Ok(()),
    }
}

fn flush(registered: &[Instance], sink: &mut dyn StaticMemSink) -> Result<(), String> {
    for Instance { descriptor, buffer } in registered {
        let no_room = || FlushError::NoRoom {
            path: descriptor.path.clone(),
            size: buffer.len(),
        };
        let data = buffer.copy().ok_or_else(|| no_room().to_string())?;
        sink.write_static_mem(descriptor, &data, &buffer.written())?;
    }
    Ok(())
}

/// Unregisters the instances, and frees the memory of a system that has ended. Until the next
/// system is started, [`flush_static_mems`] passes on nothing. A running system keeps its memories
/// and their content.
pub fn clear_static_mems() {
    if replace(None) {
        return;
    }
    // If another thread is inside a call, its running system keeps its memories anyway.
    if let Ok(_entered) = strand::enter() {
        replace(None);
    }
}

fn registered() -> Result<Option<Registered>, FlushError> {
    REGISTERED
        .with(|registered| registered.borrow().clone())
        .ok_or(FlushError::Gone)
}

/// Replaces the registered instances. Returns true if there were any.
fn replace(instances: Option<Registered>) -> bool {
    // The previous instances are dropped after the end of the borrow. A thread that is ending has
    // no registry.
    let before = REGISTERED.with(|registered| registered.replace(instances));
    before.flatten().is_some()
}

/// Error of passing on the instances.
#[derive(Debug, Error)]
enum FlushError {
    #[error("the static memories no longer exist: their thread is ending; flush them before")]
    Gone,
    #[error("static memory `{path}`: no memory for a copy of its {size} bytes")]
    NoRoom { path: String, size: usize },
}
