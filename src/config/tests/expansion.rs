//! `~`, `$VAR` and `${VAR}`.

use super::super::expand::{expand, expand_braced};
use super::*;
use crate::mem::Backend;

#[test]
fn home_and_variables_are_expanded() {
    let outside = Fake::default()
        .variable("HOME", "/home/me")
        .variable("DIR", "fw")
        .variable("EMPTY", "");
    let cases = [
        ("~/x", "/home/me/x"),
        ("~", "/home/me"),
        ("a~/x", "a~/x"),
        ("./~other/x", "./~other/x"),
        ("a$/x", "a$/x"),
        ("$", "$"),
        ("a$$", "a$"),
        ("$${x", "${x"),
        ("$DIR/x", "fw/x"),
        ("${DIR}_2", "fw_2"),
        ("$EMPTY/x", "/x"),
        ("${NONE:-y}/x", "y/x"),
        ("5$$", "5$"),
        ("plain", "plain"),
    ];
    for (text, wanted) in cases {
        assert_eq!(expand(text, "elf", &outside).unwrap(), wanted, "{text}");
    }
}

#[test]
fn unset_variables_are_named_with_their_key() {
    for (text, variable) in [("$A/x", "A"), ("${B}", "B"), ("~/x", "HOME"), ("~", "HOME")] {
        assert_eq!(
            expand(text, "elf", &Fake::default())
                .unwrap_err()
                .to_string(),
            format!(
                "`elf`: the environment variable `{variable}` of `{text}` is not set (or not text); set it, or write `$$` for a plain `$`"
            )
        );
    }
}

#[test]
fn unexpandable_text_is_refused() {
    let outside = Fake::default().variable("A", "a");
    let error = |text| expand(text, "elf", &outside).unwrap_err().to_string();
    for text in [
        "${",
        "$A/${",
        "${A",
        "${A/x.elf",
        "${}",
        "${}x",
        "${A B}",
        "${:-x}",
    ] {
        assert_eq!(
            error(text),
            format!(
                "`elf`: `{text}` has `${{` without a name and `}}` behind it; write `${{NAME}}`, or `$$` for a plain `$`"
            )
        );
    }
    for text in ["~other/x", "~other", "~$A", "~~"] {
        assert_eq!(
            error(text),
            format!(
                "`elf`: `{text}` begins with another user's home directory, which is not expanded; write the directory's path, or \
                 `./~` for a name that begins with `~`"
            )
        );
    }
}

#[test]
fn the_process_is_asked() {
    assert!(Process.variable("CARGO_MANIFEST_DIR").is_some());
    assert_eq!(Process.variable("VHOST_TEST_NOT_SET"), None);
    assert!(Process.is_file(Path::new("Cargo.toml")));
    assert!(!Process.is_file(Path::new("src")));
    let problem = Process.image(Path::new("Cargo.toml")).unwrap_err().problem;
    assert!(matches!(problem, ImageProblem::NotElf { .. }));
}

#[test]
fn the_value_of_a_variable_is_expanded_like_a_path() {
    let outside = Fake::default()
        .variable("ROOT", "/fw")
        .variable("HOME", "/home/me");
    let expanded = |value: &str| expand_path(OsStr::new(value), "MEM_CFG_FILE", &outside);
    assert_eq!(
        expanded("${ROOT}/mem.yaml").unwrap(),
        Path::new("/fw/mem.yaml")
    );
    assert_eq!(
        expanded("~/mem.yaml").unwrap(),
        Path::new("/home/me/mem.yaml")
    );
    assert_eq!(
        expanded("$NONE/mem.yaml").unwrap_err().to_string(),
        "`MEM_CFG_FILE`: the environment variable `NONE` of `$NONE/mem.yaml` is not set (or not text); \
         set it, or write `$$` for a plain `$`"
    );
}

#[test]
fn every_value_of_a_memory_may_have_variables() {
    let outside = Fake::default()
        .variable("BASE", "0x1000")
        .variable("TOP", "tb.dut")
        .variable("RAM", "ram");
    let text = "
shared:
  ram: {base: '${BASE}', size: '${SIZE:-4K}', path: '${TOP}.mem', width: '${WIDTH:-32}', backend: '${BACKEND:-vpi}'}
space:
  core: ['${RAM}']
  other: [{r: {base: 0, size: 64, path: $root.tb.mem, width: 32, backend: vpi, array_dims: {rows: '${ROWS:-4}', cols: 4}}}]
";
    let map = parse_memory_map(text, Path::new("m.yaml"), &outside).unwrap();
    let [ram, other] = &map.memories[..] else {
        panic!("two memories")
    };
    assert_eq!(
        (ram.base, ram.size, ram.backend),
        (0x1000, 4096, Backend::Vpi)
    );
    let paths = |memory: &crate::mem::Memory| -> Vec<String> {
        memory.shape.instances().map(str::to_owned).collect()
    };
    assert_eq!(paths(ram), ["tb.dut.mem"]);
    assert_eq!(paths(other), ["$root.tb.mem"]);

    let refused = |text: &str| {
        let error = parse_memory_map(text, Path::new("m.yaml"), &outside).unwrap_err();
        error.to_string()
    };
    let error = refused("space:\n  core:\n    - ram: {base: 0,\n        size: '${NONE}'}\n");
    assert!(error.starts_with("m.yaml:4: "), "{error}");
    assert!(
        error.contains("`size`: the environment variable `NONE` of `${NONE}` is not set"),
        "{error}"
    );
    let error = refused("space: {core: ['${NONE}']}");
    assert!(error.contains("the environment variable `NONE`"), "{error}");
    let error = refused("space: {core: [{ram: {base: 0, size: '${1+1'}}]}");
    assert!(
        error.contains("`size`: `${1+1` has `${` without a name"),
        "{error}"
    );
}

#[test]
fn a_brace_alone_makes_a_variable_in_other_values_than_paths() {
    let outside = Fake::default().variable("A", "x");
    let cases = [
        ("$A", "$A"),
        ("$$", "$$"),
        ("~", "~"),
        ("${A}${A}.$root", "xx.$root"),
        ("$${A}", "${A}"),
        ("a}b", "a}b"),
    ];
    for (text, wanted) in cases {
        assert_eq!(expand_braced(text, &outside).unwrap(), wanted, "{text}");
    }
    for text in ["${", "${}", "${A", "${A B}"] {
        assert!(expand_braced(text, &outside).is_err(), "{text}");
    }
}
