//! Programs and command lines on the pages of HTIF, semihosting and RTT, with Debian's compiler.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use super::{Image, tree};

/// Code blocks in a language on a page.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    blocks.filter_map(|it| it.split("```").next()).collect()
}

#[test]
fn programs_of_the_pages_compile_and_run() {
    for (page, printed) in [
        ("htif", "hello by HTIF\n"),
        ("semihosting", "hello by semihosting\n"),
        ("rtt", "hello by RTT\n"),
    ] {
        let text = fs::read_to_string(tree().join(format!("docs/{page}.md"))).unwrap();
        let program = blocks(&text, "c");
        let program = program.iter().find(|it| it.contains("int main(void)"));
        let lines = blocks(&text, "sh");
        let lines = lines
            .iter()
            .find(|it| it.starts_with("riscv64-unknown-elf-gcc"));
        let (program, lines) = (*program.unwrap(), *lines.unwrap());
        let (compile, rest) = lines.split_once("vhost run ").unwrap();
        assert_eq!(rest, "hello.elf\n", "{page}");
        let narrow = compile.replace("rv64imac -mabi=lp64", "rv32imac -mabi=ilp32");
        assert_ne!(narrow, compile);
        for compile in [compile, &narrow] {
            let image = Image(tempfile::tempdir().unwrap());
            image.put("hello.c", program);
            let output = Command::new("sh")
                .args(["-e", "-c", compile])
                .env("VHOST", tree().canonicalize().unwrap())
                .current_dir(&image.0)
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            if errors.contains("not found") || errors.contains("picolibc.specs") {
                let what = "skipped: not found: riscv64-unknown-elf-gcc with picolibc";
                let _ = writeln!(std::io::stderr().lock(), "{what}");
                return;
            }
            assert!(output.status.success(), "{page}: {errors}");
            let ended = crate::vhost(["run".as_ref(), image.path("hello.elf").as_os_str()]);
            assert!(ended.stderr.contains("channel `cpu`: "), "{ended:?}");
            assert_eq!(ended.stdout(0), printed, "{page}");
        }
    }
}
