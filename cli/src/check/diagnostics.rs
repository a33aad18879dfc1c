//! Diagnostics of a check: errors, warnings and notes about a plan.

use std::fmt;
use std::sync::Arc;

use vhost::config::{ConfigDiagnostic, loaded_image};
use vhost::mem::{Backend, Init, MemoryId, Segment, initial};
use vhost::messages::{Interface, SemihostingPlace};
use vhost::unreplaced_traps;

use super::plan::{Content, Load, Plan};
use crate::output::{DIM, ERROR, Sanitized, WARNING};

/// Severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// The system would not start.
    Error,
    /// The system starts, but probably not as intended.
    Warning,
    /// Information only.
    Note,
}

pub(super) struct Diagnostic {
    pub(super) severity: Severity,
    pub(super) text: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (style, severity) = match self.severity {
            Severity::Error => (ERROR, "error:"),
            Severity::Warning => (WARNING, "warning:"),
            Severity::Note => (DIM, "note:"),
        };
        write!(f, "{style}{severity}{style:#} {}", Sanitized(&self.text))
    }
}

/// All diagnostics, most severe first.
///
/// `serves`: true if a mailbox configuration was given. `configured`: those of both configurations.
pub(super) fn diagnostics(
    plan: &Plan<'_>,
    serves: bool,
    configured: &[ConfigDiagnostic],
) -> Vec<Diagnostic> {
    let mut all = Diagnostics(Vec::new());
    for diagnostic in configured {
        let severity = match diagnostic.kind.is_warning() {
            true => Severity::Warning,
            false => Severity::Note,
        };
        all.add(severity, diagnostic.to_string());
    }
    first_content(plan, &mut all);
    mailboxes(plan, &mut all);
    traps(plan, &mut all);
    for load in &plan.loads {
        misfits(plan, load, &mut all);
        notes(load, &mut all);
        spare_channels(plan, load, &mut all);
    }
    overwrites(plan, &mut all);
    let is_served = plan
        .channels
        .iter()
        .any(|channel| channel.interface.is_some());
    if serves && !is_served {
        all.add(Severity::Warning, "no channel is served".to_owned());
    }
    all.0.sort_by_key(|diagnostic| diagnostic.severity);
    all.0
}

struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    fn add(&mut self, severity: Severity, text: String) {
        self.0.push(Diagnostic { severity, text });
    }
}

/// Diagnostics of initial contents. Hex files are read as in a run; random content differs from run
/// to run.
fn first_content(plan: &Plan<'_>, all: &mut Diagnostics) {
    for (id, memory) in plan.map.numbered() {
        match &memory.init {
            Init::None | Init::Zero | Init::Random { seed: Some(_) } => {}
            Init::Random { seed: None } => all.add(
                Severity::Note,
                format!(
                    "memory `{}`: its random content is another one in each run; give `seed` where runs are to be compared",
                    memory.name
                ),
            ),
            Init::Hex { .. } => match initial(id, memory, 0) {
                Err(error) => all.add(Severity::Error, error.to_string()),
                Ok(content) => {
                    for note in &content.notes {
                        let severity = match note.is_warning() {
                            true => Severity::Warning,
                            false => Severity::Note,
                        };
                        all.add(severity, format!("memory `{}`: {note}", memory.name));
                    }
                }
            },
        }
    }
}

fn mailboxes(plan: &Plan<'_>, all: &mut Diagnostics) {
    for (channel, mailbox) in plan.served() {
        let size = mailbox.layout.channel_size;
        for Segment { memory, .. } in plan.map.mapped(channel.space, mailbox.address, size) {
            if let Some(memory) = in_log(plan, memory) {
                all.add(
                    Severity::Warning,
                    format!(
                        "channel `{}`: its mailbox is in memory `{memory}` of backend `log`, which reads as zeros: no request \
                         will ever be seen; give the memory another `backend`, or name the simulation's default by \
                         --default-backend (`vpi` with vhost.vpi)",
                        channel.name
                    ),
                );
            }
        }
        if let Some(image) = &channel.load
            && image.ptr_width() != mailbox.layout.ptr_width
        {
            let [ours, its] =
                [mailbox.layout.ptr_width, image.ptr_width()].map(|it| it.bytes() * 8);
            all.add(
                Severity::Warning,
                format!(
                    "channel `{}`: `ptr` is {ours}, but {} is an image of {its} bits",
                    channel.name,
                    image.file().display()
                ),
            );
        }
    }
    for channel in plan.channels {
        if channel.interface.is_none() && channel.load.is_none() {
            all.add(
                Severity::Warning,
                format!("channel `{}` is neither loaded nor served", channel.name),
            );
        }
    }
}

/// Maximum number of traps that are listed per channel.
const MAX_TRAPS: usize = 8;

