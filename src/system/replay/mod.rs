//! A recorded run, once more, without whatever was outside of it.
//!
//! The system is built from the recording's own configuration. What came from outside is done again, in its order; what the outside
//! answered is answered from the recording; and every other message has to come out as it was recorded.
//!
//! - `score`: the recording, as far as it has been played, and the first difference from it.
//! - `player`: does what came from outside.
//! - `answers`: stands in for memories, files and doorbells.
//! - `part`: whose part is played, all actors' or that of one; `solo` plays that of one.

mod answers;
mod part;
mod player;
mod score;
mod solo;

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use thiserror::Error;

use self::answers::{RecordedDisk, RecordedMemory, RecordedNetwork, Sights};
use self::part::Part;
pub use self::part::{ActorName, NoSuchActor};
use self::player::Player;
pub use self::score::Difference;
use self::score::{Score, Shared};
use self::solo::{Solo, Stage};
use super::build::{Outside, Parts};
use super::{Error, Vhost};
use crate::actors::files::{Disk, SpecialNames};
use crate::actors::sockets::Hub;
use crate::config::{self, ChannelConfig};
use crate::foreign::{Callbacks, Memories, Openers};
use crate::mem::{Backend, MemoryMap};
use crate::sim::CStdout;
use crate::trace::{Header, Payloads, Trace, TraceError};

/// A recording to be replayed.
///
/// ```no_run
/// use vhost::Replay;
///
/// let replayed = Replay::of("run.trace").run()?;
/// println!("{} messages came out as they were recorded", replayed.messages);
/// # Ok::<(), vhost::ReplayError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Replay {
    file: PathBuf,
    prints: bool,
    only: Option<ActorName>,
}

/// A replay without a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Messages that came out as they were recorded, replies among them.
    pub messages: u64,
    /// Ticks of the run.
    pub ticks: u64,
}

/// Why a replay did not come to a good end.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The recording can't be read, or is damaged.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// It was begun while the system was running.
    #[error("{} begins in the middle of a run: a replay takes one from its start (`VHOST_TRACE`, or `Builder::record`)", file.display())]
    NotWhole {
        /// The recording.
        file: PathBuf,
    },
    /// It lacks what messages carried.
    #[error("{} was recorded without payloads, which a replay needs; record with VHOST_TRACE_PAYLOADS=keep", file.display())]
    NoPayloads {
        /// The recording.
        file: PathBuf,
    },
    /// The system can't be built from it.
    #[error(transparent)]
    System(#[from] Error),
    /// Something else came out.
    #[error(transparent)]
    Difference(Box<Difference>),
}

