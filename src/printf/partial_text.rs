//! Format with its arguments, complete except for its strings.

use mailbox_rs::PtrWidth;

use super::arguments::{Arguments, Longs, Word};
use super::syntax::{Conversion, ConversionKind, Piece, Pieces, Size};
use super::{Cause, Problem, TruncatedWord};
use crate::sim::snprintf::{self, Extent, Flags, Number, Radix, Shape};

/// Printed text without its strings. See the [module](super).
#[derive(Debug, Clone)]
pub(crate) struct PartialText<'a> {
    /// Text without the strings.
    text: Vec<u8>,
    slots: Vec<StringSlot<'a>>,
    problems: Vec<Problem>,
    truncated: Vec<TruncatedWord>,
    taken: usize,
    longs: Longs,
}

/// String argument that is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StringArg {
    /// Address of the first byte, in the channel's space.
    pub pointer: u64,
    /// Maximum number of bytes to read, 1 to 4096. A string of this length needs no NUL. Without a
    /// precision, the string must have one.
    pub precision: Option<usize>,
}

/// Result of formatting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// Formatted text.
    pub text: Vec<u8>,
    /// Conversions that were copied unchanged: those of strings are last.
    pub problems: Vec<Problem>,
    /// Conversions that truncated an argument.
    pub truncated: Vec<TruncatedWord>,
}

/// Position of a string in the text.
#[derive(Debug, Clone)]
struct StringSlot<'a> {
    at: usize,
    conversion: &'a [u8],
    field: Field,
    wanted: StringArg,
}

/// Padding of a text.
#[derive(Debug, Clone, Copy, Default)]
struct Field {
    left: bool,
    width: usize,
}

impl<'a> PartialText<'a> {
    /// Formats everything that needs no memory. `args` are the argument words of `width` after the
    /// format. Firmware's request counts `counted` of them. Words beyond the count are consumed,
    /// too, as counts are often too small. If the count is that of one 4-byte word for each
    /// argument of the format, `ll` and `j` consume only one word.
    pub(crate) fn new(format: &'a [u8], args: &[u64], counted: usize, width: PtrWidth) -> Self {
        let (draft, arguments) = Self::taking(Longs::Two, format, args, width);
        if counted > 0 && arguments.wanted_if_narrow() == Some(counted) {
            return Self::taking(Longs::One, format, args, width).0;
        }
        draft
    }

