//! Warnings already given for a channel. Each is given once, to keep the log short.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::Hash;

/// Maximum number of remembered call sites, and of results. Firmware may produce any number of
/// them.
const MAX_REMEMBERED: usize = 256;

/// Warnings given for one channel's requests.
#[derive(Debug, Default)]
pub(super) struct WarningsGiven {
    /// Kinds of requests whose `words` was too small.
    few_words: RefCell<HashSet<&'static str>>,
    /// Call sites of CPRINT that printed truncated words.
    truncated_words: BoundedSet<CallSite>,
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
pub(super) enum Occurrence {
    /// First occurrence.
    First,
    /// First occurrence, which fills the set.
    FillsSet,
    /// Repeated occurrence, or the set is full.
    Repeated,
}

impl WarningsGiven {
    /// Remembers a kind of request. True if it is new.
    pub(super) fn few_words(&self, kind: &'static str) -> bool {
        self.few_words.borrow_mut().insert(kind)
    }

    /// Remembers a call site that counted too few arguments.
    pub(super) fn uncounted(&self, site: CallSite) -> Occurrence {
        self.uncounted.add(site)
    }

    /// Remembers a call site that printed truncated words.
    pub(super) fn truncated_words(&self, site: CallSite) -> Occurrence {
        self.truncated_words.add(site)
    }

    /// Remembers a method, command or FILE operation whose result was truncated.
    pub(super) fn wide_result(&self, of: String) -> Occurrence {
        self.wide_results.add(of)
    }
}

impl<T: Eq + Hash> BoundedSet<T> {
    fn add(&self, what: T) -> Occurrence {
        let mut seen = self.0.borrow_mut();
        if seen.len() == MAX_REMEMBERED || !seen.insert(what) {
            return Occurrence::Repeated;
        }
        if seen.len() == MAX_REMEMBERED {
            Occurrence::FillsSet
        } else {
            Occurrence::First
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
    fn call_sites_are_reported_once_and_are_bounded() {
        let warnings = WarningsGiven::default();
        let site = |line| CallSite {
            format: 1,
            file: 2,
            line,
        };
        for line in 1..256 {
            assert_eq!(warnings.truncated_words(site(line)), Occurrence::First);
            assert_eq!(warnings.truncated_words(site(line)), Occurrence::Repeated);
        }
        assert_eq!(warnings.truncated_words(site(256)), Occurrence::FillsSet);
        for line in 256..1000 {
            assert_eq!(warnings.truncated_words(site(line)), Occurrence::Repeated);
        }
        assert_eq!(warnings.truncated_words.0.borrow().len(), 256);
    }

    #[test]
    fn call_sites_differ_in_format_file_or_line() {
        let warnings = WarningsGiven::default();
        for format in [1, 2] {
            for file in [3, 4] {
                for line in [5, 6] {
                    let site = CallSite { format, file, line };
                    assert_eq!(
                        warnings.truncated_words(site),
                        Occurrence::First,
                        "{site:?}"
                    );
                    assert_eq!(
                        warnings.truncated_words(site),
                        Occurrence::Repeated,
                        "{site:?}"
                    );
                }
            }
        }
    }
}
