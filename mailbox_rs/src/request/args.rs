//! Argument lists of bounded length.

use core::fmt;
use core::ops::Deref;

use crate::layout::REQUEST_ARGS;

/// Maximum CPRINT arguments: words after format, file name and line.
pub const CPRINT_ARGS: usize = REQUEST_ARGS - 3;

/// Maximum CALL arguments: words after the method's name.
pub const CALL_ARGS: usize = REQUEST_ARGS - 1;

/// Maximum custom-command arguments: words after the id.
pub const CUSTOM_ARGS: usize = REQUEST_ARGS - 1;

/// Inline list of at most `N` argument words.
///
/// ```
/// use mailbox_rs::Args;
///
/// let args: Args<19> = [1, 2, 3].into();
/// assert_eq!(args.len(), 3);
/// assert_eq!(args.get(1), Some(&2));
/// assert!(Args::<2>::try_from(&[1, 2, 3][..]).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Args<const N: usize> {
    len: usize,
    /// Words of the list, followed by zeros.
    words: [u64; N],
}

impl<const N: usize> Args<N> {
    /// Empty list.
    pub const EMPTY: Self = Self {
        len: 0,
        words: [0; N],
    };

    /// First `N` of `words`, or all if there are fewer.
    pub(super) fn first_of(words: &[u64]) -> Self {
        let mut args = Self {
            len: words.len().min(N),
            ..Self::EMPTY
        };
        args.words
            .iter_mut()
            .zip(words)
            .for_each(|(arg, &word)| *arg = word);
        args
    }
}

impl<const N: usize> Default for Args<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> Deref for Args<N> {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.words[..self.len]
    }
}

impl<const N: usize> fmt::Debug for Args<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Converts an array of at most `N` words; a longer one doesn't compile.
impl<const N: usize, const M: usize> From<[u64; M]> for Args<N> {
    fn from(words: [u64; M]) -> Self {
        const { assert!(M <= N, "more arguments than a request has room for") };
        Self::first_of(&words)
    }
}

impl<const N: usize> TryFrom<&[u64]> for Args<N> {
    type Error = TooManyArgs;

    fn try_from(words: &[u64]) -> Result<Self, TooManyArgs> {
        if words.len() > N {
            return Err(TooManyArgs {
                given: words.len(),
                room: N,
            });
        }
        Ok(Self::first_of(words))
    }
}

/// Error of too many arguments for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyArgs {
    /// Number of arguments given.
    pub given: usize,
    /// Maximum number of arguments.
    pub room: usize,
}

impl fmt::Display for TooManyArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} arguments, but at most {} fit", self.given, self.room)
    }
}

impl core::error::Error for TooManyArgs {}

#[cfg(feature = "serde")]
mod serde_impls {
    use super::{Args, TooManyArgs, fmt};
    use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    impl<const N: usize> Serialize for Args<N> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.iter())
        }
    }

    impl<'de, const N: usize> Deserialize<'de> for Args<N> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Words<const N: usize>;

            impl<'de, const N: usize> Visitor<'de> for Words<N> {
                type Value = Args<N>;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "at most {N} words")
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Args<N>, A::Error> {
                    let mut args = Args::EMPTY;
                    while let Some(word) = seq.next_element()? {
                        let room = args.words.get_mut(args.len);
                        *room.ok_or_else(|| {
                            A::Error::custom(TooManyArgs {
                                given: N + 1,
                                room: N,
                            })
                        })? = word;
                        args.len += 1;
                    }
                    Ok(args)
                }
            }

            deserializer.deserialize_seq(Words)
        }
    }
}
