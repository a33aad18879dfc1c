//! Replay of a recorded run without its environment.
//!
//! The system is built from the recording's configuration. External messages are sent again in
//! their order, results of the environment come from the recording, and every other message is
//! compared with the recorded one.
//!
//! - `comparison`: comparison with the recording, and the first divergence; `matching`: equality of
//!   entries; `description`: their texts; `upcoming`: entries still to be played.
//! - `summary`, `divergence`, `error`: results of a replay; `replayed_components`: components from
//!   the header, and outputs.
//! - `player`: external messages.
//! - `recorded`: recorded memories, files, sockets and doorbells.
//! - `replayed_actors`: actors that are replayed, all or one; `single_actor`: replay of one.
//! - `findings`: findings of checkers; `posted`: messages that are not compared.
//! - `cut`: a part of a recording as a recording.

mod comparison;
mod cut;
mod description;
mod divergence;
mod error;
mod findings;
mod matching;
mod player;
mod posted;
mod recorded;
mod replayed_actors;
mod replayed_components;
mod single_actor;
mod summary;
mod upcoming;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::{fmt, io};

use self::comparison::{Comparison, SharedComparison};
pub use self::cut::Cut;
pub use self::divergence::Divergence;
pub use self::error::ReplayError;
use self::findings::{FindingSink, OnFinding};
use self::player::Player;
use self::recorded::{NoMemory, RecordedDoorbells, RecordedFrames, RecordedMemory};
use self::replayed_actors::ReplayedActors;
use self::replayed_components::{channels, disk, hub, memory_map, outputs, special};
use self::single_actor::{Components, SingleActor};
pub use self::summary::ReplaySummary;
use crate::attach::{Attach, Finding, channels as served};
use crate::backend::Backends;
use crate::bus::{Endpoint, Message as _};
use crate::config::ChannelConfig;
use crate::foreign::{Callbacks, Openers, report_without_testbench};
use crate::mem::{Backend, MemoryMap};
use crate::messages::events::Resumed;
pub use crate::messages::{ActorName, NoSuchActor};
use crate::sim::CStdout;
use crate::system::Error;
use crate::system::assembly::{DirectCalls, Environment, SystemComponents};
use crate::system::running::{Vhost, WatchdogTimeout};
use crate::trace::{Entry, Header, Payloads, Trace, TraceError};

/// Replay of a recording.
///
/// ```no_run
/// use vhost::Replay;
///
/// let replayed = Replay::of("run.trace").run()?;
/// println!("{} messages came out as they were recorded", replayed.messages);
/// # Ok::<(), vhost::ReplayError>(())
/// ```
#[must_use = "a recording is replayed by `run`"]
pub struct Replay {
    file: PathBuf,
    prints: bool,
    only: Option<ActorName>,
    attached: Vec<Box<dyn Attach>>,
    on_finding: OnFinding,
}

