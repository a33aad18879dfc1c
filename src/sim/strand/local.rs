//! State that each system has, and that outlives a call.

use std::cell::RefCell;
use std::thread::LocalKey;

use super::{Entered, StrandCell, enter_again, is_entered};
use crate::sim::current_system;

/// Value of each system of the C ABI, and of each thread outside of the strand, because each thread
/// of a Rust program may run a system. Declared by [`strand_local!`].
pub(crate) struct StrandLocal<T: 'static> {
    /// Value of the first system.
    strand: StrandCell<T>,
    /// Values of further systems, by number from 1. A number that is used again has the value of
    /// the previous system.
    further: StrandCell<RefCell<Vec<&'static T>>>,
    new: fn() -> T,
    thread: &'static LocalKey<T>,
}

impl<T> StrandLocal<T> {
    pub(crate) const fn new(strand: T, new: fn() -> T, thread: &'static LocalKey<T>) -> Self {
        Self {
            strand: StrandCell::new(strand),
            further: StrandCell::new(RefCell::new(Vec::new())),
            new,
            thread,
        }
    }

    /// Uses the value of the current system if this thread is inside the strand, else the thread's
    /// own; `None` if the thread is ending.
    #[inline]
    pub(crate) fn with<R>(&self, act: impl FnOnce(&T) -> R) -> Option<R> {
        self.with_value_of(is_entered(), act)
    }

    /// Uses the value of the current system, or the thread's own. `None` if this thread does not
    /// own the strand, or is ending.
    #[inline]
    pub(crate) fn with_value_of<R>(&self, strand: bool, act: impl FnOnce(&T) -> R) -> Option<R> {
        if strand {
            let entered = enter_again()?;
            Some(act(match current_system::current().number() {
                0 => self.strand.get(&entered),
                number => self.further(number, &entered),
            }))
        } else {
            self.thread.try_with(act).ok()
        }
    }

    /// As [`with`](Self::with), but with one value shared by all systems of the C ABI.
    pub(crate) fn with_shared<R>(&self, act: impl FnOnce(&T) -> R) -> Option<R> {
        match enter_again() {
            Some(entered) => Some(act(self.strand.get(&entered))),
            None => self.thread.try_with(act).ok(),
        }
    }

    /// First result of `find` for the value of a system of the C ABI other than the current one.
    /// `None` outside of the strand.
    pub(crate) fn find_other<R>(&self, find: impl FnMut(&T) -> Option<R>) -> Option<R> {
        let entered = enter_again()?;
        let current = current_system::current().number();
        let further = self.further.get(&entered).borrow().clone();
        let all = std::iter::once(self.strand.get(&entered)).chain(further);
        let others = all.enumerate().filter(|(number, _)| *number != current);
        others.map(|(_, value)| value).find_map(find)
    }

    /// Value of a further system.
    #[cold]
    fn further(&self, number: usize, entered: &Entered) -> &'static T {
        let mut further = self.further.get(entered).borrow_mut();
        loop {
            if let Some(value) = further.get(number - 1) {
                return value;
            }
            // Bounded by the number of systems, whose numbers are used again.
            further.push(Box::leak(Box::new((self.new)())));
        }
    }
}

/// Declares a [`StrandLocal`].
macro_rules! strand_local {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        $(#[$doc])*
        static $name: $crate::sim::strand::StrandLocal<$type> = {
            std::thread_local!(static THREAD: $type = const { $value });
            $crate::sim::strand::StrandLocal::new($value, || $value, &THREAD)
        };
    };
}

pub(crate) use strand_local;
