//! Outputs of the command that are also inputs or other outputs.

use std::fs;
use std::path::Path;

use crate::run::Run;
use crate::{Ended, command, end};

const MEMORIES: &str = "space:\n  cpu:\n    \
    - ram: {base: 0x0, size: 0x100000, path: tb.ram, width: 32, backend: static, init: {method: hex, file: data.hex}}\n";
const MAILBOXES: &str = "cpu: {space: cpu, elf: other.elf, ptr: 32}\n";

/// Options of `vhost run` with an input, the file, and its description.
const INPUTS: [(&str, &str, &str); 7] = [
    ("", "fw.elf", "the image"),
    ("--stdin in", "in", "the standard input"),
    ("--stdin - <in", "in", "the standard input"),
    ("--memory mem.yaml", "mem.yaml", "the memory configuration"),
    ("--mailbox mb.yaml", "mb.yaml", "the mailbox configuration"),
    (
        "--memory mem.yaml --mailbox mb.yaml",
        "other.elf",
        "a file of the configuration",
    ),
    ("--restore ck", "ck", "the checkpoint to restore"),
];

/// Outputs of `vhost run` to the file `@`, as variables and options.
const OUTPUTS: [(&str, &str); 8] = [
    ("", "--record @"),
    ("VHOST_TRACE=@", ""),
    ("", "--attach log=@"),
    ("", "--attach check,log-json=@"),
    ("", "--attach statistics=@"),
    ("VHOST_ATTACH=log=@", ""),
    ("", "--save-at 3 @"),
    ("", "--files . --signature @"),
];

/// Calls the command through a shell.
fn shell(folder: &Path, variables: &str, words: &str) -> Ended {
    let mut shell = std::process::Command::new("sh");
    let vhost = env!("CARGO_BIN_EXE_vhost");
    shell.args(["-c", &format!("{variables} exec {vhost} {words}")]);
    for variable in ["MEM_CFG_FILE", "MAILBOX_CFG_FILE", "MAILBOX_FS_ROOT"] {
        shell.env_remove(variable);
    }
    end(shell.current_dir(folder))
}

