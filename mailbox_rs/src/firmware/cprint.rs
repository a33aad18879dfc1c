//! `printf` with the file and line of its call.

use core::ffi::CStr;

use crate::request::{Args, CPRINT_ARGS};

/// Argument of a `printf` conversion: an integer, a pointer, or the bits of a real number.
///
/// Occupies one word of the pointer width, or two if it is wider, lower word first: a `u64` is for
/// `%llu` on every CPU. An `f64` is an argument only on CPUs with 64-bit pointers.
pub trait PrintfArg {
    /// Number of words.
    const WORDS: usize = 1;

    /// Value, sign- or zero-extended; bits of a real number.
    fn bits(self) -> u64;

    /// String that the host reads, if it is one.
    fn string(&self) -> Option<&'static CStr> {
        None
    }
}

macro_rules! integers {
    ($($t:ty: $words:expr, $extended:ty;)*) => {$(
        impl PrintfArg for $t {
            const WORDS: usize = $words;

            fn bits(self) -> u64 {
                self as $extended as u64
            }
        }
    )*};
}

/// Number of words of a 64-bit integer.
const LONG: usize = size_of::<u64>().div_ceil(size_of::<usize>());

integers! {
    i8: 1, i64;
    i16: 1, i64;
    i32: 1, i64;
    isize: 1, i64;
    i64: LONG, i64;
    bool: 1, u64;
    u8: 1, u64;
    u16: 1, u64;
    u32: 1, u64;
    usize: 1, u64;
    u64: LONG, u64;
}

/// Argument of `%f`, `%e` and `%g`.
impl PrintfArg for f32 {
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
}

/// Argument of `%lf`, `%le` and `%lg`.
#[cfg(target_pointer_width = "64")]
impl PrintfArg for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// Argument of `%s`.
impl PrintfArg for &'static CStr {
    fn bits(self) -> u64 {
        self.as_ptr().expose_provenance() as u64
    }

    fn string(&self) -> Option<&'static CStr> {
        Some(self)
    }
}

/// Argument of `%p`.
impl<T> PrintfArg for *const T {
    fn bits(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// Argument of `%p`.
impl<T> PrintfArg for *mut T {
    fn bits(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// Arguments of one `printf`, at most 17 words; more don't compile.
///
/// ```
/// use mailbox_rs::firmware::PrintfArgs;
/// use mailbox_rs::{Args, CPRINT_ARGS};
///
/// let args: Args<CPRINT_ARGS> = PrintfArgs::new().and(-1_i32).and(7_u8).into();
/// assert_eq!(args[..], [u64::MAX, 7]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PrintfArgs<L>(L);

impl PrintfArgs<()> {
    /// No arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl Default for PrintfArgs<()> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: List> PrintfArgs<L> {
    /// Appends an argument.
    #[must_use]
    pub fn and<A: PrintfArg>(self, arg: A) -> PrintfArgs<(L, A)> {
        PrintfArgs((self.0, arg))
    }

    /// Calls `read` with each string that the host reads.
    pub(super) fn strings(&self, read: &mut dyn FnMut(&'static CStr)) {
        self.0.strings(read);
    }
}

impl<L: List> From<PrintfArgs<L>> for Args<CPRINT_ARGS> {
    fn from(args: PrintfArgs<L>) -> Self {
        const {
            assert!(
                L::WORDS <= CPRINT_ARGS,
                "more arguments than a CPRINT has room for: 17 words"
            );
        }
        let mut words = [0; CPRINT_ARGS];
        args.0.write(&mut words);
        Self::try_from(&words[..L::WORDS]).unwrap_or_default()
    }
}

/// Argument list of static length: `()`, or a list and one more.
pub trait List {
    /// Number of words.
    const WORDS: usize;

    /// Writes the words to the start of `words`.
    fn write(self, words: &mut [u64; CPRINT_ARGS]);

    /// Calls `read` with each string.
    fn strings(&self, read: &mut dyn FnMut(&'static CStr));
}

impl List for () {
    const WORDS: usize = 0;

    fn write(self, _: &mut [u64; CPRINT_ARGS]) {}

    fn strings(&self, _: &mut dyn FnMut(&'static CStr)) {}
}

impl<L: List, A: PrintfArg> List for (L, A) {
    const WORDS: usize = L::WORDS + A::WORDS;

    fn write(self, words: &mut [u64; CPRINT_ARGS]) {
        self.0.write(words);
        let bits = self.1.bits();
        match words.get_mut(L::WORDS..Self::WORDS) {
            Some([word]) => *word = bits,
            Some([low, high]) => (*low, *high) = (bits & u64::from(u32::MAX), bits >> 32),
            _ => {}
        }
    }

    fn strings(&self, read: &mut dyn FnMut(&'static CStr)) {
        self.0.strings(read);
        if let Some(string) = self.1.string() {
            read(string);
        }
    }
}

/// Prints as C's `printf` does: `cprint!(client, c"%d of %s\n", 3, c"them")`, with at most 17 words
/// of arguments.
///
/// The host formats the text; firmware does not wait. Each argument is a
/// [`PrintfArg`](crate::firmware::PrintfArg). The format and strings for `%s` are `&'static CStr`,
/// because the host reads them later. All are written back from the cache.
#[macro_export]
macro_rules! cprint {
    ($client:expr, $format:expr $(, $arg:expr)* $(,)?) => {{
        const FILE: &::core::ffi::CStr =
            match ::core::ffi::CStr::from_bytes_with_nul(concat!(file!(), "\0").as_bytes()) {
                Ok(file) => file,
                Err(_) => c"",
            };
        $client.cprint_args($format, FILE, line!(), $crate::firmware::PrintfArgs::new()$(.and($arg))*)
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64-bit integer on a 32-bit CPU.
    struct Wide(u64);

    impl PrintfArg for Wide {
        const WORDS: usize = 2;

        fn bits(self) -> u64 {
            self.0
        }
    }

    fn words(args: impl Into<Args<CPRINT_ARGS>>) -> Args<CPRINT_ARGS> {
        args.into()
    }

    #[test]
    fn integers_are_extended_to_a_word() {
        let args = PrintfArgs::new().and(-1_i8).and(u32::MAX).and(true);
        assert_eq!(words(args)[..], [u64::MAX, 0xffff_ffff, 1]);
        assert_eq!(words(PrintfArgs::new()), Args::EMPTY);
    }

    #[test]
    fn arguments_wider_than_a_word_take_two_the_low_one_first() {
        let args = PrintfArgs::new()
            .and(1_u8)
            .and(Wide(0x2_0000_0003))
            .and(4_i32);
        assert_eq!(words(args)[..], [1, 3, 2, 4]);
        let args = PrintfArgs::new().and(Wide(u64::MAX));
        assert_eq!(words(args)[..], [0xffff_ffff, 0xffff_ffff]);
    }

    #[test]
    fn a_word_is_as_wide_as_a_pointer() {
        assert_eq!(<u64 as PrintfArg>::WORDS, 8 / size_of::<usize>());
        assert_eq!(<i64 as PrintfArg>::WORDS, 8 / size_of::<usize>());
        assert_eq!(<usize as PrintfArg>::WORDS, 1);
    }
}
