//! Rust API of a system: its builder, and methods of [`Vhost`](super::Vhost) by topic.

mod backdoor;
mod builder;
mod control;
mod entry;
mod images;
mod methods;
mod observers;
mod semihosting;
mod snapshots;
mod sockets;
mod spaces;
mod status;
mod stdin;
mod ticks;
mod unstarted;

pub use builder::Builder;
pub(crate) use entry::InitPaths;
pub use entry::{
    MailboxInitPaths, mailbox_init, mailbox_init_with_config, mailbox_init_with_paths,
    mb_server_run,
};
pub use snapshots::Snapshots;
pub(crate) use sockets::SocketService;
pub use sockets::Sockets;
pub use spaces::{MemoryView, SpaceView, Spaces};
pub use status::ChannelExit;
pub(crate) use unstarted::record_failure;
