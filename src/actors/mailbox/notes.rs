//! Warnings already given for a channel. Each is given once, to keep the log short.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::Hash;

/// Maximum number of remembered call sites, and of results. Firmware may produce any number of
/// them.
const MOST: usize = 256;

/// Warnings given for one channel's requests.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Kinds of requests whose `words` was too small.
    few_words: RefCell<HashSet<&'static str>>,
    /// Call sites of CPRINT that printed truncated words.
    cut: BoundedSet<CallSite>,
    /// Call sites of CPRINT whose `words` counted fewer arguments than the format takes.
    uncounted: BoundedSet<CallSite>,
    /// Methods, commands and FILE operations whose result lost its upper half.
    wide_results: BoundedSet<String>,
}

/// Bounded set.
#[derive(Debug)]
struct BoundedSet<T>(RefCell<HashSet<T>>);

/// Call site of a CPRINT: addresses of format and file name, and the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CallSite {
    pub(super) format: u64,
    pub(super) file: u64,
    pub(super) line: u32,
}

/// Occurrence of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Once {
    /// First occurrence.
    First,
    /// First occurrence, which fills the set.
    Last,
    /// Repeated occurrence, or the set is full.
    Again,
}

impl Notes {
    /// Remembers a kind of request. True if it is new.
    pub(super) fn few_words(&self, kind: &'static str) -> bool {
        self.few_words.borrow_mut().insert(kind)
    }

    /// Remembers a call site that counted too few arguments.
    pub(super) fn uncounted(&self, site: CallSite) -> Once {
        self.uncounted.once(site)
    }

    /// Remembers a call site that printed truncated words.
    pub(super) fn cut(&self, site: CallSite) -> Once {
        self.cut.once(site)
    }

    /// Remembers a method, command or FILE operation whose result was truncated.
    pub(super) fn wide_result(&self, of: String) -> Once {
        self.wide_results.once(of)
    }
}

impl<T: Eq + Hash> BoundedSet<T> {
    fn once(&self, what: T) -> Once {
        let mut seen = self.0.borrow_mut();
        if seen.len() == MOST || !seen.insert(what) {
            return Once::Again;
        }
        if seen.len() == MOST {
            Once::Last
        } else {
            Once::First
        }
    }
}

impl<T> Default for BoundedSet<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_sites_are_told_of_once_and_are_bounded() {
        let notes = Notes::default();
        let site = |line| CallSite {
            format: 1,
            file: 2,
            line,
        };
        for line in 1..256 {
            assert_eq!(notes.cut(site(line)), Once::First);
            assert_eq!(notes.cut(site(line)), Once::Again);
        }
        assert_eq!(notes.cut(site(256)), Once::Last);
        for line in 256..1000 {
            assert_eq!(notes.cut(site(line)), Once::Again);
        }
        assert_eq!(notes.cut.0.borrow().len(), 256);
    }

    #[test]
    fn call_sites_differ_in_format_file_or_line() {
        let notes = Notes::default();
        for format in [1, 2] {
            for file in [3, 4] {
                for line in [5, 6] {
                    let site = CallSite { format, file, line };
                    assert_eq!(notes.cut(site), Once::First, "{site:?}");
                    assert_eq!(notes.cut(site), Once::Again, "{site:?}");
                }
            }
        }
    }
}