    /// Formats with this interpretation of 64-bit arguments. Also returns the remaining arguments.
    fn taking<'w>(
        longs: Longs,
        format: &'a [u8],
        args: &'w [u64],
        width: PtrWidth,
    ) -> (Self, Arguments<'w>) {
        let mut draft = Self {
            text: Vec::with_capacity(format.len()),
            slots: Vec::new(),
            problems: Vec::new(),
            truncated: Vec::new(),
            taken: 0,
            longs,
        };
        let mut arguments = Arguments::new(args, width, longs);
        for piece in Pieces::new(format) {
            match piece {
                Piece::Literal(literal) => draft.text.extend_from_slice(literal),
                Piece::Conversion(conversion) => {
                    if let Err(cause) = draft.convert(&conversion, &mut arguments) {
                        draft.problems.push(Problem::new(conversion.source, cause));
                        draft.text.extend_from_slice(conversion.source);
                    }
                }
            }
        }
        draft.taken = arguments.taken();
        (draft, arguments)
    }

    /// Number of given argument words that the format consumes.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// True if 64-bit arguments were read from one word of 4 bytes each.
    pub(crate) fn narrowed_longs(&self) -> bool {
        self.longs == Longs::One
    }

    /// Strings to read, in the order of the arguments of [`finish`](Self::finish).
    pub(crate) fn strings(&self) -> impl ExactSizeIterator<Item = StringArg> {
        self.slots.iter().map(|gap| gap.wanted)
    }

    /// Inserts the strings. `None`, or a missing string, means that the string can't be read.
    pub(crate) fn finish<S: AsRef<[u8]>>(
        self,
        strings: impl IntoIterator<Item = Option<S>>,
    ) -> Rendered {
        let mut problems = self.problems;
        let mut strings = strings.into_iter();
        let mut text = Vec::with_capacity(self.text.len());
        let mut done = 0;
        for gap in &self.slots {
            text.extend_from_slice(&self.text[done..gap.at]);
            done = gap.at;
            match strings.next().flatten() {
                Some(string) => gap
                    .field
                    .put(&mut text, gap.wanted.part_of(string.as_ref())),
                None => {
                    let pointer = gap.wanted.pointer;
                    problems.push(Problem::new(gap.conversion, Cause::Unreadable { pointer }));
                    text.extend_from_slice(gap.conversion);
                }
            }
        }
        text.extend_from_slice(&self.text[done..]);
        Rendered {
            text,
            problems,
            truncated: self.truncated,
        }
    }

    fn convert(
        &mut self,
        conversion: &Conversion<'a>,
        arguments: &mut Arguments<'_>,
    ) -> Result<(), Cause> {
        // All arguments are consumed before any error is returned, so that later conversions get
        // their own.
        let width = arguments.width(conversion.width);
        let precision = arguments.precision(conversion.precision);
        let word = value_of(conversion, arguments);
        let amounts = arguments.take_truncated_amounts();
        let kind = conversion.kind?;
        let ((width, left), precision, word) = (width?, precision?, word?);

        let truncated_amounts = amounts
            .into_iter()
            .map(|amount| TruncatedWord::amount(conversion.source, amount.bits));
        self.truncated.extend(truncated_amounts);
        if kind.takes_half() && word.halved().is_some() {
            self.truncated
                .push(TruncatedWord::value(conversion.source, word.bits));
        }

        let mut flags = conversion.flags;
        flags.left |= left;
        let field = Field::new(flags, width);
        let shape = Shape {
            flags,
            width,
            precision,
        };

        match kind {
            ConversionKind::Signed(size) => self.number(&shape, Number::Signed(word.signed(size))),
            ConversionKind::Unsigned(radix, size) => {
                self.number(&shape, Number::Unsigned(radix, word.unsigned(size)))
            }
            ConversionKind::Real(notation, real) => {
                self.number(&shape, Number::Real(notation, word.real(real)?))
            }
            ConversionKind::Pointer if word.bits == 0 => {
                field.put(&mut self.text, b"(nil)");
                Ok(())
            }
            ConversionKind::Pointer => {
                let flags = Flags {
                    alternate: true,
                    ..flags
                };
                let number = Number::Unsigned(Radix::Hex, word.bits);
                self.number(&Shape { flags, ..shape }, number)
            }
            ConversionKind::Character => {
                field.put(&mut self.text, &[word.bits as u8]);
                Ok(())
            }
            ConversionKind::Text => {
                let precision = precision.map(Extent::get);
                self.string(conversion.source, field, word.bits, precision);
                Ok(())
            }
        }
    }

    fn number(&mut self, shape: &Shape, number: Number) -> Result<(), Cause> {
        Ok(snprintf::print(&mut self.text, shape, number)?)
    }

    fn string(
        &mut self,
        conversion: &'a [u8],
        field: Field,
        pointer: u64,
        precision: Option<usize>,
    ) {
        if precision == Some(0) {
            // C does not read in this case, so the pointer may be invalid.
            field.put(&mut self.text, b"");
            return;
        }
        self.slots.push(StringSlot {
            at: self.text.len(),
            conversion,
            field,
            wanted: StringArg { pointer, precision },
        });
    }
}

/// Consumes the value of a conversion, after its width and precision. An unsupported conversion of
/// a known kind consumes its argument as well, so that the next conversion does not get it.
fn value_of(conversion: &Conversion<'_>, arguments: &mut Arguments<'_>) -> Result<Word, Cause> {
    match conversion.kind {
        Err(cause @ (Cause::Incomplete | Cause::Unknown)) => Err(cause),
        Ok(ConversionKind::Signed(Size::Long) | ConversionKind::Unsigned(_, Size::Long)) => {
            arguments.long()
        }
        _ => arguments.word(),
    }
}

impl StringArg {
    /// Returns the printed part of the bytes that were read.
    fn part_of(self, read: &[u8]) -> &[u8] {
        let most = self
            .precision
            .map_or(read.len(), |precision| precision.min(read.len()));
        let read = &read[..most];
        let end = read.iter().position(|&byte| byte == 0);
        &read[..end.unwrap_or(most)]
    }
}

impl Field {
    fn new(flags: Flags, width: Option<Extent>) -> Self {
        Self {
            left: flags.left,
            width: width.map_or(0, Extent::get),
        }
    }

    fn put(self, to: &mut Vec<u8>, text: &[u8]) {
        let padding = self.width.saturating_sub(text.len());
        let (before, after) = if self.left {
            (0, padding)
        } else {
            (padding, 0)
        };
        to.resize(to.len() + before, b' ');
        to.extend_from_slice(text);
        to.resize(to.len() + after, b' ');
    }
}
