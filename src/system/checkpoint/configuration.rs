//! Configuration that a checkpoint fits: memories and channels, one line each.

use mailbox_rs::PtrWidth;

use crate::mem::{Memory, MemoryMap, Shape};
use crate::messages::{ChannelDescriptor, Interface};

/// Lines of a system, the same in every process with the same memories and channels.
pub(super) fn configuration(map: &MemoryMap, channels: &[ChannelDescriptor]) -> Vec<String> {
    let memories = map.memories.iter().map(memory);
    let channels = channels.iter().map(|it| channel(map, it));
    memories.chain(channels).collect()
}

fn memory(memory: &Memory) -> String {
    let Memory {
        name,
        base,
        size,
        shape,
        backend,
        ..
    } = memory;
    let layout = match shape {
        Shape::BlackBox => "no array".to_owned(),
        Shape::Direct { array, .. } => {
            let (width, rows, cols) = (array.width, array.rows, array.cols);
            format!("{rows} x {cols} words of {width} bytes")
        }
        Shape::Banked { banks, bank } => {
            let (width, depth) = (bank.width, bank.depth());
            let columns = banks.first().map_or(0, Vec::len);
            let rows = banks.len();
            format!("{rows} x {columns} banks of {depth} words of {width} bytes")
        }
    };
    format!("memory `{name}`: {size:#x} bytes at {base:#x}, backend {backend:?}, {layout}")
}

fn channel(map: &MemoryMap, channel: &ChannelDescriptor) -> String {
    let bits = |width: PtrWidth| 8 * width.bytes();
    let interface = match &channel.interface {
        Interface::Mailbox(place) => format!(
            "mailbox at {:#x}, pointers of {} bits, cache line of {} bytes",
            place.address,
            bits(place.layout.ptr_width),
            place.layout.cache_line.bytes()
        ),
        Interface::Htif(place) => {
            format!("HTIF at {:#x} and {:#x}", place.tohost, place.fromhost)
        }
        Interface::Rtt(place) => match place.block {
            Some(block) => format!("RTT at {block:#x}"),
            None => {
                let ranges = place.search.iter();
                let ranges = ranges.map(|(from, to)| format!(" from {from:#x} to {to:#x}"));
                format!("RTT{}", ranges.collect::<Vec<_>>().join(" and"))
            }
        },
        Interface::Semihosting(place) => {
            let width = bits(place.ptr_width);
            match place.stub {
                Some(stub) => {
                    format!("semihosting with code at {stub:#x}, registers of {width} bits")
                }
                None => format!("semihosting, registers of {width} bits"),
            }
        }
    };
    let space = map.space(channel.space);
    let space = space.map_or("", |space| space.name.as_str());
    format!("channel `{}` of space `{space}`: {interface}", channel.name)
}
