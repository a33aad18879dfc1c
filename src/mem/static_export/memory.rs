//! Memory in this process.

use super::Instances;
use crate::mem::{Buffer, Geometry, Shape};

/// Bytes of a memory, in the buffers of its HDL instances.
pub(crate) struct StaticMem {
    /// Distribution of an access over the buffers.
    geometry: Geometry,
    /// One buffer for each HDL instance. A single buffer has the bytes in the order of their
    /// addresses.
    buffers: Vec<Buffer>,
}

impl StaticMem {
    /// Creates a memory of this shape, with an instance for each row of its arrays. `None` for a
    /// black box, or if a buffer can't be allocated.
    pub(crate) fn new(shape: &Shape, instances: &mut Instances) -> Option<Self> {
        let shape = shape.by_rows();
        let geometry = Geometry::of(&shape)?;
        let (width, depth) = (geometry.width(), geometry.depth());
        let buffer = |path| instances.buffer(path, width, depth);
        let buffers = shape.instances().map(buffer).collect::<Option<_>>()?;
        Some(Self { geometry, buffers })
    }

    /// Buffers, in the order of the instances.
    pub(crate) fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// Reads bytes. Returns false if some are past the end.
    #[must_use = "an access past the end is not carried out as a whole"]
    pub(crate) fn read(&self, offset: u64, to: &mut [u8]) -> bool {
        if let ([only], Some(offset)) = (&self.buffers[..], index(offset)) {
            return only.read(offset, to);
        }
        let mut runs = self.geometry.runs(offset, to.len() as u64);
        runs.all(|run| {
            let buffer = index(run.instance).and_then(|at| self.buffers.get(at));
            buffer.is_some_and(|buffer| buffer.read_run(&run, to))
        })
    }

    /// Writes bytes. Returns false if some are past the end.
    #[must_use = "an access past the end is not carried out as a whole"]
    pub(crate) fn write(&self, offset: u64, data: &[u8]) -> bool {
        if let ([only], Some(offset)) = (&self.buffers[..], index(offset)) {
            return only.write(offset, data);
        }
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
