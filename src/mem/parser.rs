//! Public name of the parser of memories, whose implementation is in [`config`](crate::config).

/// Parses and validates memories that are not part of a system yet: one memory by its keys, or all
/// memories of a file.
///
/// Variables and file names are resolved in the environment of this process;
/// [`config::parse_memory_map`](crate::config::parse_memory_map) takes other environments.
///
/// ```
/// use vhost::mem::{Backend, DPIShareMemParser, Shape};
///
/// let parser = DPIShareMemParser::default();
/// let ram = parser.parse_memory("ram", "{base: 0x1000, size: 96, path: tb.ram.mem, width: 24, backend: vpi}")?;
/// assert_eq!((ram.base, ram.backend), (0x1000, Backend::Vpi));
/// assert!(matches!(&ram.shape, Shape::Direct { array, .. } if array.depth() == 32));
///
/// let error = parser.parse_memory("ram", "{base: 0x1000, size: 95, path: tb.ram.mem, width: 24}").unwrap_err();
/// assert!(error.to_string().contains("memory `ram`: `size` of 95 bytes is not a multiple of 3 bytes"));
/// # Ok::<(), vhost::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct DPIShareMemParser;
