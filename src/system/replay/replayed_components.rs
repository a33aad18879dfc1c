//! Components of a replayed system: as the header of the recording has them, and the outputs of its
//! console.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;

use super::comparison::SharedComparison;
use super::recorded::{RecordedDisk, RecordedNetwork, RecordedOutput};
use crate::actors::files::{Disk, SpecialNames};
use crate::actors::sockets::Hub;
use crate::config::{self, ChannelConfig};
use crate::mem::MemoryMap;
use crate::trace::Header;

/// Disk of firmware's files.
pub(super) fn disk(header: &Header, comparison: &SharedComparison) -> Option<Box<dyn Disk>> {
    let disk = || Box::new(RecordedDisk::new(comparison.clone())) as Box<dyn Disk>;
    header.file_root.then(disk)
}

/// Files opened by the host program.
pub(super) fn special(header: &Header) -> SpecialNames {
    SpecialNames {
        extensions: header.extensions.iter().cloned().collect(),
        virtuals: header.virtuals.iter().cloned().collect(),
    }
}

/// Sockets; none is open.
pub(super) fn hub(header: &Header, comparison: &SharedComparison) -> Rc<RefCell<Hub>> {
    let network = RecordedNetwork::new(comparison.clone());
    let hub = Hub::new(network, header.socket_queue).after(header.sockets_opened);
    Rc::new(RefCell::new(hub))
}

pub(super) fn memory_map(header: &Header) -> Result<MemoryMap, config::ConfigError> {
    header
        .memories
        .as_ref()
        .map_or(Ok(MemoryMap::default()), |source| {
            config::parse_memory_map(&source.text, Path::new(&source.file), header)
        })
}

pub(super) fn channels(
    header: &Header,
    map: &MemoryMap,
) -> Result<Vec<ChannelConfig>, config::ConfigError> {
    header.mailboxes.as_ref().map_or(Ok(Vec::new()), |source| {
        config::parse_mailboxes(&source.text, Path::new(&source.file), map, header)
    })
}

/// Outputs of the console: the sink, and nothing for standard error. Writes fail as they did.
pub(super) fn outputs(
    comparison: &SharedComparison,
    sink: Box<dyn io::Write + Send>,
) -> [Box<dyn io::Write + Send>; 2] {
    let output = |is_error, sink| {
        Box::new(RecordedOutput::new(comparison.clone(), is_error, sink))
            as Box<dyn io::Write + Send>
    };
    [output(false, sink), output(true, Box::new(io::sink()))]
}
