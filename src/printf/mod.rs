//! Formatting of a CPRINT request like C's `printf`, from arguments that are words of a channel.
//!
//! Source: protocol, section *Requests*. Strings are in the channel's memory, so formatting takes
//! two steps: a [`PartialText`] lists the [strings](PartialText::strings) to read, and is
//! [finished](PartialText::finish) with them. Input from firmware is never trusted: an unsupported
//! conversion is copied to the text unchanged, with a [`Problem`] that describes the reason.
//!
//! Conversions:
//! - `%d %i`: 32 bits, sign-extended; `%u %o %x %X`: 32 bits, zero-extended. `h` and `hh` narrow;
//!   `l`, `z` and `t` use the whole word; `ll` and `j` use 64 bits. With words of 4 bytes, 64 bits
//!   are two words, the lower one first, or one word if firmware's count of words implies that.
//! - `%f %e %g %a` and their capitals: bits of a `float`; with `l`, bits of a `double`.
//! - A conversion of 32 bits in a 64-bit word whose upper half is neither zero nor a sign extension
//!   is reported as a [`TruncatedWord`].
//! - `%c`: a byte; `%p`: the whole word, with the text of glibc, `(nil)` for zero.
//! - `%s`: bytes up to the first NUL, or as many as the precision. Address 0 is not special: only
//!   the memory map determines if it can be read.

mod arguments;
mod partial_text;
mod problem;
mod syntax;
#[cfg(test)]
mod tests;
mod truncated_word;

pub(crate) use partial_text::{PartialText, StringArg};
pub(crate) use problem::{Cause, Problem};
pub(crate) use truncated_word::TruncatedWord;
