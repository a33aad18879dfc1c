//! One memory of this process.

use super::Instances;
use crate::mem::{Buffer, Geometry, Shape};

/// The bytes of a memory in the buffers of its HDL instances.
pub(crate) struct StaticMem {
    /// How an access spreads over the buffers.
    geometry: Geometry,
    /// One for each HDL instance.
    buffers: Vec<Buffer>,
}

impl StaticMem {
    /// A memory of this shape, each row of its arrays an instance of its own; `None` where there is no room for it, or it is a black
    /// box.
    pub(crate) fn new(shape: &Shape, instances: &mut Instances) -> Option<Self> {
        let shape = shape.by_rows();
        let geometry = Geometry::of(&shape)?;
        let (width, depth) = (geometry.width(), geometry.depth());
        let buffer = |path| instances.buffer(path, width, depth);
        let buffers = shape.instances().map(buffer).collect::<Option<_>>()?;
        Some(Self { geometry, buffers })
    }

    /// The buffers, in the order of the instances.
    pub(crate) fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// Reads bytes; false where some are past the end.
    #[must_use = "an access past the end is not carried out as a whole"]
    pub(crate) fn read(&self, offset: u64, to: &mut [u8]) -> bool {
        let mut runs = self.geometry.runs(offset, to.len() as u64);
        runs.all(|run| {
            let buffer = index(run.instance).and_then(|at| self.buffers.get(at));
            buffer.is_some_and(|buffer| buffer.read_run(&run, to))
        })
    }

    /// Writes bytes; false where some are past the end.
    #[must_use = "an access past the end is not carried out as a whole"]
    pub(crate) fn write(&self, offset: u64, data: &[u8]) -> bool {
        let mut runs = self.geometry.runs(offset, data.len() as u64);
        runs.all(|run| {
            let buffer = index(run.instance).and_then(|at| self.buffers.get(at));
            buffer.is_some_and(|buffer| buffer.write_run(&run, data))
        })
    }
}

fn index(instance: u64) -> Option<usize> {
    usize::try_from(instance).ok()
}
