//! Memory map of a run, as rows.

use serde::Serialize;
use vhost::mem::{Array, Init, MemoryMap, Shape};
use vhost::messages::{ChannelDescriptor, Interface};

/// Maximum number of spaces, and of rows per space.
const MAX_ROWS: usize = 256;

/// Address space.
#[derive(Debug, Serialize)]
pub(super) struct SpaceRow {
    name: String,
    rows: Vec<ExtentRow>,
    /// Number of omitted rows.
    left_out: usize,
}

/// Consecutive addresses of one memory. Addresses are texts, since JSON numbers have 53 bits.
#[derive(Debug, Serialize)]
struct ExtentRow {
    first: String,
    last: String,
    memory: String,
    bytes: String,
    backend: &'static str,
    layout: String,
    /// Names of channels with words in this memory.
    channels: Vec<String>,
}

/// Rows of all spaces.
pub(super) fn spaces(map: &MemoryMap, channels: &[ChannelDescriptor]) -> Vec<SpaceRow> {
    let spaces = map.spaces.iter().take(MAX_ROWS).map(|space| {
        let id = map.space_named(&space.name);
        let extents = space.extents();
        let rows = extents.iter().take(MAX_ROWS).filter_map(|extent| {
            let memory = map.memory(extent.memory)?;
            let within = channels.iter().take(MAX_ROWS).filter_map(|channel| {
                let address = address(channel).filter(|_| Some(channel.space) == id)?;
                let is_in = (extent.first..=extent.last).contains(&address);
                is_in.then(|| format!("{} at {address:#x}", channel.name))
            });
            Some(ExtentRow {
                first: format!("{:#x}", extent.first),
                last: format!("{:#x}", extent.last),
                memory: memory.name.clone(),
                bytes: crate::output::Size((extent.last - extent.first).saturating_add(1))
                    .to_string(),
                backend: memory.backend.name(),
                layout: format!("{}; {}", layout(&memory.shape), content(&memory.init)),
                channels: within.collect(),
            })
        });
        SpaceRow {
            name: space.name.clone(),
            rows: rows.collect(),
            left_out: extents.len().saturating_sub(MAX_ROWS),
        }
    });
    spaces.collect()
}

/// Lowest address of a channel's words.
fn address(channel: &ChannelDescriptor) -> Option<u64> {
    match &channel.interface {
        Interface::Mailbox(place) => Some(place.address),
        Interface::Htif(place) => Some(place.tohost),
        Interface::Rtt(place) => place.block,
        Interface::Semihosting(place) => place.stub,
    }
}

fn layout(shape: &Shape) -> String {
    let words = |array: &Array| {
        let bits = array.width.saturating_mul(8);
        match array.rows {
            0 | 1 => format!("{} words of {bits} bits", array.cols),
            rows => format!("{rows} × {} words of {bits} bits", array.cols),
        }
    };
    match shape {
        Shape::BlackBox => "a black box".to_owned(),
        Shape::Direct { path, array } => format!("{path}: {}", words(array)),
        Shape::Banked { banks, bank } => {
            let columns = banks.first().map_or(0, Vec::len);
            format!(
                "banks in {} × {columns}, each of {}",
                banks.len(),
                words(bank)
            )
        }
    }
}

fn content(init: &Init) -> String {
    match init {
        Init::None => "left as it is".to_owned(),
        Init::Zero => "zeros".to_owned(),
        Init::Random { seed: Some(seed) } => format!("random, seed {seed}"),
        Init::Random { seed: None } => "random".to_owned(),
        Init::Hex { file, .. } => file.display().to_string(),
    }
}
