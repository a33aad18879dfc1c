//! Validation of one memory.

use std::path::PathBuf;

use super::error::{ByFeature, MemoryProblem};
use super::expand::expand;
use super::external_inputs::ConfigEnvironment;
use super::hdl_shape;
use super::name::{NoName, named};
use super::number::Number;
use super::schema::{Method, RawInit, RawMemory};
use crate::mem::{Backend, Init, Memory, Shape};

/// Validates the memory of this name. Only the backend determines if a path is required or
/// forbidden.
pub(super) fn validate(
    name: &str,
    raw: RawMemory,
    outside: &dyn ConfigEnvironment,
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
    names(&raw)?;
    let width = hdl_shape::width_in_bytes(&raw)?;
    let init = init(&raw.init, width, outside)?;
    let shape = hdl_shape::validate(raw, width)?;
    if backend == Backend::Static {
        hdl_shape::few_rows(&shape)?;
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

/// Checks that HDL paths are not empty.
fn names(raw: &RawMemory) -> Result<(), NoName> {
    if let Some(path) = &raw.path {
        named("path", path)?;
    }
    for bank in raw.banks.iter().flatten().flatten() {
        named("banks", bank)?;
    }
    Ok(())
}

fn init(
    raw: &RawInit,
    width: Option<u64>,
    outside: &dyn ConfigEnvironment,
) -> Result<Init, MemoryProblem> {
    let RawInit { method, seed, file } = raw;
    let keys = [
        ("init.seed", seed.is_some(), Method::Random),
        ("init.file", file.is_some(), Method::Hex),
    ];
    if let Some((key, ..)) = keys
        .into_iter()
        .find(|(_, given, of)| *given && of != method)
    {
        return Err(MemoryProblem::OtherMethod { key });
    }
    Ok(match method {
        Method::NoInit => Init::None,
        Method::AllZero => Init::Zero,
        Method::Random => Init::Random {
            seed: seed.map(|seed| seed.0),
        },
        Method::Hex => {
            let file = file.as_ref().ok_or(MemoryProblem::Missing {
                key: "init.file",
                because: "method: hex",
            })?;
            let file = named("init.file", expand(file, "init.file", outside)?)?;
            let file = PathBuf::from(file);
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
