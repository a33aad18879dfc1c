//! Memory maps of black boxes.

use std::rc::Rc;

use crate::mem::{
    Backend, Init, Memory, MemoryId, MemoryMap, PartialOverlap, Shape, Space, SpaceId,
};

/// The only space of [`map`].
pub(crate) const SPACE: SpaceId = SpaceId(0);

/// A black box without an initial content.
pub(crate) fn black_box(name: &str, base: u64, size: u64, backend: Backend) -> Memory {
    Memory {
        name: name.to_owned(),
        base,
        size,
        shape: Shape::BlackBox,
        init: Init::None,
        backend,
    }
}

/// A map with one space, `space`, of all these memories. Their ids are in this order.
///
/// # Errors
/// Fails if two memories partially overlap.
pub(crate) fn map_of(memories: Vec<Memory>) -> Result<MemoryMap, PartialOverlap> {
    let ids: Vec<_> = (0..).map(MemoryId).take(memories.len()).collect();
    let spaces = vec![Space::new("space".to_owned(), &ids, &memories)?];
    Ok(MemoryMap { memories, spaces })
}

/// A map of black boxes given by name, base, size and backend.
pub(crate) fn map(memories: &[(&str, u64, u64, Backend)]) -> Rc<MemoryMap> {
    let memories = memories
        .iter()
        .map(|(name, base, size, backend)| black_box(name, *base, *size, *backend));
    Rc::new(map_of(memories.collect()).unwrap())
}

/// Memories of backend `log` at these bases, with these sizes; each has the name `at 0x…`.
pub(crate) fn listed(memories: &[(u64, u64)]) -> Result<MemoryMap, PartialOverlap> {
    let memory =
        |(base, size): &(u64, u64)| black_box(&format!("at {base:#x}"), *base, *size, Backend::Log);
    map_of(memories.iter().map(memory).collect())
}
