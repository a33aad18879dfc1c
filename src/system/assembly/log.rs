//! Log of the library: `tracing` output on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::vhost_variables::LOG;
use crate::guest;
use crate::system::Error;

/// Default filter, in the syntax of [`EnvFilter`]: warnings, and accesses of backend `log`.
const DEFAULT: &str = "vhost=warn,vhost::access=info";

/// Starts the log for a system of the environment. A `tracing` subscriber of the program takes
/// precedence.
///
/// # Errors
/// Invalid filter.
pub(in crate::system) fn start() -> Result<(), Error> {
    let filter = LOG.value().map_or_else(
        || DEFAULT.to_owned(),
        |filter| filter.to_string_lossy().into_owned(),
    );
    let parsed = EnvFilter::try_new(&filter).map_err(|cause| Error::LogFilter {
        variable: LOG.name,
        filter,
        cause,
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(guest::stderr)
        // The subscriber would report a failed write to stderr on stderr, and panic.
        .log_internal_errors(false)
        .without_time()
        .finish();
    // A subscriber may exist: the program's, or an earlier system's.
    let _ = subscriber.try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_variables_has_the_default_filter() {
        assert_eq!(LOG.default, format!("`{DEFAULT}`"));
    }
}
