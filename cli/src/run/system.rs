//! System of a run: from configuration files, or one RAM and one channel for the image alone.

use anyhow::{Result, anyhow, bail};
use vhost::Vhost;

use super::Args;
use super::channels::{Channels, IMAGE};
use super::program::Program;
use super::reports::Reports;
use super::services;

/// Default size of the RAM.
const RAM: u64 = 16 << 20;

/// Maximum size of a RAM that is determined by the image. Images with segments further apart have
/// several memories.
const MAX_RAM_SIZE: u64 = 1 << 30;

/// Width of the RAM in bits, which affects only its description.
const WIDTH: u64 = 64;

/// Alignment of base and size of the RAM.
const PAGE: u64 = 4096;

/// Starts the system of a run.
pub(super) fn start(args: &Args, program: &Program, reports: &Reports) -> Result<Vhost> {
    let file = program.file();
    let path = file.to_str();
    let path = path.ok_or_else(|| anyhow!("{}: give a path in UTF-8", file.display()))?;
    let mut builder = Vhost::builder()
        .environment()
        .map_err(|error| anyhow!("{error}"))?
        .variable(IMAGE, path);
    let reports = reports.clone();
    builder = builder.on_report(move |report| reports.print(report));
    builder = services::provide(builder, args, program);
    builder = match &args.memory {
        Some(file) => builder.memories(file),
        None => builder.memories_text(ram(args, program)?),
    };
    let mut notes = Vec::new();
    builder = match &args.mailbox {
        Some(file) => builder.mailboxes(file),
        None => {
            let channels = Channels::of(args, program)?;
            notes = channels.notes;
            builder.mailboxes_text(channels.yaml)
        }
    };
    if let Some(root) = &args.files {
        builder = builder.files(root);
    }
    if let Some(file) = &args.record {
        builder = builder.record(file);
    }
    for what in args.attach.iter().flatten() {
        builder = builder.attach(what.clone());
    }
    // The error may contain a callback's error, which is not `Send`.
    let vhost = builder.start().map_err(|error| anyhow!("{error}"))?;
    for (severity, text) in notes {
        let reported = vhost.report(severity, "config", &text);
        reported.map_err(|error| anyhow!("{error}"))?;
    }
    Ok(vhost)
}

/// Memory configuration of an image alone: one RAM.
pub(super) fn ram(args: &Args, program: &Program) -> Result<String> {
    Ok(Ram::of(args, program)?.yaml())
}

/// RAM with all segments of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ram {
    base: u64,
    size: u64,
}

impl Ram {
    /// RAM by the options, or by the image's segments where options are missing.
    fn of(args: &Args, program: &Program) -> Result<Self> {
        let image = program.image();
        let file = program.file().display();
        let segments = image.segments().iter().filter_map(|segment| {
            let size = segment.len.checked_add(segment.tail)?;
            (size > 0).then_some((segment.address, size))
        });
        let mailbox = image.mailbox().map(|it| (it.physical, it.size));
        // Images of `firmware/libc` have their stack at the end of the RAM.
        let stack = program.symbol("__vhost_stack_limit").and_then(|_| {
            let end = ["__stack", "__stack_top"].map(|name| program.symbol(name));
            let end = end.into_iter().flatten().next()?;
            Some((end.checked_sub(1)?, 1))
        });
        let parts: Vec<(u64, u64)> = segments.chain(mailbox).chain(stack).collect();
        let lowest = parts.iter().map(|(start, _)| *start).min();
        let Some(lowest) = lowest else {
            bail!("{file} has no bytes to load: link it into an executable");
        };
        let last = parts
            .iter()
            .map(|(start, size)| start.saturating_add(size.saturating_sub(1)));
        let last = last.max().unwrap_or(lowest);
        let base = args.base.unwrap_or(lowest) / PAGE * PAGE;
        let top = u64::MAX >> (64 - 8 * program.ptr_width().bytes());
        if lowest < base {
            bail!("{file} begins at {lowest:#x}, before the RAM: give --base {lowest:#x} or less");
        }
        if last > top {
            bail!(
                "{file} ends at {last:#x}, which a CPU of 32 bits can't address: link it to lower addresses"
            );
        }
        let needed = last - base;
        // Up to the highest address of the CPU.
        let room = top - base;
        let last_offset = match args.mem {
            Some(size) if size - 1 < needed => bail!(
                "{file} needs {:#x} bytes from {base:#x} to {last:#x}: give --mem {:#x} or more",
                u128::from(needed) + 1,
                u128::from(needed) + 1
            ),
            Some(size) if size - 1 > room => bail!(
                "--mem {size:#x} from {base:#x} passes the last address, {top:#x}: give --mem {:#x} or less",
                u128::from(room) + 1
            ),
            Some(size) => ((size - 1) | (PAGE - 1)).min(room),
            None if needed >= MAX_RAM_SIZE => {
                let warnings = image.warnings().iter();
                let warnings: String = warnings
                    .map(|warning| format!("\nthe image {warning}"))
                    .collect();
                bail!(
                    "{file} has segments from {lowest:#x} to {last:#x}, too far apart for one RAM: describe the memories of its \
                     chip with --memory FILE, or give --mem SIZE{warnings}"
                )
            }
            None => ((needed | (PAGE - 1)).max(RAM - 1)).min(room),
        };
        let Some(size) = last_offset.checked_add(1) else {
            bail!("a RAM of all addresses is too large: give --mem SIZE");
        };
        Ok(Self { base, size })
    }

    /// Memory configuration.
    fn yaml(self) -> String {
        let Self { base, size } = self;
        format!(
            "space:\n  cpu:\n    - ram: {{base: {base:#x}, size: {size:#x}, path: ram, width: {WIDTH}, backend: static}}\n"
        )
    }
}