impl Replay {
    /// Of the recording in `file`.
    pub fn of(file: impl AsRef<Path>) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            prints: false,
            only: None,
        }
    }

    /// Prints firmware's text, as the run did.
    #[must_use]
    pub fn printing(self, prints: bool) -> Self {
        Self { prints, ..self }
    }

    /// Replays one actor: it is sent what it was sent, and what it says, messages and replies, has to come out as it was recorded.
    /// The others do not run, and what they said to each other is passed over.
    ///
    /// ```no_run
    /// use vhost::{ActorName, Replay};
    ///
    /// Replay::of("run.trace").only(ActorName::Mailbox).run()?;
    /// # Ok::<(), vhost::ReplayError>(())
    /// ```
    #[must_use]
    pub fn only(self, actor: ActorName) -> Self {
        let only = Some(actor);
        Self { only, ..self }
    }

    /// Replays all of it. A recording that was cut off is replayed as far as it goes.
    ///
    /// # Errors
    /// The first [`Difference`], or a recording that can't be replayed. A thread that has a system can't replay another, but
    /// for [one actor](Self::only).
    pub fn run(&self) -> Result<Replayed, ReplayError> {
        let trace = Trace::open(&self.file)?;
        let header = trace.header().clone();
        let file = self.file.clone();
        if !header.whole {
            return Err(ReplayError::NotWhole { file });
        }
        if header.payloads != Payloads::Keep {
            return Err(ReplayError::NoPayloads { file });
        }
        let map = memory_map(&header).map_err(Error::from)?;
        let channels = channels(&header, &map).map_err(Error::from)?;
        if let Some(actor) = self.only {
            return self.run_one(actor, trace, map, &channels);
        }
        let score = Score::shared(trace, Part::All);
        let player = Rc::new(Player::new(score.clone()));
        let parts = self.parts(&header, map, channels, &score, &player)?;
        let (vhost, beginning) = Vhost::build(parts)?;
        player.play(&vhost, beginning);
        score.end(vhost.now())
    }

    fn run_one(
        &self,
        actor: ActorName,
        trace: Trace,
        map: MemoryMap,
        channels: &[ChannelConfig],
    ) -> Result<Replayed, ReplayError> {
        let header = trace.header().clone();
        let score = Score::shared(trace, Part::One(actor));
        let stage = Stage {
            header: &header,
            map,
            channels,
            sink: self.sink(),
        };
        let solo = Solo::new(actor, score.clone(), stage)?;
        let ticks = solo.play().map_err(Error::from)?;
        score.end(ticks)
    }

    fn sink(&self) -> Box<dyn io::Write> {
        if self.prints {
            Box::new(CStdout)
        } else {
            Box::new(io::sink())
        }
    }

    fn parts(
        &self,
        header: &Header,
        map: MemoryMap,
        channels: Vec<ChannelConfig>,
        score: &Shared,
        player: &Rc<Player>,
    ) -> Result<Parts, ReplayError> {
        let sights = Sights::new(score.clone(), &map, &channels);
        let caller = player.clone();
        let outside = Outside {
            foreign: Rc::new(move |call| caller.answer(call)),
            // Whoever told it then tells it again.
            on_py_tasks: Box::new(|_| ()),
            local: Rc::new(RecordedMemory::new(score.clone())),
            sights: Rc::new(sights),
            disk: disk(header, score),
            special: special(header),
        };
        // No byte of a memory is kept here.
        let mut nowhere = map.clone();
        for memory in &mut nowhere.memories {
            memory.backend = Backend::Log;
        }
        let memories = Rc::new(Memories::new(Rc::new(nowhere)).map_err(Error::from)?);
        Ok(Parts {
            origin: Header::new(),
            map: Rc::new(map),
            memories,
            channels,
            callbacks: Rc::new(Callbacks::new(Openers::default(), Openers::default())),
            sockets: hub(header, score),
            outside,
            sink: self.sink(),
            taps: vec![Box::new(score.tap())],
        })
    }
}

/// What firmware's files are on.
fn disk(header: &Header, score: &Shared) -> Option<Box<dyn Disk>> {
    let disk = || Box::new(RecordedDisk::new(score.clone())) as Box<dyn Disk>;
    header.file_root.then(disk)
}

/// Which files the host program opened.
fn special(header: &Header) -> SpecialNames {
    SpecialNames {
        extensions: header.extensions.iter().cloned().collect(),
        virtuals: header.virtuals.iter().cloned().collect(),
    }
}

/// The sockets, of which none is open.
fn hub(header: &Header, score: &Shared) -> Rc<RefCell<Hub>> {
    let network = RecordedNetwork::new(score.clone());
    let hub = Hub::new(network, header.socket_queue).after(header.sockets_opened);
    Rc::new(RefCell::new(hub))
}

fn memory_map(header: &Header) -> Result<MemoryMap, config::ConfigError> {
    header
        .memories
        .as_ref()
        .map_or(Ok(MemoryMap::default()), |source| {
            config::parse_memory_map(&source.text, Path::new(&source.file), header)
        })
}

fn channels(header: &Header, map: &MemoryMap) -> Result<Vec<ChannelConfig>, config::ConfigError> {
    header.mailboxes.as_ref().map_or(Ok(Vec::new()), |source| {
        config::parse_mailboxes(&source.text, Path::new(&source.file), map, header)
    })
}
