//! List of the actors: their names in recordings, and the types of messages by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{console, files, htif, mailbox, memory, rpc, rtt, semihosting, sockets};
use crate::bus::{Endpoint, Inbox};

/// Defines everything that depends on the list of actors. `$d` is a dollar sign, for the macro that
/// is defined here.
macro_rules! actors {
    ($d:tt $($(#[$doc:meta])* $actor:ident: $module:ident;)+) => {
        /// Actor, by its name in recordings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ActorName {
            $($(#[$doc])* $actor,)+
        }

        impl ActorName {
            /// All actors.
            pub const ALL: [Self; [$(stringify!($actor)),+].len()] = [$(Self::$actor),+];

            /// Endpoint on the bus.
            pub(crate) fn endpoint(self) -> Endpoint {
                match self {
                    $(Self::$actor => $module::Inbox::ENDPOINT,)+
                }
            }
        }

        /// Calls a visitor with a message's type, which is found by the names of receiver and
        /// message; `None` for an unknown message.
        macro_rules! by_name {
            ($d to:expr, $d name:expr, $d visitor:expr) => {
                $crate::messages::by_name!(
                    $d to, $d name, $d visitor; events, foreign, $($module),+
                )
            };
            ($d to:expr, $d name:expr, $d visitor:expr; $d($d receiver:ident),+) => {
                match $d to {
                    $d(to if to == <$crate::messages::$d receiver::Inbox as $crate::bus::Inbox>::ENDPOINT.name() => {
                        <$crate::messages::$d receiver::Inbox as $crate::bus::Inbox>::by_name($d name, $d visitor)
                    })+
                    _ => None,
                }
            };
        }
    };
}

actors! {
    $
    /// Mailbox server.
    Mailbox: mailbox;
    /// HTIF server.
    Htif: htif;
    /// RTT server.
    Rtt: rtt;
    /// Semihosting server.
    Semihosting: semihosting;
    /// Memory actor.
    Memory: memory;
    /// RPC dispatcher.
    Rpc: rpc;
    /// Files of firmware.
    Files: files;
    /// Console of firmware.
    Console: console;
    /// Socket manager.
    Sockets: sockets;
}

pub(crate) use by_name;

/// Unknown actor name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no actor `{name}`; there are {}", ActorName::ALL.map(ActorName::name).join(", "))]
pub struct NoSuchActor {
    /// Given name.
    pub name: String,
}

impl ActorName {
    /// Name in recordings.
    pub fn name(self) -> &'static str {
        self.endpoint().name()
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ActorName {
    type Err = NoSuchActor;

    fn from_str(name: &str) -> Result<Self, NoSuchActor> {
        let found = Self::ALL.into_iter().find(|actor| actor.name() == name);
        found.ok_or_else(|| NoSuchActor {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_has_the_name_that_it_has_on_the_bus() {
        for actor in ActorName::ALL {
            assert_eq!(actor.to_string().parse(), Ok(actor));
            assert_eq!(actor.endpoint().name(), actor.name());
        }
        let error = "mailman".parse::<ActorName>().unwrap_err().to_string();
        for actor in ActorName::ALL {
            assert!(error.contains(actor.name()), "{error}");
        }
    }
}