/// Semihosting traps that can't be replaced, at which firmware stops.
fn traps(plan: &Plan<'_>, all: &mut Diagnostics) {
    for channel in plan.channels {
        let Some(Interface::Semihosting(SemihostingPlace {
            stub: Some(stub), ..
        })) = channel.interface
        else {
            continue;
        };
        let Some(image) = loaded_image(plan.channels, channel) else {
            continue;
        };
        let (name, file) = (&channel.name, image.file().display());
        match unreplaced_traps(image, stub) {
            Ok(stay) if stay.is_empty() => {}
            Ok(stay) => {
                let listed = stay.iter().take(MAX_TRAPS).map(|at| format!("{at:#x}"));
                let listed: Vec<_> = listed.collect();
                let more = match stay.len() > MAX_TRAPS {
                    true => " and others",
                    false => "",
                };
                all.add(
                    Severity::Warning,
                    format!(
                        "channel `{name}`: the traps of semihosting at {}{more} of {file} stay as they are: they are more than 1 MiB from \
                         the code at {stub:#x}, are cut by the end of a segment, or are too many; give a nearer address as `stub`",
                        listed.join(", ")
                    ),
                );
            }
            Err(error) => all.add(Severity::Error, error.to_string()),
        }
    }
}

/// Segments of an image that are outside of memory, or in a memory that stores nothing.
fn misfits(plan: &Plan<'_>, load: &Load<'_>, all: &mut Diagnostics) {
    let file = load.image.file().display();
    for error in &load.placement.errors {
        all.add(Severity::Error, error.to_string());
    }
    for left_out in &load.placement.left_out {
        all.add(Severity::Note, left_out.to_string());
    }
    let bytes = load
        .writes
        .iter()
        .filter(|write| write.content == Content::Bytes);
    let mut nowhere: Vec<&str> = bytes
        .flat_map(|write| &write.place)
        .filter_map(|segment| in_log(plan, segment.memory))
        .collect();
    nowhere.sort_unstable();
    nowhere.dedup();
    for memory in nowhere {
        all.add(
            Severity::Warning,
            format!(
                "{file} is loaded into memory `{memory}` of backend `log`, which keeps nothing; give the memory another `backend`, or name the \
                 simulation's default by --default-backend (`vpi` with vhost.vpi)"
            ),
        );
    }
}

/// Notes of images about their channels.
fn notes(load: &Load<'_>, all: &mut Diagnostics) {
    if let Some(note) = load.image.note() {
        let file = load.image.file().display();
        all.add(Severity::Note, format!("{file}: compiled for {note}"));
    }
}

/// Channels of the firmware that the configuration does not serve.
fn spare_channels(plan: &Plan<'_>, load: &Load<'_>, all: &mut Diagnostics) {
    let Some(section) = load.image.mailbox() else {
        return;
    };
    let in_section = plan.served().filter(|(channel, mailbox)| {
        let is_in = |first: u64| {
            let offset = mailbox.address.checked_sub(first);
            offset.is_some_and(|offset| offset < section.size)
        };
        channel.space == load.space && (is_in(section.address) || is_in(section.physical))
    });
    let sizes: Vec<u64> = in_section
        .map(|(_, mailbox)| mailbox.layout.channel_size)
        .collect();
    let Some(size) = sizes.first() else { return };
    let room = section.size / size;
    if room > sizes.len() as u64 {
        all.add(
            Severity::Note,
            format!(
                "{}: its section .mailbox has room for {room} channels, of which {} served; `mb_id` tells them apart",
                load.image.file().display(),
                match sizes.len() {
                    1 => "1 is".to_owned(),
                    more => format!("{more} are"),
                }
            ),
        );
    }
}

/// Images that overwrite each other. The later one wins.
fn overwrites(plan: &Plan<'_>, all: &mut Diagnostics) {
    let mut taken: Vec<(Segment, usize)> = Vec::new();
    for (at, load) in plan.loads.iter().enumerate() {
        let bytes = load
            .writes
            .iter()
            .filter(|write| write.content == Content::Bytes);
        taken.extend(bytes.flat_map(|write| write.place.iter().map(move |segment| (*segment, at))));
    }
    taken.sort_by_key(|(segment, _)| (segment.memory, segment.offset));
    let mut reported = Vec::new();
    // In address order, the next segment can overlap only the one that extends furthest so far.
    let mut furthest: Option<(Segment, usize)> = None;
    for (segment, at) in taken {
        let end = |segment: &Segment| segment.offset.saturating_add(segment.len);
        if let Some((before, other)) = &furthest
            && before.memory == segment.memory
            && end(before) > segment.offset
        {
            let pair = (at.min(*other), at.max(*other));
            let images = [pair.0, pair.1].map(|at| plan.loads.get(at).map(|load| load.image));
            if let [Some(first), Some(second)] = images
                && !Arc::ptr_eq(first, second)
                && !reported.contains(&pair)
            {
                reported.push(pair);
                all.add(
                    Severity::Warning,
                    format!(
                        "{} is loaded over bytes of {}, in memory `{}` from offset {:#x} on",
                        second.file().display(),
                        first.file().display(),
                        plan.map
                            .memory(segment.memory)
                            .map_or("", |memory| memory.name.as_str()),
                        segment.offset
                    ),
                );
            }
        }
        let reaches_further = furthest.as_ref().is_none_or(|(before, _)| {
            before.memory != segment.memory || end(before) < end(&segment)
        });
        if reaches_further {
            furthest = Some((segment, at));
        }
    }
}

/// Name of a memory with the backend `log`, which stores nothing.
fn in_log<'a>(plan: &Plan<'a>, id: MemoryId) -> Option<&'a str> {
    let memory = plan.map.memory(id)?;
    (memory.backend == Backend::Log).then_some(memory.name.as_str())
}
