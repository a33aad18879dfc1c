//! Builds of `include/mailbox.h` as users make them, in C and in C++, with runs against a host in
//! the same language.
//!
//! A test without its compiler checks nothing, and prints `skipped: ...` on stderr.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mailbox_rs::{CacheLine, Layout, PtrWidth};

const LINES: [CacheLine; 5] = [
    CacheLine::None,
    CacheLine::B32,
    CacheLine::B64,
    CacheLine::B128,
    CacheLine::B256,
];

/// True in a full run of the tests.
fn is_whole_matrix() -> bool {
    std::env::var_os("VHOST_WHOLE_MATRIX").is_some()
}

/// Language of the header's users: compilers, their options, and the firmware.
struct Language {
    native: &'static [&'static str],
    clang: &'static str,
    standards: &'static [&'static str],
    extra: &'static [&'static str],
    firmware: &'static str,
}

impl Language {
    /// Combinations of a standard and an optimisation level. The first combination has the most
    /// layouts, and all of them in a full run of the tests.
    fn ways(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static [CacheLine])> {
        let lines = match is_whole_matrix() {
            true => [&LINES[..], &LINES[..2], &LINES[..1]],
            false => [&LINES[..2], &LINES[..1], &LINES[..1]],
        };
        let standards = self.standards.iter();
        let ways = standards.zip(["-O0", "-O2", "-Os"]).zip(lines);
        ways.map(|((standard, level), lines)| (*standard, level, lines))
    }
}

const C: Language = Language {
    native: &["cc", "clang"],
    clang: "clang",
    standards: &["-std=c99", "-std=gnu17"],
    extra: &[],
    firmware: "firmware.c",
};

const CPP: Language = Language {
    native: &["g++", "clang++"],
    clang: "clang++",
    standards: &["-std=c++11", "-std=c++17", "-std=c++20"],
    extra: &["-x", "c++", "-fno-exceptions", "-fno-rtti"],
    firmware: "firmware.cpp",
};

const STRICT: [&str; 4] = ["-pedantic", "-Wall", "-Wextra", "-Werror"];

/// Compiles a file of this test, with warnings as errors.
fn compile(
    language: &Language,
    compiler: &str,
    options: &[&str],
    source: &str,
    output: &Path,
) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(compiler)
        .args(STRICT)
        .args(options)
        .arg("-I")
        .arg(folder.join("include"))
        .arg("-o")
        .arg(output)
        .args(language.extra)
        .arg(folder.join("tests/c_header").join(source))
        .output()
        .unwrap()
}

fn assert_success(output: &Output, what: &str) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(
        output.status.success(),
        "{what}:\n{}",
        String::from_utf8_lossy(&text)
    );
}

/// Options with which the firmware compares its layout with this crate's.
fn layout_options(width: PtrWidth, line: CacheLine) -> Vec<String> {
    let layout = Layout::new(width, line);
    vec![
        format!("-DMB_CACHE_LINE={}", line.bytes()),
        format!("-DCHANNEL_SIZE={}", layout.channel_size),
        format!("-DREQUEST={}", layout.request.offset),
        format!("-DREQUEST_IDX_C={}", layout.request.idx_c),
        format!("-DRESPONSE={}", layout.response.offset),
        format!("-DRESPONSE_IDX_C={}", layout.response.idx_c),
    ]
}

fn output_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// True if all `programs` can be run. Otherwise prints that `test` is skipped, with the reason.
fn found(test: &str, programs: &[&str]) -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let missing: Vec<_> = programs
        .iter()
        .filter(|program| !runs(program))
        .copied()
        .collect();
    if !missing.is_empty() {
        // A locked stream bypasses the capture of output, so the line also shows for a test that
        // passes.
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "skipped: {test}: not found: {}", missing.join(", "));
    }
    missing.is_empty()
}

/// Options of a RISC-V compiler.
const RISCV: [(PtrWidth, [&str; 3]); 2] = [
    (
        PtrWidth::P4,
        ["--target=riscv32", "-march=rv32im", "-mabi=ilp32"],
    ),
    (
        PtrWidth::P8,
        ["--target=riscv64", "-march=rv64im", "-mabi=lp64"],
    ),
];

