//! The instances of the last system, beyond its life: one registry for the C ABI, and one for each thread of a Rust program.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use thiserror::Error;

use super::{StaticMemDescriptor, StaticMemSink};
use crate::mem::Buffer;
use crate::sim::strand::{self, strand_local};

strand_local! {
    /// Instances of the last system that was started here; none where no system was. Replaced as a whole, so that a flush
    /// goes on with those that it began with.
    static REGISTERED: RefCell<Option<Registered>> = RefCell::new(None);
}

type Registered = Rc<Vec<Instance>>;

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

    /// Registers them in place of those of the system before.
    pub(crate) fn register(&self) {
        replace(Some(self.all.clone()));
    }
}

/// Hands each instance of the last system to `sink`, in the order in which its memories name them, banks row by row; also
/// one that was never written.
///
/// That is the last system of this thread; where the thread has started none, and inside a call of the C ABI, it is the
/// system of the C ABI.
///
/// # Errors
/// The first error of the sink, as it is; the instances after that one are not handed out. A thread that is so far in its end
/// that its memories are gone: flush before `exit`. A call of another thread that is inside the C ABI.
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

/// Forgets the instances that [`flush_static_mems`] would hand out: a flush hands out nothing until the next system is started,
/// and the memory of a system that has ended is freed. A system that runs keeps its memories and their content.
pub fn clear_static_mems() {
    if replace(None) {
        return;
    }
    // Where another thread is inside, its system runs, and keeps its memories anyway.
    if let Ok(_entered) = strand::enter() {
        replace(None);
    }
}

fn registered() -> Result<Option<Registered>, FlushError> {
    REGISTERED
        .with(|registered| registered.borrow().clone())
        .ok_or(FlushError::Gone)
}

/// True if there were instances before.
fn replace(instances: Option<Registered>) -> bool {
    // The instances before are dropped when nothing is borrowed any more. A thread that ends has nothing to keep.
    let before = REGISTERED.with(|registered| registered.replace(instances));
    before.flatten().is_some()
}

/// Why an instance can't be handed out.
#[derive(Debug, Error)]
enum FlushError {
    #[error("the static memories are gone: their thread is ending; flush them before that")]
    Gone,
    #[error("static memory `{path}`: no room for a copy of its {size} bytes")]
    NoRoom { path: String, size: usize },
}
