//! Entry points of a Rust program: start a system, and run it to its end.

use std::error::Error as StdError;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::builder::Builder;
use super::sockets::SocketService;
use super::spaces::Spaces;
use super::status::ChannelExit;
use crate::attach::{self, Builtin};
use crate::config::vhost_variables::{
    ATTACH, MAILBOX_CFG_FILE, MAILBOX_FS_ROOT, MEM_CFG_FILE, RUN_COMMAND, RUN_DESIGN, RUN_HOST,
    RUN_ID, RUN_REVISION, RUN_SEED, TRACE, TRACE_COMPRESS, TRACE_PAYLOADS, WATCHDOG,
};
use crate::config::{self, Variable};
use crate::foreign::{Openers, host_code};
use crate::mem::Backend;
use crate::sim::{further_system_name, system_name, vpi_testbench};
use crate::system::assembly::{PendingStart, start_log};
use crate::system::running::{Vhost, WatchdogTimeout};
use crate::system::{CallbackResult, Error};
use crate::trace::{Payloads, RunIdentity};

/// Variable of configurations with the name of the system. It is not read from the environment.
const SYSTEM: &str = "VHOST_SYSTEM";

/// Files of a system without settings of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxInitPaths {
    /// Memory YAML file.
    pub mem_cfg_file: PathBuf,
    /// Mailbox YAML file.
    pub mailbox_cfg_file: PathBuf,
}

/// File paths of a system; `None` selects the path of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InitPaths {
    /// Memory YAML file: `MEM_CFG_FILE`.
    pub(crate) mem_cfg: Option<PathBuf>,
    /// Mailbox YAML file: `MAILBOX_CFG_FILE`.
    pub(crate) mailbox_cfg: Option<PathBuf>,
    /// Root of firmware's files: `MAILBOX_FS_ROOT`.
    pub(crate) fs_root: Option<PathBuf>,
}

