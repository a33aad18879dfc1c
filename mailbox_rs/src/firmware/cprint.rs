//! `printf` with the file and line of its call.

use core::ffi::CStr;

/// What a `printf` conversion can take: one word of the pointer width.
pub trait PrintfArg {
    /// The word; what exceeds the pointer width is cut off when it is sent.
    fn word(self) -> u64;
}

macro_rules! signed {
    ($($t:ty)*) => {$(
        impl PrintfArg for $t {
            fn word(self) -> u64 {
                self as i64 as u64
            }
        }
    )*};
}

macro_rules! unsigned {
    ($($t:ty)*) => {$(
        impl PrintfArg for $t {
            fn word(self) -> u64 {
                self as u64
            }
        }
    )*};
}

signed!(i8 i16 i32 i64 isize);
unsigned!(u8 u16 u32 u64 usize bool);

/// Its bits, for `%f`, `%e` and `%g`.
impl PrintfArg for f32 {
    fn word(self) -> u64 {
        self.to_bits().into()
    }
}

/// Its bits, for `%lf`, `%le` and `%lg`; they need pointers of 8 bytes.
impl PrintfArg for f64 {
    fn word(self) -> u64 {
        self.to_bits()
    }
}

/// Its address, for `%s`.
impl PrintfArg for &'static CStr {
    fn word(self) -> u64 {
        self.as_ptr().expose_provenance() as u64
    }
}

/// Its address, for `%p`.
impl<T> PrintfArg for *const T {
    fn word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// Its address, for `%p`.
impl<T> PrintfArg for *mut T {
    fn word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// Prints as C's `printf` does: `cprint!(client, c"%d of %s\n", 3, c"them")`, with at most 17 arguments.
///
/// Formatting is the host's work, and the firmware does not wait for it. Each argument is a
/// [`PrintfArg`](crate::firmware::PrintfArg); the format and strings for `%s` are `&'static CStr`, as the host reads
/// them later. Strings for `%s` are taken to be in memory: the cache is not told of them.
#[macro_export]
macro_rules! cprint {
    ($client:expr, $format:expr $(, $arg:expr)* $(,)?) => {{
        const FILE: &::core::ffi::CStr =
            match ::core::ffi::CStr::from_bytes_with_nul(concat!(file!(), "\0").as_bytes()) {
                Ok(file) => file,
                Err(_) => c"",
            };
        $client.cprint($format, FILE, line!(), [$($crate::firmware::PrintfArg::word($arg)),*])
    }};
}
