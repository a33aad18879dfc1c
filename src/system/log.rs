//! The library's own log: `tracing`, shown on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::Error;
use crate::guest;

/// What says how much is shown: a filter of [`EnvFilter`]'s.
const VARIABLE: &str = "VHOST_LOG";

/// Shown where nothing else is asked for: what the backend `log` tells, which is all that it does.
const DEFAULT: &str = "vhost=warn,vhost::access=info";

/// Starts the log for a system that comes from the environment. A program that has a `tracing` subscriber of its own
/// keeps it.
///
/// # Errors
/// Where the filter is none.
pub(super) fn start() -> Result<(), Error> {
    let filter = match std::env::var(VARIABLE) {
        Ok(filter) if !filter.is_empty() => filter,
        _ => DEFAULT.to_owned(),
    };
    let parsed = EnvFilter::try_new(&filter).map_err(|cause| Error::LogFilter {
        variable: VARIABLE,
        filter,
        cause,
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(guest::stderr)
        // It would say on stderr that stderr can't be written, and panic.
        .log_internal_errors(false)
        .without_time()
        .finish();
    // There may be one: of the program, or of a system that ran before.
    let _ = subscriber.try_init();
    Ok(())
}