fn builds_for_riscv(test: &str, language: &Language) {
    if !found(test, &[language.clang, "ld.lld"]) {
        return;
    }
    for (width, machine) in RISCV {
        for (standard, level, lines) in language.ways() {
            for &line in lines {
                let layout = layout_options(width, line);
                let mut options = vec![standard, level, "-nostdlib", "-ffreestanding"];
                options.extend(machine);
                options.extend(["-fuse-ld=lld", "-Wl,-e,firmware"]);
                options.extend(layout.iter().map(String::as_str));
                let source = language.firmware;
                let output = compile(
                    language,
                    language.clang,
                    &options,
                    source,
                    &output_path(test),
                );
                assert_success(&output, &format!("{machine:?} {line:?} {standard} {level}"));
            }
        }
    }
}

#[test]
fn c_builds_for_riscv() {
    builds_for_riscv("c_builds_for_riscv", &C);
}

#[test]
fn cpp_builds_for_riscv() {
    builds_for_riscv("cpp_builds_for_riscv", &CPP);
}

/// GCC needs no other target for words of 32 bits, because nothing is linked.
#[test]
fn gcc_compiles_for_words_of_32_bits() {
    for language in [C, CPP] {
        let compiler = language.native[0];
        if !found("gcc_compiles_for_words_of_32_bits", &[compiler]) {
            continue;
        }
        for (standard, level, lines) in language.ways() {
            for &line in lines {
                let layout = layout_options(PtrWidth::P4, line);
                let mut options = vec![standard, level, "-m32", "-ffreestanding", "-c"];
                options.extend(layout.iter().map(String::as_str));
                let object = output_path("gcc32.o");
                let output = compile(&language, compiler, &options, language.firmware, &object);
                assert_success(&output, &format!("{compiler} {standard} {level} {line:?}"));
            }
        }
    }
}

fn every_service_is_answered(test: &str, language: &Language) {
    let firmware = format!("-DFIRMWARE=\"{}\"", language.firmware);
    for compiler in language.native {
        if !found(test, &[compiler]) {
            continue;
        }
        for (standard, level, lines) in language.ways() {
            for &line in lines {
                let what = format!("{compiler} {standard} {level} {line:?}");
                let program = output_path(&format!("{test}-{compiler}{standard}{}", line.bytes()));
                let layout = layout_options(PtrWidth::NATIVE, line);
                let mut options = vec![standard, level, &firmware];
                options.extend(layout.iter().map(String::as_str));
                let built = compile(language, compiler, &options, "host.c", &program);
                assert_success(&built, &what);
                assert_success(&Command::new(&program).output().unwrap(), &what);
            }
        }
    }
}

#[test]
fn every_service_of_c_is_answered_natively() {
    every_service_is_answered("c_host", &C);
}

#[test]
fn every_service_of_cpp_is_answered_natively() {
    every_service_is_answered("cpp_host", &CPP);
}

/// The ranges written back from the cache are those that the host reads.
fn strings_are_written_back(test: &str, language: &Language) {
    for compiler in language.native {
        if !found(test, &[compiler]) {
            continue;
        }
        for (standard, level, lines) in language.ways() {
            for line in lines.iter().map(|line| line.bytes()) {
                let what = format!("{compiler} {standard} {level} {line}");
                let program = output_path(&format!("{test}-{compiler}{standard}{line}"));
                let line_option = format!("-DMB_CACHE_LINE={line}");
                let mut options = vec![standard, level, &line_option];
                if line == 0 {
                    options.push("-DMB_UNCACHED_MAILBOX");
                }
                assert_success(
                    &compile(language, compiler, &options, "cached.c", &program),
                    &what,
                );
                let ran = Command::new(&program).output().unwrap();
                assert_eq!(ran.status.code(), Some(0), "{what}: line of cached.c");
            }
        }
    }
}

#[test]
fn strings_are_written_back_from_the_cache_in_c() {
    strings_are_written_back("c_cached", &C);
}

#[test]
fn strings_are_written_back_from_the_cache_in_cpp() {
    strings_are_written_back("cpp_cached", &CPP);
}

#[test]
fn a_write_back_cache_without_lines_is_refused_by_name() {
    let test = "a_write_back_cache_without_lines_is_refused_by_name";
    for language in [C, CPP] {
        let compiler = language.native[0];
        if !found(test, &[compiler]) {
            continue;
        }
        let object = output_path("no_line.o");
        let options = [language.standards[0], "-c"];
        let output = compile(&language, compiler, &options, "cached.c", &object);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{compiler} compiled it");
        assert!(
            text.contains("a write-back cache (MB_CACHE_CLEAN) needs MB_CACHE_LINE"),
            "{text}"
        );
    }
}

