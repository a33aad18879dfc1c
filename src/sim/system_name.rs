//! Names of systems, for `%s` in names of files and for `VHOST_SYSTEM` in configurations.

use std::cell::RefCell;
use std::sync::Arc;

use super::strand::strand_local;

/// Name of the first system, and of a Rust program's system.
pub(crate) const FIRST: &str = "main";

strand_local! {
    static NAME: RefCell<Option<Arc<str>>> = RefCell::new(None);
}

/// Sets the name of the current system, a further one.
pub(crate) fn set_system_name(name: &str) {
    NAME.with(|known| known.replace(Some(name.into())));
}

/// Name of the current system; `None` for the first one, and for a Rust program's.
pub(crate) fn further_system_name() -> Option<Arc<str>> {
    NAME.with(|name| name.borrow().clone()).flatten()
}

/// Name of the current system.
pub(crate) fn system_name() -> Arc<str> {
    further_system_name().unwrap_or_else(|| FIRST.into())
}
