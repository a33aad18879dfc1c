//! One system at a time for each thread of a Rust program, and for each system of the C ABI.

use std::cell::Cell;

use crate::sim::strand::{is_entered, strand_local};
use crate::system::Error;

/// Reservation of a thread of a Rust program, or of a system of the C ABI.
pub(in crate::system) struct ThreadClaim {
    /// True for a system of the C ABI.
    moves: bool,
}

strand_local! {
    static TAKEN: Cell<bool> = Cell::new(false);
}

impl ThreadClaim {
    pub(in crate::system) fn take() -> Result<Self, Error> {
        // Unavailable on a thread that is ending.
        let taken = TAKEN.with(|taken| taken.replace(true)).unwrap_or(true);
        if taken {
            Err(Error::AlreadyRunning)
        } else {
            let moves = is_entered();
            Ok(Self { moves })
        }
    }
}

impl Drop for ThreadClaim {
    fn drop(&mut self) {
        // A thread may drop its own system inside a call of the C ABI.
        let _ = TAKEN.with_value_of(self.moves, |taken| taken.set(false));
    }
}
