//! The instances of this thread's system, beyond its life.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use thiserror::Error;

use super::{StaticMemDescriptor, StaticMemSink};
use crate::mem::Buffer;

thread_local! {
    /// What is flushed. Replaced as a whole, so that a flush goes on with what it began with.
    static REGISTERED: RefCell<Rc<Vec<Instance>>> = RefCell::default();
}

/// The instances of one system, in the order in which its memories name them.
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
    /// The buffer of an array of `depth` words of `width` bytes, the same for everybody who names it; `None` where there is
    /// no room for it.
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

    /// Makes them those of this thread, in place of those that it had.
    pub(crate) fn register(&self) {
        replace(self.all.clone());
    }
}

/// Hands each instance of this thread's last system to `sink`, in the order in which its memories name them, banks row by
/// row; also one that was never written.
///
/// # Errors
/// The first error of the sink, as it is; the instances after that one are not handed out. And where the thread is so far
/// in its end that its memories are gone: flush before `exit`.
pub fn flush_static_mems(sink: &mut dyn StaticMemSink) -> Result<(), String> {
    let registered = REGISTERED.try_with(|registered| registered.borrow().clone());
    let registered = registered.map_err(|_| FlushError::Gone.to_string())?;
    for Instance { descriptor, buffer } in registered.iter() {
        let no_room = || FlushError::NoRoom {
            path: descriptor.path.clone(),
            size: buffer.len(),
        };
        let data = buffer.copy().ok_or_else(|| no_room().to_string())?;
        sink.write_static_mem(descriptor, &data, &buffer.written())?;
    }
    Ok(())
}

/// Forgets the instances of this thread: a flush hands out nothing until the next system is started, and what a system
/// that is gone held is freed. A system that runs keeps its memories with all that is in them.
pub fn clear_static_mems() {
    replace(Rc::default());
}

fn replace(instances: Rc<Vec<Instance>>) {
    // What was there is dropped when nothing is borrowed any more. A thread that ends has nothing to keep.
    let _before = REGISTERED.try_with(|registered| registered.replace(instances));
}

/// Why an instance can't be handed out.
#[derive(Debug, Error)]
enum FlushError {
    #[error("the static memories are gone: their thread is ending; flush them before that")]
    Gone,
    #[error("static memory `{path}`: no room for a copy of its {size} bytes")]
    NoRoom { path: String, size: usize },
}
