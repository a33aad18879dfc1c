//! Error numbers of failed requests.
//!
//! Source: protocol, section *Requests*; the numbers are Linux's.

use core::fmt;

use crate::layout::PtrWidth;

/// Error number. On the wire it is negated, in two's complement of the pointer width.
///
/// ```
/// use mailbox_rs::{Errno, PtrWidth};
///
/// assert_eq!(Errno::ENOENT.to_word(PtrWidth::P4), 0xffff_fffe);
/// assert_eq!(Errno::from_word(0xffff_fffe, PtrWidth::P4), Some(Errno::ENOENT));
/// assert_eq!(Errno::ENOENT.to_string(), "ENOENT (no such file or directory)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Errno(pub i32);

/// Largest error number, as in a Linux system call.
const MAX: i64 = 4095;

impl Errno {
    /// Response word of this error.
    #[must_use]
    pub const fn to_word(self, width: PtrWidth) -> u64 {
        width.truncate(-(self.0 as i64) as u64)
    }

    /// Error encoded by `word`: -4095 to -1 in `width`; otherwise `None`.
    #[must_use]
    pub const fn from_word(word: u64, width: PtrWidth) -> Option<Self> {
        let value = width.sign_extend(word);
        if value < 0 && value >= -MAX {
            Some(Self(-value as i32))
        } else {
            None
        }
    }
}

/// Declares named numbers with their texts.
macro_rules! errnos {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "`: ", $text, ".")]
                pub const $name: Self = Self($number);
            )*

            /// Errors known to this crate, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Name, for numbers known to this crate.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for Errno {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Self::$name => f.write_str(concat!(stringify!($name), " (", $text, ")")),)*
                    Self(number) => write!(f, "errno {number}"),
                }
            }
        }
    };
}

errnos! {
    EPERM = 1, "operation not permitted";
    ENOENT = 2, "no such file or directory";
    EINTR = 4, "interrupted";
    EIO = 5, "input/output error";
    EBADF = 9, "bad file descriptor";
    EAGAIN = 11, "try again";
    ENOMEM = 12, "out of memory";
    EACCES = 13, "permission denied";
    EFAULT = 14, "bad address";
    EBUSY = 16, "device or resource busy";
    EEXIST = 17, "file exists";
    EXDEV = 18, "link to another file system";
    ENODEV = 19, "no such device";
    ENOTDIR = 20, "not a directory";
    EISDIR = 21, "is a directory";
    EINVAL = 22, "invalid argument";
    ENFILE = 23, "too many open files in the system";
    EMFILE = 24, "too many open files";
    ETXTBSY = 26, "text file busy";
    EFBIG = 27, "file too large";
    ENOSPC = 28, "no space left on device";
    ESPIPE = 29, "not seekable";
    EROFS = 30, "read-only file system";
    EMLINK = 31, "too many links";
    EPIPE = 32, "broken pipe";
    ERANGE = 34, "result out of range";
    ENAMETOOLONG = 36, "file name too long";
    ENOSYS = 38, "not implemented";
    ENOTEMPTY = 39, "directory not empty";
    ELOOP = 40, "too many symbolic links";
    EOVERFLOW = 75, "value too large";
    ENOTSUP = 95, "not supported";
    ETIMEDOUT = 110, "timed out";
    EDQUOT = 122, "disk quota exceeded";
}

impl core::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_widths() {
        assert_eq!(Errno::EFAULT.to_word(PtrWidth::P4), 0xffff_fff2);
        assert_eq!(Errno::EFAULT.to_word(PtrWidth::P8), 0xffff_ffff_ffff_fff2);
        assert_eq!(Errno::from_word(0xffff_fff2, PtrWidth::P8), None);
    }

    #[test]
    fn only_the_range_of_errors_is_read_as_one() {
        for width in [PtrWidth::P4, PtrWidth::P8] {
            for number in 1..=4095 {
                let errno = Errno(number);
                assert_eq!(Errno::from_word(errno.to_word(width), width), Some(errno));
            }
            assert_eq!(Errno::from_word(0, width), None);
            assert_eq!(Errno::from_word(1, width), None);
            assert_eq!(Errno::from_word(Errno(4096).to_word(width), width), None);
        }
    }

    #[test]
    fn unknown_numbers_are_shown() {
        assert_eq!(Errno(77).name(), None);
        assert_eq!(std::format!("{}", Errno(77)), "errno 77");
    }
}
