//! One memory: from its keys as written to the believed form.

use std::path::PathBuf;

use super::error::{ByFeature, MemoryProblem};
use super::expand::expand;
use super::number::Number;
use super::raw::{RawInit, RawMemory};
use super::shape;
use super::surroundings::Surroundings;
use crate::mem::{Backend, Init, Memory, Shape};

/// Believes the memory of this name. The backend alone decides whether it may have a path or must have one.
pub(super) fn believe(
    name: &str,
    raw: RawMemory,
    outside: &dyn Surroundings,
) -> Result<Memory, MemoryProblem> {
    let (Number(base), Number(size)) = (raw.base, raw.size);
    let last = size
        .checked_sub(1)
        .ok_or(MemoryProblem::Zero { key: "size" })?;
    if base.checked_add(last).is_none() {
        return Err(MemoryProblem::Wraps { base, size });
    }
    let backend = raw.backend.unwrap_or(outside.defaults().backend);
    let by_feature = ByFeature(raw.backend.is_none());
    let width = shape::width_in_bytes(&raw)?;
    let init = init(&raw.init, width, outside)?;
    let shape = shape::believe(raw, width)?;
    if backend == Backend::Static {
        shape::few_rows(&shape)?;
    }
    match (backend, &shape) {
        (Backend::Api, Shape::Direct { .. } | Shape::Banked { .. }) => {
            Err(MemoryProblem::PathInApi(by_feature))
        }
        (Backend::Static, Shape::BlackBox) => Err(MemoryProblem::StaticBlackBox(by_feature)),
        _ => Ok(Memory {
            name: name.to_owned(),
            base,
            size,
            shape,
            init,
            backend,
        }),
    }
}

fn init(
    raw: &RawInit,
    width: Option<u64>,
    outside: &dyn Surroundings,
) -> Result<Init, MemoryProblem> {
    Ok(match raw {
        RawInit::NoInit {} => Init::None,
        RawInit::AllZero {} => Init::Zero,
        RawInit::Random { seed } => Init::Random {
            seed: seed.map(|seed| seed.0),
        },
        RawInit::Hex { file } => {
            let file = PathBuf::from(expand(file, "init.file", outside)?);
            let width = width.ok_or(MemoryProblem::Missing {
                key: "width",
                because: "init.file",
            })?;
            if !outside.is_file(&file) {
                return Err(MemoryProblem::NoHexFile { file });
            }
            Init::Hex { file, width }
        }
    })
}
