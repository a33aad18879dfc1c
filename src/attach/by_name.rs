//! Ready-made attachments by name: from the environment, C, or a command line.

use super::{Attach, AttachContext, AttachError, Logger, ProtocolChecker, Statistics};
use crate::bus::{Spawner, Tap};
use crate::messages::foreign::Severity;

/// A ready-made attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builtin {
    /// `log`, `log=FILE`, `log-json`, `log-json=FILE`: [`Logger`].
    Log {
        /// File; `None` for stderr.
        file: Option<String>,
        /// True for JSON format.
        json: bool,
    },
    /// `check`, `check=SEVERITY`: [`ProtocolChecker`].
    Check(Severity),
    /// `statistics`, `statistics=FILE`: [`Statistics`].
    Statistics {
        /// File; `None` for stderr.
        file: Option<String>,
    },
}

/// Parses a list of names separated by commas: `check,log=requests.log,statistics=requests.json`.
///
/// # Errors
/// An unknown name, or an invalid value.
///
/// ```
/// use vhost::Severity;
/// use vhost::attach::{Builtin, parse};
///
/// assert_eq!(parse("check=warning")?, [Builtin::Check(Severity::Warning)]);
/// assert!(parse("").unwrap().is_empty());
/// # Ok::<(), vhost::attach::AttachError>(())
/// ```
pub fn parse(text: &str) -> Result<Vec<Builtin>, AttachError> {
    let items = text.split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).map(one).collect()
}

fn one(item: &str) -> Result<Builtin, AttachError> {
    let (name, value) = match item.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (item, None),
    };
    let file = match value {
        Some("") => Err(AttachError::NoFile { name: name.into() }),
        value => Ok(value.map(str::to_owned)),
    };
    match name {
        "log" | "log-json" => Ok(Builtin::Log {
            file: file?,
            json: name == "log-json",
        }),
        "statistics" => Ok(Builtin::Statistics { file: file? }),
        "check" => {
            let value = value.unwrap_or(Severity::Error.name());
            Severity::named(value)
                .map(Builtin::Check)
                .ok_or_else(|| AttachError::Severity {
                    value: value.to_owned(),
                })
        }
        _ => Err(AttachError::Unknown { name: name.into() }),
    }
}

impl Attach for Builtin {
    fn attach(
        self: Box<Self>,
        context: &AttachContext,
        spawner: &Spawner,
    ) -> Result<Box<dyn Tap>, AttachError> {
        let made: Box<dyn Attach> = match *self {
            Self::Log { file, json } => {
                let logger = file.map_or_else(Logger::stderr, Logger::file);
                Box::new(if json { logger.json() } else { logger })
            }
            Self::Check(severity) => Box::new(ProtocolChecker::new().severity(severity)),
            Self::Statistics { file } => Box::new(match file {
                Some(file) => Statistics::new().file(file),
                None => Statistics::new().stderr(),
            }),
        };
        made.attach(context, spawner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_all_that_there_is() {
        let named = parse(" log, log-json = a.json ,check=fatal,, statistics=b").unwrap();
        let file = |name: &str| Some(name.to_owned());
        assert_eq!(
            named,
            [
                Builtin::Log {
                    file: None,
                    json: false
                },
                Builtin::Log {
                    file: file("a.json"),
                    json: true
                },
                Builtin::Check(Severity::Fatal),
                Builtin::Statistics { file: file("b") },
            ]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (list, part) in [
            ("logs", "`logs`"),
            ("check,=x", "``"),
            ("check=bad", "`check=bad`"),
            ("log=", "`log=`"),
            ("check=", "`check=`"),
        ] {
            let error = parse(list).unwrap_err().to_string();
            assert!(error.contains(part), "{list}: {error}");
        }
    }
}
