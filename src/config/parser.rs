//! Implementation of [`DPIShareMemParser`], which is here because `mem` does not depend on the
//! configuration.

use std::path::Path;

use super::file_context::FileContext;
use super::memory_place::MemoryPlace;
use super::{ConfigError, Process, memory_map, parse_memory_map, read_text, refuse, yaml};
use crate::mem::{DPIShareMemParser, Memory, MemoryMap};

impl DPIShareMemParser {
    /// Parses and validates one memory. `keys` is the YAML map below its name in a memory file.
    ///
    /// # Errors
    /// As [`parse_memory_map`], for one memory.
    pub fn parse_memory(&self, name: &str, keys: &str) -> Result<Memory, ConfigError> {
        let origin = Path::new("<memory>");
        let keys = yaml::parse(keys).map_err(|error| refuse(origin, error.line(), error.into()))?;
        let context = FileContext {
            file: origin,
            outside: &Process,
        };
        let memory =
            memory_map::validate_memory(name, keys, context, MemoryPlace::Alone(name.to_owned()));
        memory.map_err(|problem| refuse(origin, None, problem))
    }

    /// Reads and validates a memory file.
    ///
    /// # Errors
    /// As [`parse_memory_map`]. Also fails if the file can't be read.
    pub fn parse_file(&self, file: impl AsRef<Path>) -> Result<MemoryMap, ConfigError> {
        let file = file.as_ref();
        parse_memory_map(&read_text(file)?, file, &Process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::{Backend, Init};

    #[test]
    fn a_memory_by_its_keys() {
        let keys = "base: 16\nsize: 8\nbackend: log\ninit: {method: all_zero}\n";
        let ram = DPIShareMemParser.parse_memory("ram", keys).unwrap();
        assert_eq!((ram.name.as_str(), ram.base, ram.size), ("ram", 16, 8));
        assert_eq!((ram.backend, ram.init), (Backend::Log, Init::Zero));
    }

    #[test]
    fn refused_keys_are_named() {
        let error = |keys| {
            let error = DPIShareMemParser.parse_memory("ram", keys).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            error("{base: 0, size: 0}"),
            "<memory>: memory `ram`: `size` is 0; give at least 1"
        );
        assert_eq!(
            error("{base: 0}"),
            "<memory>: memory `ram`: missing field `size`"
        );
        assert!(error("{base").starts_with("<memory>: not valid YAML: "));
    }

    #[test]
    fn a_file_of_memories() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mem.yaml");
        std::fs::write(
            &file,
            "space: {s: [{ram: {base: 0, size: 8, backend: log}}]}",
        )
        .unwrap();
        let map = DPIShareMemParser.parse_file(&file).unwrap();
        assert_eq!(map.memories[0].name, "ram");
        let error = DPIShareMemParser
            .parse_file(dir.path().join("no.yaml"))
            .unwrap_err();
        assert!(
            error.to_string().contains("/no.yaml: can't be read: "),
            "{error}"
        );
    }
}
