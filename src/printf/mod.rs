//! Formats a CPRINT as C's `printf` would, from arguments that are words of a channel.
//!
//! Source: protocol, section *Requests*. Strings lie in the channel's memory, so formatting takes two
//! steps: a [`Draft`] says which [strings](Draft::strings) it needs and [ends](Draft::finish) when they
//! are there. What firmware gives is never trusted: a conversion that can't be met stays in the text as
//! it stands, with a [`Problem`] that says why.
//!
//! What is printed:
//! - `%d %i` from 32 bits, sign-extended; `%u %o %x %X` likewise, zero-extended. `h` and `hh` narrow;
//!   `l`, `z` and `t` take the whole word; `ll` and `j` take 64 bits, which are two words of 4 bytes, the low one first,
//!   or one where firmware's count of its words says so.
//! - `%f %e %g %a` and their capitals take the bits of a `float`, with `l` those of a `double`.
//! - What takes 32 bits of a word of 64 whose upper half is neither zero nor the sign is a [`Cut`].
//! - `%c` a byte; `%p` the whole word, as glibc does: `(nil)` for zero.
//! - `%s` up to the first NUL, or as many bytes as the precision says. Address 0 is an address like
//!   any other: whether it can be read is the memory map's to say.

mod arguments;
mod cut;
mod draft;
mod problem;
mod syntax;
#[cfg(test)]
mod tests;

pub(crate) use cut::Cut;
pub(crate) use draft::{Draft, StringArg};
pub(crate) use problem::{Cause, Problem};