impl Replay {
    /// Replay of the recording in `file`.
    pub fn of(file: impl AsRef<Path>) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            prints: false,
            only: None,
            attached: Vec::new(),
            on_finding: Box::new(|finding| {
                let Finding { severity, id, text } = finding;
                report_without_testbench(*severity, id, text);
            }),
        }
    }

    /// Prints firmware's text, as the run did.
    pub fn printing(self, prints: bool) -> Self {
        Self { prints, ..self }
    }

    /// Replays one actor: it gets its recorded messages, and its messages and replies are compared
    /// with the recorded ones. The other actors do not run, and messages among them are skipped.
    /// Attachments see the actor's messages only.
    ///
    /// ```no_run
    /// use vhost::{ActorName, Replay};
    ///
    /// Replay::of("run.trace").only(ActorName::Mailbox).run()?;
    /// # Ok::<(), vhost::ReplayError>(())
    /// ```
    pub fn only(self, actor: ActorName) -> Self {
        let only = Some(actor);
        Self { only, ..self }
    }

    /// Attaches a tap, as to a run, such as the loggers and checkers of [`attach`](crate::attach).
    pub fn attach(mut self, what: impl Attach) -> Self {
        self.attached.push(Box::new(what));
        self
    }

    /// Calls `callback` for each finding of a checker; default: stderr.
    pub fn on_finding(self, callback: impl FnMut(&Finding) + 'static) -> Self {
        Self {
            on_finding: Box::new(callback),
            ..self
        }
    }

    /// Runs the replay. A recording that was cut off is replayed to its end.
    ///
    /// # Errors
    /// The first [`Divergence`], or a recording that can't be replayed. A thread with a system can
    /// replay [one actor](Self::only) only.
    pub fn run(self) -> Result<ReplaySummary, ReplayError> {
        let Self {
            file,
            prints,
            only,
            attached,
            on_finding,
        } = self;
        let (trace, header) = opened(&file)?;
        let map = memory_map(&header).map_err(Error::from)?;
        let channels = channels(&header, &map).map_err(Error::from)?;
        let findings = FindingSink::new(on_finding);
        let sink: Box<dyn io::Write + Send> = if prints {
            Box::new(CStdout)
        } else {
            Box::new(io::sink())
        };
        if let Some(actor) = only {
            if is_cut_out(&file)? {
                return Err(ReplayError::CutOut { file });
            }
            let comparison = Comparison::shared(trace, ReplayedActors::One(actor));
            let served = served(&map, &channels);
            let components = Components {
                header: &header,
                map,
                channels: &channels,
                sink,
            };
            let single = SingleActor::new(actor, comparison, components, findings)?;
            single.attach(attached, served)?;
            single.play().map_err(Error::from)?;
            return single.end();
        }
        let comparison = Comparison::shared(trace, ReplayedActors::All);
        let player = Rc::new(Player::new(comparison.clone(), findings));
        let mut components = Self::components(&header, map, channels, &comparison, &player)?;
        [components.sink, components.error_sink] = outputs(&comparison, sink);
        components.attached.extend(attached);
        let (vhost, pending_start) = Vhost::build(components)?;
        player.play(&vhost, pending_start);
        let replayed = comparison.end(vhost.now());
        vhost.detach();
        replayed
    }

    fn components(
        header: &Header,
        map: MemoryMap,
        channels: Vec<ChannelConfig>,
        comparison: &SharedComparison,
        player: &Rc<Player>,
    ) -> Result<SystemComponents, ReplayError> {
        let doorbells = RecordedDoorbells::new(comparison.clone(), &map, &channels);
        let doorbells = Rc::new(doorbells);
        player.set_doorbells(doorbells.clone());
        let (caller, accessed, polled) = (player.clone(), player.clone(), player.clone());
        let environment = Environment {
            foreign: Rc::new(move |call| caller.send_reply(call)),
            direct: Some(DirectCalls {
                store: Rc::new(NoMemory),
                access: Box::new(move |of, _| accessed.reply(of)),
                // Reported by the recorded run.
                report: Box::new(|_| ()),
                poll: Box::new(move |of, _, _, _, _| polled.reply(of)),
            }),
            // Reported again by its original reporter.
            on_py_tasks: Box::new(|_| ()),
            local: Rc::new(RecordedMemory::new(comparison.clone())),
            doorbells,
            disk: disk(header, comparison),
            root: None,
            special: special(header),
            frames: Some(Rc::new(RecordedFrames::new(comparison.clone()))),
        };
        // No memory content is kept here.
        let mut nowhere = map.clone();
        for memory in &mut nowhere.memories {
            memory.backend = Backend::Log;
        }
        let memories = Rc::new(Backends::new(Rc::new(nowhere)).map_err(Error::from)?);
        Ok(SystemComponents {
            header: Header::new(),
            map: Rc::new(map),
            memories,
            channels,
            // Reports are recorded.
            diagnostics: Vec::new(),
            callbacks: Rc::new(Callbacks::new(Openers::default(), Openers::default())),
            sockets: hub(header, comparison),
            environment,
            sink: Box::new(io::sink()),
            error_sink: Box::new(io::sink()),
            attached: vec![Box::new(comparison.tap())],
            // Watchdog reports are recorded.
            timeout: WatchdogTimeout::NEVER,
            host_callbacks: Vec::new(),
            started: Vec::new(),
        })
    }
}

/// Opens a recording that can be replayed.
fn opened(file: &Path) -> Result<(Trace, Header), ReplayError> {
    let trace = Trace::open(file)?;
    let header = trace.header().clone();
    let file = || file.to_owned();
    if !header.whole {
        return Err(ReplayError::NotWhole { file: file() });
    }
    if header.payloads != Payloads::Keep {
        return Err(ReplayError::NoPayloads { file: file() });
    }
    Ok((trace, header))
}

/// True if a recording is a part of another one.
fn is_cut_out(file: &Path) -> Result<bool, TraceError> {
    for entry in Trace::open(file)? {
        let entry = match entry {
            // The replay reports the damage.
            Err(TraceError::Damaged { .. }) => return Ok(false),
            entry => entry?,
        };
        // The state is behind the begin of the run.
        if entry.tick > 0 {
            break;
        }
        if is_state(&entry) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True for the state at the begin of a part.
fn is_state(entry: &Entry) -> bool {
    entry.kind.name == Resumed::NAME && entry.kind.to == Endpoint::EVENT.name()
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("file", &self.file)
            .field("prints", &self.prints)
            .finish_non_exhaustive()
    }
}
