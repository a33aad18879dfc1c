//! Channels of an image without configuration, found by its section, symbols and traps.

use anyhow::{Result, bail};
use vhost::Severity;

use super::Args;
use super::program::Program;
use super::services;

/// Name of the variable with the path of the image, for configuration files.
pub(super) const IMAGE: &str = "IMAGE";

/// Name of an image's first channel, and prefix of those for further protocols.
const CHANNEL: &str = "cpu";
const RTT: &str = "rtt";
const SEMIHOSTING: &str = "semihosting";

/// Symbol of RTT's control block.
const BLOCK: &str = "_SEGGER_RTT";

/// Mailbox configuration for an image, and reports on how it was determined.
pub(super) struct Channels {
    pub(super) yaml: String,
    pub(super) notes: Vec<(Severity, String)>,
}

/// Marks by which protocols are found in an image.
struct Marks {
    /// Address of section `.mailbox`.
    section: Option<u64>,
    /// Addresses of symbols.
    mailbox: Option<u64>,
    htif: Option<(u64, u64)>,
    block: Option<u64>,
    /// Address of the first trap of semihosting.
    trap: Option<u64>,
}

/// Protocol of the first channel.
enum Protocol {
    Section(u64),
    Symbol(u64),
    Htif(u64, u64),
    Semihosting(u64),
    Rtt(u64),
}

impl Marks {
    fn of(program: &Program) -> Result<Self> {
        let words = (program.symbol("tohost"), program.symbol("fromhost"));
        Ok(Self {
            section: program.image().mailbox().map(|section| section.address),
            mailbox: program.symbol("mailbox"),
            htif: words.0.zip(words.1),
            block: program.symbol(BLOCK),
            trap: program.traps()?.first().copied(),
        })
    }

    /// Protocol of the first channel: mailbox, else HTIF, else semihosting, else RTT.
    fn first(&self) -> Option<Protocol> {
        let mailbox = self.section.map(Protocol::Section);
        mailbox
            .or(self.mailbox.map(Protocol::Symbol))
            .or(self.htif.map(|(to, from)| Protocol::Htif(to, from)))
            .or(self.trap.map(Protocol::Semihosting))
            .or(self.block.map(Protocol::Rtt))
    }
}

impl Protocol {
    fn is_mailbox(&self) -> bool {
        matches!(self, Self::Section(_) | Self::Symbol(_))
    }

    /// Name of the protocol, and the mark by which it was found.
    fn found(&self) -> String {
        match self {
            Self::Section(at) => format!("a mailbox at {at:#x}, by section .mailbox"),
            Self::Symbol(at) => format!("a mailbox at {at:#x}, by symbol `mailbox`"),
            Self::Htif(to, from) => {
                format!("HTIF, by symbols tohost ({to:#x}) and fromhost ({from:#x})")
            }
            Self::Semihosting(trap) => format!("semihosting, by traps (the first at {trap:#x})"),
            Self::Rtt(block) => format!("RTT, by symbol {BLOCK} ({block:#x})"),
        }
    }

    fn keys(&self, args: &Args, program: &Program) -> Result<String> {
        let bits = 8 * program.ptr_width().bytes();
        Ok(match self {
            Self::Section(_) => String::new(),
            Self::Symbol(at) => format!("  base: {at:#x}\n  ptr: {bits}\n"),
            Self::Htif(..) => htif(args, program)?,
            Self::Semihosting(_) => "  abi: semihosting\n  stub: none\n".to_owned(),
            Self::Rtt(_) => "  abi: rtt\n".to_owned(),
        })
    }
}

