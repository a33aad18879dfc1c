//! Programs with HTIF in the style of riscv-tests.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::compiled::missing;
use super::{Image, tree};

/// Compiles a program whose `main` returns the exit code.
pub(super) fn compile(image: &Image, width: u32, options: &[&str], body: &str) {
    let folder = tree().join("firmware/abi");
    let include = "#include \"htif.h\"\n";
    let source = format!("{include}{}\n", body.replace(include, ""));
    let abi = if width == 32 { "ilp32" } else { "lp64" };
    let output = Command::new("clang")
        .arg(format!("--target=riscv{width}"))
        .args([format!("-march=rv{width}imac"), format!("-mabi={abi}")])
        .args(["-mcmodel=medany", "-Os", "-ffreestanding", "-nostdlib"])
        .args(["-static", "-fno-builtin", "-fuse-ld=lld", "-T"])
        .arg(folder.join("htif.ld"))
        .arg("-I")
        .arg(&folder)
        .args(options)
        .arg(image.put("firmware.c", &source))
        .arg("-o")
        .arg(image.path("firmware.elf"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
}

/// Widths, and orders of the stores.
const KINDS: [(u32, &[&str]); 5] = [
    (64, &["-DONE_STORE"]),
    (64, &[]),
    (32, &[]),
    (32, &["-DHIGH_FIRST"]),
    (32, &["-DLOW_ONLY"]),
];

/// Runs a check for each kind of program, if a compiler is installed.
pub(super) fn for_each_kind(check: impl Fn(&Image, u32, &[&str])) {
    if let Some(what) = missing() {
        let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
        return;
    }
    for (width, options) in KINDS {
        check(&Image(tempfile::tempdir().unwrap()), width, options);
    }
}

#[test]
fn a_test_passes_fails_with_its_number_or_hangs() {
    for_each_kind(|image, width, options| {
        for code in [0, 1, 3, 254] {
            compile(
                image,
                width,
                options,
                &format!("int main(void) {{ return {code}; }}"),
            );
            let trace = image.path("run.trace");
            let ended = image.run(["--record".as_ref(), trace.as_os_str()]);
            assert_eq!(ended.stdout(code), "");
            super::replays_in_order(trace);
        }
        compile(
            image,
            width,
            options,
            "int main(void) { for (volatile int i;; i++) {} }",
        );
        let error = image.fails(&["--max-instructions", "100000"], 124);
        assert!(error.contains("did not exit within"), "{error}");
        assert!(
            error.contains("waits for firmware to write a command to tohost"),
            "{error}"
        );
    });
}

const CALLS: &str = r#"
static char buffer[256];
static const char name[] = "out.txt";

int main(void)
{
    put_string("console\n");
    if (call(64, 1, ADDRESS("written\n"), 8, 0, 0) != 8)
        return 1;
    long long fd = call(56, CWD, ADDRESS(name), sizeof name, 0102, 0644);
    if (fd < 3)
        return 2;
    if (call(64, fd, ADDRESS("some text"), 9, 0, 0) != 9)
        return 3;
    if (call(67, fd, ADDRESS(buffer), 4, 5, 0) != 4 || buffer[0] != 't' || buffer[3] != 't')
        return 4;
    if (call(80, fd, ADDRESS(buffer), 0, 0, 0) != 0 || *(u64 *)(buffer + 48) != 9)
        return 5;
    if (call(57, fd, 0, 0, 0, 0) != 0)
        return 6;
    if (call(56, CWD, ADDRESS("missing"), 8, 0, 0) != -2)
        return 7;
    if (call(12345, 0, 0, 0, 0, 0) != -38)
        return 8;
    if (call(63, 0, ADDRESS(buffer), 100, 0, 0) != 5 || buffer[0] != 'i')
        return 9;
    if (call(2011, ADDRESS(buffer), sizeof buffer, 0, 0, 0) != 0)
        return 10;
    u64 *vars = (u64 *)buffer;
    if (vars[0] != 3 || vars[4] != 0)
        return 11;
    put_string((const char *)(word)vars[2]);
    put_char('\n');
    call(93, 0, 0, 0, 0, 0);
    return 12;
}
"#;

#[test]
fn system_calls_work_and_the_run_replays() {
    for_each_kind(|image, width, options| {
        compile(image, width, options, CALLS);
        let files = image.path("files");
        fs::create_dir(&files).unwrap();
        let (input, trace) = (image.put("input", "input"), image.path("run.trace"));
        let arguments = [
            "--files".as_ref(),
            files.as_os_str(),
            "--stdin".as_ref(),
            input.as_os_str(),
            "--record".as_ref(),
            trace.as_os_str(),
            "--".as_ref(),
            "first".as_ref(),
            "second".as_ref(),
        ];
        let ended = image.run(arguments);
        assert_eq!(ended.stdout(0), "console\nwritten\nfirst\n");
        assert_eq!(fs::read(files.join("out.txt")).unwrap(), b"some text");
        super::replays_in_order(&trace);
        let trace = trace.to_str().unwrap();
        for actor in ["htif", "files", "console", "memory"] {
            crate::vhost(["replay", trace, "--only", actor]).stdout(0);
        }
        let shown = crate::vhost(["trace", "show", trace, "--kind", "CommandServed"]).stdout(0);
        assert!(shown.contains("pread(0x"), "{shown}");
        assert!(shown.contains("fails: ENOENT"), "{shown}");
        let counts = crate::vhost(["trace", "stat", trace]).stdout(0);
        assert!(counts.contains("console write"), "{counts}");
    });
}

const SIGNATURE: &str = r#"
__asm__(".data\n.align 4\n.globl begin_signature\nbegin_signature:\n"
        ".word 0x11223344, 2, 3, 4, 0xdeadbeef\n"
        ".globl end_signature\nend_signature:\n");
int main(void) { return 0; }
"#;

#[test]
fn a_signature_is_written_as_spike_writes_it() {
    for_each_kind(|image, width, options| {
        compile(image, width, options, SIGNATURE);
        let files = image.path("files");
        fs::create_dir(&files).unwrap();
        let folder = files.to_str().unwrap();
        let arguments = [
            "--files",
            folder,
            "--signature",
            "sig",
            "--granularity",
            "4",
        ];
        image.run(arguments).stdout(0);
        let text = fs::read_to_string(files.join("sig")).unwrap();
        assert_eq!(text, "11223344\n00000002\n00000003\n00000004\ndeadbeef\n");
        image
            .run(["--files", folder, "--signature", "sig"])
            .stdout(0);
        let text = fs::read_to_string(files.join("sig")).unwrap();
        let lines = "00000004000000030000000211223344\n000000000000000000000000deadbeef\n";
        assert_eq!(text, lines);
        if (width, options.is_empty()) == (64, true) {
            let error = image.fails(&["--files", folder, "--signature", "no/such/sig"], 125);
            assert!(
                error.contains("can't be written to `no/such/sig`"),
                "{error}"
            );
        }
    });
}

const ECHO: &str = r#"
int main(void)
{
    int c;
    do {
        send(0x0100ull << 48);
        while (!(fromhost[0] | fromhost[1])) {
        }
        c = fromhost[0] & 0xff;
        if ((fromhost[0] & ~0xff) != 0x100 || fromhost[1] != 0x01000000)
            return 1;
        fromhost[0] = 0;
        fromhost[1] = 0;
        put_char(c + 1);
    } while (c != '.');
    return 0;
}
"#;

#[test]
fn console_reads_have_the_standard_input() {
    for_each_kind(|image, width, options| {
        compile(image, width, options, ECHO);
        let input = image.put("input", "HAL.");
        let ended = image.run(["--stdin".as_ref(), input.as_os_str()]);
        assert_eq!(ended.stdout(0), "IBM/");
    });
}

/// A console read has no response that means the end of the input.
#[test]
fn a_console_read_behind_the_end_of_the_input_ends_the_run() {
    // Polls in functions, and a jump to itself after the read.
    let spins = "int main(void) { send(0x0100ull << 48); for (;;) {} }";
    for_each_kind(|image, width, options| {
        for (program, input) in [(ECHO, "HAL"), (spins, "")] {
            compile(image, width, options, program);
            let input = image.put("input", input);
            let error = image.fails(&["--stdin", input.to_str().unwrap()], 125);
            for printed in [
                "a console read asks for a character behind the end of the standard input",
                "its standard input has ended: give more by --stdin",
                "waits for more bytes of the standard input, which has ended,",
            ] {
                assert!(error.contains(printed), "{error}");
            }
        }
        // A program that continues during the read.
        let counts = "int main(void) { send(0x0100ull << 48); \
                      for (volatile long i = 0; i < 800000; i++) {} return 3; }";
        if (width, options.is_empty()) == (64, true) {
            compile(image, width, options, counts);
            image.run([""; 0]).stdout(3);
        }
    });
}

/// Program whose output depends on no descriptor and no file of the host, so that Spike prints the
/// same.
const COMMON: &str = include_str!("../../../../integration/firmware/htif_common.c");

/// Path of Spike: from the variable `SPIKE`, or where `cargo xtask test --full` has installed it.
fn spike() -> Option<PathBuf> {
    let given = std::env::var_os("SPIKE").map(PathBuf::from);
    given.or_else(|| Some(tree().join("target/venv/bin/spike")).filter(|path| path.is_file()))
}

#[test]
fn programs_print_and_exit_as_on_spike() {
    let Some(spike) = spike() else {
        let text = "skipped: not found: Spike (SPIKE, or target/venv/bin/spike)";
        let _ = writeln!(std::io::stderr().lock(), "{text}");
        return;
    };
    for_each_kind(|image, width, options| {
        for (program, expected) in [(COMMON, 7), (SIGNATURE, 0)] {
            compile(image, width, options, program);
            let [ours, theirs] = ["ours", "spike"].map(|name| image.path(name));
            fs::create_dir_all(&ours).unwrap();
            fs::create_dir_all(&theirs).unwrap();
            let output = Command::new(&spike)
                .arg(format!("--isa=rv{width}imac"))
                .args(["+signature=sig", "+signature-granularity=8"])
                .arg(image.path("firmware.elf"))
                .current_dir(&theirs)
                .stdin(std::process::Stdio::null())
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(expected), "{output:?}");
            let folder = ours.to_str().unwrap();
            let mut options = vec!["--files", folder];
            if program == SIGNATURE {
                options.extend(["--signature", "sig", "--granularity", "8"]);
            }
            let ended = image.run(options);
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(ended.stdout(expected), text);
            for name in ["spike.txt", "sig"] {
                let [ours, theirs] =
                    [&ours, &theirs].map(|folder| fs::read(folder.join(name)).ok());
                assert!(
                    ours.is_none() || ours == theirs,
                    "{name}: {ours:?} {theirs:?}"
                );
            }
        }
    });
}