/// Folder with an image, a recording, and all inputs.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Run::default().record(folder.path());
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/selftest-rv32.elf");
    for name in ["fw.elf", "other.elf"] {
        fs::copy(&image, folder.path().join(name)).unwrap();
    }
    for (name, text) in [
        ("in", "input"),
        ("ck", "checkpoint"),
        ("data.hex", "00000000\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("mem.yaml"), MEMORIES).unwrap();
    fs::write(folder.path().join("mb.yaml"), MAILBOXES).unwrap();
    folder
}

/// Commands with an output `-`.
const DASHES: [&str; 14] = [
    "run fw.elf --record -",
    "run fw.elf --attach log=-",
    "run fw.elf --attach check,statistics=-",
    "run fw.elf --save-at 3 -",
    "replay run.trace --attach log-json=-",
    "report run.trace -o -",
    "report run.trace --junit -",
    "check --mem mem.yaml --junit -",
    "trace cut run.trace --ticks 2.. -o -",
    "trace export --perfetto run.trace -o -",
    "trace export --ftr run.trace -o -",
    "trace export --fst run.trace -o -",
    "trace export --parquet run.trace -o -",
    "selftest --simulator verilator --print --folder -",
];

#[test]
fn a_dash_is_the_name_of_no_output() {
    let folder = folder();
    let dashes = DASHES.iter();
    let dashes = dashes.filter(|words| cfg!(feature = "parquet") || !words.contains("--parquet"));
    let calls = dashes.map(|words| ("", *words));
    for (variables, words) in calls.chain([("VHOST_TRACE=-", "run fw.elf")]) {
        let error = shell(folder.path(), variables, words).stderr(2);
        assert!(
            error.contains("`-` is no name for the "),
            "{words}: {error}"
        );
        assert!(!folder.path().join("-").exists(), "{words}");
    }
}

/// Asserts that the command is rejected, and leaves the file unchanged.
fn assert_refused(folder: &Path, variables: &str, words: &str, file: &str, what: &str) {
    let before = fs::read(folder.join(file)).unwrap();
    let error = shell(folder, variables, words).stderr(2);
    let expected = format!("{file} is {what}; give the output another name");
    assert!(
        error.contains(&expected),
        "{variables} vhost {words}: {error}"
    );
    assert_eq!(fs::read(folder.join(file)).unwrap(), before, "{words}");
}

#[test]
fn no_output_of_a_run_is_an_input() {
    let folder = folder();
    for (input, file, what) in INPUTS {
        for (variables, output) in OUTPUTS {
            // The options exclude each other.
            if input.contains("--mailbox") && output.contains("--signature") {
                continue;
            }
            let [variables, output] = [variables, output].map(|text| text.replace('@', file));
            let words = format!("run fw.elf {output} {input}");
            let replaces = input.starts_with("--restore") && output.starts_with("--save-at");
            if replaces {
                let error = shell(folder.path(), &variables, &words).stderr(125);
                assert!(error.contains("checkpoint"), "{error}");
            } else {
                assert_refused(folder.path(), &variables, &words, file, what);
            }
        }
    }
}

#[test]
fn no_two_outputs_of_a_run_are_one_file() {
    let folder = folder();
    for (number, (variables, output)) in OUTPUTS.iter().enumerate() {
        for (other_variables, other) in &OUTPUTS[number + 1..] {
            // The option takes precedence over the variable.
            if (*output, *other_variables) == ("--record @", "VHOST_TRACE=@") {
                continue;
            }
            let variables = format!("{variables} {other_variables}").replace('@', "new");
            let words = format!("run fw.elf {output} {other}").replace('@', "new");
            let error = shell(folder.path(), &variables, &words).stderr(2);
            assert!(error.contains("give them two names"), "{words}: {error}");
            assert!(!folder.path().join("new").exists(), "{variables} {words}");
        }
    }
}

#[test]
fn no_output_of_the_other_commands_is_an_input() {
    let folder = folder();
    let of_recording = [
        "replay run.trace --attach log=@",
        "replay run.trace --attach check,log-json=@",
        "replay run.trace --attach statistics=@",
        "report run.trace -o @",
        "report run.trace --junit @",
        "trace export --perfetto run.trace -o @",
        "trace export --fst run.trace -o @",
        "trace export --ftr run.trace -o @",
        "trace cut --ticks .. run.trace -o @",
    ];
    for words in of_recording {
        let words = words.replace('@', "run.trace");
        let what = match words.starts_with("report") {
            true => "a recording",
            false => "the recording",
        };
        assert_refused(folder.path(), "", &words, "run.trace", what);
    }
    for (file, what) in [
        ("mem.yaml", "the memory configuration"),
        ("mb.yaml", "the mailbox configuration"),
        ("data.hex", "a file of the configuration"),
        ("other.elf", "a file of the configuration"),
    ] {
        fs::write(folder.path().join("mem.yaml"), MEMORIES).unwrap();
        let words = format!("check --mem mem.yaml --mailbox mb.yaml --junit {file}");
        assert_refused(folder.path(), "", &words, file, what);
    }
    for words in [
        "replay run.trace --attach log=new,statistics=new",
        "report run.trace -o new --junit ./new",
    ] {
        let error = shell(folder.path(), "", words).stderr(2);
        assert!(error.contains("give them two names"), "{words}: {error}");
        assert!(!folder.path().join("new").exists(), "{words}");
    }
}

#[test]
fn devices_are_outputs_of_more_than_one_option() {
    let folder = folder();
    let mut run = command();
    run.args(["run", "fw.elf", "--stdin", "/dev/null"]);
    run.args(["--attach", "log=/dev/null,statistics=/dev/null"]);
    let ended = end(run.current_dir(folder.path()));
    assert!(
        !ended.stderr.contains("another name") && ended.status != Some(2),
        "{ended:?}"
    );
}