impl Channels {
    /// Determines the channels of a run's image. RTT is a channel beside another protocol, or the
    /// only one; semihosting is one beside HTIF.
    pub(super) fn of(args: &Args, program: &Program) -> Result<Self> {
        let marks = Marks::of(program)?;
        let Some(first) = marks.first() else {
            bail!(nothing_found(program));
        };
        let is_htif = matches!(first, Protocol::Htif(..));
        if let (Some(file), false) = (&args.signature, is_htif) {
            bail!(
                "--signature {file}: the signature is written at the exit by HTIF, and {} has no symbols tohost and fromhost: leave it out",
                program.file().display()
            );
        }
        let mut notes = vec![served(CHANNEL, &first)];
        if let Some(text) = unused(args, &first) {
            notes.push((Severity::Warning, text));
        }
        // The name comes from the command line: a quoted string may contain any character.
        let space = serde_json::to_string(&args.space)?;
        let noted = program.image().note().map(|note| note.cache_line.bytes());
        let line = args.cache_line.or(noted).unwrap_or(0);
        let services = services::keys(args);
        let keys = first.keys(args, program)?;
        let mut yaml = format!(
            "{CHANNEL}:\n  space: {space}\n  elf: \"${{{IMAGE}}}\"\n  cache_line: {line}\n{keys}{services}"
        );
        if let (Some(block), false) = (marks.block, matches!(first, Protocol::Rtt(_))) {
            notes.push(served(RTT, &Protocol::Rtt(block)));
            yaml += &rtt(args, &space);
        }
        if let (Some(trap), true) = (marks.trap, is_htif) {
            notes.push(served(SEMIHOSTING, &Protocol::Semihosting(trap)));
            yaml += &semihosting(&space, &services);
        }
        if !first.is_mailbox() && !program.image().has_symbols() {
            notes.push((
                Severity::Warning,
                format!(
                    "{} has no symbols, by which HTIF (tohost, fromhost) and RTT ({BLOCK}) are found: if it has these, link it without \
                     --strip-all or -s, and don't run strip on it",
                    program.file().display()
                ),
            ));
        }
        Ok(Self { yaml, notes })
    }
}

/// Report on a channel.
fn served(name: &str, protocol: &Protocol) -> (Severity, String) {
    let found = protocol.found();
    (Severity::Info, format!("channel `{name}`: {found}"))
}

/// Warning of options for mailboxes, if the image has none.
fn unused(args: &Args, first: &Protocol) -> Option<String> {
    let given = [
        ("--cache-line", args.cache_line.is_some()),
        ("--env", !args.env.is_empty()),
        ("--protocol", args.protocol.is_some()),
    ];
    let names = given.into_iter().filter(|(_, is_given)| *is_given);
    let names: Vec<_> = names.map(|(name, _)| name).collect();
    let is_unused = !first.is_mailbox() && !names.is_empty();
    is_unused.then(|| {
        format!(
            "{} without effect: they are for firmware with a mailbox; leave them out",
            names.join(", ")
        )
    })
}

/// Error of an image without the marks of a protocol.
fn nothing_found(program: &Program) -> String {
    let advice = match program.image().has_symbols() {
        false => {
            "it has no symbols: link it without --strip-all or -s, and don't run strip on it, or give the addresses with --mailbox FILE \
             (`tohost` and `fromhost`, or `rtt: {address: …}`)"
        }
        true => {
            "define the channel with MB_CHANNEL of mailbox.h and keep its section in the linker script, or the symbols of the protocol, \
             or give --mailbox FILE"
        }
    };
    format!(
        "{} has no section .mailbox and no symbol `mailbox`, nor the symbols tohost and fromhost of HTIF, nor a trap of semihosting, nor \
         {BLOCK} of RTT: {advice}",
        program.file().display()
    )
}

/// Channel of semihosting beside HTIF, with the same services. Either exit is that of firmware.
fn semihosting(space: &str, services: &str) -> String {
    format!(
        "{SEMIHOSTING}:\n  space: {space}\n  elf: \"${{{IMAGE}}}\"\n  load: false\n  abi: semihosting\n  stub: none\n{services}"
    )
}

/// Channel of RTT beside another channel. Its terminal has the same input and output.
fn rtt(args: &Args, space: &str) -> String {
    let input = match args.stdin {
        Some(_) => "testbench",
        None => "none",
    };
    format!(
        "{RTT}:\n  space: {space}\n  elf: \"${{{IMAGE}}}\"\n  load: false\n  abi: rtt\n  stdio: {{stdin: {input}, stdout: raw}}\n{}",
        services::time(args)
    )
}

/// Keys of a channel with HTIF.
fn htif(args: &Args, program: &Program) -> Result<String> {
    let mut keys = "  abi: htif\n".to_owned();
    if let Some(file) = &args.signature {
        for symbol in ["begin_signature", "end_signature"] {
            if program.symbol(symbol).is_none() {
                bail!(
                    "--signature {file}: {} has no symbol {symbol}: define begin_signature and end_signature around the signature, or \
                     leave it out",
                    program.file().display()
                );
            }
        }
        // A `$` in the configuration would begin a variable.
        let file = serde_json::to_string(&file.replace('$', "$$"))?;
        let granularity = args.granularity;
        keys += &format!("  signature: {file}\n  granularity: {granularity}\n");
    }
    Ok(keys)
}
