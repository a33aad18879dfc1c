//! Environment variables of the library. This is the only list of them, and the only place that
//! reads them.

use std::env;
use std::ffi::OsString;

/// Environment variable of the library. The texts are also those of the table in
/// `docs/configuration.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Name of the variable.
    pub name: &'static str,
    /// Meaning of the value.
    pub meaning: &'static str,
    /// Accepted values.
    pub values: &'static str,
    /// Behaviour if the variable is unset or empty.
    pub default: &'static str,
}

impl Variable {
    /// Value in the environment of this process; `None` if it is unset or empty.
    pub fn value(&self) -> Option<OsString> {
        env::var_os(self.name).filter(|value| !value.is_empty())
    }
}

/// Defines a constant for each variable, and the list [`VARIABLES`].
macro_rules! variables {
    ($($constant:ident = $name:literal: $meaning:literal, $values:literal, $default:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $meaning, ".")]
            pub const $constant: Variable = Variable {
                name: $name,
                meaning: $meaning,
                values: $values,
                default: $default,
            };
        )+

        /// All environment variables of the library.
        pub const VARIABLES: &[Variable] = &[$($constant),+];
    };
}

variables! {
    MEM_CFG_FILE = "MEM_CFG_FILE":
        "memory file", "path", "required";
    MAILBOX_CFG_FILE = "MAILBOX_CFG_FILE":
        "mailbox file", "path", "required";
    MAILBOX_FS_ROOT = "MAILBOX_FS_ROOT":
        "directory of firmware's files", "path of an existing directory", "required";
    TRACE = "VHOST_TRACE":
        "file of the recording", "path, with `%p` for the process id, `%t` for the time of the start, `%s` for the system's name", "no recording";
    TRACE_PAYLOADS = "VHOST_TRACE_PAYLOADS":
        "payloads in the recording", "`keep`, `hash`, `drop`", "`keep`";
    TRACE_COMPRESS = "VHOST_TRACE_COMPRESS":
        "compression of the recording", "`zstd`, `none`", "`none`";
    RUN_ID = "VHOST_RUN_ID":
        "name of the run in its recording, unique among many", "text", "none";
    RUN_DESIGN = "VHOST_RUN_DESIGN":
        "name of the design or test in the recording", "text", "none";
    RUN_SEED = "VHOST_RUN_SEED":
        "seed of the run in the recording", "text", "none";
    RUN_REVISION = "VHOST_RUN_REVISION":
        "revision of the sources in the recording", "text", "none";
    RUN_HOST = "VHOST_RUN_HOST":
        "name of the machine in the recording", "text", "none";
    RUN_COMMAND = "VHOST_RUN_COMMAND":
        "command that repeats the run, in the recording", "text", "none";
    WATCHDOG = "VHOST_WATCHDOG":
        "ticks without progress of a channel after which its status is reported",
        "number, and behind a colon `info`, `warning`, `error` or `fatal`",
        "no watchdog";
    CALL_TIMEOUT = "VHOST_CALL_TIMEOUT":
        "wall time after which a process with a hanging testbench ends",
        "seconds, as `60` or `0.5`; `0` is no timeout",
        "no timeout";
    SCOPE = "VHOST_SCOPE":
        "DPI scope in which the testbench's functions are exported", "name of a scope", "scope of the caller";
    SYSTEMS = "VHOST_SYSTEMS":
        "systems of the process: one, or one for each DPI scope that calls `mb_init`", "`one`, `scope`", "`one`";
    ATTACH = "VHOST_ATTACH":
        "loggers and checkers", "list with commas, as `check,log=requests.log`", "none";
    LOG = "VHOST_LOG":
        "filter of the library's log on stderr", "directives of `tracing`, as `vhost=debug`",
        "`vhost=warn,vhost::access=info`";
    PYTHON_PATH = "VHOST_PYTHON_PATH":
        "folder with the shims of Python in `async` and `cocotb`", "path", "shims of the build";
}