/// Starts a system from the environment: `MEM_CFG_FILE`, `MAILBOX_CFG_FILE` and `MAILBOX_FS_ROOT`.
///
/// `spaces` gets the built memories. `special` and `virtuals` may add openers for files by
/// extension, and for files below `virtual/`.
///
/// # Errors
/// An unset variable, a refused file, a failed callback.
pub fn mailbox_init(
    spaces: impl FnOnce(&Spaces<'_>) -> CallbackResult,
    special: impl FnOnce(&mut Openers) -> CallbackResult,
    virtuals: impl FnOnce(&mut Openers) -> CallbackResult,
) -> Result<Vhost, Error> {
    let failed = |what| move |cause| Error::Callback { what, cause };
    let builder = from_environment(InitPaths::default(), Ok)?;
    let components = builder.components_when(|built, extensions, names| {
        spaces(built).map_err(failed("spaces"))?;
        special(extensions).map_err(failed("special files"))?;
        virtuals(names).map_err(failed("virtual files"))
    })?;
    Vhost::start(components)
}

/// Starts a system from two files, with no root for firmware's files.
///
/// # Errors
/// A refused file.
pub fn mailbox_init_with_paths(paths: MailboxInitPaths) -> Result<Vhost, Error> {
    let memories = Vhost::builder().memories(paths.mem_cfg_file);
    memories.mailboxes(paths.mailbox_cfg_file).start()
}

/// Starts a system from a memory file and the text of a mailbox configuration, with no root for
/// firmware's files.
///
/// # Errors
/// A refused file or text.
pub fn mailbox_init_with_config(
    mem_cfg_file: impl AsRef<Path>,
    mailbox_yaml_text: &str,
) -> Result<Vhost, Error> {
    let memories = Vhost::builder().memories(mem_cfg_file.as_ref());
    memories.mailboxes_text(mailbox_yaml_text).start()
}

/// Ticks until every channel has exited or `stop` returns true. `stop` is called before every tick,
/// and advances the host program's model of the chip.
///
/// Returns name and exit code of each channel.
///
/// # Errors
/// Same as [`Vhost::tick`].
pub fn mb_server_run(
    vhost: &Vhost,
    mut stop: impl FnMut() -> bool,
) -> Result<Vec<ChannelExit>, Error> {
    while !stop() && vhost.tick()? > 0 {}
    Ok(vhost.exits())
}

impl Vhost {
    /// Builds a system for the C ABI, whose sockets may be open already.
    pub(crate) fn from_environment(
        paths: InitPaths,
        sockets: &SocketService,
        attached: Vec<Builtin>,
        configure: impl FnOnce(Builder) -> Result<Builder, Box<dyn StdError>>,
    ) -> Result<(Self, PendingStart), Error> {
        let configure = |builder| {
            let builder = attached.into_iter().fold(builder, Builder::attach);
            host_code::run("its function `configure`", || configure(builder))
                .map_err(Into::into)
                .flatten()
                .map_err(Error::Setup)
        };
        let builder = from_environment(paths, configure)?;
        Self::build(builder.on_sockets(sockets.hub()).components()?)
    }
}

/// Builder of the environment, after `configure`, which may name files missing from the
/// environment.
fn from_environment(
    paths: InitPaths,
    configure: impl FnOnce(Builder) -> Result<Builder, Error>,
) -> Result<Builder, Error> {
    start_log()?;
    let mut builder = Vhost::builder().variable(SYSTEM, &*system_name());
    // Without DPI, functions for other backends can't be exported.
    if vpi_testbench::is_without_dpi() {
        builder = builder.default_backend(Backend::Vpi);
    }
    if let Some(file) = path(paths.mem_cfg, "mem_cfg", &MEM_CFG_FILE, &builder)? {
        builder = builder.memories(file);
    }
    let mailbox_cfg = path(
        paths.mailbox_cfg,
        "mailbox_cfg",
        &MAILBOX_CFG_FILE,
        &builder,
    )?;
    if let Some(file) = mailbox_cfg {
        builder = builder.mailboxes(file);
    }
    if let Some(root) = path(paths.fs_root, "fs_root", &MAILBOX_FS_ROOT, &builder)? {
        builder = builder.files(root);
    }
    let builder = configure(observed(builder)?)?;
    builder.require_files()?;
    Ok(builder)
}

impl Builder {
    /// Adds the settings of the environment: `VHOST_TRACE`, `VHOST_TRACE_PAYLOADS`,
    /// `VHOST_TRACE_COMPRESS`, `VHOST_RUN_ID` and the other properties of the run,
    /// `VHOST_WATCHDOG`, `VHOST_ATTACH`, and the filter `VHOST_LOG`. Later settings take
    /// precedence. Later attachments are called after these.
    ///
    /// # Errors
    /// A variable with an invalid value.
    pub fn environment(self) -> Result<Self, Error> {
        start_log()?;
        observed(self)
    }

    /// Adds only the identity of the run: `VHOST_RUN_ID` and the other properties.
    pub fn environment_identity(self) -> Self {
        identified(self)
    }
}

/// Adds the recording, the watchdog and the attachments of the environment.
fn observed(builder: Builder) -> Result<Builder, Error> {
    // Applies also to a recording of the program.
    let builder = builder.record_payloads(payloads()?);
    let builder = match is_compressed()? {
        Some(is_compressed) => builder.compress_recording(is_compressed),
        None => builder,
    };
    let builder = match TRACE.value() {
        None => builder,
        Some(file) => builder.record(file),
    };
    let builder = identified(builder);
    let builder = match WATCHDOG.value() {
        None => builder,
        Some(value) => builder.watch(timeout(&value)?),
    };
    let named = ATTACH.value().unwrap_or_default();
    let attached = attach::parse(&named.to_string_lossy()).map_err(Error::AttachVariable)?;
    Ok(attached.into_iter().fold(builder, Builder::attach))
}

/// Adds the identity of the run. The name of a further system of a process is the run's, a dot and
/// its own.
fn identified(builder: Builder) -> Builder {
    let variables = [
        (RunIdentity::ID, RUN_ID),
        (RunIdentity::DESIGN, RUN_DESIGN),
        (RunIdentity::SEED, RUN_SEED),
        (RunIdentity::REVISION, RUN_REVISION),
        (RunIdentity::HOST, RUN_HOST),
        (RunIdentity::COMMAND, RUN_COMMAND),
    ];
    variables
        .into_iter()
        .fold(builder, |builder, (key, variable)| {
            let Some(value) = variable.value() else {
                return builder;
            };
            let value = value.to_string_lossy();
            match further_system_name().filter(|_| key == RunIdentity::ID) {
                Some(system) => builder.identify(key, format!("{value}.{system}")),
                None => builder.identify(key, value),
            }
        })
}

/// Timeout of `VHOST_WATCHDOG`.
fn timeout(value: &OsStr) -> Result<WatchdogTimeout, Error> {
    let value = value.to_string_lossy();
    let refused = |_| Error::Watchdog {
        value: value.clone().into_owned(),
    };
    value.parse().map_err(refused)
}

/// Treatment of payloads by `VHOST_TRACE_PAYLOADS`; default: kept.
fn payloads() -> Result<Payloads, Error> {
    let value = TRACE_PAYLOADS.value().unwrap_or_else(|| "keep".into());
    match value.to_str() {
        Some("keep") => Ok(Payloads::Keep),
        Some("hash") => Ok(Payloads::Hash),
        Some("drop") => Ok(Payloads::Drop),
        _ => Err(Error::TracePayloads {
            value: value.to_string_lossy().into_owned(),
        }),
    }
}

/// True if `VHOST_TRACE_COMPRESS` enables compression; `None` if it is not set.
fn is_compressed() -> Result<Option<bool>, Error> {
    let Some(value) = TRACE_COMPRESS.value() else {
        return Ok(None);
    };
    match value.to_str() {
        Some("zstd") => Ok(Some(true)),
        Some("none") => Ok(Some(false)),
        _ => Err(Error::TraceCompress {
            value: value.to_string_lossy().into_owned(),
        }),
    }
}

/// Path in `argument`, or else in the environment `variable`, with variables expanded as in the
/// paths of the files.
fn path(
    given: Option<PathBuf>,
    argument: &'static str,
    variable: &Variable,
    environment: &Builder,
) -> Result<Option<PathBuf>, Error> {
    let (value, key) = match given {
        Some(path) => (Some(path.into_os_string()), argument),
        None => (variable.value(), variable.name),
    };
    let expanded = value.map(|value| config::expand_path(&value, key, environment));
    Ok(expanded.transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    #[test]
    fn the_watchdogs_variable_is_parsed_or_refused_with_its_forms() {
        let (ticks, severity) = (500, Severity::Fatal);
        let known = timeout(OsStr::new("500:fatal")).unwrap();
        assert_eq!(known, WatchdogTimeout { ticks, severity });
        let error = timeout(OsStr::new("soon")).unwrap_err().to_string();
        assert!(error.contains("VHOST_WATCHDOG is `soon`"), "{error}");
        assert!(error.contains("number of ticks"), "{error}");
    }
}
