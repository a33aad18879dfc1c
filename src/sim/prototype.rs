//! Check of `include/vhost.h` against the code: C's compiler compares each function's type with the
//! type in Rust.

use std::ffi::{c_char, c_int, c_void};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Parts of the header: exported functions, and functions looked up in the simulator.
pub(crate) fn header() -> (&'static str, &'static str) {
    let text = include_str!("../../include/vhost.h");
    text.split_once("#ifdef VHOST_DECLARE_TESTBENCH").unwrap()
}

/// C spelling of a Rust type.
pub(crate) trait CType {
    const C: &'static str;
}

macro_rules! c_types {
    ($($rust:ty => $c:literal),+ $(,)?) => {
        $(impl CType for $rust { const C: &'static str = $c; })+
    };
}

c_types! {
    () => "void",
    c_int => "int",
    i64 => "int64_t",
    u8 => "uint8_t",
    u16 => "uint16_t",
    u32 => "uint32_t",
    u64 => "uint64_t",
    usize => "size_t",
    *const c_char => "const char *",
    *mut *const c_char => "const char **",
    *const c_void => "const void *",
    *mut c_void => "void *",
    *const u8 => "const uint8_t *",
    *const u64 => "const uint64_t *",
    *mut u8 => "uint8_t *",
    *mut u16 => "uint16_t *",
    *mut u32 => "uint32_t *",
    *mut u64 => "uint64_t *",
}

/// C spelling of a function type.
pub(crate) trait Prototype {
    /// Declaration of a C pointer `name` to such a function.
    fn pointer(name: &str) -> String;
}

macro_rules! prototypes {
    ($($arg:ident)*) => {
        impl<R: CType, $($arg: CType),*> Prototype for unsafe extern "C" fn($($arg),*) -> R {
            fn pointer(name: &str) -> String {
                let args: &[&str] = &[$($arg::C),*];
                let args = if args.is_empty() { "void".to_owned() } else { args.join(", ") };
                format!("{} (*{name})({args})", R::C)
            }
        }
    };
}

prototypes!();
prototypes!(A);
prototypes!(A B);
prototypes!(A B C);
prototypes!(A B C D);
prototypes!(A B C D E);
prototypes!(A B C D E F G H);

/// Functions by name, each as a C pointer.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    names: Vec<&'static str>,
    pointers: String,
}

impl Functions {
    /// Adds a function of type `F`. `_function` may be absent.
    pub(crate) fn add<F: Prototype>(&mut self, name: &'static str, _function: Option<F>) {
        let pointer = F::pointer(&format!("p{}", self.names.len()));
        writeln!(self.pointers, "{pointer} = {name};").unwrap();
        self.names.push(name);
    }

    /// Fails unless this part of the header declares exactly these functions, in this order, with
    /// these types.
    pub(crate) fn are_declared_by(&self, part: &str) {
        assert_eq!(names(part), self.names);
        let mut c = "#define VHOST_DECLARE_TESTBENCH\n#include \"vhost.h\"\n".to_owned();
        c.push_str(&self.pointers);
        compile(&c);
    }
}

/// Names of functions declared by C text.
fn names(c: &str) -> Vec<&str> {
    let lines = c
        .lines()
        .filter(|line| line.ends_with(");") && !line.starts_with([' ', '#']));
    lines
        .filter_map(|line| {
            let (declared, _) = line.split_once('(')?;
            declared.rsplit([' ', '*']).next()
        })
        .collect()
}

/// Compiles C text.
fn compile(c: &str) {
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let strict = [
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-pedantic-errors",
        "-Werror",
    ];
    let mut compiler = Command::new(cc)
        .args(strict)
        .args(["-fsyntax-only", "-xc", "-", "-I"])
        .arg(include)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a C compiler, which the build needs too");
    let mut input = compiler.stdin.take().unwrap();
    input.write_all(c.as_bytes()).unwrap();
    drop(input);
    let status = compiler.wait().unwrap();
    assert!(
        status.success(),
        "include/vhost.h is not what is there:\n{c}"
    );
}