const FLOATING: &str = "floating";
const MANY: &str = "more|many";
const RANGE: &str = "out of the range|out_of_the_range";
const WIDE: &str = "wider_than|wider than";

/// Cases of `refused.c` with an integer that is wider than the parameter.
const WIDER: [std::ops::RangeInclusive<u32>; 2] = [12..=25, 33..=42];

/// Other cases of `refused.c`, their pointer widths, and a part of the compiler's message.
const REFUSED: [(u32, &[PtrWidth], &str); 18] = [
    (1, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
    (2, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
    (3, &[PtrWidth::P4, PtrWidth::P8], MANY),
    (4, &[PtrWidth::P4, PtrWidth::P8], MANY),
    (5, &[PtrWidth::P4, PtrWidth::P8], WIDE),
    (6, &[PtrWidth::P4, PtrWidth::P8], WIDE),
    (7, &[PtrWidth::P8], WIDE),
    (8, &[PtrWidth::P4], MANY),
    (9, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
    (10, &[PtrWidth::P4, PtrWidth::P8], WIDE),
    (11, &[PtrWidth::P4], WIDE),
    (26, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
    (27, &[PtrWidth::P8], RANGE),
    (28, &[PtrWidth::P8], RANGE),
    (29, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
    (30, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
    (31, &[PtrWidth::P8], RANGE),
    (32, &[PtrWidth::P4, PtrWidth::P8], FLOATING),
];

fn assert_refused(test: &str, language: &Language) {
    let mut compilers: Vec<(PtrWidth, &str, Vec<&str>)> = language
        .native
        .iter()
        .map(|compiler| (PtrWidth::NATIVE, *compiler, vec![]))
        .collect();
    compilers.extend(RISCV.map(|(width, machine)| {
        let options = [&machine[..], &["-ffreestanding"]].concat();
        (width, language.clang, options)
    }));
    if !is_whole_matrix() {
        // A compiler of each kind, and both widths.
        let stands = [
            compilers.first().cloned(),
            compilers.get(language.native.len()).cloned(),
        ];
        compilers = stands.into_iter().flatten().collect();
    }
    for (width, compiler, machine) in compilers {
        if !found(test, &[compiler]) {
            continue;
        }
        let compile = |case: u32| {
            let case = format!("-DREFUSED={case}");
            // GCC recognises constants of C++ only with optimisation.
            let mut options = vec![language.standards[0], "-O1", "-c", &case];
            // The file has a type of 128 bits, which no standard has.
            options.push("-Wno-pedantic");
            options.extend(&machine);
            let object = output_path(&format!("{test}.o"));
            compile(language, compiler, &options, "refused.c", &object)
        };
        assert_success(&compile(0), &format!("{compiler} {machine:?}, in order"));
        let wider = WIDER.into_iter().flatten();
        let wider = wider.map(|case| (case, &[PtrWidth::P4, PtrWidth::P8][..], WIDE));
        for (case, widths, printed) in REFUSED.into_iter().chain(wider) {
            if !widths.contains(&width) {
                continue;
            }
            let output = compile(case);
            let what = format!("{compiler} {machine:?}, case {case}");
            assert!(!output.status.success(), "{what} was compiled");
            let text = String::from_utf8_lossy(&output.stderr);
            let says = printed.split('|').any(|printed| text.contains(printed));
            assert!(says, "{what} does not say `{printed}`:\n{text}");
        }
    }
}

#[test]
fn wrong_arguments_do_not_compile_in_c() {
    assert_refused("wrong_arguments_do_not_compile_in_c", &C);
}

#[test]
fn wrong_arguments_do_not_compile_in_cpp() {
    assert_refused("wrong_arguments_do_not_compile_in_cpp", &CPP);
}

#[test]
fn cpp_before_its_standard_of_2011_is_refused_by_name() {
    let test = "cpp_before_its_standard_of_2011_is_refused_by_name";
    if !found(test, &["g++"]) {
        return;
    }
    let object = output_path("old.o");
    let output = compile(&CPP, "g++", &["-std=c++98", "-c"], "refused.c", &object);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("mailbox.h needs C++11"), "{text}");
}
